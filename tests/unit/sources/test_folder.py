"""Folders as they are found: links, odd names, files that go away."""

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from midi.errors import ObjectUnreadable, SourceError
from midi.sources import SourceOptions, open_source
from midi.sources.folder import FolderSource
from tests.unit.sources.songs import LIMIT, contents, listed, quiet, song

NOBODY = 65534


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(song(name))


def test_midi_files_of_all_levels_are_read_and_others_left(tmp_path: Path) -> None:
    make(tmp_path, "b.mid", "a/c.KAR", "a/d/e.rmi", "f.midi", "g.smf", "h.txt", "mid")
    found = contents(FolderSource(tmp_path))
    assert found == {name: song(name) for name in ("a/c.KAR", "a/d/e.rmi", "b.mid", "f.midi", "g.smf")}


def test_keys_ascend_although_a_slash_sorts_after_a_hyphen_and_a_dot(tmp_path: Path) -> None:
    make(tmp_path, "a/x.mid", "a-b.mid", "a.mid", "a0.mid", "a/-.mid", "a b/y.mid", "B.mid", "é/z.mid")
    keys = [obj.key for obj in listed(FolderSource(tmp_path))]
    assert keys == ["B.mid", "a b/y.mid", "a-b.mid", "a.mid", "a/-.mid", "a/x.mid", "a0.mid", "é/z.mid"] == sorted(keys)


def test_one_file_is_a_source_of_one_key(tmp_path: Path, options: SourceOptions) -> None:
    make(tmp_path, "only.mid", "other.mid")
    source = open_source(str(tmp_path / "only.mid"), options, quiet)
    assert contents(source) == {"only.mid": song("only.mid")}
    assert source.description == str(tmp_path / "only.mid")


def test_reading_stops_at_the_limit(tmp_path: Path) -> None:
    make(tmp_path, "a.mid")
    source = FolderSource(tmp_path)
    with source.reader() as read:
        assert read(listed(source)[0], 10) == song("a.mid")[:10]


def test_a_name_that_is_not_utf8_can_be_stored_and_read(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9/\xff.mid")
    make(tmp_path, odd)
    source = FolderSource(tmp_path)
    (only,) = listed(source)
    only.key.encode("utf-8")
    assert contents(source) == {only.key: song(odd)}


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    make(tmp_path, "in/a.mid", "out/b.mid")
    inside = tmp_path / "in"
    (inside / "again").symlink_to(inside)
    (inside / "up").symlink_to(tmp_path / "out")
    (tmp_path / "out" / "back").symlink_to(inside)
    (inside / "file.mid").symlink_to(inside / "a.mid")
    found = contents(FolderSource(inside))
    assert found == {"a.mid": song("in/a.mid"), "file.mid": song("in/a.mid"), "up/b.mid": song("out/b.mid")}


def test_links_to_nowhere_and_to_themselves_are_listed_and_unreadable(tmp_path: Path) -> None:
    (tmp_path / "nowhere.mid").symlink_to(tmp_path / "gone.mid")
    (tmp_path / "self.mid").symlink_to(tmp_path / "self.mid")
    source = FolderSource(tmp_path)
    with source.reader() as read:
        for obj in listed(source):
            with pytest.raises(ObjectUnreadable):
                read(obj, LIMIT)
    assert [obj.key for obj in listed(source)] == ["nowhere.mid", "self.mid"]


def test_a_pipe_is_no_file_and_blocks_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mid")
    make(tmp_path, "a.mid")
    assert list(contents(FolderSource(tmp_path))) == ["a.mid"]


def test_a_tree_deeper_than_pythons_recursion_limit_is_walked(tmp_path: Path) -> None:
    depth = sys.getrecursionlimit() + 200
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _ in range(depth):
            os.mkdir("d")
            os.chdir("d")
        Path("deep.mid").write_bytes(song("deep"))
        found = contents(FolderSource(tmp_path))
        os.unlink("deep.mid")
        # Python's rmtree recurses as well: pytest could not clear it away.
        for _ in range(depth):
            os.chdir("..")
            os.rmdir("d")
    finally:
        os.chdir(here)
    assert list(found) == ["d/" * depth + "deep.mid"]


@pytest.mark.parametrize("change", ["delete", "rewrite", "pipe"])
def test_a_file_that_changed_after_the_listing_is_unreadable(change: str, tmp_path: Path) -> None:
    make(tmp_path, "a.mid", "b.mid")
    source = FolderSource(tmp_path)
    changed, kept = listed(source)
    if change == "delete":
        (tmp_path / "a.mid").unlink()
    elif change == "pipe":
        (tmp_path / "a.mid").unlink()
        os.mkfifo(tmp_path / "a.mid")
    else:
        (tmp_path / "a.mid").write_bytes(b"other")
        os.utime(tmp_path / "a.mid", ns=(1, 1))
    with source.reader() as read:
        with pytest.raises(ObjectUnreadable):
            read(changed, LIMIT)
        assert read(kept, LIMIT) == song("b.mid")


def test_a_source_works_after_pickling(tmp_path: Path) -> None:
    make(tmp_path, "a.mid")
    assert contents(pickle.loads(pickle.dumps(FolderSource(tmp_path)))) == {"a.mid": song("a.mid")}  # noqa: S301


def test_the_version_follows_the_modification_time(tmp_path: Path) -> None:
    make(tmp_path, "a.mid")
    before = listed(FolderSource(tmp_path))
    assert before == listed(FolderSource(tmp_path))
    os.utime(tmp_path / "a.mid", ns=(5, 7))
    assert listed(FolderSource(tmp_path))[0].version == "7" != before[0].version


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder another user can enter; pytest's own are private."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def as_nobody(root: Path) -> str:
    """What reading all of `root` says to a user without rights: a sentence, or the unreadable keys."""
    code = """if True:
        import sys
        from pathlib import Path
        from midi.errors import ObjectUnreadable, SourceError
        from midi.sources.folder import FolderSource
        import os
        if os.geteuid() == 0:
            os.setgid(65534), os.setuid(65534)
        source = FolderSource(Path(sys.argv[1]))
        try:
            with source.reader() as read:
                for obj in source.objects():
                    try:
                        read(obj, 100)
                    except ObjectUnreadable as error:
                        print(obj.key, error)
        except SourceError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_folder_that_may_not_be_read_is_said_in_a_sentence(open_to_all: Path) -> None:
    make(open_to_all, "a/b.mid")
    (open_to_all / "a").chmod(0)
    said = as_nobody(open_to_all)
    (open_to_all / "a").chmod(0o755)
    assert said == (f"Cannot list the folder {open_to_all}/a (Permission denied); make it readable, or move it away.")


def test_a_file_that_may_not_be_read_is_unreadable_and_the_rest_goes_on(open_to_all: Path) -> None:
    make(open_to_all, "a.mid", "b.mid")
    (open_to_all / "a.mid").chmod(0)
    assert as_nobody(open_to_all) == "a.mid Permission denied"


def test_a_folder_that_vanished_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Cannot list the folder"):
        listed(FolderSource(tmp_path / "gone"))
