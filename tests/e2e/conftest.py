"""The database on a cluster of its own, shared by the tests of what befalls it."""

from collections.abc import Iterator

import pytest

from deployer.kubectl import Kubectl
from deployer.postgres.database import Database
from tests.checkout import Checkout, checkout


@pytest.fixture(scope="session")
def with_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout with a cluster."""
    with checkout(tmp_path_factory.mktemp("postgres") / "postgres") as made:
        made.run("up")
        yield made


@pytest.fixture(scope="module")
def installed(with_cluster: Checkout) -> Checkout:
    """It with the database on its cluster, whatever the tests before have left."""
    with_cluster.run("setup_postgres")
    return with_cluster


@pytest.fixture(scope="module")
def database(installed: Checkout) -> Database:
    folder = installed.root / ".run_kube"
    return Database(Kubectl(str(folder / "bin/kubectl"), folder / "clusters" / installed.cluster / "kubeconfig"))
