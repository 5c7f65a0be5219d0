"""The scan stage: each pending chunk is read, scanned and written once, by whichever executor gets it."""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values
from pyspark import SparkContext

from midi.errors import ObjectUnreadable
from midi.scan.run import DRUMS
from midi.scan.song import Reject, RejectReason, SongFacts, scan_song
from midi.sources.base import Read, Source, SourceObject
from spark_jobs.database import connect
from spark_jobs.ledger import REJECT_COLUMNS, SCANNED_COLUMNS


@dataclass(frozen=True, slots=True)
class ScanJob:
    """What an executor needs to scan chunks of a run."""

    database_url: str
    run_id: int
    source: Source
    max_bytes: int

    def run(self, context: SparkContext, chunk_ids: list[int]) -> None:
        """Scan the chunks, one task each: a killed executor repeats the chunk it was at and no other."""
        context.parallelize(chunk_ids, max(1, len(chunk_ids))).foreach(self.scan_chunk)

    def scan_chunk(self, chunk_id: int) -> None:
        with connect(self.database_url, "scale-scan") as connection:
            objects = self._objects(connection, chunk_id)
            songs: list[tuple[SourceObject, SongFacts]] = []
            rejects: list[tuple[SourceObject, Reject]] = []
            with self.source.reader() as read:
                for member, outcome in self._scan(objects, read):
                    if isinstance(outcome, Reject):
                        rejects.append((member, outcome))
                    else:
                        songs.append((member, outcome))
            self._write(connection, chunk_id, songs, rejects)

    def _objects(self, connection: Connection, chunk_id: int) -> list[SourceObject]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT objects FROM chunk WHERE run_id = %s AND chunk_id = %s", (self.run_id, chunk_id))
            row = cursor.fetchone()
        connection.rollback()
        if row is None:
            raise LookupError(f"chunk {chunk_id} of run {self.run_id} is not in the ledger")
        return [SourceObject(*fields) for fields in row[0]]

    def _scan(self, objects: list[SourceObject], read: Read) -> Iterator[tuple[SourceObject, SongFacts | Reject]]:
        for member in objects:
            try:
                data = read(member, self.max_bytes + 1)
            except ObjectUnreadable as error:
                yield member, Reject(RejectReason.UNREADABLE, str(error))
                continue
            if len(data) > self.max_bytes:
                yield member, Reject(RejectReason.TOO_LARGE, f"more than {self.max_bytes} bytes (--max-bytes)")
            else:
                yield member, scan_song(data, member.key)

    def _write(
        self,
        connection: Connection,
        chunk_id: int,
        songs: list[tuple[SourceObject, SongFacts]],
        rejects: list[tuple[SourceObject, Reject]],
    ) -> None:
        with connection, connection.cursor() as cursor:
            # The row lock makes a second attempt at the same chunk wait here, and then find it done.
            cursor.execute(
                "UPDATE chunk SET done_at = now() WHERE run_id = %s AND chunk_id = %s AND done_at IS NULL",
                (self.run_id, chunk_id),
            )
            if cursor.rowcount == 0:
                return
            execute_values(
                cursor,
                f"INSERT INTO scanned_file (run_id, chunk_id, {SCANNED_COLUMNS}) VALUES %s",
                [(self.run_id, chunk_id, *_song_row(member, facts)) for member, facts in songs],
                template="(%s, %s, %s, %s, %s, %s::uuid, %s, %s, %s, %s, %s, %s, %s::bit(129), %s::smallint[],"
                " %s::integer[], %s, %s::text[])",
                page_size=500,
            )
            execute_values(
                cursor,
                f"INSERT INTO reject (run_id, chunk_id, {REJECT_COLUMNS}) VALUES %s",
                [
                    (self.run_id, chunk_id, member.key, member.size, member.version, reject.reason.value, reject.detail)
                    for member, reject in rejects
                ],
                page_size=500,
            )


def _song_row(member: SourceObject, facts: SongFacts) -> tuple[object, ...]:
    return (
        member.key,
        member.size,
        member.version,
        facts.hash,
        facts.title,
        facts.format,
        facts.tracks,
        facts.division,
        facts.duration_seconds,
        facts.tempo_bpm,
        instrument_bits(facts),
        list(facts.programs),
        list(facts.notes),
        facts.drum_notes,
        list(facts.warnings),
    )


def instrument_bits(facts: SongFacts) -> str:
    """The instrument set as 129 characters of 0 and 1: programs 0-127 from the left, then the drums."""
    bits = bytearray(b"0" * (DRUMS + 1))
    for program in facts.programs:
        bits[program] = ord("1")
    if facts.drum_notes:
        bits[DRUMS] = ord("1")
    return bits.decode()
