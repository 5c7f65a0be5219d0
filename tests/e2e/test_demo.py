"""The command a user types, as a process of its own: served, killed, resumed, refused."""

import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from deployer.process import die_with_parent

ROOT = Path(__file__).resolve().parent.parent.parent
SEED = int(os.environ.get("KILL_SEED", "20"))
KILLS = int(os.environ.get("KILLS", "6"))
DEADLINE_SECONDS = 120


@contextmanager
def _demo(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [ROOT / "run_kube", "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=DEADLINE_SECONDS)


def _finish(*arguments: str) -> dict[str, Any]:
    with _demo(*arguments) as process:
        output, errors = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, errors
    summary: dict[str, Any] = json.loads(output.splitlines()[-1])
    return summary


def _refused(*arguments: str) -> str:
    with _demo(*arguments) as process:
        _, errors = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode not in (0, 1), errors
    assert "Traceback" not in errors
    return errors


def _processes_of(folder: Path) -> list[psutil.Process]:
    """The running processes that name the folder on their command line."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in w for w in process.info["cmdline"] or [])
    ]


def _eventually_gone(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while _processes_of(folder):
        assert time.monotonic() < deadline, f"still there: {_processes_of(folder)}"
        time.sleep(0.1)


def test_the_demo_answers_a_page_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with _demo("--source=generated:120:3", "--port=0", "--json", f"--data-dir={tmp_path}") as process:
        assert process.stdout is not None
        summary = json.loads(process.stdout.readline())
        with urllib.request.urlopen(summary["url"], timeout=10) as page:
            assert f"{summary['songs']}" in page.read().decode()
        with urllib.request.urlopen(f"{summary['url']}/readyz", timeout=10) as ready:
            assert ready.status == 200
        assert "default_source" not in summary
        _hands_out_files(summary["url"])
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    _eventually_gone(tmp_path)


def test_without_a_source_the_demo_says_which_it_took_and_hands_out_its_files() -> None:
    with _demo("--port=0", "--json") as process:
        assert process.stdout is not None
        summary = json.loads(process.stdout.readline())
        assert summary["source"].startswith(summary["default_source"])
        _hands_out_files(summary["url"])


def _hands_out_files(site: str) -> None:
    """A song's file comes as it was indexed, as soon as the site has opened the source."""
    with urllib.request.urlopen(f"{site}/api/v1/songs?limit=1", timeout=10) as answer:
        (song,) = json.load(answer)["songs"]
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{site}/api/v1/songs/{song['hash']}/file", timeout=10) as answer:
                assert hashlib.sha256(answer.read()).hexdigest().startswith(song["hash"])
            return
        except urllib.error.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.timeout(900)
def test_killed_at_any_moment_the_same_command_ends_in_the_same_bytes(tmp_path: Path) -> None:
    source = "--source=generated:2500:8"
    started = time.monotonic()
    undisturbed = _finish(source, "--no-serve", "--json", f"--data-dir={tmp_path / 'undisturbed'}")
    whole = time.monotonic() - started
    rng = random.Random(SEED)
    kills = finished = 0
    while kills < KILLS:
        moment = rng.uniform(0.1, whole)
        print(f"seed {SEED}, after {kills} kills: {moment:.1f} s into run {finished}")
        with _demo(source, "--no-serve", "--json", f"--data-dir={tmp_path / f'killed-{finished}'}") as process:
            try:
                output, _ = process.communicate(timeout=moment)
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
            else:
                assert json.loads(output.splitlines()[-1])["digest"] == undisturbed["digest"]
                finished += 1
    summary = _finish(source, "--no-serve", "--json", f"--data-dir={tmp_path / f'killed-{finished}'}")
    assert summary["digest"] == undisturbed["digest"]
    assert summary["songs"] == undisturbed["songs"]
    assert summary["rejects"] == undisturbed["rejects"]
    _eventually_gone(tmp_path)


def test_a_killed_demo_takes_its_temporary_server_with_it(tmp_path: Path) -> None:
    before = set(Path(os.environ.get("TMPDIR", "/tmp")).glob("run_kube-*"))  # noqa: S108
    with _demo("--source=generated:50", "--port=0", "--json") as process:
        assert process.stdout is not None
        process.stdout.readline()
        (home,) = set(Path(os.environ.get("TMPDIR", "/tmp")).glob("run_kube-*")) - before  # noqa: S108
        assert _processes_of(home)
        process.kill()
    _eventually_gone(home)
    assert not home.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only as root does the server run as another user")
def test_a_closed_home_is_not_opened_for_reading(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    _finish("--source=generated:50", "--no-serve", "--json", f"--data-dir={home / 'data'}")
    assert home.stat().st_mode & 0o777 == 0o711


def test_a_port_in_use_is_said_before_the_long_work(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = _refused("--source=generated:50", f"--port={port}", f"--data-dir={tmp_path}")
    assert said.startswith(f"error: Port {port} cannot be used (Address already in use): give another with --port")
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_in_use_by_another_demo_is_said(tmp_path: Path) -> None:
    with _demo("--source=generated:50", "--port=0", "--json", f"--data-dir={tmp_path}") as first:
        assert first.stdout is not None
        first.stdout.readline()
        assert "in use by another run_kube" in _refused("--source=generated:50", "--no-serve", f"--data-dir={tmp_path}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for the server and not for 30,000 songs."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no right to mount a small disk: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_said_and_what_was_done_is_kept(small_disk: Path) -> None:
    arguments = ("--source=generated:30000", "--no-serve", "--json", f"--data-dir={small_disk / 'data'}")
    assert "There is no space left for the database" in _refused(*arguments).splitlines()[-1]
    subprocess.run(["mount", "-o", "remount,size=600m", small_disk], check=True)
    assert _finish(*arguments)["resumed"]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("/nowhere/at/all", "does not exist"),
        ("generated:many", "generated"),
        ("ftp://example.org/x", "a source is"),
    ],
)
def test_a_bad_source_is_one_clear_sentence(source: str, complaint: str, tmp_path: Path) -> None:
    said = _refused(f"--source={source}", "--no-serve", f"--data-dir={tmp_path}")
    assert complaint in said.splitlines()[-1]


def test_index_versions_are_listed_switched_and_collected(tmp_path: Path) -> None:
    here = f"--data-dir={tmp_path}"
    first = _finish("--source=generated:60:1", "--no-serve", "--json", here)
    second = _finish("--source=generated:60:2", "--no-serve", "--json", here)

    def index(*arguments: str) -> str:
        return subprocess.run(
            [ROOT / "run_kube", "index", *arguments, here], capture_output=True, text=True, check=True
        ).stdout

    assert [version["index_id"] for version in json.loads(index("list", "--json"))] == [second["index"], first["index"]]
    index("activate", str(first["index"]))
    listed = index("list").splitlines()
    assert listed[-1].split()[:2] == ["*", str(first["index"])]
    index("activate", str(second["index"]))
    assert json.loads(index("collect", "--keep=0", "--json")) == [first["index"]]
