"""Tar archives, plain and packed, whole and cut short."""

import errno
import gzip
import io
import pickle
import tarfile
from pathlib import Path

import pytest

from midi.errors import ObjectUnreadable, SourceError
from midi.sources import SourceOptions, open_source, tar_archive
from tests.unit.sources.songs import LIMIT, contents, listed, quiet, song


def make_tar(path: Path, members: dict[str, bytes], mode: str = "w") -> str:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), 1234.5
            archive.addfile(member, io.BytesIO(data))
    return str(path)


def songs(*names: str) -> dict[str, bytes]:
    return {name: song(name) for name in names}


@pytest.mark.parametrize(("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("A.TGZ", "w:gz")])
@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_midi_members_are_read_in_key_order(
    name: str, mode: str, tar_format: int, tmp_path: Path, options: SourceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tarfile.TarFile, "format", tar_format)
    long_name = "long/" * 25 + "name.mid"
    archive = make_tar(tmp_path / name, songs("z.mid", "a/b.mid", "a-b.mid", "notes.txt", long_name, "é.mid"), mode)
    source = open_source(archive, options, quiet)
    assert contents(source) == songs("a-b.mid", "a/b.mid", long_name, "z.mid", "é.mid")
    assert [obj.key for obj in listed(source)] == sorted(obj.key for obj in listed(source))
    assert source.description == archive


def test_reading_stops_at_the_limit(tmp_path: Path, options: SourceOptions) -> None:
    source = open_source(make_tar(tmp_path / "a.tar", songs("a.mid", "b.mid")), options, quiet)
    with source.reader() as read:
        assert [read(obj, 7) for obj in listed(source)] == [song("a.mid")[:7], song("b.mid")[:7]]


def test_names_that_point_outside_are_only_names(tmp_path: Path, options: SourceOptions) -> None:
    members = songs("../up.mid", "/etc/root.mid")
    source = open_source(make_tar(tmp_path / "a.tar.gz", members, "w:gz"), options, quiet)
    assert contents(source) == members
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar.gz", "cache"}


def test_a_name_that_is_not_utf8_can_be_stored(tmp_path: Path, options: SourceOptions) -> None:
    source = open_source(make_tar(tmp_path / "a.tar", {"caf\udce9.mid": song("x")}), options, quiet)
    (key,) = contents(source)
    assert key.encode("utf-8")


def test_links_devices_and_folders_are_no_songs_but_a_hard_link_to_one_is(
    tmp_path: Path, options: SourceOptions
) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        member = tarfile.TarInfo("a.mid")
        member.size = len(song("a"))
        archive.addfile(member, io.BytesIO(song("a")))
        for kind, name in ((tarfile.SYMTYPE, "s.mid"), (tarfile.FIFOTYPE, "f.mid"), (tarfile.DIRTYPE, "d.mid")):
            other = tarfile.TarInfo(name)
            other.type, other.linkname = kind, "a.mid"
            archive.addfile(other)
        link = tarfile.TarInfo("h.mid")
        link.type, link.linkname = tarfile.LNKTYPE, "a.mid"
        archive.addfile(link)
    source = open_source(str(tmp_path / "a.tar"), options, quiet)
    assert contents(source) == {"a.mid": song("a"), "h.mid": song("a")}


def test_of_two_members_of_one_name_the_last_counts(tmp_path: Path, options: SourceOptions) -> None:
    make_tar(tmp_path / "a.tar", {"a.mid": song("old")})
    make_tar(tmp_path / "a.tar", {"a.mid": song("newer")}, "a")
    assert contents(open_source(str(tmp_path / "a.tar"), options, quiet)) == {"a.mid": song("newer")}


def test_a_packed_archive_is_unpacked_once_and_its_progress_is_in_its_own_bytes(
    tmp_path: Path, options: SourceOptions
) -> None:
    archive = make_tar(tmp_path / "a.tar.gz", songs("a.mid"), "w:gz")
    seen: list[tuple[str, int, int | None]] = []
    first = open_source(archive, options, lambda *report: seen.append(report))
    size = Path(archive).stat().st_size
    assert ("unpacking a.tar.gz", size, size) in seen
    seen.clear()
    assert open_source(archive, options, lambda *report: seen.append(report)) == first
    assert seen == []


def test_an_archive_that_changed_is_unpacked_anew(tmp_path: Path, options: SourceOptions) -> None:
    open_source(make_tar(tmp_path / "a.tgz", songs("a.mid"), "w:gz"), options, quiet)
    changed = make_tar(tmp_path / "a.tgz", songs("a.mid", "another.mid"), "w:gz")
    assert contents(open_source(changed, options, quiet)) == songs("a.mid", "another.mid")


def test_what_a_killed_unpacking_left_is_not_trusted(
    tmp_path: Path, options: SourceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_tar(tmp_path / "a.tgz", songs("a.mid", "b.mid"), "w:gz")

    def killed(part: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", lambda part, final: killed(part))
        with pytest.raises(KeyboardInterrupt):
            open_source(archive, options, quiet)
    (part,) = options.cache_dir.rglob("*.part")
    part.write_bytes(part.read_bytes()[:700])
    assert contents(open_source(archive, options, quiet)) == songs("a.mid", "b.mid")


@pytest.mark.parametrize("lost", [1, 8, 2000])
def test_a_packed_archive_cut_short_is_said_in_a_sentence(lost: int, tmp_path: Path, options: SourceOptions) -> None:
    members = {f"{number}.mid": song(f"{number}" * 9) for number in range(500)}
    archive = Path(make_tar(tmp_path / "a.tar.gz", members, "w:gz"))
    archive.write_bytes(archive.read_bytes()[:-lost])
    with pytest.raises(SourceError, match=r"a\.tar\.gz is damaged or cut short .* fetch it again\."):
        open_source(str(archive), options, quiet)
    assert [path.name for path in options.cache_dir.rglob("*.tar*") if path.suffix != ".lock"] == []


@pytest.mark.parametrize("kept", [100, 512, 700, 1024, 2600, 3072])
def test_a_plain_archive_cut_anywhere_is_said_in_a_sentence(kept: int, tmp_path: Path, options: SourceOptions) -> None:
    archive = Path(make_tar(tmp_path / "a.tar", songs("a.mid", "b.mid", "c.mid")))
    archive.write_bytes(archive.read_bytes()[:kept])
    with pytest.raises(SourceError, match=r"a\.tar is not a tar archive that can be read .* fetch it again\."):
        open_source(str(archive), options, quiet)


@pytest.mark.parametrize("data", [b"", b"no archive" * 100, bytes(100)])
def test_what_is_no_archive_is_said_in_a_sentence(data: bytes, tmp_path: Path, options: SourceOptions) -> None:
    for name, written in (("a.tar", data), ("b.tar.gz", data), ("c.tar.gz", gzip.compress(data))):
        (tmp_path / name).write_bytes(written)
        with pytest.raises(SourceError, match="fetch it again"):
            open_source(str(tmp_path / name), options, quiet)


def test_a_header_damaged_in_the_middle_does_not_pass_for_the_end(tmp_path: Path, options: SourceOptions) -> None:
    archive = Path(make_tar(tmp_path / "a.tar", songs("a.mid", "b.mid", "c.mid")))
    data = bytearray(archive.read_bytes())
    data[1024:1100] = b"x" * 76
    archive.write_bytes(data)
    with pytest.raises(SourceError, match="not a tar archive that can be read"):
        open_source(str(archive), options, quiet)


def test_an_archive_cut_after_the_listing_makes_its_members_unreadable(tmp_path: Path, options: SourceOptions) -> None:
    archive = Path(make_tar(tmp_path / "a.tar", songs("a.mid", "b.mid")))
    source = open_source(str(archive), options, quiet)
    archive.write_bytes(archive.read_bytes()[:1100])
    with source.reader() as read, pytest.raises(ObjectUnreadable, match="ends before"):
        read(listed(source)[1], LIMIT)


def test_a_full_disk_is_said_in_a_sentence_and_gives_its_room_back(
    tmp_path: Path, options: SourceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_tar(tmp_path / "a.tar.gz", songs("a.mid"), "w:gz")

    def full(what: str, done: int, total: int | None) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(SourceError, match="No space left"):
        open_source(archive, options, full)
    assert list(options.cache_dir.rglob("*.part")) == []

    monkeypatch.setattr(tar_archive, "require_space", lambda *_: None)
    assert contents(open_source(archive, options, quiet)) == songs("a.mid")


def test_a_disk_without_room_for_the_archive_is_refused_before_it_is_filled(
    tmp_path: Path, options: SourceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_tar(tmp_path / "a.tar.gz", songs("a.mid"), "w:gz")
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(SourceError, match=r"Unpacking .* needs .* MB free"):
        open_source(archive, options, quiet)


def test_a_cache_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    archive = make_tar(tmp_path / "a.tar.gz", songs("a.mid"), "w:gz")
    with pytest.raises(SourceError, match="choose a cache folder that can be written"):
        open_source(archive, SourceOptions(cache_dir=tmp_path / "cache"), quiet)


def test_a_source_works_after_pickling(tmp_path: Path, options: SourceOptions) -> None:
    source = open_source(make_tar(tmp_path / "a.tar", songs("a.mid")), options, quiet)
    assert contents(pickle.loads(pickle.dumps(source))) == songs("a.mid")  # noqa: S301
