"""The pipeline on real Postgres and real Spark, from a source to the index that is served."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from pyspark import SparkContext

from midi.errors import SourceError
from midi.likeness import idf_weights, note_weights, score
from midi.sources import open_source
from midi.sources.base import Read, Source, SourceObject, SourceOptions
from spark_jobs import ledger, planning
from spark_jobs.database import connect
from spark_jobs.errors import JobError
from spark_jobs.pipeline import Pipeline, Summary
from spark_jobs.progress import Display
from spark_jobs.publish import versions
from spark_jobs.scanning import ScanJob
from spark_jobs.settings import Parameters
from tests.postgres import PostgresServer

Run = Callable[..., Summary]


@dataclass(frozen=True)
class Vanished:
    """A source that goes away after it was listed."""

    description: str = "vanished"

    def objects(self) -> Iterator[SourceObject]:
        yield SourceObject("a.mid", 1, "1")

    def names(self) -> Iterator[tuple[str, str]]:
        yield from ()

    def reader(self) -> AbstractContextManager[Read]:
        raise SourceError("The bucket is gone: make it again.")


@dataclass(frozen=True)
class Named:
    """A source that knows what the file 07.mid is called."""

    source: Source
    description: str = "named"

    def objects(self) -> Iterator[SourceObject]:
        return self.source.objects()

    def names(self) -> Iterator[tuple[str, str]]:
        yield "07", "Artist / Title"

    def reader(self) -> AbstractContextManager[Read]:
        return self.source.reader()


def _source(spec: str) -> Source:
    return open_source(spec, SourceOptions(Path("unused")), lambda what, done, total: None)


def _query(url: str, statement: str) -> list[tuple[Any, ...]]:
    with connect(url, "test") as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@pytest.fixture
def run(database_url: str, spark: SparkContext) -> Run:
    def run(source: str | Source, keep_versions: int = 3, url: str = database_url, **parameters: int) -> Summary:
        pipeline = Pipeline(
            database_url=url,
            spark=lambda: nullcontext(spark),
            parameters=Parameters(**parameters),
            code_version="test",
            keep_versions=keep_versions,
            display=Display(quiet=True),
        )
        return pipeline.run(lambda: _source(source) if isinstance(source, str) else source)

    return run


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A folder with 60 files from the generator, a few of them broken."""
    folder = tmp_path / "songs"
    folder.mkdir()
    source = _source("generated:60:5")
    with source.reader() as read:
        for number, member in enumerate(source.objects()):
            (folder / f"{number:02}.mid").write_bytes(read(member, 1 << 20))
    return folder


def test_every_file_ends_as_a_song_or_as_a_reject_with_a_reason(run: Run, database_url: str) -> None:
    summary = run("generated:300:1")
    files = _query(database_url, "SELECT count(*) FROM song_file")[0][0]
    assert summary.files == 300 == files + sum(summary.rejects.values())
    assert summary.songs == _query(database_url, "SELECT count(*) FROM song JOIN current_index USING (index_id)")[0][0]
    assert summary.neighbours == summary.songs * 50


def test_a_run_records_its_stages_its_outliers_and_its_overview(run: Run, database_url: str) -> None:
    summary = run("generated:300:1")
    assert set(summary.stage_seconds) == {"scan", "build", "similarity", "outliers", "publish"}
    ((outliers, overview),) = _query(database_url, "SELECT outliers, overview FROM index_version")
    assert 0 < len(outliers) <= summary.songs // 20
    assert sum(songs for _, songs in overview["instruments_per_song"]) == summary.songs
    assert set(overview["reject_examples"]) == set(summary.rejects)
    assert set(overview["warnings"]) == {
        warning for (warning,) in _query(database_url, "SELECT DISTINCT unnest(warnings) FROM song")
    }


def test_the_published_neighbours_are_those_of_the_definition(run: Run, database_url: str) -> None:
    run("generated:90:2", neighbours=7)
    songs = {
        song_id: dict(zip(programs, notes, strict=True)) | ({128: drums} if drums else {})
        for song_id, programs, notes, drums in _query(
            database_url, "SELECT song_id, programs, notes, drum_notes FROM song"
        )
    }
    idf = idf_weights([sum(f in notes for notes in songs.values()) for f in range(129)], len(songs))
    weights = {song_id: note_weights(notes) for song_id, notes in songs.items()}
    for song_id, ids, scores in _query(database_url, "SELECT song_id, neighbour_ids, scores FROM neighbour"):
        others = [(-score(weights[song_id], weights[other], idf, 500), other) for other in songs if other != song_id]
        assert [(-s, i) for s, i in zip(scores, ids, strict=True)] == sorted(others)[:7]


def test_the_same_source_again_changes_nothing(run: Run, songs: Path) -> None:
    first = run(str(songs))
    again = run(str(songs))
    assert again.unchanged
    assert (again.index, again.digest) == (first.index, first.digest)


def test_a_changed_source_is_published_anew_and_old_versions_are_collected(
    run: Run, songs: Path, database_url: str
) -> None:
    indexes = []
    for _ in range(4):
        next(songs.glob("*.mid")).unlink()
        indexes.append(run(str(songs), keep_versions=2).index)
    assert _query(database_url, "SELECT index_id FROM current_index") == [(indexes[-1],)]
    kept = {index for (index,) in _query(database_url, "SELECT index_id FROM index_version")}
    assert kept == set(indexes[-2:])
    assert {index for (index,) in _query(database_url, "SELECT DISTINCT index_id FROM song")} == kept
    recorded = _query(
        database_url, "SELECT counts ->> 'files', code_version, finished_at IS NOT NULL FROM run ORDER BY 1 DESC"
    )
    assert recorded == [(str(files), "test", True) for files in (59, 58, 57, 56)], "provenance stays"


def test_only_what_changed_is_scanned_again(run: Run, songs: Path, database_url: str, postgres: PostgresServer) -> None:
    run(str(songs))
    first, second, third, *_ = sorted(songs.glob("*.mid"))
    first.write_bytes(third.read_bytes() + b"\0")
    second.unlink()
    (songs / "new.mid").write_bytes(third.read_bytes() + b"\0\0")
    summary = run(str(songs))
    assert (summary.files, summary.carried) == (60, 58)
    scanned = _query(database_url, f"SELECT key FROM scanned_file WHERE run_id = {summary.run} AND chunk_id >= 0")
    assert sorted(scanned) == [(first.name,), ("new.mid",)]
    with postgres.database() as afresh:
        assert run(str(songs), url=afresh).digest == summary.digest


def test_what_another_bound_would_reject_is_not_carried_over(run: Run, songs: Path) -> None:
    run(str(songs))
    summary = run(str(songs), max_bytes=2000)
    assert summary.carried == 0
    assert summary.rejects["too_large"] > 0


def test_a_name_known_from_outside_is_the_title(run: Run, songs: Path, database_url: str) -> None:
    source = Named(_source(str(songs)))
    run(source)
    assert _query(database_url, "SELECT title FROM song JOIN song_file USING (song_id) WHERE key = '07.mid'") == [
        ("Artist / Title",)
    ]


def test_other_parameters_make_another_index(run: Run, songs: Path) -> None:
    assert run(str(songs), set_weight=500).digest != run(str(songs), set_weight=900).digest


def test_files_with_the_same_bytes_are_one_song(run: Run, songs: Path, database_url: str) -> None:
    before = run(str(songs)).songs
    copied = sorted(songs.glob("*.mid"))[0]
    (songs / "copy of it.mid").write_bytes(copied.read_bytes())
    summary = run(str(songs))
    assert summary.songs == before
    files = _query(
        database_url,
        "SELECT count(*) FROM song_file JOIN current_index USING (index_id) GROUP BY song_id HAVING count(*) = 2",
    )
    assert files == [(2,)]


def test_what_cannot_be_read_is_named_and_counted(run: Run, songs: Path, database_url: str) -> None:
    (songs / "empty.mid").write_bytes(b"")
    (songs / "text.mid").write_bytes(b"not a song at all")
    (songs / "large.mid").write_bytes(b"MThd" + bytes(200_000))
    summary = run(str(songs), max_bytes=100_000)
    named = dict(_query(database_url, "SELECT key, reason FROM reject WHERE key NOT LIKE '__.mid'"))
    assert named == {"empty.mid": "empty", "text.mid": "not_midi", "large.mid": "too_large"}
    assert summary.rejects["too_large"] == 1


def test_a_file_name_that_is_no_text_is_one_song_more(run: Run, songs: Path) -> None:
    before = run(str(songs)).songs
    data = sorted(songs.glob("*.mid"))[0].read_bytes()
    (songs / os.fsdecode(b"caf\xe9.mid")).write_bytes(data + b"\0")
    assert run(str(songs)).songs == before + 1


def test_a_chunk_that_is_scanned_twice_is_written_once(run: Run, songs: Path, database_url: str) -> None:
    summary = run(str(songs), chunk_objects=10)
    before = _query(database_url, "SELECT count(*), min(done_at) FROM scanned_file JOIN chunk USING (run_id, chunk_id)")
    ScanJob(database_url, summary.run, _source(str(songs)), 1 << 20).scan_chunk(0)
    after = _query(database_url, "SELECT count(*), min(done_at) FROM scanned_file JOIN chunk USING (run_id, chunk_id)")
    assert before == after


def test_a_run_that_failed_goes_on_where_it_stopped(
    run: Run, songs: Path, database_url: str, postgres: PostgresServer
) -> None:
    with postgres.database() as undisturbed:
        expected = run(str(songs), url=undisturbed, chunk_objects=10).digest
    fresh = ledger_of(database_url, songs, Parameters(chunk_objects=10))
    for chunk_id in (0, 3):
        ScanJob(database_url, fresh, _source(str(songs)), Parameters().max_bytes).scan_chunk(chunk_id)
    done = _query(database_url, "SELECT chunk_id, done_at FROM chunk WHERE done_at IS NOT NULL ORDER BY chunk_id")
    summary = run(str(songs), chunk_objects=10)
    assert (summary.run, summary.resumed, summary.digest) == (fresh, True, expected)
    kept = _query(database_url, "SELECT chunk_id, done_at FROM chunk WHERE chunk_id IN (0, 3) ORDER BY chunk_id")
    assert kept == done, "chunks that were done are not done again"


def ledger_of(url: str, songs: Path, parameters: Parameters) -> int:
    """A run that was planned and got no further."""
    with connect(url, "test") as connection:
        return planning.plan(connection, _source(str(songs)), parameters, "test").run_id


def test_an_error_on_an_executor_comes_out_as_its_own_sentence(run: Run) -> None:
    with pytest.raises(JobError, match=r"^The bucket is gone: make it again\.$"):
        run(Vanished())


def test_an_empty_source_is_refused_and_leaves_no_run(run: Run, tmp_path: Path, database_url: str) -> None:
    with pytest.raises(JobError, match="holds no MIDI files"):
        run(str(tmp_path))
    assert _query(database_url, "SELECT count(*) FROM run") == [(0,)]


def test_a_source_without_a_single_song_leaves_the_served_index_alone(
    run: Run, songs: Path, tmp_path: Path, database_url: str
) -> None:
    served = run(str(songs)).index
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "a.mid").write_bytes(b"nothing")
    with pytest.raises(JobError, match="1 not_midi"):
        run(str(broken))
    assert _query(database_url, "SELECT index_id FROM current_index") == [(served,)]


def test_a_second_run_at_the_same_time_is_told_so(run: Run, songs: Path, database_url: str) -> None:
    holder, other = psycopg2.connect(database_url), psycopg2.connect(database_url)
    try:
        with (
            ledger.exclusive(holder),
            pytest.raises(JobError, match="Another run"),
            ledger.exclusive(other, patience_seconds=1),
        ):
            pytest.fail("both hold the lock")
    finally:
        other.close()
        holder.close()
    assert run(str(songs)).songs


def test_an_index_version_survives_its_runs_successors_until_collected(
    run: Run, songs: Path, database_url: str
) -> None:
    first = run(str(songs)).index
    next(songs.glob("*.mid")).unlink()
    second = run(str(songs)).index
    with connect(database_url, "test") as connection:
        versions.activate(connection, first)
        assert versions.collect(connection, keep=0) == [second]
    assert _query(database_url, "SELECT index_id FROM current_index") == [(first,)]
