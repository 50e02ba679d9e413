"""What can go wrong, from the caller's side.

CognomenError
├── NotReached            no answer: refused, cut off, timed out
├── JobFailed             the job ended as failed or cancelled
└── Problem               the service said no (RFC 9457)
    ├── Unauthenticated   401
    ├── Forbidden         403
    ├── NotFound          404
    ├── Conflict          409: `candidates` where one has to be chosen
    ├── Invalid           413, 415, 422: `faults` says where
    ├── TooManyRequests   429: `retry_after_s`
    └── Unavailable       503: `retry_after_s`
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final


class CognomenError(Exception):
    """Anything this client raises on purpose."""


class NotReached(CognomenError):
    """There was no answer, after every attempt."""


class JobFailed(CognomenError):
    """A job ended without success.

    Attributes:
        job: the job as it ended.
    """

    def __init__(self, job: Mapping[str, Any]) -> None:
        said = job.get("error") or {}
        super().__init__(
            f"job {job['id']} {job['status']}: {said.get('detail') or said.get('title') or 'no reason given'}"
        )
        self.job = job


class Problem(CognomenError):
    """The service refused a request.

    Attributes:
        status: the HTTP status.
        type: `urn:cognomen:problem:…`; its last part is stable.
        detail: what was wrong, in the service's words.
        faults: (JSON pointer, what is wrong there).
        request_id: what the service's log calls this request.
        retry_after_s: when to try again, where the service said so.
        body: the whole problem.
    """

    def __init__(self, status: int, body: Mapping[str, Any], *, retry_after_s: float | None = None) -> None:
        self.status = status
        self.body = body
        self.type = str(body.get("type", "about:blank"))
        self.detail = str(body.get("detail") or body.get("title") or f"status {status}")
        self.request_id = body.get("request_id")
        self.retry_after_s = retry_after_s
        self.faults: Sequence[tuple[str, str]] = [
            (str(fault.get("pointer", "")), str(fault.get("detail", ""))) for fault in body.get("errors", ())
        ]
        where = "".join(f"; {pointer}: {detail}" for pointer, detail in self.faults[:5])
        super().__init__(f"{status} {self.detail}{where}")

    @property
    def slug(self) -> str:
        """The last part of `type`: "overloaded"."""
        return self.type.rpartition(":")[2]


class Unauthenticated(Problem):
    """No valid key came with the request."""


class Forbidden(Problem):
    """The key lacks the scope."""


class NotFound(Problem):
    """There is nothing of that name."""


class Conflict(Problem):
    """The request is at odds with what is there."""

    @property
    def candidates(self) -> list[str]:
        """What to choose from, where that is the conflict: a datasheet's parts."""
        return [str(name) for name in self.body.get("candidates", ())]


class Invalid(Problem):
    """The request cannot be taken as it is."""


class TooManyRequests(Problem):
    """Over the rate of the caller."""


class Unavailable(Problem):
    """Overloaded, loading or draining, after every attempt."""


_KINDS: Final[Mapping[int, type[Problem]]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: TooManyRequests,
    503: Unavailable,
}


def problem_of(status: int, body: object, *, retry_after_s: float | None = None) -> Problem:
    """The exception for an answer that is none."""
    said = body if isinstance(body, Mapping) else {}
    return _KINDS.get(status, Problem)(status, said, retry_after_s=retry_after_s)
