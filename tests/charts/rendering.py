"""Charts as Helm renders them, without a cluster: the objects as Python values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from deployer import process, tools
from deployer.paths import ROOT

NAMESPACE = "scale"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What an installation would create."""

    objects: tuple[dict[str, Any], ...]

    def one(self, kind: str, name: str) -> dict[str, Any]:
        (found,) = (each for each in self.of(kind) if each["metadata"]["name"] == name)
        return found

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.objects if each["kind"] == kind]

    def pods(self) -> Iterator[dict[str, Any]]:
        """The spec of every pod that these objects lead to."""
        for each in self.objects:
            spec = each.get("spec", {})
            if each["kind"] == "Pod":
                yield spec
            elif each["kind"] == "CronJob":
                yield spec["jobTemplate"]["spec"]["template"]["spec"]
            elif "template" in spec:
                yield spec["template"]["spec"]


def render(chart: str, *settings: str, release: str | None = None) -> Rendered:
    """Render charts/CHART with these `--set` settings; raises CommandError with Helm's complaint."""
    options = [f"--set={setting}" for setting in settings]
    command = ["template", release or chart, str(ROOT / "charts" / chart), f"--namespace={NAMESPACE}", *options]
    documents = yaml.safe_load_all(process.read([tools.helm(lambda line: None), *command]))
    return Rendered(tuple(document for document in documents if document))
