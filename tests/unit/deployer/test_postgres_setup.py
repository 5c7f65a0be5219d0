"""The settings of the database's chart on the command line, and what a dry run of Helm shows."""

import shlex
from pathlib import Path

import pytest

from deployer import helm, process
from deployer.errors import DeployerError
from deployer.helm import Helm, Release
from deployer.postgres import setup

RELEASE = Release("any", "mine", "there")


@pytest.fixture
def charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of charts with one in it, that has values for a local cluster."""
    (tmp_path / "any").mkdir()
    (tmp_path / "any" / "values-local.yaml").touch()
    monkeypatch.setattr(helm, "CHARTS", tmp_path)
    return tmp_path


def _printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return shlex.split(capsys.readouterr().out)


def test_settings_are_json_or_else_texts() -> None:
    assert setup.settings(5, ["maxConnections=200", "backup.enabled=false", "storage.size=1Gi", "a=b=c"]) == {
        "maxConnections": 200,
        "backup.enabled": False,
        "storage.size": "1Gi",
        "a": "b=c",
        "replicas": 5,
    }


def test_nothing_is_set_that_is_not_given() -> None:
    assert setup.settings(None, []) == {}


@pytest.mark.parametrize("word", ["maxConnections", "=3"])
def test_a_setting_without_path_or_value_is_refused(word: str) -> None:
    with pytest.raises(DeployerError, match=r"write it as PATH=VALUE"):
        setup.settings(None, [word])


def test_a_release_gets_the_overlay_of_its_cluster_and_then_the_settings(
    charts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with process.dry_run():
        Helm("helm", Path("/k/config"), "local").install(RELEASE, {"replicas": 5, "storage.size": "1Gi"})
    words = _printed(capsys)
    assert {f"HELM_{kind.upper()}_HOME=/k/helm/{kind}" for kind in ("cache", "config", "data")} <= set(words)
    assert words[words.index("helm") :] == [
        *("helm", "--kubeconfig=/k/config", "upgrade", "--install", "--reset-then-reuse-values"),
        *(f"--values={charts}/any/values-local.yaml", "--set-json=replicas=5", '--set-json=storage.size="1Gi"'),
        *("--namespace=there", "mine", f"{charts}/any"),
    ]


@pytest.mark.parametrize("overlay", [None, "eks"])
def test_a_chart_without_values_for_the_cluster_gets_its_own(
    overlay: str | None, charts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with process.dry_run():
        Helm("helm", Path("/k/config"), overlay).install(RELEASE, {})
    assert not any(word.startswith("--values") for word in _printed(capsys))


def test_a_release_that_is_not_there_is_no_error_when_it_is_removed(capsys: pytest.CaptureFixture[str]) -> None:
    with process.dry_run():
        Helm("helm", Path("/k/config")).uninstall(RELEASE)
    assert {"uninstall", "--ignore-not-found", "mine"} <= set(_printed(capsys))
