"""A second checkout to run cluster commands in: its cluster is its own, and ends with the tests, even killed ones."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer.clusters import docker
from deployer.process import die_with_parent

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("run_kube", "pyproject.toml", "requirements.lock", "requirements-dev.lock", "deployer", "images", "charts")
_TAKE_DOWN = "import subprocess, sys; sys.stdin.read(); subprocess.run([sys.executable, '-m', 'deployer', 'down'])"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of the driver in a folder of its own."""

    root: Path

    @property
    def cluster(self) -> str:
        return docker.cluster_name(self.root)

    @property
    def environment(self) -> dict[str, str]:
        """What makes `python -m deployer` that of this folder."""
        return {**os.environ, "PYTHONPATH": str(self.root), "PYTHONSAFEPATH": "1"}

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """`./run_kube ARGUMENTS` in this checkout, its output piped."""
        return subprocess.Popen(
            [sys.executable, "-m", "deployer", *arguments],
            env={**self.environment, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
        )

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Its standard output, once it has ended well."""
        with self.start(*arguments, environment=environment) as process:
            output, errors = process.communicate()
        assert process.returncode == 0, f"{output}\n{errors}"
        return output

    def refused(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """The sentence it ends with, if it is one that the user can act on."""
        with self.start(*arguments, environment=environment) as process:
            output, errors = process.communicate()
        assert process.returncode == 2, f"{output}\n{errors}"
        assert "Traceback" not in errors
        return errors.splitlines()[-1]

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("status", "--json"))
        return found


@contextmanager
def checkout(folder: Path) -> Iterator[Checkout]:
    """A copy in the folder; its cluster is taken down when the block ends or this process does."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = Checkout(folder.resolve())
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder / part)
    with subprocess.Popen(
        [sys.executable, "-c", _TAKE_DOWN],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=copy.environment,
        start_new_session=True,
    ) as keeper:
        yield copy
        assert keeper.stdin is not None
        keeper.stdin.close()
