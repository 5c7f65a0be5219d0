"""A cluster's API through kubectl, on a kubeconfig of the project's own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer import process
from deployer.errors import CommandError

ASK_SECONDS = 10
"""How long one question may take, so that a cluster that is gone is soon known to be."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl, bound to one cluster."""

    program: str
    kubeconfig: Path

    def read(self, *arguments: str) -> str:
        """Ask something; raises CommandError."""
        timeout = f"--request-timeout={ASK_SECONDS}s"
        return process.read([*self._command(), timeout, *arguments], seconds=2 * ASK_SECONDS)

    def items(self, kind: str, *arguments: str) -> list[dict[str, Any]]:
        """All objects of a kind; raises CommandError."""
        answer = self.read("get", kind, "--output=json", *arguments)
        found: list[dict[str, Any]] = json.loads(answer)["items"] if answer else []
        return found

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Change something, or wait for something; raises CommandError."""
        return process.run([*self._command(), *arguments], stdin=stdin)

    def apply(self, manifests: Sequence[Path]) -> None:
        """Bring objects into the state that these files describe; raises CommandError."""
        files = [f"--filename={file}" for file in manifests]
        self.run("apply", "--server-side", "--force-conflicts", "--field-manager=chaos-at-scale", *files)

    def answers(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            self.read("get", "--raw=/readyz")
        except CommandError:
            return False
        return True

    def _command(self) -> list[str]:
        # Else it would keep what the API offers in the user's home folder.
        return [self.program, f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.kubeconfig.with_name('cache')}"]
