"""Reading a JSON body strictly: what is not JSON is refused before anything looks at it."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import orjson
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from service.problems import ClientGone, Fault, Invalid, Malformed, WrongMediaType, pointer_of

_SURROGATE_DETAIL = "Holds half of a surrogate pair, which is not text."


class JsonRequest(Request):
    """A request whose body is JSON or is refused."""

    async def body(self) -> bytes:
        """The whole body. Raises: ClientGone if the caller hung up before its end; BodyTooLarge."""
        try:
            return await super().body()
        except ClientDisconnect:
            raise ClientGone("The caller hung up.") from None

    async def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body's value; of a key that stands twice, the last. Raises: Malformed, WrongMediaType, Invalid."""
        body = await self.body()
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            _refuse(body, error)


class JsonRoute(APIRoute):
    """A route that reads its body as JsonRequest does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind the checks that FastAPI would answer in its own words."""
        handle = super().get_route_handler()
        reads_body = self.body_field is not None

        async def handle_json(request: Request) -> Response:
            request = JsonRequest(request.scope, request.receive)
            if reads_body:
                _require_json(request)
                if not await request.body():
                    raise Malformed("The body is empty; expected a JSON object.")
            return await handle(request)

        return handle_json


def _require_json(request: Request) -> None:
    declared = request.headers.get("content-type", "")
    media_type = declared.partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise WrongMediaType("Send application/json (with curl: -H 'content-type: application/json').")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise WrongMediaType("Send the body uncompressed; a gateway may unpack it.")


def _refuse(body: bytes, error: orjson.JSONDecodeError) -> NoReturn:
    """Say where the JSON breaks. A lone surrogate escape is grammatical JSON yet no text: that is a 422."""
    try:
        content = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Malformed(f"The body is not valid JSON (line {error.lineno}, column {error.colno}).") from None
    pointer = _surrogate(content)
    if pointer is None:
        # Python's parser is laxer than RFC 8259 and I-JSON: numbers beyond a double, a byte order mark.
        raise Malformed(f"The body is not valid JSON (line {error.lineno}, column {error.colno}).") from None
    raise Invalid("A text is not valid Unicode.", faults=[Fault(pointer, _SURROGATE_DETAIL)]) from None


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _surrogate(content: object) -> str | None:
    """A pointer to the first text or key with half of a surrogate pair; None if there is none."""
    stack: list[tuple[object, tuple[str | int, ...]]] = [(content, ())]
    while stack:
        value, path = stack.pop()
        if isinstance(value, str) and not value.isascii() and _broken(value):
            return pointer_of(("body", *path))
        if isinstance(value, dict):
            for key, inner in reversed(value.items()):
                if _broken(key):
                    return pointer_of(("body", *path, key))
                stack.append((inner, (*path, key)))
        elif isinstance(value, list):
            stack.extend((inner, (*path, i)) for i, inner in reversed(list(enumerate(value))))
    return None


def _broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
