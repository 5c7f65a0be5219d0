"""A published index of files that exist in a folder, so that the site can hand them out, draw and play them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg2 import extensions

from midi.scan.song import HASH_DIGITS, SongFacts, scan_song
from midi.sources.folder import FolderSource
from tests.tiny_index import TinySong, publish_tiny_index

MAX_BYTES = 4_000_000


@dataclass(frozen=True, kw_only=True)
class FileSong(TinySong):
    """A song whose content is known. format: the file's."""

    format: int
    data: bytes

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.data).hexdigest()[:HASH_DIGITS]


def publish_files(connection: extensions.connection, folder: Path, files: Mapping[str, bytes]) -> list[FileSong]:
    """Write the files (by key), and an index of their songs as made from the folder; equal bytes are one song."""
    for key, data in files.items():
        folder.joinpath(key).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(key).write_bytes(data)
    songs = [_song(data, [key for key in files if files[key] == data]) for data in dict.fromkeys(files.values())]
    index_id = publish_tiny_index(connection, songs)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE run SET source = %s, parameters = parameters || jsonb_build_object('max_bytes', %s)"
            " FROM index_version WHERE index_id = %s AND index_version.run_id = run.run_id RETURNING run.run_id",
            [FolderSource(folder).description, MAX_BYTES, index_id],
        )
        (run_id,) = cursor.fetchone() or (0,)
        cursor.execute("INSERT INTO chunk VALUES (%s, 0, '[]', 0, 0, now())", [run_id])
        for song in songs:
            cursor.execute("UPDATE song SET format = %s WHERE hash = %s", [song.format, song.hash])
        for listed in FolderSource(folder).objects():
            song = next(one for one in songs if one.data == files[listed.key])
            cursor.execute(
                "INSERT INTO scanned_file VALUES"
                " (%s, 0, %s, %s, %s, %s, %s, 1, 1, 480, 1, 120, %s, '{}', '{}', 0, '{}')",
                [run_id, listed.key, listed.size, listed.version, song.hash, song.title, song.bits],
            )
    return songs


def _song(data: bytes, keys: list[str]) -> FileSong:
    facts = scan_song(data, keys[0])
    assert isinstance(facts, SongFacts), keys
    return FileSong(
        title=facts.title,
        programs=dict(zip(facts.programs, facts.notes, strict=True)),
        drum_notes=facts.drum_notes,
        duration_seconds=facts.duration_seconds,
        tempo_bpm=facts.tempo_bpm,
        keys=tuple(keys),
        warnings=facts.warnings,
        format=facts.format,
        data=data,
    )
