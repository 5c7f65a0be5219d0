"""Which Java is taken for Spark."""

from pathlib import Path

import pytest

from deployer import debian, java
from deployer.errors import DeployerError


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Java homes that only say their version; no other Java is found."""
    for version in ("1.8.0_402", "11.0.2", "17.0.15", "25"):
        binaries = tmp_path / version / "bin"
        binaries.mkdir(parents=True)
        (binaries / "java").write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-01' >&2\n")
        (binaries / "java").chmod(0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java, "_homes", lambda: sorted(tmp_path.iterdir()))
    return tmp_path


def test_the_first_that_is_new_enough_is_taken(homes: Path) -> None:
    assert java.environment() == {"JAVA_HOME": str(homes / "17.0.15")}


def test_without_one_and_without_the_right_to_install_it_says_what_to_install(
    homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java, "_homes", lambda: [homes / "11.0.2", homes / "1.8.0_402", homes / "missing"])
    monkeypatch.setattr(debian, "may_install", lambda: False)
    with pytest.raises(DeployerError, match="Java 17 or newer: install one"):
        java.environment()


def test_where_it_may_it_installs_the_distributions(homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    monkeypatch.setattr(debian, "may_install", lambda: True)
    monkeypatch.setattr(debian, "available", lambda packages: [packages[1]])
    monkeypatch.setattr(debian, "install", lambda package, purpose: installed.append(package))
    monkeypatch.setattr(java, "_homes", lambda: [homes / "17.0.15"] if installed else [homes / "11.0.2"])
    assert java.environment() == {"JAVA_HOME": str(homes / "17.0.15")}
    assert installed == ["openjdk-17-jre-headless"]
