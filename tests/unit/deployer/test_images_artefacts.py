"""What was made stays, whole or not at all, and is made once."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deployer.images.artefacts import content, fingerprint, made_once

KILLED_HALF_WAY = """
import os, signal, sys
from pathlib import Path
from deployer.images.artefacts import made_once

def make(path):
    path.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)

made_once(Path(sys.argv[1]), make)
"""


class Maker:
    """Writes a text, and counts how often it was asked to."""

    def __init__(self, text: str = "whole") -> None:
        self.text = text
        self.calls = 0

    def __call__(self, path: Path) -> None:
        self.calls += 1
        path.write_text(self.text)


def test_it_is_made_where_it_is_missing_and_then_left_alone(tmp_path: Path) -> None:
    artefact = tmp_path / "folder" / "artefact"
    make = Maker()
    assert made_once(artefact, make) == made_once(artefact, make) == artefact
    assert make.calls == 1
    assert artefact.read_text() == "whole"


def test_one_that_fails_leaves_nothing_that_looks_made(tmp_path: Path) -> None:
    artefact = tmp_path / "artefact"

    def fail(path: Path) -> None:
        path.mkdir()
        (path / "file").write_text("half")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        made_once(artefact, fail)
    assert not artefact.exists()
    assert made_once(artefact, Maker()).read_text() == "whole"


def test_a_killed_process_leaves_nothing_that_looks_made_and_no_lock(tmp_path: Path) -> None:
    artefact = tmp_path / "artefact"
    done = subprocess.run([sys.executable, "-c", KILLED_HALF_WAY, str(artefact)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not artefact.exists()
    assert made_once(artefact, Maker()).read_text() == "whole"
    assert not list(tmp_path.glob("*.part"))


def test_who_wants_it_while_another_makes_it_waits_and_gets_that(tmp_path: Path) -> None:
    artefact = tmp_path / "artefact"
    begun, may_end = threading.Event(), threading.Event()
    second = Maker("made twice")

    def slow(path: Path) -> None:
        begun.set()
        assert may_end.wait(30)
        path.write_text("whole")

    first_thread = threading.Thread(target=made_once, args=(artefact, slow))
    second_thread = threading.Thread(target=made_once, args=(artefact, second))
    first_thread.start()
    assert begun.wait(30)
    second_thread.start()
    may_end.set()
    first_thread.join(30)
    second_thread.join(30)
    assert artefact.read_text() == "whole"
    assert second.calls == 0


def test_what_was_not_wanted_for_long_is_forgotten_when_its_successor_is_made(tmp_path: Path) -> None:
    names = [
        "thing-0123456789abcdef.tar",
        "thing-123456789abcdef0.tar",
        "thing-more-0123456789abcdef.tar",
        "thing-1.tar",
    ]
    for name in names:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    made_once(tmp_path / names[1], Maker())  # there, and wanted again
    made_once(tmp_path / "thing-fedcba9876543210.tar", Maker())
    left = {path.name for path in tmp_path.iterdir() if path.suffix == ".tar"}
    assert left == {*names[1:], "thing-fedcba9876543210.tar"}


def test_a_changed_moved_or_added_file_changes_the_fingerprint_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_text("text")
    seen = [fingerprint(content(tmp_path))]
    (tmp_path / "below" / "file").write_text("other")
    seen.append(fingerprint(content(tmp_path)))
    (tmp_path / "below" / "file").rename(tmp_path / "file")
    seen.append(fingerprint(content(tmp_path)))
    (tmp_path / "more").write_text("")
    seen.append(fingerprint(content(tmp_path)))
    assert len(set(seen)) == 4


def test_the_fingerprint_of_the_same_is_the_same() -> None:
    assert fingerprint({"a": 1, "b": [None, "x"]}) == fingerprint({"b": [None, "x"], "a": 1})
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
