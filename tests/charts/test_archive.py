"""Postgres' archive command, with a script in the place of pgBackRest that ends as it is told."""

import os
import subprocess
from pathlib import Path

import pytest

from deployer.images.artefacts import IMAGES

COMMAND = IMAGES / "postgres" / "archive-by-pgbackrest"
PUSHED, FAILED, DUPLICATE, NO_REPOSITORY = 0, 82, 45, 103


@pytest.fixture
def wal(tmp_path: Path) -> Path:
    """The WAL folder of a server that has come to timeline 0x1A."""
    folder = tmp_path / "pg_wal"
    folder.mkdir()
    for timeline in (0x2, 0x9, 0x1A):
        (folder / f"{timeline:08X}.history").touch()
    return folder


def archive(wal: Path, timeline: int, *codes: int) -> tuple[int, list[str]]:
    """The exit code for a file of a timeline, and what pgBackRest was asked, which ends with each of the codes."""
    said = wal.parent / "asked"
    program = wal.parent / "pgbackrest"
    answers = f"set -- {' '.join(map(str, codes))}; shift $(($(wc -l < {said}) - 1))"
    program.write_text(f'#!/bin/sh\necho "$2" >> {said}\n{answers}\nexit "$1"\n')
    program.chmod(0o755)
    file = wal / f"{timeline:08X}000000000000002D"
    file.touch()
    environment = {**os.environ, "PATH": f"{wal.parent}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", str(COMMAND), str(file)], env=environment, check=False, capture_output=True)
    return done.returncode, said.read_text().split()


def test_the_first_file_makes_its_place(wal: Path) -> None:
    asked = ["archive-push", "stanza-create", "archive-push"]
    assert archive(wal, 0x1A, NO_REPOSITORY, 0, PUSHED) == (0, asked)


def test_a_failure_is_one(wal: Path) -> None:
    assert archive(wal, 0x1A, FAILED) == (FAILED, ["archive-push"])


@pytest.mark.parametrize("timeline", [0x2, 0x9, 0x19])
def test_another_file_of_an_earlier_timeline_does_not_stop_the_archiving(wal: Path, timeline: int) -> None:
    assert archive(wal, timeline, DUPLICATE)[0] == 0


def test_another_file_of_the_timeline_itself_does(wal: Path) -> None:
    assert archive(wal, 0x1A, DUPLICATE)[0] == DUPLICATE


def test_on_the_first_timeline_nothing_is_earlier(tmp_path: Path) -> None:
    wal = tmp_path / "pg_wal"
    wal.mkdir()
    assert archive(wal, 0x1, DUPLICATE)[0] == DUPLICATE
