"""kind, kubectl and Helm: the user's own, else the published release, else built."""

import hashlib
import http.server
import io
import platform
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from deployer import process, tools
from deployer.images import programs

PROGRAM = b"#!/bin/sh\necho thing v1.2.3\n"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
UNREACHABLE = "http://127.0.0.1:9/{version}"


def silent(line: str) -> None:
    """A report that nobody reads."""


def digest(content: bytes) -> dict[str, str]:
    return {ARCHITECTURE: hashlib.sha256(content).hexdigest()}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address of a server that publishes what is in it."""
    folder = tmp_path / "published"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield folder, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tools.Tool:
    """One that the user does not have and that is published nowhere; state and cache of its own."""
    monkeypatch.setattr(tools, "STATE", tmp_path / "state")
    for module in (tools, programs):
        monkeypatch.setattr(module, "cache", lambda: tmp_path / "cache")
    return tools.Tool(
        name="pause", version="1.2.3", oldest="1.2.0", says=("--version",), release=UNREACHABLE, sha256=digest(PROGRAM)
    )


def install(folder: Path, name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of the user's own that says this about its version."""
    folder.mkdir()
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return program


@pytest.mark.parametrize("said", ["thing v1.2.0", "Client Version: v1.10.0\nKustomize Version: v0.0.1", "v2.0.0+g0123"])
def test_the_users_own_is_taken_where_it_is_new_enough(
    tool: tools.Tool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = install(tmp_path / "own", tool.name, said, monkeypatch)
    assert Path(tools.linked(tool, silent)).resolve() == own


@pytest.mark.parametrize("said", ["thing v1.1.9", "v0.99.0", "no version at all", ""])
def test_the_users_own_is_not_taken_where_it_is_older_or_does_not_say(
    tool: tools.Tool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "own", tool.name, said, monkeypatch)
    assert tools.users_own(tool) is None


def test_one_that_does_not_even_start_is_not_taken(
    tool: tools.Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = install(tmp_path / "own", tool.name, "", monkeypatch)
    own.write_text("#!/bin/sh\nexit 1\n")
    assert tools.users_own(tool) is None


def test_the_release_is_downloaded_once_and_can_be_started(tool: tools.Tool, server: tuple[Path, str]) -> None:
    folder, address = server
    (folder / f"thing-1.2.3-{ARCHITECTURE}").write_bytes(PROGRAM)
    published = replace(tool, name="thing-of-nobody", release=f"{address}/thing-{{version}}-{{arch}}")
    path = tools.released(published, silent)
    assert process.read([str(path)]) == "thing v1.2.3\n"
    (folder / f"thing-1.2.3-{ARCHITECTURE}").unlink()
    assert tools.released(published, silent) == path


def test_a_release_in_an_archive_is_taken_out_of_it(tool: tools.Tool, server: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = server
    with tarfile.open(folder / "thing.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo(f"linux-{ARCHITECTURE}/thing")
        member.size = len(PROGRAM)
        archive.addfile(member, io.BytesIO(PROGRAM))
    published = replace(
        tool,
        release=f"{address}/thing.tar.gz",
        member="linux-{arch}/thing",
        sha256=digest((folder / "thing.tar.gz").read_bytes()),
    )
    tools.download(published, tmp_path / "thing", silent)
    assert process.read([str(tmp_path / "thing")]) == "thing v1.2.3\n"


def test_progress_is_reported(tool: tools.Tool, server: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = server
    (folder / "thing").write_bytes(PROGRAM)
    said: list[str] = []
    tools.download(replace(tool, release=f"{address}/thing"), tmp_path / "thing", said.append)
    assert said[-1] == "downloading pause 100 %"


def test_something_else_than_the_release_is_not_taken(
    tool: tools.Tool, server: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = server
    (folder / "thing").write_text("<html>Sign in to this network</html>")
    with pytest.raises(tools.NotPublished, match="something else than the release"):
        tools.download(replace(tool, release=f"{address}/thing"), tmp_path / "thing", silent)
    assert list(tmp_path.glob("thing*")) == []


@pytest.mark.parametrize("release", [UNREACHABLE, "{server}/missing"])
def test_a_release_that_cannot_be_had_says_where_it_was_looked_for(
    tool: tools.Tool, release: str, server: tuple[Path, str], tmp_path: Path
) -> None:
    address = release.replace("{server}", server[1])
    with pytest.raises(tools.NotPublished, match=r"http://127\.0\.0\.1"):
        tools.download(replace(tool, release=address), tmp_path / "thing", silent)
    assert list(tmp_path.glob("thing*")) == []


def test_there_is_no_release_for_a_machine_of_another_kind(tool: tools.Tool, tmp_path: Path) -> None:
    with pytest.raises(tools.NotPublished, match=ARCHITECTURE):
        tools.download(replace(tool, sha256={"z80": "0123"}), tmp_path / "thing", silent)


def test_what_cannot_be_downloaded_is_built_and_says_so(tool: tools.Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "users_own", lambda tool: None)
    said: list[str] = []
    link = Path(tools.linked(tool, said.append))
    assert link.resolve() == programs.programs()["pause"].artefact()
    assert any(
        line.startswith("pause is built, because its release can't be had: http://127.0.0.1:9/") for line in said
    )


def test_one_that_was_built_is_not_looked_for_on_the_network_again(
    tool: tools.Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "users_own", lambda tool: None)
    programs.built("pause", silent)
    said: list[str] = []
    assert tools.linked(tool, said.append) == tools.linked(tool, said.append)
    assert said == []


def test_the_link_follows_what_it_leads_to(tool: tools.Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for own in (tmp_path / "old", tmp_path / "new"):
        own.touch()
        monkeypatch.setattr(tools, "users_own", lambda tool, own=own: own)
        link = Path(tools.linked(tool, silent))
        assert link.resolve() == own
    assert link == tmp_path / "state" / "bin" / "pause"


def test_one_that_was_made_is_taken_without_asking_the_users_own(
    tool: tools.Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(tools, "users_own", lambda tool: asked.append(tool.name))
    first = tools.linked(tool, silent)
    assert tools.linked(tool, silent) == first
    assert asked == ["pause"]


def test_one_that_was_made_and_is_gone_is_made_again(tool: tools.Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "users_own", lambda tool: None)
    Path(tools.linked(tool, silent)).resolve().unlink()
    assert Path(tools.linked(tool, silent)).exists()


def test_a_dry_run_looks_for_nothing_and_makes_nothing(tool: tools.Tool, tmp_path: Path) -> None:
    with process.dry_run():
        assert tools.linked(tool, silent) == str(tmp_path / "state" / "bin" / "pause")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["kind", "kubectl", "helm"])
def test_the_version_that_is_made_is_new_enough_itself(name: str) -> None:
    known = tools.tools()[name]
    assert tuple(map(int, known.version.split("."))) >= tuple(map(int, known.oldest.split(".")))
    assert known.sha256.keys() == {"amd64", "arm64"}
    assert known.release.startswith("https://")
