"""The little of Kubernetes' API that the keeper asks for, served over HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class State:
    """What the API has and was told. before_patch: looks at the world when a change arrives."""

    lease: dict[str, str]
    sync: dict[str, str] | None = None
    pods: list[dict[str, Any]] = field(default_factory=list)
    patches: list[dict[str, Any]] = field(default_factory=list)
    before_patch: Callable[[], None] = lambda: None
    url: str = ""


def pod(name: str, address: str, *, ready: bool = True) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, "status": {"podIP": address, "conditions": conditions}}


@contextmanager
def serving(state: State) -> Iterator[State]:
    """The API on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "/pods?" in self.path:
                return self._answer({"items": state.pods})
            if "/pods/" in self.path:
                name = self.path.rpartition("/")[2]
                found = [each for each in state.pods if each["metadata"]["name"] == name]
                return self._answer(found[0] if found else {}, 200 if found else 404)
            annotations = state.sync if self.path.endswith("-sync") else state.lease
            if annotations is None:
                return self._answer({}, 404)
            return self._answer({"metadata": {"resourceVersion": "7", "annotations": annotations}})

        def do_PATCH(self) -> None:
            state.before_patch()
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.patches.append(body)
            state.lease = {}
            self._answer({})

        def _answer(self, body: object, code: int = 200) -> None:
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
