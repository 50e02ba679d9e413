"""Calls as httpx sends them, and answers as they come back: what sync and async share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, TypeVar, cast

import httpx

from cognomen_client.calls import Call, Upload
from cognomen_client.errors import Problem, problem_of
from cognomen_client.retrying import retry_after_s

T = TypeVar("T")
DEFAULT_TIMEOUT_S: Final = 60.0
ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})


def client_arguments(url: str, key: str | None, timeout_s: float) -> dict[str, Any]:
    """What an httpx client is made with."""
    headers = {"user-agent": "cognomen-client", "accept": "application/json"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    return {"base_url": url.rstrip("/") + "/", "headers": headers, "timeout": timeout_s}


@contextmanager
def request_arguments(call: Call[Any]) -> Iterator[dict[str, Any]]:
    """What httpx is told for one attempt; a file is opened for each, so that an attempt begins at its beginning."""
    told: dict[str, Any] = {"params": call.params, "headers": dict(call.headers)}
    if call.json is not None:
        told["json"] = call.json
    if call.form is not None:
        told["data"] = dict(call.form)
    if call.upload is None:
        yield told
        return
    name, filename, content = call.upload
    with _opened(content) as stream:
        yield {**told, "files": {name: (filename, stream)}}


@contextmanager
def _opened(content: Upload) -> Iterator[bytes | IO[bytes]]:
    if isinstance(content, str | Path):
        with Path(content).open("rb") as stream:
            yield stream
    else:
        yield content


def rewind(call: Call[Any], start: int | None) -> bool:
    """Put a caller's stream back to where it began. Returns: whether the call can be sent once more."""
    content = call.upload[2] if call.upload else b""
    if isinstance(content, str | Path | bytes):
        return True
    if start is None:
        return False
    content.seek(start)
    return True


def start_of(call: Call[Any]) -> int | None:
    """Where a caller's stream begins; None if it cannot be put back there."""
    content = call.upload[2] if call.upload else b""
    if isinstance(content, str | Path | bytes) or not content.seekable():
        return None
    return content.tell()


def answer_of(response: httpx.Response, call: Call[T]) -> T:
    """What the caller gets. Raises: Problem."""
    if response.is_success:
        if call.raw is not None:
            return call.raw(response.content, response.headers)
        return call.read(response.json() if response.content else None)
    raise refusal_of(response)


def refusal_of(response: httpx.Response) -> Problem:
    """What the service says against a request, whose body has been read."""
    try:
        body = cast(object, response.json())
    except ValueError:
        # Not the service but something in between.
        body = {"title": response.reason_phrase}
    return problem_of(response.status_code, body, retry_after_s=retry_after_s(response.headers))
