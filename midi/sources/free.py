"""Freely licensed MIDI music out of Debian's packages, kept with its licences."""

import itertools
import json
import logging
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from midi.errors import SourceError
from midi.sources import debian_package as debian
from midi.sources.base import Progress, SourceOptions
from midi.sources.cache import build_once
from midi.sources.keys import is_midi_name
from midi.sources.wad import midi_lumps
from midi.sources.zip_archive import ZipSource

__all__ = ["PACKAGES", "free_available", "open_free"]

log = logging.getLogger(__name__)

# In Debian main for every architecture, 22 MB together.
PACKAGES = ("freedoom", "mma", "openttd-openmsx", "planetblupi-music-midi", "simutrans-data")

# Goes up whenever what is kept changes, so that an older cache is not taken for it.
_LAYOUT = 1
# A zip's members need a date; a fixed one makes the same packages give the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


def free_available() -> bool:
    """Whether this machine has the programs that fetching needs; says nothing about the network."""
    return debian.apt_available()


def open_free(options: SourceOptions, progress: Progress, packages: tuple[str, ...] = PACKAGES) -> ZipSource:
    """The packages' songs, fetched at the first use only.

    The cache folder then holds songs.zip (keys "<package>/<path>.mid", "freedoom/<game>/<lump>.mid"), LICENCES.json
    (package, version, licences, source) and each package's whole copyright file. Versions are CRCs: fetching the same
    packages again gives the same listing.
    """
    folder = options.cache_dir / f"free-{_LAYOUT}-{'-'.join(packages)}"
    build_once(folder, lambda part: _build(part, packages, progress))
    manifest = json.loads((folder / "LICENCES.json").read_text())
    label = ", ".join(f"{entry['package']} {entry['version']}" for entry in manifest["packages"])
    if manifest["missing"]:
        label += f"; without {', '.join(manifest['missing'])}"
    return ZipSource(folder / "songs.zip", label=f"free ({label})")


def _build(part: Path, names: tuple[str, ...], progress: Progress) -> None:
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    wanted, missing = _candidates(names)
    entries = []
    with zipfile.ZipFile(part / "songs.zip", "w", zipfile.ZIP_DEFLATED) as songs:
        for package in wanted:
            deb = debian.download(package, part, progress)
            entries.append(_collect(package, deb, songs, part))
            deb.unlink()
    manifest = {"packages": entries, "missing": missing}
    (part / "LICENCES.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def _candidates(names: tuple[str, ...]) -> tuple[list[debian.DebianPackage], list[str]]:
    """What apt has of `names`, and what it does not know."""
    if not free_available():
        raise SourceError("The source free needs apt-get and dpkg-deb (Debian, Ubuntu); use generated:1000 instead.")
    found = {name: debian.candidate(name) for name in names}
    if not any(found.values()) and debian.refresh_lists():
        found = {name: debian.candidate(name) for name in names}
    missing = [name for name, package in found.items() if package is None]
    if len(missing) == len(names):
        raise SourceError(
            f"apt knows none of {', '.join(names)}; run `apt-get update` as root (they are in Debian main), "
            "or use the source generated:1000."
        )
    for name in missing:
        log.warning("The package %s is not in this distribution: the source free goes on without it.", name)
    return [package for package in found.values() if package is not None], missing


def _collect(package: debian.DebianPackage, deb: Path, songs: zipfile.ZipFile, part: Path) -> dict[str, object]:
    """Move a package's music into `songs` and its licences into `part`; its entry for LICENCES.json."""
    copyright_text, count = "", 0
    with debian.opened(deb) as files:
        for member in files:
            if member.name.endswith(f"/doc/{package.name}/copyright"):
                copyright_text = _bytes(files, member).decode("utf-8", "replace")
            for key, data in _songs(package.name, files, member):
                songs.writestr(zipfile.ZipInfo(key, _DATE), data, zipfile.ZIP_DEFLATED)
                count += 1
    if count == 0 or not copyright_text:
        raise SourceError(f"{package.file} holds no MIDI files with a licence; use the source generated:1000.")
    (part / f"{package.name}.copyright").write_text(copyright_text)
    return {
        "package": package.name,
        "version": package.version,
        "songs": count,
        "licences": debian.licences(copyright_text) or [f"see {package.name}.copyright"],
        "source": f"https://tracker.debian.org/pkg/{package.name}",
    }


def _songs(package: str, files: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[tuple[str, bytes]]:
    path = PurePosixPath(member.name)
    if not member.isreg():
        return
    if is_midi_name(member.name):
        yield f"{package}/{_telling_part(path, package)}", _bytes(files, member)
    elif path.suffix.lower() == ".wad":
        for lump, data in midi_lumps(_bytes(files, member)):
            yield f"{package}/{path.stem}/{lump}.mid", data


def _telling_part(path: PurePosixPath, package: str) -> str:
    """usr/share/doc/mma/examples/a.mid of the package mma -> examples/a.mid"""
    dull = {"usr", "share", "doc", "games", package}
    return "/".join(itertools.dropwhile(lambda part: part in dull, path.parts))


def _bytes(files: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = files.extractfile(member)
    return file.read() if file is not None else b""
