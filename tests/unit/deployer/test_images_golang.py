"""Which Go builds what is built."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployer import process
from deployer.images import golang, programs

Put = Callable[[str, str], Path]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """Puts a Go that only says its version into a folder; the machine's own is not found."""

    def put(folder: str, says: str) -> Path:
        program = tmp_path / folder / "go"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho {says}\n")
        program.chmod(0o755)
        return program

    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/bin")
    monkeypatch.setattr("sys.prefix", str(tmp_path / "environment"))
    monkeypatch.setattr(golang, "_installed", lambda: tmp_path / "installed")
    golang.go.cache_clear()
    yield put
    golang.go.cache_clear()


def test_the_users_own_is_taken_where_it_is_new_enough(put: Put) -> None:
    put("environment/bin", "go1.99.1")
    own = put("path", "go1.99.0")
    assert golang.go() == str(own)


@pytest.mark.parametrize("says", ["go1.22.9", "go1.25", "devel", "; exit 1"])
def test_an_older_one_or_one_that_does_not_run_is_not_taken(put: Put, says: str) -> None:
    put("path", says)
    from_wheel = put("environment/bin", "go1.99.1")
    assert golang.go() == str(from_wheel)


def test_without_one_the_pinned_wheel_is_installed(put: Put, tmp_path: Path) -> None:
    assert golang.go() == str(tmp_path / "installed" / "go" / "bin" / "go")


def test_the_pinned_wheel_is_new_enough_for_every_module() -> None:
    pinned = golang.PINNED.search(golang.LOCK.read_text())
    assert pinned
    modules = [golang.oldest_for(file) for file in golang.MODULES.glob("*/go.mod")]
    assert len(modules) == len(list(golang.MODULES.iterdir()))
    assert golang.numbers(pinned["version"]) >= max(modules)
    assert pinned["hashes"].count("--hash=sha256:") > 1


def test_whatever_go_is_found_the_pinned_toolchain_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Only the wheel's Go is found, which is newer, and nothing that was compiled before.
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    golang.go.cache_clear()
    try:
        program = programs.built("pause", lambda what: None)
        assert golang.TOOLCHAIN in process.read([golang.go(), "version", str(program)])
    finally:
        golang.go.cache_clear()
