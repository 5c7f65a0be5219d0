"""Under which name a registry has an image."""

import pytest

from deployer.clusters import registry


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("debian:bookworm-slim", "library/debian:bookworm-slim"),
        ("docker.io/debian:12", "library/debian:12"),
        ("docker.io/library/debian:12", "library/debian:12"),
        ("kindest/node:v1", "kindest/node:v1"),
        ("registry.k8s.io/pause:3.10", "pause:3.10"),
        ("registry.k8s.io/metrics-server/metrics-server:v0.9.0", "metrics-server/metrics-server:v0.9.0"),
        ("localhost:5000/app:1", "app:1"),
        ("localhost/app:1", "app:1"),
    ],
)
def test_an_image_is_asked_for_as_containerd_asks_a_mirror_for_it(image: str, repository: str) -> None:
    assert registry.repository(image) == repository
