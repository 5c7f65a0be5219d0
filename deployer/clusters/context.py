"""A cluster that the user has already: a context of their own kubeconfig, which is read and never written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deployer import process, tools
from deployer.clusters.base import folder
from deployer.errors import CommandError, DeployerError
from deployer.kubectl import Kubectl
from deployer.steps import Report, Step


@dataclass(frozen=True, slots=True)
class Context:
    """The cluster of a context."""

    name: str

    @property
    def description(self) -> str:
        return f"context {self.name}"

    @property
    def kubeconfig(self) -> Path:
        # A context may be called anything, a folder may not.
        return folder("context-" + "".join(c if c.isalnum() or c in "-_." else "-" for c in self.name)) / "kubeconfig"

    def exists(self) -> bool:
        return self.kubeconfig.exists()

    def bring_up(self) -> Sequence[Step]:
        return (
            Step("tools", "Tools", 120, self._tools),
            Step("cluster", "Cluster", 5, self._connect),
        )

    def take_down(self) -> Sequence[Step]:
        return (Step("state", "Its state", 1, lambda report: self._forget()),)

    def addresses(self) -> dict[int, str]:
        return {}

    def _tools(self, report: Report) -> None:
        tools.kubectl(report)

    def _connect(self, report: Report) -> None:
        """Copy the context, and nothing else, out of the user's kubeconfig; see that its cluster answers."""
        program = tools.kubectl(report)
        try:
            content = process.read(
                [program, "config", "view", "--minify", "--flatten", "--raw", f"--context={self.name}"]
            )
        except CommandError as error:
            raise DeployerError(
                f"Your kubeconfig has no context {self.name}; it has: {', '.join(contexts(program)) or 'none'}."
            ) from error
        if process.is_dry_run():
            return
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(content)
        try:
            Kubectl(program, self.kubeconfig).read("get", "--raw=/readyz")
        except CommandError as error:
            raise DeployerError(f"The cluster of context {self.name} does not answer:\n{error}") from error

    def _forget(self) -> None:
        process.run(["rm", "--recursive", "--force", str(self.kubeconfig.parent)])


def contexts(program: str) -> list[str]:
    """The names of the user's contexts; raises CommandError."""
    return process.read([program, "config", "get-contexts", "--output=name"]).split()
