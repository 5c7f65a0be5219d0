"""The images of the local Docker daemon: what is there, and how one gets there."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from deployer import process
from deployer.errors import CommandError
from deployer.steps import Report

RECIPE = "chaos-at-scale.recipe"
"""The label of an image that was built here: the hash of what it was built from."""
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")


def labels(name: str) -> dict[str, str] | None:
    """The labels of an image, None if there is no such image; raises CommandError."""
    try:
        answer = process.read(["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", name])
    except CommandError as error:
        if "no such image" in error.output.lower():
            return None
        raise
    if not answer:  # a dry run has nobody to ask
        return None
    found: dict[str, str] | None = json.loads(answer)
    return found or {}


def pull(name: str, digest: str | None, report: Report) -> None:
    """Pull an image; with a digest exactly that one, under the name alone. Raises CommandError."""
    reference = f"{name}@{digest}" if digest else name
    process.run(["docker", "pull", reference], lines=lambda line: report(f"pulling {name}: {line}"))
    if digest:
        process.run(["docker", "tag", reference, name])


def build(name: str, folder: Path, recipe: str, report: Report) -> None:
    """Build the Dockerfile of a folder, which is all that it can copy from; raises CommandError."""
    # The machine's own network: where its packages come from may be reachable from there alone.
    proxies = [f"--build-arg={name}" for name in sorted(os.environ) if name.lower() in _PROXIES]
    options = ["--network=host", *proxies, f"--label={RECIPE}={recipe}", f"--tag={name}"]
    process.run(["docker", "build", *options, str(folder)], lines=lambda line: report(f"building {name}: {line}"))
    # A stage that is not the last, and what had the name before, would stay as images without a name.
    process.run(["docker", "image", "prune", "--force", f"--filter=label={RECIPE}"])


def import_root(name: str, archive: Path, recipe: str) -> None:
    """Make an image of the archive of a root file system; raises CommandError."""
    change = [f"--change=LABEL {RECIPE}={recipe}", '--change=CMD ["bash"]']
    process.run(["docker", "import", *change, str(archive), name])


def save(names: Sequence[str], archive: Path) -> None:
    """Write images to an archive; raises CommandError."""
    process.run(["docker", "save", f"--output={archive}", *names])


def load(archive: Path) -> None:
    """Read the images of an archive; raises CommandError."""
    process.run(["docker", "load", "--quiet", f"--input={archive}"])
