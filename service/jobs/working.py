"""One attempt at a job: its kind's work, and how it ended, in words a client may see."""

import json
import re
import time
from collections.abc import Callable
from typing import Any, Final

from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from models.errors import ArtifactWriteFailed, ModelError
from pipelines.errors import PipelineError, SourceError
from service.files import FileStore, StorageFull, refused_by_disk, write_atomically
from service.jobs.kinds import KINDS
from service.jobs.store import JobStore
from service.jobs.task import ASKED, Cancelled, Outcome, Task, read_progress
from service.problems import INTERNAL, Refusal
from service.settings import Settings
from service.telemetry import log, log_failure

_OUTCOME: Final = "outcome.json"
_TRIES: Final = 4
_PAUSE_S: Final = 0.5
"""Doubles with each try."""
_FRUITLESS: Final = 10
"""Attempts in a row that may die without getting any further; then the job, which kills its worker, fails."""
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")


def attempt(
    job_id: str,
    *,
    jobs: JobStore,
    settings: Settings,
    store: ArtifactStore,
    files: FileStore,
    library: EncoderLibrary,
) -> dict[str, Any]:
    """Do a job, or what is left of it; how it ended, as the queue keeps it."""
    folder = jobs.folder(job_id)
    ended = folder / _OUTCOME
    if ended.exists():
        # An earlier attempt got here, and died before the queue knew.
        known: dict[str, Any] = json.loads(ended.read_bytes())
        return known
    kind = json.loads((folder / ASKED).read_bytes())["kind"]
    task = Task(job_id, folder=folder, settings=settings, store=store, files=files, library=library)
    log.info("job begins", job_id=job_id, kind=kind)
    outcome = _ended(task, KINDS[kind].work)
    try:
        write_atomically(ended, json.dumps(outcome).encode())
    except OSError as error:
        # The queue hears of it all the same; only whoever dies before that does it again.
        log.warning("outcome not written", job_id=job_id, error_type=type(error).__name__)
    jobs.tidy(job_id)
    log.info("job ends", job_id=job_id, kind=kind, reason=outcome["status"])
    return outcome


def _ended(task: Task, work: Callable[[Task], Outcome]) -> dict[str, Any]:
    try:
        with refused_by_disk():
            attempts = _fruitless(task)
        if attempts > _FRUITLESS:
            return _failed("The process that does jobs died of this one, again and again.")
        outcome = _tried(task, work)
    except Cancelled:
        return {"status": "cancelled"}
    except SourceError as error:
        # It says what was found where; the file's own words are left out, as in every error.
        return _failed(_QUOTED.sub("…", str(error)), slug="input-unreadable", title="Input cannot be read")
    except (StorageFull, ArtifactWriteFailed) as error:
        return _failed(_words(error), slug="storage-full", title="Storage full", status=503)
    except (ModelError, PipelineError, Refusal) as error:
        log.error("job fails", job_id=task.id, error_type=type(error).__name__, error_message=_words(error))
        return _failed(_QUOTED.sub("…", _words(error)))
    except Exception as error:  # noqa: BLE001 - the worker lives on, the job says that it failed
        log_failure(error, job_id=task.id)
        return _failed(str(INTERNAL.detail), slug=INTERNAL.slug, title=INTERNAL.title, status=500)
    return {
        "status": "succeeded",
        "counts": dict(outcome.counts),
        "output_file_id": outcome.output_file_id,
        "result": dict(outcome.result),
    }


def _tried(task: Task, work: Callable[[Task], Outcome]) -> Outcome:
    """The work, again after a pause where the machine hiccuped; what it has done by then it does not do twice."""
    for number in range(1, _TRIES):
        try:
            with refused_by_disk():
                return work(task)
        except (OSError, MemoryError) as error:
            log.warning("job tries again", job_id=task.id, error_type=type(error).__name__)
            time.sleep(_PAUSE_S * 2**number)
    return work(task)


def _fruitless(task: Task) -> int:
    """Attempts in a row, this one included, that began where the one before began."""
    path = task.folder / "attempts.json"
    said = read_progress(task.folder) or {}
    at = [said.get("progress"), said.get("counts")]
    known: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {"at": None, "count": 0}
    count = known["count"] + 1 if known["at"] == at else 1
    write_atomically(path, json.dumps({"at": at, "count": count}).encode())
    return int(count)


def _failed(detail: str, *, slug: str = "job-failed", title: str = "Job failed", status: int = 422) -> dict[str, Any]:
    return {
        "status": "failed",
        "error": {"type": f"urn:cognomen:problem:{slug}", "title": title, "status": status, "detail": detail},
    }


def _words(error: Exception) -> str:
    return str(error.detail) if isinstance(error, Refusal) else str(error)
