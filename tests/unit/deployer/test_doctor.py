"""What a machine lacks is said with its remedy."""

from pathlib import Path

import pytest

from deployer import debian, docker_engine, doctor, machine
from deployer.machine import Finding


def test_every_way_of_running_is_examined_and_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = doctor.examine()
    assert list(found) == ["./run_kube demo", "./run_kube up", "./run_kube up --context"]
    assert all(finding.subject and finding.found for findings in found.values() for finding in findings)
    assert not list(tmp_path.iterdir())


def test_a_machine_without_docker_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(debian, "may_install", lambda: False)
    said = doctor.described(doctor.examine())
    assert "✗ Docker Engine" in said
    assert "Docker Engine is missing: install it" in said
    monkeypatch.setattr(debian, "may_install", lambda: True)
    assert "✓ Docker Engine  installed and started by up" in doctor.described(doctor.examine())


def test_a_lack_is_marked_counted_and_followed_by_its_remedy() -> None:
    said = doctor.described({"up": [Finding("memory", "1 GiB", "Add some."), Finding("disk", "9 GiB")]})
    assert said.splitlines() == [
        "up: 1 to mend",
        "  ✗ memory         1 GiB",
        "    Add some.",
        "  ✓ disk           9 GiB",
    ]
    assert doctor.described({"up": [Finding("disk", "9 GiB")]}).startswith("up: ready\n")


def test_where_docker_keeps_its_data_is_a_folder_that_is_there() -> None:
    assert docker_engine.data_folder().is_dir()
    assert machine.disk("d", docker_engine.data_folder(), 1).remedy == ""
