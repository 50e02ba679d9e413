"""`python -m service.jobs.worker`: the process that does the jobs, one at a time, at low priority.

It reads its settings as one line of JSON from stdin and leaves when stdin closes, so that it never outlives the service
that started it. It may be killed at any moment: what a job has done by then is on disk, and whoever comes next goes on.
A worker holds a lock on a file named after it; jobs of a worker whose lock nobody holds are put back on the queue.
"""

import fcntl
import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any, Final

from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from service.files import FileStore
from service.jobs.engine import begin_work, rescue
from service.jobs.queue import LOOK_EVERY_S, Queue, queue_url
from service.jobs.store import JobStore
from service.jobs.task import CANCEL
from service.jobs.working import attempt
from service.settings import Settings
from service.telemetry import configure_logging, log, log_failure

IDLE_S: Final = 60.0
"""Without anything to do for this long it leaves, and gives the encoders' memory back (guess)."""
_CANCEL_WITHIN_S: Final = 1.5
"""How long a cancelled job may go on before this process, which loses nothing by it, is ended under it."""


class Worker:
    """One worker: takes jobs from the queue, rescues those of workers that died, ends those that are cancelled."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._id = f"worker-{os.getpid()}-{secrets.token_hex(4)}"
        self._locks = settings.data / "jobs" / "workers"
        self._queue = Queue(queue_url(settings.jobs_url, settings.data))
        files = FileStore(settings.data / "files", quota_bytes=settings.max_files_bytes)
        artifacts = ArtifactStore(settings.artifacts)
        self._jobs = JobStore(settings.data / "jobs", queue=self._queue, files=files, artifacts=artifacts)
        self._library = EncoderLibrary(
            artifacts, device=settings.device, threads=settings.threads, engine=settings.encoder_engine
        )
        self._files = files
        self._artifacts = artifacts
        # A job that was cancelled may wind down while the next one begins.
        self._working_on: set[str] = set()
        self._lock: IO[bytes] | None = None

    def run(self) -> None:
        """Work until stdin closes or nothing has been there to do for a while."""
        self._lock = _locked(self._locks / self._id)
        threading.Thread(target=_leave_with_parent, daemon=True).start()
        begin_work(queue_url(self._settings.jobs_url, self._settings.data), worker=self._id, work=self._work)
        log.info("worker ready", reason=self._id)
        busy = time.monotonic()
        while time.monotonic() - busy < IDLE_S:
            if self._look():
                busy = time.monotonic()
            time.sleep(LOOK_EVERY_S)
        # Nothing is under way: leaving needs no ceremony.
        (self._locks / self._id).unlink(missing_ok=True)
        os._exit(0)

    def _work(self, job_id: str) -> dict[str, Any]:
        self._working_on.add(job_id)
        try:
            return attempt(
                job_id,
                jobs=self._jobs,
                settings=self._settings,
                store=self._artifacts,
                files=self._files,
                library=self._library,
            )
        finally:
            self._working_on.discard(job_id)

    def _look(self) -> bool:
        """Whether there is anything to do, here or elsewhere."""
        for job_id in list(self._working_on):
            if _age(self._settings.data / "jobs" / job_id / CANCEL) > _CANCEL_WITHIN_S:
                log.info("ending under a cancelled job", job_id=job_id)
                os._exit(0)
        if not self._queue.unfinished():
            return bool(self._working_on)
        if dead := [worker for worker in self._queue.workers() - {self._id} if self._died(worker)]:
            log.warning("jobs of dead workers go on here", items=len(dead))
            rescue(dead)
        return True

    def _died(self, worker: str) -> bool:
        """Whether nobody holds a worker's lock any more."""
        path = self._locks / worker
        try:
            with path.open("rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except FileNotFoundError:
            return True
        path.unlink(missing_ok=True)
        return True


def _locked(path: Path) -> IO[bytes]:
    """A new file, held until this process ends; it appears under its name only when it is held."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}")
    stream = part.open("wb")
    fcntl.flock(stream, fcntl.LOCK_EX)
    part.rename(path)
    return stream


def _age(path: Path) -> float:
    """Seconds since a file was made; negative if it is not there."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return -1.0


def _leave_with_parent() -> None:
    """End this process as soon as the service that started it closes our stdin, or dies."""
    while os.read(0, 1024):
        pass
    os._exit(0)


def main() -> None:
    """Read settings from stdin and work."""
    settings = Settings.model_validate_json(_first_line())
    configure_logging(level=settings.log_level, style=settings.log_format)
    # Ctrl-C in a terminal reaches us as well; the service decides, by closing stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(settings.job_nice)
    try:
        Worker(settings).run()
    except BaseException as error:  # noqa: BLE001 - logged, and the exit status says it
        log_failure(error, reason="worker")
        sys.stderr.flush()
        # Threads of DBOS would keep a plain exit waiting.
        os._exit(1)


def _first_line() -> bytes:
    """Settings from stdin, unbuffered: what follows is only ever its end."""
    line = bytearray()
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return bytes(line)


if __name__ == "__main__":
    main()
