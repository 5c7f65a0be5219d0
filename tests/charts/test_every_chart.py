"""What holds for every chart, whatever is in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployer import process, tools
from deployer.errors import CommandError
from deployer.images.table import images
from deployer.paths import ROOT
from tests.charts.rendering import Rendered, render

CHARTS = sorted(path.parent.name for path in (ROOT / "charts").glob("*/Chart.yaml"))
OVERLAYS = sorted((ROOT / "charts").glob("*/values-*.yaml"))


@pytest.fixture(params=CHARTS)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return render(request.param)


def containers(rendered: Rendered) -> Iterator[dict[str, Any]]:
    for pod in rendered.pods():
        yield from pod.get("initContainers", ())
        yield from pod["containers"]


@pytest.mark.parametrize("chart", CHARTS)
def test_helm_finds_nothing_wrong_with_a_chart(chart: str) -> None:
    folder = ROOT / "charts" / chart
    overlays = [f"--values={overlay}" for overlay in OVERLAYS if overlay.parent == folder]
    for values in ([], *([overlay] for overlay in overlays)):
        assert "0 chart(s) failed" in process.read([tools.helm(lambda line: None), "lint", str(folder), *values])


@pytest.mark.parametrize("chart", CHARTS)
def test_a_value_that_a_chart_does_not_know_is_refused(chart: str) -> None:
    with pytest.raises(CommandError, match="additional properties 'replicsa' not allowed"):
        render(chart, "replicsa=3")


def test_pods_meet_the_restricted_standard(rendered: Rendered) -> None:
    for pod in rendered.pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert not any("hostPath" in volume for volume in pod.get("volumes", ()))
    for container in containers(rendered):
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_no_container_can_write_to_its_image(rendered: Rendered) -> None:
    assert all(container["securityContext"]["readOnlyRootFilesystem"] is True for container in containers(rendered))


def test_every_container_says_what_it_needs_and_how_much_memory_it_may_take(rendered: Rendered) -> None:
    for container in containers(rendered):
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"].keys() == {"memory"}  # a limit on CPU would delay a failover


def test_every_image_is_of_the_table(rendered: Rendered) -> None:
    assert {container["image"] for container in containers(rendered)} <= images().keys()


def test_every_object_says_what_it_belongs_to(rendered: Rendered) -> None:
    for each in rendered.objects:
        assert {"app.kubernetes.io/name", "app.kubernetes.io/instance"} <= each["metadata"]["labels"].keys()


def test_every_secret_outlives_the_release(rendered: Rendered) -> None:
    for secret in rendered.of("Secret"):
        assert secret["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_overlay_holds_differences_only(overlay: Path) -> None:
    values = yaml.safe_load(overlay.with_name("values.yaml").read_text())
    changed = yaml.safe_load(overlay.read_text())
    assert changed
    assert not [path for path, value in leaves(changed) if value == at(values, path)]


def leaves(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not isinstance(values, dict):
        yield path, values
        return
    for key, value in values.items():
        yield from leaves(value, (*path, key))


def at(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values
