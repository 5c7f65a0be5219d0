"""The similarity stage: the corpus is broadcast, ranges of songs are the tasks, each writes its neighbours once."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from psycopg2.extensions import connection as Connection
from pyspark import SparkContext
from pyspark.core.broadcast import Broadcast

from spark_jobs.database import connect
from spark_jobs.publish.tables import partition
from spark_jobs.similarity.corpus import Corpus, SongNotes, build
from spark_jobs.similarity.search import nearest

PART_SONGS = 2048


@dataclass(frozen=True, slots=True)
class SimilarityJob:
    """What an executor needs to find and write the neighbours of ranges of songs of an index version."""

    database_url: str
    index_id: int
    neighbours: int
    set_weight: int

    def run(self, context: SparkContext, corpus: Corpus, parts: list[tuple[int, int]]) -> None:
        """Write the neighbours of the parts: (first, last) song ids, inclusive."""
        shared = context.broadcast(corpus)
        try:
            context.parallelize(parts, max(1, len(parts))).foreach(lambda part: self.write_part(shared, *part))
        finally:
            shared.destroy()

    def write_part(self, corpus: Broadcast[Corpus], first: int, last: int) -> None:
        ids, scores = nearest(corpus.value, first, last, self.neighbours, self.set_weight)
        rows = copy_rows(self.index_id, first, ids, scores)
        with (
            connect(self.database_url, "scale-similarity") as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "INSERT INTO neighbour_part (index_id, first_song, last_song, digest) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                (self.index_id, first, last, hashlib.sha256(rows).hexdigest()),
            )
            if cursor.rowcount:
                cursor.copy_expert(f"COPY {partition('neighbour', self.index_id)} FROM STDIN", io.BytesIO(rows))


def copy_rows(index_id: int, first: int, ids: npt.NDArray[np.int32], scores: npt.NDArray[np.int32]) -> bytes:
    """Rows of `neighbour` for the songs from `first` on, in COPY's text format: the very bytes that COPY gives back."""
    lines = [f"{index_id}\t{first + row}\t{_array(ids[row])}\t{_array(scores[row])}\n" for row in range(len(ids))]
    return "".join(lines).encode()


def _array(values: npt.NDArray[np.int32]) -> str:
    return "{" + ",".join(map(str, values.tolist())) + "}"


def load_corpus(connection: Connection, index_id: int) -> Corpus:
    """The songs of an index version, streamed out of the database into arrays."""
    with connection.cursor("corpus") as cursor:
        cursor.itersize = 10_000
        cursor.execute(
            "SELECT song_id, set_id, programs, notes, drum_notes"
            f" FROM {partition('song', index_id)} ORDER BY set_id, song_id"
        )
        corpus = build(SongNotes(*row) for row in cursor)
    connection.rollback()
    return corpus


def pending_parts(connection: Connection, index_id: int, songs: int) -> list[tuple[int, int]]:
    """The ranges of songs whose neighbours are not written yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT first_song FROM neighbour_part WHERE index_id = %s", (index_id,))
        done = {first for (first,) in cursor.fetchall()}
    connection.rollback()
    return [part for part in _parts(songs) if part[0] not in done]


def songs_done(connection: Connection, index_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(last_song - first_song + 1), 0)::bigint FROM neighbour_part WHERE index_id = %s",
            (index_id,),
        )
        row = cursor.fetchone()
    connection.rollback()
    return int(row[0]) if row else 0


def _parts(songs: int) -> Iterator[tuple[int, int]]:
    for first in range(0, songs, PART_SONGS):
        yield first, min(first + PART_SONGS, songs) - 1
