"""Why there is no answer."""

from collections.abc import Mapping
from typing import Any


class ScaleError(Exception):
    """The API gave no answer that can be used."""


class Unreachable(ScaleError):
    """Nothing answered, or not in time."""


class Unintelligible(ScaleError):
    """What answered is not the API, or not this version of it."""


class Problem(ScaleError):
    """The API refused. status: of HTTP. detail: its sentence. request_id: what its log calls the request.

    reason: the name of the fault of a file that was sent.
    """

    def __init__(self, status: int, detail: str, request_id: str, reason: str | None = None) -> None:
        super().__init__(f"{detail} ({status}, request {request_id})")
        self.status, self.detail, self.request_id, self.reason = status, detail, request_id, reason


class NotFound(Problem):
    """The index has no such song, or the site has not its file."""


class IndexReplaced(Problem):
    """Another index was published between two pages of a search; it begins anew."""


class TooManyRequests(Problem):
    """This client asks too often."""


class Unavailable(Problem):
    """The site cannot reach its database, or has no index yet."""


_BY_STATUS: Mapping[int, type[Problem]] = {
    404: NotFound,
    410: IndexReplaced,
    429: TooManyRequests,
    503: Unavailable,
}


def problem(status: int, found: Mapping[str, Any]) -> Problem:
    """The exception for a problem document; KeyError where it is none."""
    kind = _BY_STATUS.get(status, Problem)
    return kind(status, found["detail"], found["request_id"], found.get("reason"))
