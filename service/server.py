"""Listening: uvicorn, made to leave politely."""

import errno
import gc
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from service.app import create_app
from service.house import check_house
from service.keys import KeyStore
from service.settings import Settings, SettingsInvalid
from service.telemetry import configure_logging, log

_BACKLOG = 2048
_KEEP_ALIVE_S = 75
"""Longer than the 60 s for which gateways keep idle connections, so that it is never we who close one under them."""


class CannotListen(OSError):
    """The address is taken, not ours, or does not exist; the message is one line."""


class DrainingServer(uvicorn.Server):
    """On SIGTERM says 503 on /readyz and goes on answering for `drain_s`, then closes the listener.

    SIGINT, which a person sends, leaves at once.
    """

    def __init__(self, config: uvicorn.Config, *, app: FastAPI, drain_s: float) -> None:
        super().__init__(config)
        self._app = app
        self._drain_s = drain_s
        self._leave_at: float | None = None
        self._settled = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain, or leave if draining already or asked by a person."""
        if sig == signal.SIGTERM and self._leave_at is None and self._drain_s and self.started:
            self._leave_at = time.monotonic() + self._drain_s
            self._app.state.services.draining = True
            # Callers who keep connections open move to another replica before the listener closes.
            self.config.encoded_headers.append((b"connection", b"close"))
            log.info("draining", seconds=self._drain_s)
            return
        if self.started:
            # What is answered as a stream of events ends by this.
            self._app.state.services.draining = True
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Uvicorn's ten-times-a-second check, with the end of loading and of draining."""
        if not self._settled and self._app.state.services.warm:
            self._settled = True
            _settle_memory()
        if self._leave_at is not None and time.monotonic() >= self._leave_at and not self.should_exit:
            super().handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)


def _settle_memory() -> None:
    """Take what was loaded out of the garbage collector's sight.

    Every full collection walks it again: 46 ms of standstill over 12 concepts and the libraries, none afterwards.
    Cycles in what is loaded are never collected then; a build that is swapped out goes by reference counts.
    """
    gc.collect()
    gc.freeze()


def listening(host: str, port: int) -> list[socket.socket]:
    """A bound socket for each address of a host, all on one port. Raises: CannotListen."""
    made: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, _, _, address in dict.fromkeys(found):
            try:
                made.append(_bound(family, kind, address, port=made[0].getsockname()[1] if made else port))
            except OSError as error:
                # localhost is ::1 too where the kernel may have no IPv6.
                if not (made and error.errno == errno.EADDRNOTAVAIL):
                    raise
    except OSError as error:
        for taken in made:
            taken.close()
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return made


def _bound(family: int, kind: int, address: tuple[object, ...], *, port: int) -> socket.socket:
    bound = socket.socket(family, kind)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((address[0], port, *address[2:]))
        # Taken from here on: without listening another process may bind the port too.
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def _keys_there(settings: Settings) -> bool:
    """Whether anybody could be let in."""
    store = KeyStore(settings.data, secret_file=settings.keys_secret_file)
    return settings.jwt_key_file is not None or bool(store.all())


def serve(settings: Settings, *, on_listen: Callable[[int], None] | None = None) -> None:
    """Listen until told to stop.

    Args:
        settings: where, and everything else.
        on_listen: told the port once it is taken, before anything is loaded.

    Raises: SettingsInvalid for an address beyond loopback, which needs API keys; CannotListen; HouseBroken.
    """
    check_house()
    if not settings.loopback and not _keys_there(settings):
        raise SettingsInvalid(
            "COGNOMEN_HOST: beyond loopback the service needs API keys and has none: "
            "make one with `cognomen keys create --name me --scope admin`"
        )
    configure_logging(level=settings.log_level, style=settings.log_format)
    app = create_app(settings)
    sockets = listening(settings.host, settings.port)
    port = sockets[0].getsockname()[1]
    log.info("listening", host=settings.host, port=port)
    if on_listen is not None:
        on_listen(port)
    config = uvicorn.Config(
        app,
        root_path=settings.root_path,
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=round(settings.request_timeout_s),
    )
    DrainingServer(config, app=app, drain_s=settings.drain_s).run(sockets)
