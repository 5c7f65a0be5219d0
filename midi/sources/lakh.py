"""The Lakh MIDI data set (Colin Raffel, https://colinraffel.com/projects/lmd): 178,561 files and the names they had."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from midi.errors import SourceError
from midi.sources.base import Progress, Read, SourceObject, SourceOptions
from midi.sources.keys import key_of
from midi.sources.tar_archive import TarSource, open_tar
from midi.sources.web import Download

__all__ = ["LakhSource", "open_lakh", "song_name"]

BASE_URL = "http://hog.ee.columbia.edu/craffel/lmd"


@dataclass(frozen=True, slots=True)
class LakhSource:
    """lmd_full.tar.gz, whose files are named by their contents' MD5, and md5_to_paths.json."""

    archive: TarSource
    paths: Path

    @property
    def description(self) -> str:
        return self.archive.description

    def objects(self) -> Iterator[SourceObject]:
        return self.archive.objects()

    def reader(self) -> AbstractContextManager[Read]:
        return self.archive.reader()

    def names(self) -> Iterator[tuple[str, str]]:
        """In order of MD5; a song's name is "artist / title" where its first path has both."""
        try:
            paths = json.loads(self.paths.read_bytes())
            for md5 in sorted(paths):
                if paths[md5]:
                    yield md5, song_name(paths[md5][0])
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise SourceError(
                f"{self.paths} is not Lakh's list of names ({error}); delete it and try again."
            ) from error


def open_lakh(options: SourceOptions, progress: Progress, base_url: str = BASE_URL) -> LakhSource:
    """Fetch (some 1.7 GB) and unpack (about 7 GB) at the first use; `options.sha256` is the archive's."""
    paths = Download(f"{base_url}/md5_to_paths.json", options.cache_dir).fetch(progress)
    packed = Download(f"{base_url}/lmd_full.tar.gz", options.cache_dir, options.sha256).fetch(progress)
    return LakhSource(open_tar(packed, options, progress, label="lakh (lmd_full)"), paths)


def song_name(path: str) -> str:
    """Some/Archive/Artist/Title.mid -> Artist / Title; a folder of one letter or digit is no artist."""
    parts = PurePosixPath(path).parts
    title = PurePosixPath(path).stem
    artist = parts[-2].strip() if len(parts) > 1 else ""
    return key_of(f"{artist} / {title}" if len(artist) > 1 else title)
