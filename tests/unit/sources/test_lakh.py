"""The Lakh MIDI data set, from a server that has a small one at the same paths."""

import hashlib
import io
import json
import pickle
import tarfile

import pytest

from midi.errors import SourceError
from midi.sources import SourceOptions
from midi.sources.lakh import LakhSource, open_lakh
from tests.unit.sources.songs import contents, quiet, song
from tests.unit.sources.web_server import Web

FILES = {hashlib.md5(data, usedforsecurity=False).hexdigest(): data for data in map(song, "abcd")}
PATHS = {
    md5: [path, "Another/Name.mid"]
    for md5, path in zip(
        FILES, ["Some Archive/ABBA/Waterloo.mid", "K/Karaoke.mid", "Alone.kar", "Björk/Jóga.1.mid"], strict=True
    )
}


def serve(web: Web, names: bytes | None = None) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for md5, data in FILES.items():
            member = tarfile.TarInfo(f"lmd_full/{md5[0]}/{md5}.mid")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    web.files |= {
        "/lmd/lmd_full.tar.gz": packed.getvalue(),
        "/lmd/md5_to_paths.json": json.dumps(PATHS).encode() if names is None else names,
    }


def opened(web: Web, options: SourceOptions) -> LakhSource:
    return open_lakh(options, quiet, base_url=f"{web.url}/lmd")


def test_files_and_their_names_are_read(web: Web, options: SourceOptions) -> None:
    serve(web)
    source: LakhSource = pickle.loads(pickle.dumps(opened(web, options)))  # noqa: S301
    assert contents(source) == {f"lmd_full/{md5[0]}/{md5}.mid": FILES[md5] for md5 in sorted(FILES)}
    titles = dict(zip(FILES, ["ABBA / Waterloo", "Karaoke", "Alone", "Björk / Jóga.1"], strict=True))
    assert list(source.names()) == sorted(titles.items())
    assert source.description == "lakh (lmd_full)"


def test_the_second_time_needs_no_network(web: Web, options: SourceOptions) -> None:
    serve(web)
    first = opened(web, options)
    web.requests.clear()
    assert opened(web, options) == first
    assert web.requests == []


@pytest.mark.parametrize("names", [b"<html>", b"[1, 2]", b'{"a": 5}', b'{"a": [5]}'])
def test_a_list_of_names_of_another_form_is_said_in_a_sentence(names: bytes, web: Web, options: SourceOptions) -> None:
    serve(web, names)
    with pytest.raises(SourceError, match="not Lakh's list of names"):
        list(opened(web, options).names())


def test_a_name_without_paths_is_left_out(web: Web, options: SourceOptions) -> None:
    serve(web, json.dumps({"00": [], "01": ["Artist/Title.mid"]}).encode())
    assert list(opened(web, options).names()) == [("01", "Artist / Title")]
