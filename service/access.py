"""Who is let in where: one table of paths, looked at before a body is read.

    request ─ rule of its path ─ key ─ scope ─ rate ─ room in the queue ─ route

A path that no rule names needs a write key: a route that is forgotten here is closed, not open.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from service import problems
from service.keys import PREFIX, Caller
from service.keys import Scope as KeyScope
from service.problems import Forbidden, Refusal, TooManyRequests, Unauthenticated
from service.rates import RateLimits
from service.telemetry import log

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ANY: Final[frozenset[str]] = frozenset()
_REALM: Final = 'Bearer realm="cognomen"'
ANYBODY: Final = Caller("anybody", "anybody", (KeyScope.ADMIN,))
"""Who asks where no key is needed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What some paths need.

    Attributes:
        path: the whole path, as a regular expression.
        scope: the least a key must be for; None is open to everybody.
        methods: which ones it is about; empty is about all.
        work: whether it queues for the encoders, and is not even read while the queue is full.
        probe: open, but to the gateway's network only.
    """

    path: re.Pattern[str]
    scope: KeyScope | None
    methods: frozenset[str] = _ANY
    work: bool = False
    probe: bool = False

    def covers(self, method: str, path: str) -> bool:
        """Whether it is about this request."""
        return (not self.methods or method in self.methods) and self.path.fullmatch(path) is not None


_GET: Final = frozenset({"GET", "HEAD"})
_POST: Final = frozenset({"POST"})
_DELETE: Final = frozenset({"DELETE"})


def _all(pattern: str) -> re.Pattern[str]:
    # A line break in a path is as good a character as any.
    return re.compile(pattern, re.DOTALL)


_REST: Final = Rule(_all(".*"), KeyScope.WRITE)

RULES: Final[Sequence[Rule]] = (
    Rule(_all("/(healthz|readyz|metrics)"), None, probe=True),
    # Pages without data; what they show they ask for under /v1.
    Rule(_all("/(docs|console)(/.*)?|/openapi.json|/favicon.ico"), None, _GET),
    # Who asks what they may ask.
    Rule(_all("/v1/keys/self"), KeyScope.READ, _GET),
    Rule(_all("/v1/(keys|generations)(/.*)?"), KeyScope.ADMIN),
    Rule(_all("/v1/[^/]+/feedback(/[^/]+)?"), KeyScope.WRITE, frozenset({"POST", "DELETE"})),
    Rule(_all(".*"), KeyScope.ADMIN, _DELETE),
    Rule(_all("/v1/(files|jobs)(/.*)?"), KeyScope.WRITE),
    Rule(_all("/v1/(embeddings|rerank|job-titles/normalize|medical/link)"), KeyScope.READ, _POST, work=True),
    Rule(_all("/v1/retrieval/[^/]+/search"), KeyScope.READ, _POST, work=True),
    Rule(_all("/v1/datasheets/.*"), KeyScope.READ, _POST),
    Rule(_all(".*"), KeyScope.READ, _GET),
    _REST,
)
"""The first one that covers a request counts."""


_NAMED: Final = re.compile(r"/v1/(?:terminologies|retrieval)/([^/]+)(?:/.*)?", re.DOTALL)
"""Paths that name what a key may be bound to."""


class NameUnknown(Refusal):
    """A name outside the caller's prefixes: answered alike whether it exists or not."""

    status, slug, title = 404, "not-found", "Not found"


class Verifier(Protocol):
    """Knows whom a token stands for."""

    def verify(self, token: str) -> Caller | None:
        """The caller; None if the token opens nothing."""
        ...


def rule_of(method: str, path: str) -> Rule:
    """What a request needs."""
    return next((rule for rule in RULES if rule.covers(method, path)), _REST)


class Networks:
    """Addresses a probe may come from. Raises: ValueError for what is no network."""

    def __init__(self, said: str) -> None:
        self._networks = [ipaddress.ip_network(part.strip()) for part in said.split(",") if part.strip()]

    def holds(self, client: Sequence[Any] | None) -> bool:
        """Whether a request comes from one of them; what comes over a Unix socket does."""
        if client is None:
            return True
        try:
            address = ipaddress.ip_address(client[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


class Access:
    """ASGI middleware: lets in who may come in.

    Args:
        app: what is behind.
        keys: knows API keys.
        tokens: knows a gateway's tokens; None knows none.
        required: whether a key is needed at all.
        rates: how often each may ask.
        probes_from: where probes may come from without a key.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: Verifier,
        tokens: Verifier | None,
        required: bool,
        rates: RateLimits,
        probes_from: Networks,
    ) -> None:
        self._app = app
        self._keys = keys
        self._tokens = tokens
        self._required = required
        self._rates = rates
        self._probes_from = probes_from

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its caller, or answer it here, unread."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._let_in(scope)
        except Refusal as error:
            request_id = scope["state"]["request_id"]
            await problems.refusal(error, request_id=request_id)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _let_in(self, scope: Scope) -> None:
        rule = rule_of(scope["method"], _path(scope))
        if rule.scope is None and (not rule.probe or not self._required or self._probes_from.holds(scope["client"])):
            return
        caller = self._caller(scope, rule.scope or KeyScope.READ)
        scope["state"]["caller"] = caller
        self._count(caller, scope)
        self._bind(caller, _path(scope))
        if rule.work:
            scope["app"].state.services.require_room()

    def _bind(self, caller: Caller, path: str) -> None:
        """Keep a bound key to its names. What a body names is kept by `services_of`."""
        if not caller.prefixes:
            return
        named = _NAMED.fullmatch(path)
        if named is not None and not caller.sees(named[1]):
            raise NameUnknown("Nothing of that name is here for this key.")

    def _count(self, caller: Caller, scope: Scope) -> None:
        try:
            self._rates.count(caller.id, caller.rate)
        except TooManyRequests as error:
            scope["app"].state.services.metrics.refused.labels(error.slug).inc()
            raise

    def _caller(self, scope: Scope, needed: KeyScope) -> Caller:
        if not self._required:
            _refuse_other_pages(scope)
            return ANYBODY
        token = _token(scope)
        verifier = self._keys if token.startswith(PREFIX) else self._tokens
        caller = verifier.verify(token) if verifier is not None and token else None
        if caller is None:
            challenge = f'{_REALM}, error="invalid_token"' if token else _REALM
            log.warning("audit", action="refused", reason="unauthenticated", request_id=scope["state"]["request_id"])
            raise Unauthenticated(
                "Send a valid key: 'authorization: Bearer KEY'.", headers={"WWW-Authenticate": challenge}
            )
        scope["state"]["key_id"] = caller.id
        if not caller.may(needed):
            log.warning(
                "audit",
                action="refused",
                reason="scope",
                scope=needed.value,
                key_id=caller.id,
                request_id=scope["state"]["request_id"],
            )
            raise Forbidden(
                f"This key lacks the scope '{needed}'.",
                headers={"WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{needed}"'},
            )
        return caller


def caller_of(scope: Scope) -> Caller:
    """Who sent a request that was let in."""
    caller: Caller = scope["state"].get("caller", ANYBODY)
    return caller


def _path(scope: Scope) -> str:
    """The path that routes are matched against."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def _token(scope: Scope) -> str:
    """The bearer token; empty if there is none, or more than one."""
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(found) != 1:
        return ""
    scheme, _, token = found[0].partition(b" ")
    token = token.strip()
    return token.decode("ascii") if scheme.lower() == b"bearer" and token.isascii() else ""


def _refuse_other_pages(scope: Scope) -> None:
    """Where no key is needed, a page from elsewhere in somebody's browser must not change anything here."""
    if scope["method"] in _SAFE_METHODS:
        return
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    if origin is not None and origin.partition(b"://")[2] != headers.get(b"host", b""):
        raise Forbidden("Requests from other sites' pages need an API key.")
