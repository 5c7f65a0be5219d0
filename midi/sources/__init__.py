"""Where MIDI files come from, behind one small interface (`base.Source`).

`open_source` turns what a user types into a source that is ready: whatever has to be fetched or unpacked is in the
cache then, and the source can be pickled and read on executors. Reads bytes, and never looks into them: that is
`midi.scan`'s part. One module per kind of source; knows nothing of Spark or Postgres.
"""

import re
from pathlib import Path

from midi.errors import SourceError
from midi.sources.base import Progress, Read, Source, SourceObject, SourceOptions
from midi.sources.folder import FolderSource
from midi.sources.free import free_available, open_free
from midi.sources.generated import parse_generated
from midi.sources.keys import is_midi_name, shown
from midi.sources.tar_archive import open_tar
from midi.sources.zip_archive import ZipSource

__all__ = [
    "ACCEPTED",
    "Progress",
    "Read",
    "Source",
    "SourceObject",
    "SourceOptions",
    "free_available",
    "open_source",
]

ACCEPTED = (
    "a folder, a MIDI file (.mid .midi .rmi .kar .smf), a .zip, .tar, .tar.gz or .tgz archive, s3://bucket/prefix, "
    "an http(s) URL of such a file or archive, lakh, free, or generated:N[:seed]"
)
_TARS = (".tar", ".tar.gz", ".tgz")


def open_source(spec: str, options: SourceOptions, progress: Progress) -> Source:
    """The source a spec names (see ACCEPTED), fetched and unpacked; raises SourceError."""
    # Imported when asked for: an S3 client takes longer to import than a folder to list.
    if options.sha256 is not None and not (_is_url(spec) or spec == "lakh"):
        raise SourceError(f"A SHA-256 digest is for what is downloaded, and {spec!r} is not; leave it out.")
    if _is_url(spec):
        return _open_url(spec, options, progress)
    if spec == "lakh":
        from midi.sources.lakh import open_lakh

        return open_lakh(options, progress)
    if spec.startswith("s3://"):
        from midi.sources.s3 import parse_s3

        return parse_s3(spec, options)
    if spec == "free":
        return open_free(options, progress)
    if spec.partition(":")[0] == "generated":
        return parse_generated(spec)
    if "://" in spec:
        raise SourceError(f"Unknown source {spec!r}: a source is {ACCEPTED}.")
    return _open_path(_existing(spec), options, progress)


def _open_url(spec: str, options: SourceOptions, progress: Progress) -> Source:
    from midi.sources.web import Download, file_name, shown_url

    try:
        name = file_name(spec)
    except ValueError as error:
        # Not shown: it may hold a password.
        raise SourceError(f"That URL cannot be understood; a source is {ACCEPTED}.") from error
    if not _is_readable(name):
        raise SourceError(
            f"{shown_url(spec)} does not end in the name of a MIDI file or archive: a source is {ACCEPTED}."
        )
    if options.sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", options.sha256):
        raise SourceError(f"{options.sha256!r} is not a SHA-256 digest: that is 64 hexadecimal digits.")
    path = Download(spec, options.cache_dir, options.sha256).fetch(progress)
    return _open_path(path, options, progress, label=shown_url(spec))


def _existing(spec: str) -> Path:
    try:
        path = Path(spec).expanduser().absolute()
        exists = path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError(f"Cannot look at {spec!r} ({error}); a source is {ACCEPTED}.") from error
    if not spec or not exists:
        raise SourceError(f"{spec!r} does not exist; a source is {ACCEPTED}.")
    return path


def _open_path(path: Path, options: SourceOptions, progress: Progress, label: str = "") -> Source:
    name = path.name.lower()
    if path.is_dir():
        return FolderSource(path)
    if not path.is_file() or not _is_readable(name):
        raise SourceError(f"{shown(path)} is none of the files Scale can read; a source is {ACCEPTED}.")
    if name.endswith(_TARS):
        return open_tar(path, options, progress, label)
    if name.endswith(".zip"):
        return ZipSource(path, label)
    return FolderSource(path.parent, only=path.name, label=label)


def _is_url(spec: str) -> bool:
    return spec.lower().startswith(("http://", "https://"))


def _is_readable(name: str) -> bool:
    return is_midi_name(name) or name.lower().endswith((*_TARS, ".zip"))
