"""What a machine lacks, before any work is done on it."""

import socket
from pathlib import Path

import pytest

from deployer import machine
from deployer.errors import DeployerError
from deployer.machine import GIB, Finding

HOST = "127.0.0.1"


def test_too_little_memory_is_said_with_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  8388608 kB\nMemFree:  100 kB\nMemAvailable:  2621440 kB\nHugePages_Total:  0\n")
    monkeypatch.setattr(machine, "_MEMORY", meminfo)
    assert machine.memory(2 * GIB) == Finding("memory", "2.5 GiB available")
    assert machine.memory(3 * GIB).remedy == (
        "There is too little memory: 2.5 GiB available, 3 GiB are needed; end something."
    )


def test_this_machine_has_some_memory_but_not_all() -> None:
    assert not machine.memory(1).remedy
    assert machine.memory(2**60).remedy


def test_a_folder_that_is_not_there_yet_has_the_disk_of_its_parent(tmp_path: Path) -> None:
    assert not machine.disk("cache", tmp_path / "not" / "there", 1).remedy
    assert "too little disk space" in machine.disk("cache", tmp_path / "not" / "there", 2**60).remedy


def test_every_lack_is_said_and_nothing_where_there_is_none() -> None:
    machine.demand(Finding("memory", "enough"))
    with pytest.raises(DeployerError, match=r"^Add memory\. Free some disk\.$"):
        machine.demand(Finding("a", "", "Add memory."), Finding("b", "fine"), Finding("c", "", "Free some disk."))


def test_a_wanted_port_in_use_is_refused_and_another_is_taken_where_none_is_wanted() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DeployerError, match=rf"^Port {port} for site is in use: give another with --port site="):
            machine.free_ports({"site": 8080}, {"site": port}, HOST)
        chosen = machine.free_ports({"site": port, "grafana": port}, {}, HOST)
    assert port < chosen["site"] < chosen["grafana"]
