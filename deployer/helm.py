"""Releases on a cluster through Helm, on a kubeconfig of the project's own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deployer import process
from deployer.paths import ROOT

CHARTS = ROOT / "charts"
REMOVE_SECONDS = 300


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

    def uninstall(self, release: Release) -> None:
        """Remove a release, if it is there, and wait until its objects are gone; raises CommandError."""
        wait = ["--wait", "--cascade=foreground", f"--timeout={REMOVE_SECONDS}s"]
        self._run("uninstall", "--ignore-not-found", *wait, *_named(release))

    def _run(self, *arguments: str) -> None:
        # Else Helm would keep its caches in the user's home folder, and heed the settings that are there.
        home = self.kubeconfig.with_name("helm")
        environment = {f"HELM_{kind.upper()}_HOME": str(home / kind) for kind in ("cache", "config", "data")}
        process.run([self.program, f"--kubeconfig={self.kubeconfig}", *arguments], environment=environment)


def _named(release: Release) -> list[str]:
    return [f"--namespace={release.namespace}", release.name]
