"""Lakh's list of names as CSV: streamed, and the very names that the pipeline gives."""

import csv
import io
import json
from pathlib import Path

import pytest

from midi.errors import SourceError
from midi.sources.lakh import LakhSource
from spark_jobs import names

PATHS = {
    "a" * 32: ["Some Archive/ABBA/Waterloo, live.mid", "Another/Name.mid"],
    "b" * 32: ['K/Say "Karaoke".mid'],
    "c" * 32: [],
    "d" * 32: ["Björk/Jóga.1.mid"],
    "e" * 32: ["One/two\nlines.mid"],
}


def _entries(text: str) -> dict[str, object]:
    return dict(names.entries(io.StringIO(text)))


def test_the_names_are_those_of_the_pipeline(tmp_path: Path) -> None:
    file = tmp_path / "md5_to_paths.json"
    file.write_text(json.dumps(PATHS))
    source = LakhSource(archive=None, paths=file)  # type: ignore[arg-type]
    assert list(names.names(io.StringIO(json.dumps(PATHS)))) == list(source.names())


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
@pytest.mark.parametrize("indent", [None, 2])
def test_entries_are_whole_wherever_the_file_is_cut(
    piece: int, indent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "PIECE_CHARACTERS", piece)
    assert _entries(json.dumps(PATHS, indent=indent) + "\n") == PATHS


@pytest.mark.parametrize("text", ["{}", " { } \n"])
def test_an_empty_object_has_no_entries(text: str) -> None:
    assert _entries(text) == {}


@pytest.mark.parametrize(
    "text", ["", "[]", "<html>", '{"a": ["b"]', '{"a": ["b"],', '{"a": [}', '{"a" ["b"]}', "{5: []}", '{"a": []} more']
)
def test_a_file_that_is_cut_off_or_something_else_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match=r"md5_to_paths\.json"):
        _entries(text)


@pytest.mark.parametrize("text", ['{"a": 5}', '{"a": [5]}', '{"a": "path"}'])
def test_an_entry_that_is_no_list_of_paths_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="no list of paths"):
        list(names.names(io.StringIO(text)))


def test_no_more_than_an_entry_is_kept_of_an_endless_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "PIECE_CHARACTERS", 10)
    monkeypatch.setattr(names, "LONGEST_ENTRY", 100)
    endless = io.StringIO('{"a": ["' + "x" * 10_000)
    with pytest.raises(SourceError):
        list(names.entries(endless))
    assert endless.tell() < 200


def test_it_writes_csv_that_reads_back(tmp_path: Path) -> None:
    paths, out = tmp_path / "md5_to_paths.json", tmp_path / "hash_names.csv"
    paths.write_text(json.dumps(PATHS))
    names.write(paths, out)
    with out.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["hash", "song_name"]
    assert ["a" * 32, "ABBA / Waterloo, live"] in rows
    assert ["e" * 32, "One / two\nlines"] in rows
    assert len(rows) == 4


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.json: No such file"):
        names.write(tmp_path / "none.json", tmp_path / "out.csv")


def test_of_a_broken_list_no_file_is_left(tmp_path: Path) -> None:
    paths = tmp_path / "md5_to_paths.json"
    paths.write_text(json.dumps(PATHS)[:-40])
    with pytest.raises(SourceError, match="broken"):
        names.write(paths, tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == [paths]
