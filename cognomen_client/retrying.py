"""When to try again, and after how long."""

import email.utils
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_REFUSED: Final = frozenset({429, 503})
"""The service says it did nothing; the same request may be sent again."""
_BROKEN: Final = frozenset({502, 504})
"""A gateway lost the answer; only what is repeatable may be sent again."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """How patient a client is.

    Attributes:
        attempts: tries in all; 1 never tries again.
        first_s: the wait after the first failure where the service does not say; it doubles, with jitter.
        most_s: no wait is longer; a longer Retry-After ends the patience instead.
    """

    attempts: int = 5
    first_s: float = 0.25
    most_s: float = 30.0

    def wait_s(
        self, attempt: int, *, repeatable: bool, status: int | None, headers: Mapping[str, str] | None = None
    ) -> float | None:
        """How long to wait before the next try; None for no more.

        Args:
            attempt: how many tries there were.
            repeatable: whether the call may be done twice.
            status: what was answered; None if nothing was.
        """
        again = status in _REFUSED or (repeatable and (status is None or status in _BROKEN))
        if not again or attempt >= self.attempts:
            return None
        said = retry_after_s(headers or {})
        if said is not None:
            return said if said <= self.most_s else None
        return min(self.most_s, self.first_s * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """What Retry-After says, in seconds from now; None if it says nothing."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None
