"""What a user types, and what they are told where it is no source."""

from dataclasses import replace
from pathlib import Path

import pytest

from midi.errors import SourceError
from midi.sources import SourceOptions, open_source
from midi.sources.generated import GeneratedSource
from midi.sources.s3 import S3Source
from tests.unit.sources.songs import contents, quiet, song


def test_a_home_folder_is_expanded(tmp_path: Path, options: SourceOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.mid").write_bytes(song("a"))
    assert contents(open_source("~/music", options, quiet)) == {"a.mid": song("a")}


def test_a_relative_path_is_made_absolute_since_executors_run_elsewhere(
    tmp_path: Path, options: SourceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mid").write_bytes(song("a"))
    source = open_source(".", options, quiet)
    monkeypatch.chdir("/")
    assert contents(source) == {"a.mid": song("a")}


def test_a_bucket_with_and_without_a_prefix_is_understood(options: SourceOptions) -> None:
    options = replace(options, endpoint_url="http://127.0.0.1:9")
    assert open_source("s3://songs", options, quiet) == S3Source("songs", "", "http://127.0.0.1:9")
    assert open_source("s3://songs/a/b", options, quiet) == S3Source("songs", "a/b", "http://127.0.0.1:9")


def test_a_generated_corpus_has_a_number_and_perhaps_a_seed(options: SourceOptions) -> None:
    assert open_source("generated:12", options, quiet) == GeneratedSource(12, 0)
    assert open_source("generated:12:34", options, quiet) == GeneratedSource(12, 34)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("", "does not exist"),
        ("no/such/folder", "does not exist"),
        ("a\0b", "'a\\x00b'"),
        ("~nobody-of-this-name/music", "~nobody-of-this-name"),
        ("ftp://host/a.zip", "Unknown source"),
        ("http://127.0.0.1:9/page.html", "does not end in"),
        ("http://127.0.0.1:9/", "does not end in"),
        ("s3://", "names no bucket"),
        ("s3:///prefix", "names no bucket"),
        ("generated:", "no number"),
        ("generated:many", "no number"),
        ("generated:0", "no number"),
        ("generated:-1", "no number"),
        ("generated:1:x", "no number"),
        ("generated:99999999", "no number"),
        ("generated:١٢", "no number"),
    ],
)
def test_what_is_no_source_is_refused_in_one_sentence(spec: str, said: str, options: SourceOptions) -> None:
    with pytest.raises(SourceError) as refused:
        open_source(spec, options, quiet)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["notes.txt", "archive.rar", "noname"])
def test_a_file_of_another_kind_is_refused_with_what_is_accepted(
    name: str, tmp_path: Path, options: SourceOptions
) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SourceError, match=r"none of the files .* generated:N"):
        open_source(str(tmp_path / name), options, quiet)


def test_a_digest_for_what_is_not_downloaded_is_refused_rather_than_ignored(
    tmp_path: Path, options: SourceOptions
) -> None:
    with pytest.raises(SourceError, match="SHA-256 digest is for what is downloaded"):
        open_source(str(tmp_path), replace(options, sha256="0" * 64), quiet)


def test_a_digest_of_the_wrong_form_is_refused_before_anything_is_fetched(options: SourceOptions) -> None:
    with pytest.raises(SourceError, match="64 hexadecimal digits"):
        open_source("http://127.0.0.1:9/a.zip", replace(options, sha256="abc"), quiet)
