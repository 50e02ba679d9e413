"""Starts the worker when there is something to do, and again when it dies."""

import asyncio
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from service.jobs.store import JobStore
from service.settings import Settings
from service.telemetry import log, log_failure

_LOOK_EVERY_S: Final = 1.0
_CALM_S: Final = 30.0
"""A worker that lived this long did not die of starting."""
_LONGEST_PAUSE_S: Final = 30.0
_ROOT: Final = Path(__file__).resolve().parents[2]


class Supervisor:
    """Keeps `settings.job_workers` workers while jobs are unfinished; workers leave by themselves when idle.

    Args:
        settings: handed to the workers, artifacts included.
    """

    def __init__(self, settings: Settings, jobs: JobStore) -> None:
        self._settings = settings
        self._jobs = jobs
        self._workers: list[subprocess.Popen[bytes]] = []
        self._begun: dict[int, float] = {}
        self._deaths = 0
        self._not_before = 0.0
        self._woken = asyncio.Event()

    @property
    def pids(self) -> list[int]:
        """The workers that live, for whoever watches or tests."""
        return [worker.pid for worker in self._workers if worker.poll() is None]

    def wake(self) -> None:
        """Look at once: a job was put on the queue. From any coroutine of the loop."""
        self._woken.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                self._bury()
                if len(self._workers) < self._settings.job_workers:
                    await asyncio.to_thread(self._start_if_needed)
            except Exception as error:  # noqa: BLE001 - a database that is away now may be back later
                log_failure(error, reason="supervising jobs")
                await asyncio.sleep(_LONGEST_PAUSE_S / 3)
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._woken.wait()

    def stop(self) -> None:
        """End the workers; their jobs stay on the queue and go on when the service is back."""
        for worker in self._workers:
            if worker.stdin is not None:
                worker.stdin.close()
        for worker in self._workers:
            try:
                worker.wait(timeout=2)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self._workers = []

    def _bury(self) -> None:
        for worker in [worker for worker in self._workers if worker.poll() is not None]:
            self._workers.remove(worker)
            if worker.stdin is not None:
                worker.stdin.close()
            lived = time.monotonic() - self._begun.pop(worker.pid)
            if worker.returncode == 0:
                self._deaths = 0
                continue
            self._deaths = 1 if lived > _CALM_S else self._deaths + 1
            pause = min(0.25 * 2 ** (self._deaths - 1), _LONGEST_PAUSE_S)
            self._not_before = time.monotonic() + pause
            log.warning("worker died", reason=f"exit status {worker.returncode}", seconds=round(lived, 1))

    def _start_if_needed(self) -> None:
        if time.monotonic() < self._not_before or not self._jobs.unfinished():
            return
        worker = subprocess.Popen(
            [sys.executable, "-m", "service.jobs.worker"], stdin=subprocess.PIPE, cwd=_ROOT, close_fds=True
        )
        self._begun[worker.pid] = time.monotonic()
        self._workers.append(worker)
        if worker.stdin is None:
            raise RuntimeError("a worker has no stdin")
        try:
            worker.stdin.write(self._settings.model_dump_json().encode() + b"\n")
            worker.stdin.flush()
        except BrokenPipeError:
            log.warning("worker died", reason="before it had its settings")


def settings_for(settings: Settings, artifacts: Path) -> Settings:
    """What a worker needs to know, with paths that hold wherever it is started."""
    return settings.model_copy(
        update={
            "artifacts": artifacts.absolute(),
            "data": settings.data.absolute(),
            "pipelines_file": Path(os.path.abspath(settings.pipelines_file)),  # noqa: PTH100 - it need not exist
        }
    )
