"""The player's synthesiser is fetched by npm's own means, checked, and done without where it cannot be had."""

import json
import shutil
from pathlib import Path

import pytest

from app.music import SYNTHESISER
from deployer import synthesiser
from deployer.paths import ROOT


def test_it_is_pinned_by_version_and_digest_and_by_no_address() -> None:
    wanted = json.loads((synthesiser.MANIFEST / "package.json").read_text())["dependencies"]
    packages = json.loads((synthesiser.MANIFEST / "package-lock.json").read_text())["packages"]
    pinned = {name: package for name, package in packages.items() if name}
    assert wanted == {name.removeprefix("node_modules/"): package["version"] for name, package in pinned.items()}
    assert all(package["integrity"].startswith("sha512-") for package in pinned.values())
    assert not any("resolved" in package for package in pinned.values())


def test_the_site_looks_for_it_where_it_is_put() -> None:
    assert synthesiser.SERVED / synthesiser.FILES[0] == ROOT / "app" / "static" / SYNTHESISER


def test_without_npm_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert not synthesiser.fetch(tmp_path / "vendor")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm")
def test_what_npm_cannot_fetch_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    assert not synthesiser.fetch(tmp_path / "vendor")
    assert not (tmp_path / "vendor").exists()


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm")
def test_it_is_fetched_once_for_each_state_of_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = tmp_path / "vendor"
    if not synthesiser.fetch(served):
        pytest.skip("npm cannot fetch it here")
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {*synthesiser.FILES, "package-lock.json"}
    (served / "package-lock.json").write_text("{}")
    assert synthesiser.fetch(served)
    monkeypatch.setenv("PATH", "")
    assert synthesiser.fetch(served)
