"""Where a stand-in for Debian's image comes from, and what is said where there is nothing to make it from."""

import re
from pathlib import Path

import pytest

from deployer import debian, process
from deployer.errors import CommandError, DeployerError
from deployer.images import debian_root


@pytest.fixture
def sources() -> None:
    """The machine's own package sources, if they are Debian's."""
    try:
        offered = process.read(["apt-get", "indextargets", "--format=$(LABEL)", "Origin: Debian"])
    except CommandError:
        offered = ""
    if "Debian-Security" not in offered.split():
        pytest.skip("this machine has no package source of Debian's")


@pytest.mark.usefixtures("sources")
@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_a_suite_comes_from_the_machines_own_sources_with_its_updates_and_security_fixes(suite: str) -> None:
    lines = debian_root.sources(suite)
    assert [re.sub(r"^deb \S+ ", "", line) for line in lines] == [
        f"{suite} main",
        f"{suite}-updates main",
        f"{suite}-security main",
    ]
    own = process.read(["apt-get", "indextargets", "--format=$(REPO_URI)"]).split()
    assert {line.split()[1] for line in lines} <= set(own)


@pytest.mark.usefixtures("sources")
def test_without_a_source_of_debians_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = tmp_path / "apt.conf"
    configuration.write_text(f'Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "{tmp_path}";')
    monkeypatch.setenv("APT_CONFIG", str(configuration))
    with pytest.raises(DeployerError, match="the machine has no package source of Debian's to make it from"):
        debian_root.sources("bookworm")


def test_without_mmdebstrap_and_the_right_to_install_it_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(debian, "may_install", lambda: False)
    with pytest.raises(DeployerError, match="install mmdebstrap, or let Docker reach an image registry"):
        debian_root.make("bookworm", tmp_path / "root.tar")
