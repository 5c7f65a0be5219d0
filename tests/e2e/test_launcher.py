"""run_kube itself, on a small project of its own: set up once, never trusted half-finished, quick afterwards."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DEADLINE_SECONDS = 120


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout with the real launcher, one small pinned package, and a driver that says what it can import."""
    shutil.copy(ROOT / "run_kube", tmp_path)
    lock = (ROOT / "requirements-dev.lock").read_text()
    for name, package in (("requirements.lock", "six"), ("requirements-dev.lock", "iniconfig")):
        entry = re.search(rf"^{package}==.*(\n    --hash.*)+", lock, re.MULTILINE)
        assert entry
        (tmp_path / name).write_text(entry.group() + "\n")
    (tmp_path / "deployer").mkdir()
    (tmp_path / "deployer" / "__main__.py").write_text(
        "import importlib.util, sys\n"
        "print(*(name for name in ('six', 'iniconfig') if importlib.util.find_spec(name)), *sys.argv[1:])\n"
    )
    return tmp_path


def _run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / "run_kube", *arguments], capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )


def test_the_first_use_sets_up_and_the_next_ones_do_not(project: Path) -> None:
    first = _run(project, "demo", "--port=1")
    assert (first.returncode, first.stdout) == (0, "six demo --port=1\n"), first.stderr
    assert "Setting up" in first.stderr
    second = _run(project, "demo")
    assert (second.stdout, second.stderr) == ("six demo\n", "")


def test_testing_installs_what_it_needs_on_top(project: Path) -> None:
    _run(project, "demo")
    assert _run(project, "test").stdout == "six iniconfig test\n"
    assert _run(project, "demo").stderr == ""


def test_a_changed_lock_file_is_installed(project: Path) -> None:
    _run(project, "demo")
    lock = project / "requirements.lock"
    lock.write_text(lock.read_text() + (project / "requirements-dev.lock").read_text())
    assert _run(project, "demo").stdout == "six iniconfig demo\n"


@pytest.mark.parametrize("seconds", [0.3, 1.5, 3.0])
def test_a_killed_set_up_is_done_again(project: Path, seconds: float) -> None:
    with subprocess.Popen([project / "run_kube", "demo"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as half:
        time.sleep(seconds)
        half.kill()
    assert _run(project, "demo").stdout == "six demo\n"


def test_an_environment_whose_stamp_is_broken_is_made_again(project: Path) -> None:
    _run(project, "demo")
    (project / ".venv" / "installed.json").write_text("{half")
    (project / ".venv" / "bin" / "python").unlink()
    assert _run(project, "demo").stdout == "six demo\n"


def test_a_package_that_is_not_the_pinned_one_is_refused(project: Path) -> None:
    lock = project / "requirements.lock"
    lock.write_text(re.sub(r"sha256:\w{8}", "sha256:00000000", lock.read_text()))
    refused = _run(project, "demo")
    assert refused.returncode == 1
    assert "then run the same command again" in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr


def test_a_folder_with_the_same_names_does_not_shadow_the_project(project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deployer").mkdir(parents=True)
    (elsewhere / "deployer" / "__main__.py").write_text("print('shadowed')")
    _run(project, "demo")
    seen = subprocess.run(
        [project / "run_kube", "demo"],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    assert seen.stdout == "six demo\n"
