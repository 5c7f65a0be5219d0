"""Releases on a cluster through Helm, on a kubeconfig of the project's own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer import process
from deployer.errors import CommandError
from deployer.paths import ROOT

CHARTS = ROOT / "charts"


@dataclass(frozen=True, slots=True)
class Release:
    """A chart (a folder of charts/) under a name in a namespace."""

    chart: str
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Helm:
    """Helm, bound to one cluster. overlay: names the cluster's kind, for charts that have a values-OVERLAY.yaml."""

    program: str
    kubeconfig: Path
    overlay: str | None = None

    def install(self, release: Release, settings: Mapping[str, object]) -> None:
        """Bring a release to its chart's present state; raises CommandError.

        settings: dotted path -> JSON value. What was set at earlier times stays, so that a repeat takes nothing back;
        the chart's own values come before it, the overlay and the settings after it.
        """
        chart = CHARTS / release.chart
        overlay = chart / f"values-{self.overlay}.yaml"
        values = [f"--values={overlay}"] if self.overlay and overlay.exists() else []
        values += [f"--set-json={path}={json.dumps(value)}" for path, value in settings.items()]
        self._run("upgrade", "--install", "--reset-then-reuse-values", *values, *_named(release), str(chart))

    def values(self, release: Release) -> dict[str, Any] | None:
        """All values that a release was installed with, None where it is not; raises CommandError."""
        try:
            answer = self._read("get", "values", "--all", "--output=json", *_named(release))
        except CommandError as error:
            if "release: not found" in error.output:
                return None
            raise
        found: dict[str, Any] | None = json.loads(answer) if answer else None
        return found

    def uninstall(self, release: Release) -> None:
        """Remove a release, if it is there; a workload is there as long as its pods are. Raises CommandError."""
        # Helm's --wait fails now and then while a StatefulSet still ends, with the release's record gone already.
        self._run("uninstall", "--ignore-not-found", "--cascade=foreground", *_named(release))

    def _run(self, *arguments: str) -> None:
        process.run([*self._command(), *arguments], environment=self._environment())

    def _read(self, *arguments: str) -> str:
        return process.read([*self._command(), *arguments], environment=self._environment())

    def _command(self) -> list[str]:
        return [self.program, f"--kubeconfig={self.kubeconfig}"]

    def _environment(self) -> dict[str, str]:
        # Else Helm would keep its caches in the user's home folder, and heed the settings that are there.
        home = self.kubeconfig.with_name("helm")
        return {f"HELM_{kind.upper()}_HOME": str(home / kind) for kind in ("cache", "config", "data")}


def _named(release: Release) -> list[str]:
    return [f"--namespace={release.namespace}", release.name]
