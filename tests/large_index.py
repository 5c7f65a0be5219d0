"""A published index the size of the Lakh MIDI data set, out of made-up songs: the pipeline's own stages, without files.

Instrument sets and note counts are those of the `generated` source; titles are of words of a made-up language, common
ones often and rare ones seldom, and many songs share one, as in a real collection. One song in eight has a fault, and
on fifty songs comes a file that is none.
"""

import hashlib
import io
import uuid
from collections.abc import Iterator
from itertools import accumulate
from random import Random

from psycopg2 import extensions
from psycopg2.extras import Json

from midi.scan.flaws import MEANINGS
from midi.scan.song import RejectReason
from midi.sources.generated_sets import arrange
from spark_jobs import outliers
from spark_jobs.publish.build import build
from spark_jobs.publish.tables import partition
from spark_jobs.publish.versions import publish
from spark_jobs.similarity.job import PART_SONGS, copy_rows, load_corpus
from spark_jobs.similarity.search import nearest

LAKH_SONGS = 178_561
NEIGHBOURS = 50
SET_WEIGHT = 500

_SYLLABLES = [
    start + vowel for start in ("b", "ch", "d", "f", "g", "k", "l", "m", "n", "r", "s", "t") for vowel in "aeiou"
]
_WORDS = 30_000
_SAME_TITLE = 0.35
_SONGS_PER_FAULT, _SONGS_PER_REJECT = 8, 50


def publish_large_index(connection: extensions.connection, songs: int = LAKH_SONGS, seed: int = 1) -> int:
    """Make an index of so many songs the current one, with exact neighbours; returns its index_id.

    Takes the pipeline's own time for everything but reading files: at Lakh's size a minute or so.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO run (source, source_fingerprint, parameters, code_version)"
            " VALUES ('large', %s, %s, 'test') RETURNING run_id",
            [f"{songs}:{seed}", Json({"set_weight": SET_WEIGHT})],
        )
        (run_id,) = cursor.fetchone() or (0,)
        cursor.execute(
            "INSERT INTO chunk (run_id, chunk_id, objects, object_count, bytes, done_at)"
            " VALUES (%s, 0, '[]', %s, 0, now())",
            [run_id, songs + songs // _SONGS_PER_REJECT],
        )
        cursor.copy_expert("COPY scanned_file FROM STDIN", io.StringIO("".join(_rows(run_id, songs, seed))))
        cursor.copy_expert("COPY reject FROM STDIN", io.StringIO("".join(_rejects(run_id, songs))))
    version = build(connection, run_id)
    corpus = load_corpus(connection, version.index_id)
    with connection, connection.cursor() as cursor:
        for first in range(0, version.songs, PART_SONGS):
            last = min(first + PART_SONGS, version.songs) - 1
            rows = copy_rows(version.index_id, first, *nearest(corpus, first, last, NEIGHBOURS, SET_WEIGHT))
            cursor.execute(
                "INSERT INTO neighbour_part (index_id, first_song, last_song, digest) VALUES (%s, %s, %s, %s)",
                [version.index_id, first, last, hashlib.sha256(rows).hexdigest()],
            )
            cursor.copy_expert(f"COPY {partition('neighbour', version.index_id)} FROM STDIN", io.BytesIO(rows))
    outliers.record(connection, version.index_id)
    publish(connection, version.index_id, run_id, NEIGHBOURS)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.autocommit = False
    return version.index_id


def _rows(run_id: int, songs: int, seed: int) -> Iterator[str]:
    """Lines of scanned_file in COPY's text format."""
    random = Random(seed)
    titles, flaws = _titles(random), list(MEANINGS)
    for number in range(songs):
        made = arrange(random)
        programs = sorted(made.shares)
        notes = [max(1, round(1500 * made.shares[program])) for program in programs]
        drums = max(1, round(1500 * made.drums)) if made.drums else 0
        bits = "".join("1" if bit in made.shares else "0" for bit in range(128)) + ("1" if drums else "0")
        fault = flaws[number // _SONGS_PER_FAULT % len(flaws)] if number % _SONGS_PER_FAULT == 0 else ""
        content = uuid.UUID(bytes=hashlib.md5(f"{seed}:{number}".encode(), usedforsecurity=False).digest())
        yield (
            f"{run_id}\t0\tmade/{number:06}.mid\t4096\t1\t{content}\t{next(titles)}\t1\t{len(programs) + 1}\t480\t"
            f"{made.seconds:.3f}\t{made.tempo_bpm}\t{bits}\t{{{','.join(map(str, programs))}}}\t"
            f"{{{','.join(map(str, notes))}}}\t{drums}\t{{{fault}}}\n"
        )


def _rejects(run_id: int, songs: int) -> Iterator[str]:
    """Lines of reject in COPY's text format."""
    reasons = list(RejectReason)
    for number in range(songs // _SONGS_PER_REJECT):
        reason = reasons[number % len(reasons)]
        yield f"{run_id}\t0\tbroken/{number:06}.mid\t4096\t1\t{reason}\tmade up\n"


def _titles(random: Random) -> Iterator[str]:
    words = ["".join(random.choices(_SYLLABLES, k=random.choice((1, 2, 2, 3, 3, 4)))) for _ in range(_WORDS)]
    weights = list(accumulate(1 / (rank + 10) for rank in range(_WORDS)))
    given: list[str] = []
    while True:
        if given and random.random() < _SAME_TITLE:
            yield random.choice(given)
            continue
        given.append(" ".join(random.choices(words, cum_weights=weights, k=random.randint(1, 6))).title())
        yield given[-1]
