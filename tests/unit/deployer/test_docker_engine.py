"""Docker Engine: what the user has to do, and what the daemon is told."""

import json
import os
from pathlib import Path

import pytest

from deployer import debian, docker_engine, process, runc_trim
from deployer.errors import DeployerError


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Docker, whose programs are those that the test puts into the returned folder."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(docker_engine, "MACHINE_CONFIGURATION", tmp_path / "daemon.json")
    monkeypatch.setattr(docker_engine, "_SYSTEMD", tmp_path / "no-systemd")
    monkeypatch.setattr(debian, "may_install", lambda: False)
    return programs


def _program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_without_docker_and_without_the_right_to_install_it_one_sentence_says_what_to_do() -> None:
    with pytest.raises(
        DeployerError, match=r"^Docker Engine is missing: install it .*, or be root on Debian or Ubuntu\.$"
    ):
        docker_engine.ensure()


def test_a_daemon_that_is_another_users_is_not_installed_again(empty_machine: Path) -> None:
    _program(empty_machine, "docker", "echo 'permission denied while trying to connect to the socket' >&2; exit 1")
    with pytest.raises(DeployerError, match="add yourself to the group `docker`"):
        docker_engine.ensure()


def test_a_stopped_daemon_is_the_users_to_start_where_they_are_not_root(
    empty_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(empty_machine, "dockerd", "")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(DeployerError, match="Docker Engine is not running: start it"):
        docker_engine.ensure()


def test_a_daemon_elsewhere_that_does_not_answer_is_not_replaced_by_one_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "may_install", lambda: True)
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    with pytest.raises(DeployerError, match=r"No Docker daemon answers at DOCKER_HOST=tcp://192\.0\.2\.1:2375"):
        docker_engine.ensure()


def test_a_daemon_that_answers_is_used_as_it_is(empty_machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _program(empty_machine, "docker", "echo 27.0")
    with process.dry_run():
        docker_engine.ensure()
    assert capsys.readouterr().out == ""


def test_a_dry_run_shows_how_a_stopped_daemon_is_started(
    empty_machine: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(empty_machine, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    _program(empty_machine, "dockerd", "")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with process.dry_run():
        docker_engine.ensure()
    assert "dockerd --config-file" in capsys.readouterr().out


def test_where_it_may_it_would_install_and_start(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "may_install", lambda: True)
    with process.dry_run():
        docker_engine.ensure()
    printed = capsys.readouterr().out
    assert printed.index("apt-get install -y --no-install-recommends docker.io") < printed.index(
        "dockerd --config-file"
    )


def test_the_machines_own_configuration_is_kept(tmp_path: Path) -> None:
    docker_engine.MACHINE_CONFIGURATION.write_text('{"data-root": "/big", "runtimes": {"other": {"path": "/o"}}}')
    wrapper = tmp_path / "runc-trim"
    assert docker_engine.configuration(wrapper) == {
        "data-root": "/big",
        "runtimes": {"other": {"path": "/o"}, "runc-trim": {"path": str(wrapper)}},
        "default-runtime": "runc-trim",
    }
    assert docker_engine.configuration(None) == json.loads(docker_engine.MACHINE_CONFIGURATION.read_text())


def test_a_broken_configuration_of_the_machine_is_one_sentence() -> None:
    docker_engine.MACHINE_CONFIGURATION.write_text("{half")
    with pytest.raises(DeployerError, match=r"is not valid JSON .*: mend or remove it"):
        docker_engine.configuration(None)


@pytest.mark.parametrize("short", [True, False])
def test_the_runtime_is_wrapped_only_where_a_capability_is_lacking(
    short: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bits = (1 << len(runc_trim.CAPABILITIES)) - 1
    (tmp_path / "status").write_text(f"Name:\tx\nCapBnd:\t{bits & ~(short << 24):016x}\n")
    (tmp_path / "newest").write_text("40\n")
    monkeypatch.setattr(docker_engine, "_STATUS", tmp_path / "status")
    monkeypatch.setattr(docker_engine, "_NEWEST_CAPABILITY", tmp_path / "newest")
    wrapper = docker_engine._wrapper(tmp_path)
    assert (wrapper is not None) == short
    assert (tmp_path / "runc-trim").exists() == short
