"""Zip archives, whole, broken, and lying."""

import pickle
import struct
import zipfile
from pathlib import Path

import pytest

from midi.errors import ObjectUnreadable, SourceError
from midi.sources import SourceOptions, open_source
from midi.sources.zip_archive import ZipSource
from tests.unit.sources.songs import LIMIT, contents, listed, quiet, song


def make_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> ZipSource:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return ZipSource(path)


def unreadable(source: ZipSource) -> str:
    """What reading the only member says."""
    with source.reader() as read, pytest.raises(ObjectUnreadable) as refused:
        read(listed(source)[0], LIMIT)
    return str(refused.value)


def test_midi_members_are_read_in_key_order(tmp_path: Path, options: SourceOptions) -> None:
    names = ("z.mid", "a/b.KAR", "a-b.mid", "sub/", "notes.txt", "a/é.mid")
    make_zip(tmp_path / "music.ZIP", {name: song(name) for name in names})
    source = open_source(str(tmp_path / "music.ZIP"), options, quiet)
    assert contents(source) == {name: song(name) for name in ("a-b.mid", "a/b.KAR", "a/é.mid", "z.mid")}
    assert [obj.key for obj in listed(source)] == sorted(obj.key for obj in listed(source))


def test_the_version_is_of_the_content_alone(tmp_path: Path) -> None:
    one = listed(make_zip(tmp_path / "1.zip", {"a.mid": song("a")}, zipfile.ZIP_STORED))
    two = listed(make_zip(tmp_path / "2.zip", {"a.mid": song("a")}, zipfile.ZIP_DEFLATED))
    other = listed(make_zip(tmp_path / "3.zip", {"a.mid": song("b")}))
    assert one == two != other


def test_names_that_point_outside_are_only_names(tmp_path: Path) -> None:
    members = {"../up.mid": song("up"), "/etc/root.mid": song("root")}
    assert contents(make_zip(tmp_path / "a.zip", members)) == members
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_of_two_members_of_one_name_the_last_counts(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.mid", song("old"))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.mid", song("new"))
    assert contents(ZipSource(tmp_path / "a.zip")) == {"a.mid": song("new")}


def test_reading_stops_at_the_limit_however_much_a_member_unpacks_to(tmp_path: Path) -> None:
    source = make_zip(tmp_path / "a.zip", {"bomb.mid": bytes(50 << 20)})
    with source.reader() as read:
        assert read(listed(source)[0], 1000) == bytes(1000)


def test_a_member_that_is_larger_than_it_says_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    source = make_zip(path, {"a.mid": bytes(5000)})
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 5000), struct.pack("<I", 100)))
    assert listed(source)[0].size == 100
    assert "CRC" in unreadable(source)


def test_an_encrypted_member_is_unreadable(tmp_path: Path) -> None:
    source = make_zip(tmp_path / "a.zip", {"a.mid": song("a")})
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    data[6] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    assert unreadable(source) == "encrypted"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_whose_memory_cannot_be_bounded_are_not_unpacked(method: int, tmp_path: Path) -> None:
    assert "other than deflate" in unreadable(make_zip(tmp_path / "a.zip", {"a.mid": song("a")}, method))


def test_a_damaged_member_is_unreadable_and_the_others_are_not(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    source = make_zip(path, {"a.mid": song("aaaa"), "b.mid": song("bbbb")}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"aaaa", b"aaxa"))
    first, second = listed(source)
    with source.reader() as read:
        with pytest.raises(ObjectUnreadable, match="CRC"):
            read(first, LIMIT)
        assert read(second, LIMIT) == song("bbbb")


def test_a_member_replaced_after_the_listing_is_unreadable(tmp_path: Path) -> None:
    before = listed(make_zip(tmp_path / "a.zip", {"a.mid": song("a")}))
    with (
        make_zip(tmp_path / "a.zip", {"a.mid": song("b")}).reader() as read,
        pytest.raises(ObjectUnreadable, match="changed since"),
    ):
        read(before[0], LIMIT)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_broken_archive_is_said_in_a_sentence(share: float, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    source = make_zip(path, {f"{number}.mid": song("x") for number in range(50)})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(SourceError, match=r"not a zip archive that can be read .*; fetch it again\."):
        listed(source)


def test_a_source_works_after_pickling(tmp_path: Path) -> None:
    source = make_zip(tmp_path / "a.zip", {"a.mid": song("a")})
    assert contents(pickle.loads(pickle.dumps(source))) == {"a.mid": song("a")}  # noqa: S301
