"""How often one caller may ask. Counted in this process: the gateway counts for all replicas together."""

import math
import re
import time
from functools import cache
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

from service.problems import TooManyRequests

RATE: Final = r"^[1-9][0-9]{0,8}/(second|minute|hour|day)$"
_EXACT_UP_TO: Final = 100
"""Up to here every request is remembered; beyond it two counters approximate the window."""


def parse_rate(rate: str) -> RateLimitItem:
    """A rate like 600/minute as a limit. Raises: ValueError, in one line."""
    if not re.fullmatch(RATE, rate):
        raise ValueError("a rate is a number and a time: 600/minute, 10/second, 100000/day")
    return parse(rate)


class RateLimits:
    """Counts requests by caller.

    Args:
        default: for callers without a rate of their own; empty lets them ask as often as they like.
    """

    def __init__(self, default: str) -> None:
        self._default = default
        storage = MemoryStorage()
        self._exact = MovingWindowRateLimiter(storage)
        self._counted = SlidingWindowCounterRateLimiter(storage)
        self._parse = cache(parse_rate)

    def count(self, caller: str, rate: str | None) -> None:
        """Let one request of a caller through. Raises: TooManyRequests, with the seconds to wait."""
        chosen = rate or self._default
        if not chosen:
            return
        item = self._parse(chosen)
        limiter = self._exact if item.amount <= _EXACT_UP_TO else self._counted
        if not limiter.hit(item, caller):
            reset = limiter.get_window_stats(item, caller).reset_time
            wait = max(1, min(math.ceil(reset - time.time()), item.get_expiry()))
            raise TooManyRequests("This key may ask again later.", retry_after_s=wait)
