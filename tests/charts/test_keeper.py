"""The first process of a Postgres container: in a process namespace of its own, a script in place of Patroni."""

import fcntl
import importlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn

from deployer.images.artefacts import IMAGES
from deployer.process import die_with_parent
from tests.charts.kubernetes_api import State, pod, serving
from tests.postgres import postgres_server

PATH = IMAGES / "postgres" / "keeper.py"
SECONDS = 20
NOWHERE = "255.255.255.255"
"""An address that nobody can connect to."""
RUN = """
import pathlib, sys
path, patroni, volume, account, url, silent = sys.argv[1:]
sys.path.insert(0, str(pathlib.Path(path).parent))
import keeper
keeper.PATRONI, keeper.VOLUME, keeper.HOPELESS_SECONDS = patroni, pathlib.Path(volume), 0.5
keeper.SILENCE_SECONDS, keeper.postgres_is_silent = 0.5, lambda: bool(silent)
api = keeper.Api(url, "here", "scope", "node-0", "uid-node-0", "app=postgres", pathlib.Path(account))
sys.exit(keeper.Keeper(api, "patroni.yml").run())
"""


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the image is named by the hash of all in that folder
    monkeypatch.syspath_prepend(str(PATH.parent))
    return importlib.import_module("keeper")


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("secret")
    return tmp_path


@contextmanager
def container(folder: Path, patroni: str, url: str, silent: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """The keeper as the first process of a namespace, with this shell script as Patroni.

    silent: not empty for a Postgres that does not answer.
    """
    if os.geteuid() != 0:
        pytest.skip("a process namespace can only be made by root")
    script = folder / "patroni"
    script.write_text(f"#!/bin/sh\n{patroni}\n")
    script.chmod(0o755)
    enter = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    arguments = [str(PATH), str(script), str(folder), str(folder), url, silent]
    process = subprocess.Popen([*enter, sys.executable, "-B", "-c", RUN, *arguments], preexec_fn=die_with_parent)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def eventually(what: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def alive(marker: str) -> list[int]:
    """The processes whose command line has this word."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue  # it ended
    return found


def test_when_patroni_dies_everything_else_does_and_only_then_is_the_lease_free(account: Path) -> None:
    marker = f"{10**6 + os.getpid()}.5"
    left: list[list[int]] = []
    # In a session of its own, as Postgres is.
    patroni = f'echo started >> "$(dirname "$0")/starts"; setsid sleep {marker} & echo $! > "$(dirname "$0")/pid"; wait'
    state = State({"leader": "node-0"}, before_patch=lambda: left.append(alive(marker)))
    with serving(state), container(account, patroni, state.url):
        eventually(lambda: alive(marker))
        time.sleep(1)  # a Patroni that lived for less is hopeless
        (script,) = alive(str(account / "patroni"))[-1:]
        os.kill(script, signal.SIGKILL)
        eventually(lambda: state.patches)
        assert left == [[]]
        assert state.patches[0]["metadata"] == {"resourceVersion": "7", "annotations": {"leader": None}}
        eventually(lambda: starts(account) == 2)


LIVES_ON = 'echo started >> "$(dirname "$0")/starts"; while :; do sleep 0.1; done'


def starts(folder: Path) -> int:
    """How often Patroni was started."""
    file = folder / "starts"
    return file.read_text().count("started") if file.exists() else 0


def test_a_silent_postgres_is_killed_once_and_the_lease_handed_on(account: Path) -> None:
    state = State({"leader": "node-0"}, {"leader": "node-0", "sync_standby": "node-1"}, [pod("node-1", "127.0.0.1")])
    with serving(state), container(account, LIVES_ON, state.url, silent="yes"):
        eventually(lambda: starts(account) == 2)
        assert len(state.patches) == 1
        state.lease = {"leader": "node-0"}  # nobody took it
        time.sleep(4)
        assert starts(account) == 2
        assert len(state.patches) == 1


@pytest.mark.parametrize(
    ("leader", "successor"), [("node-0", "node-2"), ("node-1", "node-1")], ids=["no-successor", "a-replica"]
)
def test_a_silent_postgres_is_left_alone_where_that_helps_nobody(account: Path, leader: str, successor: str) -> None:
    sync = {"leader": leader, "sync_standby": successor}
    state = State({"leader": leader}, sync, [pod("node-1", "127.0.0.1")])
    with serving(state), container(account, LIVES_ON, state.url, silent="yes"):
        eventually(lambda: starts(account) == 1)
        time.sleep(4)
        assert starts(account) == 1
    assert state.patches == []


def test_the_lease_of_another_node_is_left_alone(account: Path) -> None:
    state = State({"leader": "node-1"})
    patroni = 'echo started >> "$(dirname "$0")/starts"; sleep 1; exit 3'
    with serving(state), container(account, patroni, state.url):
        eventually(lambda: starts(account) == 2)
    assert state.patches == []


def test_a_patroni_that_ends_at_once_ends_the_container_with_its_code(account: Path) -> None:
    with serving(State({})) as state, container(account, "exit 3", state.url) as process:
        assert process.wait(SECONDS) == 3


def test_being_told_to_end_patroni_is_and_its_code_is_the_containers(account: Path) -> None:
    patroni = 'trap "exit 5" TERM; touch "$(dirname "$0")/started"; while :; do sleep 0.1; done'
    state = State({"leader": "node-0"}, pods=[pod("node-0", "127.0.0.1")])
    with serving(state), container(account, patroni, state.url) as process:
        eventually((account / "started").exists)
        _tell_to_end(process)
        assert process.wait(SECONDS) == 5
    assert state.patches == []  # Patroni gave it up itself


@pytest.mark.parametrize("uid", [None, "uid-of-the-next"], ids=["no-pod", "the-next-pod"])
def test_deleted_by_force_it_waits_for_nothing_and_frees_the_lease_of_the_dead(account: Path, uid: str | None) -> None:
    marker = f"{2 * 10**6 + os.getpid()}.5"
    left: list[list[int]] = []
    patroni = f'trap "" TERM; touch "$(dirname "$0")/started"; sleep {marker}'
    known = [pod("node-0", "127.0.0.1") | {"metadata": {"name": "node-0", "uid": uid}}] if uid else []
    state = State({"leader": "node-0"}, pods=known, before_patch=lambda: left.append(alive(marker)))
    with serving(state), container(account, patroni, state.url) as process:
        eventually(lambda: alive(marker))
        _tell_to_end(process)
        assert process.wait(SECONDS) == 0
    assert left == [[]]
    assert state.patches[0]["metadata"]["annotations"] == {"leader": None}


def _tell_to_end(process: subprocess.Popen[bytes]) -> None:
    (first, *_) = (int(child) for child in _children(process.pid))
    os.kill(first, signal.SIGTERM)


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_what_a_dead_postgres_left_does_not_stop_the_next(account: Path) -> None:
    stale = account / "17" / "postmaster.pid"
    stale.parent.mkdir()
    stale.write_text("1\n")
    patroni = 'test -e "$(dirname "$0")/17/postmaster.pid" && exit 4; exit 6'
    with serving(State({})) as state, container(account, patroni, state.url) as process:
        assert process.wait(SECONDS) == 6


def test_it_refuses_to_be_anything_but_the_first_process() -> None:
    # The image's Python finds lease.py beside the keeper; ./run_kube's is told not to look there.
    environment = {**os.environ, "PYTHONSAFEPATH": ""}
    done = subprocess.run(
        [sys.executable, "-B", PATH, "patroni.yml"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "must be the first process" in done.stderr


def test_a_volume_is_one_containers_at_a_time(keeper: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "VOLUME", tmp_path)
    held = keeper.own_the_volume()
    with (tmp_path / ".keeper").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(held)


def test_the_address_of_the_last_member_is_removed_before_patroni_starts(keeper: Any, account: Path) -> None:
    with serving(State({})) as state:
        keeper.clear_member(api(keeper, state, account))
    assert state.patches == [{"metadata": {"annotations": {"status": None}}}]


def test_without_the_api_it_starts_all_the_same(keeper: Any, account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keeper.clear_member(keeper.Api("http://127.0.0.1:9", "here", "scope", "node-0", "uid", "app=postgres", account))
    assert "the last member's address is left" in capsys.readouterr().err


def test_a_postgres_that_is_stopped_is_silent_and_one_that_runs_is_not(keeper: Any) -> None:
    with postgres_server() as server:
        sockets = parse_dsn(server.url())["host"]
        assert not keeper.postgres_is_silent(sockets)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            assert keeper.postgres_is_silent(sockets)
        finally:
            os.kill(server.pid, signal.SIGCONT)


def test_a_postgres_that_is_not_there_is_not_called_silent(keeper: Any, tmp_path: Path) -> None:
    assert not keeper.postgres_is_silent(str(tmp_path))


def test_a_refused_connection_is_an_answer_and_an_address_without_a_way_is_none(keeper: Any) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert keeper.answers("127.0.0.1", port)  # bound, but nobody listens
        listener.listen()
        assert keeper.answers("127.0.0.1", port)
    assert not keeper.answers(NOWHERE)


def api(keeper: Any, state: State, account: Path) -> Any:
    return keeper.Api(state.url, "here", "scope", "node-0", "uid-node-0", "app=postgres", account)


@pytest.mark.parametrize(
    ("pods", "trouble"),
    [
        ([pod("node-1", NOWHERE), pod("node-2", NOWHERE)], "no other node is reached"),
        ([pod("node-1", NOWHERE), pod("node-2", "127.0.0.1")], None),
        ([pod("node-1", NOWHERE, ready=False)], None),
        ([pod("node-0", NOWHERE)], None),
    ],
    ids=["all-cut-off", "one-reached", "not-ready", "alone"],
)
def test_a_node_that_reaches_no_other_is_in_trouble(
    keeper: Any, account: Path, pods: list[dict[str, Any]], trouble: str | None
) -> None:
    with serving(State({}, pods=pods)) as state:
        checks = keeper.Checks(api(keeper, state, account), connected=time.monotonic() - 60)
        assert checks.trouble() == trouble


def test_a_blip_is_no_trouble(keeper: Any, account: Path) -> None:
    with serving(State({}, pods=[pod("node-1", NOWHERE)])) as state:
        assert keeper.Checks(api(keeper, state, account), connected=time.monotonic() - 2).trouble() is None


def test_without_the_api_the_network_is_patronis_business(keeper: Any, account: Path) -> None:
    checks = keeper.Checks(
        keeper.Api("http://127.0.0.1:9", "here", "scope", "node-0", "uid-node-0", "app=postgres", account),
        connected=time.monotonic() - 60,
    )
    assert checks.trouble() is None


@pytest.mark.parametrize(
    ("sync", "successors"),
    [
        ({"leader": "node-0", "sync_standby": "node-2"}, ["node-2"]),
        ({"leader": "node-0", "sync_standby": "node-3"}, []),
        ({"leader": "node-0"}, []),
        (None, ["node-1", "node-2"]),
    ],
    ids=["sync-standby", "sync-standby-not-ready", "no-sync-standby", "asynchronous"],
)
def test_only_who_acknowledged_every_commit_may_take_over(
    keeper: Any, account: Path, sync: dict[str, str] | None, successors: list[str]
) -> None:
    pods = [pod("node-0", "a"), pod("node-1", "b"), pod("node-2", "c"), pod("node-3", "d", ready=False)]
    with serving(State({}, sync, pods)) as state:
        assert [peer.name for peer in api(keeper, state, account).successors()] == successors
