"""The cluster's image registry: after a change only the changed layers travel to the nodes.

A container on the cluster's network that every node's containerd asks first, for every image, under the image's own
name; what it does not have is pulled from where it is published. (kind's documented way, one mirror for all names.)
"""

from collections.abc import Iterable

from deployer import images, process
from deployer.clusters import docker, kind_config
from deployer.errors import DeployerError
from deployer.steps import Report

PORT = 5000


def container_name(cluster: str) -> str:
    return f"{cluster}-registry"


def ensure(cluster: str) -> None:
    """The registry runs; raises CommandError."""
    name = container_name(cluster)
    found = docker.container(name)
    if found is None:
        (image,) = images.wanted("registry")
        place = ["--name", name, "--network", cluster, "--publish", f"{kind_config.HOST}::{PORT}"]
        process.run(["docker", "run", "--detach", "--restart=unless-stopped", *place, image])
    elif not docker.is_running(found):
        process.run(["docker", "start", name])


def push(cluster: str, names: Iterable[str], report: Report) -> None:
    """Hand images of the Docker daemon to the registry, so that pods can use them; raises CommandError."""
    for name in names:
        report(f"pushing {name}")
        copy = f"localhost:{_port(cluster)}/{repository(name)}"
        process.run(["docker", "tag", name, copy])
        try:
            process.run(["docker", "push", "--quiet", copy])
        finally:
            process.run(["docker", "rmi", "--no-prune", copy])


def teach(cluster: str, nodes: Iterable[str]) -> None:
    """Make the nodes' containerd ask the registry first; raises CommandError."""
    folder = f"{kind_config.CERTIFICATES}/_default"
    content = f'[host."http://{container_name(cluster)}:{PORT}"]\n  capabilities = ["pull", "resolve"]\n'
    script = f"mkdir -p {folder} && cat > {folder}/hosts.toml"
    for node in nodes:
        process.run(["docker", "exec", "-i", node, "sh", "-c", script], stdin=content)


def repository(image: str) -> str:
    """The image's name within a registry: NAME:TAG as Docker's own registry would be asked for it, without a host.

    Nodes ask a mirror by this path alone, so docker.io/library/x and ghcr.io/library/x would be one.
    """
    first, slash, rest = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        image = rest
        return image if "/" in image or first != "docker.io" else f"library/{image}"
    return image if slash else f"library/{image}"


def _port(cluster: str) -> int:
    if process.is_dry_run():
        return PORT
    found = docker.container(container_name(cluster))
    port = docker.published(found).get(PORT) if found else None
    if port is None:
        raise DeployerError(
            f"The cluster's registry {container_name(cluster)} does not run: `./run_kube up` starts it."
        )
    return port
