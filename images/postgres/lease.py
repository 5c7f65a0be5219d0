"""The lease of Patroni and the other nodes, as Kubernetes' API knows them. No decisions; standard library only."""

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
API_SECONDS = 2


class Unreachable(Exception):
    """The API did not answer, or not with what was asked for."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node as the API knows it."""

    name: str
    address: str
    ready: bool


@dataclass(frozen=True, slots=True)
class Api:
    """What the keeper asks of Kubernetes' API. Every call raises Unreachable."""

    url: str
    namespace: str
    scope: str
    name: str
    uid: str
    selector: str
    account: Path = ACCOUNT

    def peers(self) -> list[Peer]:
        pods = self._call("GET", f"pods?labelSelector={self.selector}")["items"]
        return [_peer(pod) for pod in pods if pod["metadata"]["name"] != self.name and pod["status"].get("podIP")]

    def knows_this_pod(self) -> bool:
        """Whether the pod of this name is still this one: after a forced deletion there is none, or the next."""
        pod = self._call("GET", f"pods/{self.name}", missing={})
        return bool(pod) and pod["metadata"]["uid"] == self.uid

    def clear_member(self) -> None:
        """Remove what a Patroni has said about itself on the pod of this name, its address for one."""
        self._call("PATCH", f"pods/{self.name}", {"metadata": {"annotations": {"status": None}}})

    def lease(self) -> dict[str, Any]:
        """The Endpoints object whose annotation `leader` is Patroni's lease."""
        found: dict[str, Any] = self._call("GET", f"endpoints/{self.scope}")
        return found

    def holds_lease(self) -> bool:
        return _annotations(self.lease()).get("leader") == self.name

    def successors(self) -> list[Peer]:
        """The nodes that may take over: ready, and where there are synchronous standbys, one of these."""
        ready = [peer for peer in self.peers() if peer.ready]
        sync = _annotations(self._call("GET", f"endpoints/{self.scope}-sync", missing={}))
        if not sync.get("leader"):
            return ready
        return [peer for peer in ready if peer.name in (sync.get("sync_standby") or "").split(",")]

    def give_up_lease(self) -> bool:
        """Make the lease free if it is this node's; whether it was. Everything that could write must be dead."""
        lease = self.lease()
        if _annotations(lease).get("leader") != self.name:
            return False
        metadata = {"resourceVersion": lease["metadata"]["resourceVersion"], "annotations": {"leader": None}}
        self._call("PATCH", f"endpoints/{self.scope}", {"metadata": metadata, "subsets": []})
        return True

    def _call(self, method: str, path: str, body: object = None, missing: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/v1/namespaces/{self.namespace}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {(self.account / 'token').read_text().strip()}",
                "Content-Type": "application/merge-patch+json",
            },
        )
        trust = ssl.create_default_context(cafile=str(self.account / "ca.crt")) if self.url[:5] == "https" else None
        try:
            with urllib.request.urlopen(request, timeout=API_SECONDS, context=trust) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND and missing is not None:
                return missing
            raise Unreachable(f"{method} {path}: {error}") from error
        except (OSError, ValueError) as error:
            raise Unreachable(f"{method} {path}: {error}") from error


def _annotations(resource: dict[str, Any]) -> dict[str, str]:
    return resource.get("metadata", {}).get("annotations") or {}


def _peer(pod: dict[str, Any]) -> Peer:
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", ())}
    return Peer(pod["metadata"]["name"], pod["status"]["podIP"], conditions.get("Ready") == "True")
