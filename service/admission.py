"""How much work is let in: bytes of a body, and tokens that wait. Decided before anything heavy is done."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import BodyTooLarge, BodyTooSlow, Overloaded

MAX_TEXT_TOKENS: Final = 512
"""What one text can cost at most: encoders cut longer ones."""

_MAX_RETRY_S: Final = 60


def estimate_tokens(texts: Sequence[str]) -> int:
    """About what encoding these texts costs together; a tokenizer would cost more than it tells.

    Four characters a token and three for the ends is right within a third for European languages and short for CJK.
    """
    return sum(min(len(text) // 4 + 3, MAX_TEXT_TOKENS) for text in texts)


class Admission:
    """A bounded number of tokens that wait or are computed.

    Args:
        capacity: tokens that may wait. One request larger than that is let in when nothing else waits.
        answer_s: seconds within which what is let in can be expected to be answered, at the speed of late: where the
            machine slows down, so many tokens fewer may be here.
    """

    def __init__(self, *, capacity: int, answer_s: float = math.inf) -> None:
        self.waiting = 0
        self._computing = 0
        self._capacity = capacity
        self._answer_s = answer_s
        self._tokens_per_second = 0.0
        self._usual = 0.0

    def require_room(self) -> None:
        """Whether a request of usual size would be let in: asked before its body is read. Raises: Overloaded."""
        if self._full(self._usual):
            raise Overloaded("The queue is full.", retry_after_s=self.retry_after_s)

    def admit(self, tokens: int) -> None:
        """Count the tokens as waiting. Raises: Overloaded, with the seconds after which trying again makes sense."""
        if self._full(tokens):
            raise Overloaded("The queue is full.", retry_after_s=self.retry_after_s)
        self.waiting += tokens
        self._usual += (tokens - self._usual) * 0.05

    def leave(self, tokens: int) -> None:
        """Nobody wants these tokens any more."""
        self.waiting -= tokens

    def began(self, tokens: int) -> None:
        """These tokens wait no longer: they are being computed."""
        self.waiting -= tokens
        self._computing += tokens

    def ended(self, tokens: int, seconds: float) -> None:
        """These tokens were computed, in so many seconds: learn how fast it goes, over the last dozen batches."""
        # Others that are computed beside them move as fast.
        speed = self._computing / max(seconds, 1e-6)
        self._tokens_per_second += (speed - self._tokens_per_second) * (0.15 if self._tokens_per_second else 1.0)
        self._computing -= tokens

    def _full(self, tokens: float) -> bool:
        """Whether so many tokens more are too many. When nothing waits, anything may."""
        if not self.waiting:
            return False
        speed = self._tokens_per_second or math.inf
        return (
            self.waiting + tokens > self._capacity or self.waiting + self._computing + tokens > self._answer_s * speed
        )

    @property
    def tokens_per_second(self) -> float:
        """How fast batches were computed lately; 0 before the first."""
        return self._tokens_per_second

    @property
    def retry_after_s(self) -> int:
        """Seconds until what waits now should be done, 1..60."""
        if not self._tokens_per_second:
            return 1
        return max(1, min(_MAX_RETRY_S, math.ceil((self.waiting + self._computing) / self._tokens_per_second)))


class BodyLimit:
    """ASGI middleware: no body larger than `limit` bytes is read, declared or not, nor one that stops coming.

    Args:
        app: what reads bodies.
        limit: bytes, of every path.
        limits: path → its own limit.
        idle_s: longest wait for the next piece. A caller who sends a byte now and then is the gateway's to stop.
    """

    def __init__(self, app: ASGIApp, *, limit: int, idle_s: float, limits: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limit = limit
        self._limits = limits or {}
        self._idle_s = idle_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counted body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = declared_length(scope)
        received = 0
        whole = False
        limit = self._limits.get(scope["path"].removeprefix(scope.get("root_path", "")), self._limit)

        async def receive_counted() -> Message:
            # Raised here, inside the route, so that the answer comes from the one table.
            nonlocal received, whole
            if declared is not None and declared > limit:
                raise BodyTooLarge(f"The body may have at most {limit} bytes.")
            message = await receive() if whole else await self._piece(receive)
            if message["type"] == "http.request":
                whole = not message.get("more_body", False)
                received += len(message.get("body", b""))
                scope["state"]["request_bytes"] = received
                if received > limit:
                    raise BodyTooLarge(f"The body may have at most {limit} bytes.")
            return message

        await self._app(scope, receive_counted, send)

    async def _piece(self, receive: Receive) -> Message:
        try:
            async with asyncio.timeout(self._idle_s):
                return await receive()
        except TimeoutError:
            raise BodyTooSlow("The rest of the body did not come in time.") from None


def declared_length(scope: Scope) -> int | None:
    """The body's length as the caller declares it; None if it does not."""
    for name, value in scope["headers"]:
        # The server refuses what is no number; digits beyond 18 would be a number that int() may refuse too.
        if name == b"content-length" and value.isdigit():
            return int(value[:18])
    return None
