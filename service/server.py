"""Listening: uvicorn, made to leave politely."""

import gc
import signal
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI

from service.app import create_app
from service.house import check_house
from service.settings import Settings, SettingsInvalid
from service.telemetry import configure_logging, log

_KEEP_ALIVE_S = 75
"""Longer than the 60 s for which gateways keep idle connections, so that it is never we who close one under them."""


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


def serve(settings: Settings) -> None:
    """Listen until told to stop.

    Raises: SettingsInvalid for an address beyond loopback, which needs API keys; HouseBroken.
    """
    check_house()
    if not settings.loopback:
        raise SettingsInvalid("COGNOMEN_HOST: beyond loopback the service needs API keys, which it has not yet")
    configure_logging(level=settings.log_level, style=settings.log_format)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
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
    DrainingServer(config, app=app, drain_s=settings.drain_s).run()
