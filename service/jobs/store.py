"""Jobs as a client sees them: asked for, listed, cancelled, fetched. What is asked is a file, how it ends the queue's.

DATA/jobs/job-20261124T114512123456-9f3a1c2b/
job.json        what is asked, when, which generations it holds
input.jsonl     a hard link to the uploaded file, which may be deleted meanwhile
progress.json   how far it is, while it runs
parts/ once-*.json cancel
DATA/jobs/keys/…    hash of an Idempotency-Key → the job it was first sent for
"""

import copy
import hashlib
import json
import os
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, cast

from models.artifacts import ArtifactStore
from service.files import FileStore, new_id, refused_by_disk, sync_folder, write_atomically
from service.jobs.queue import STATUSES, Queue
from service.jobs.task import ASKED, CANCEL, linked_name, read_progress
from service.keys import Caller
from service.problems import Refusal

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})

_PREFIX: Final = "job-"
_TALLIED: Final = 200
_NO_COUNTS: Final = {"ok": 0, "failed": 0}
_NO_PROGRESS: Final = {"done": 0, "total": None, "unit": None, "per_second": None, "eta_s": None}
_GONE_WRONG: Final = {
    "type": "urn:cognomen:problem:internal-error",
    "title": "Internal error",
    "status": 500,
    "detail": "Something went wrong here; the log has it under this job's id.",
}


class JobUnknown(Refusal):
    """No job of that id."""

    status, slug, title = 404, "job-unknown", "Unknown job"


class KeyTaken(Refusal):
    """The Idempotency-Key was sent before, with another request."""

    status, slug, title = 409, "idempotency-conflict", "Idempotency-Key used for another request"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, checked.

    Attributes:
        spec: what the worker has to know; JSON.
        input_file_id: the file it reads.
        beside: role → other files it reads.
        pins: artifact → the generation that must stay as long as the job does.
    """

    spec: Mapping[str, Any]
    input_file_id: str | None = None
    beside: Mapping[str, str] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands. Times are seconds since 1970."""

    id: str
    kind: str
    status: Status
    progress: Mapping[str, Any]
    created_at: float
    started_at: float | None
    finished_at: float | None
    output_file_id: str | None
    counts: Mapping[str, int]
    error: Mapping[str, Any] | None
    request: Mapping[str, Any]
    result: Mapping[str, Any]

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.status in ENDED


class JobStore:
    """The jobs below one folder and their queue; several processes may share both.

    Args:
        root: made when the first job comes.
        artifacts: where pinned generations are.
    """

    def __init__(self, root: Path, *, queue: Queue, files: FileStore, artifacts: ArtifactStore) -> None:
        self.root = root
        self._queue = queue
        self._files = files
        self._artifacts = artifacts
        self._caller: Caller | None = None

    def seen_by(self, caller: Caller) -> "JobStore":
        """These jobs as one sees them who may be bound to prefixes; what they ask for is theirs."""
        view = copy.copy(self)
        view._caller, view._files = caller, self._files.seen_by(caller)
        return view

    def ask(self, kind: str, request: Mapping[str, Any], plan: Plan, *, key: str | None = None) -> Job:
        """Put a job on the queue, durably; the first one if the key was sent before.

        Raises: KeyTaken; FileUnknown; StorageFull. ArtifactMissing if a generation is gone meanwhile.
        """
        job_id = new_id("job")
        content = {
            "id": job_id,
            "kind": kind,
            "created_at": time.time(),
            "request": request,
            "request_sha256": _sha256(json.dumps(request, sort_keys=True)),
            "owner": self._caller.to_owner() if self._caller is not None else None,
            "spec": plan.spec,
            "pins": dict(plan.pins),
        }
        with refused_by_disk():
            self._write(job_id, content, plan)
            if key is not None and (first := self._claim(key, job_id)) != job_id:
                self._drop(job_id, plan.pins)
                known = self._asked(first)
                if known["request_sha256"] != content["request_sha256"]:
                    raise KeyTaken("This Idempotency-Key came with another request; take another key.")
                job_id = first
        try:
            # Between the key and the queue this process may die: then the retry puts the job on the queue.
            self._queue.put(job_id)
        except Refusal:
            if key is None:
                # Whoever is told that it failed, and has no key to ask again with, asks for another job.
                self._drop(job_id, plan.pins)
            raise
        return self.get(job_id)

    def first_for(self, key: str, request: Mapping[str, Any]) -> Job | None:
        """The job that a key was first sent for, put on the queue if it was not; None if the key is new.

        Raises: KeyTaken.
        """
        try:
            job_id = json.loads(self._key_path(key).read_bytes())["id"]
            known = self._asked(job_id)
        except (FileNotFoundError, JobUnknown):
            return None
        if known["request_sha256"] != _sha256(json.dumps(request, sort_keys=True)):
            raise KeyTaken("This Idempotency-Key came with another request; take another key.")
        self._queue.put(job_id)
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """A job as it stands. Raises: JobUnknown."""
        return self._job(self._asked(job_id), self._queue.look_up([job_id]).get(job_id))

    def page(self, *, before: str | None = None, size: int) -> tuple[list[Job], str | None]:
        """Jobs before the one of that id, newest first, and the id to go on before; None on the last page."""
        shown: list[dict[str, Any]] = []
        more = False
        for job_id in (job_id for job_id in reversed(self.ids()) if before is None or job_id < before):
            if more := len(shown) == size:
                break
            # Another's, or swept meanwhile.
            with suppress(JobUnknown):
                shown.append(self._asked(job_id))
        statuses = self._queue.look_up([asked["id"] for asked in shown])
        jobs = [self._job(asked, statuses.get(asked["id"])) for asked in shown]
        return jobs, jobs[-1].id if more else None

    def cancel(self, job_id: str) -> Job:
        """Have a job stop; one that ended stays as it ended. Raises: JobUnknown."""
        job = self.get(job_id)
        if job.ended:
            return job
        with refused_by_disk():
            (self._home(job_id) / CANCEL).touch()
        self._queue.cancel(job_id)
        return self.get(job_id)

    def ids(self) -> list[str]:
        """Every job's id, oldest first."""
        try:
            return sorted(entry.name for entry in os.scandir(self.root) if entry.name.startswith(_PREFIX))
        except FileNotFoundError:
            return []

    def unfinished(self) -> list[str]:
        """Ids of jobs that wait or are worked on."""
        return self._queue.unfinished()

    def tally(self) -> Counter[tuple[str, str]]:
        """How many of the latest jobs are of which kind and status."""
        return Counter((job.kind, job.status) for job in self.page(size=_TALLIED)[0])

    def tidy(self, job_id: str) -> None:
        """Let go of what an ended job held: generations, its input, its parts. Calling it twice is harmless."""
        folder = self._home(job_id)
        for name, generation in self._asked(job_id)["pins"].items():
            self._artifacts.unpin(name, generation, holder=job_id)
        for path in [*folder.glob("input*"), *folder.glob("beside-*"), *folder.glob("once-*"), folder / "sheets.jsonl"]:
            path.unlink(missing_ok=True)
        shutil.rmtree(folder / "parts", ignore_errors=True)

    def sweep(self, *, older_than_s: float) -> int:
        """Forget jobs that ended longer ago than that, and put those on the queue that fell off; how many went."""
        before = time.time() - older_than_s
        gone = []
        for job_id in self.ids():
            try:
                job = self.get(job_id)
            except JobUnknown:
                continue
            if job.status == "queued":
                # Its process may have died between writing it down and putting it on the queue.
                self._queue.put(job_id)
            if job.ended:
                self.tidy(job_id)
                if (job.finished_at or job.created_at) < before:
                    shutil.rmtree(self._home(job_id), ignore_errors=True)
                    gone.append(job_id)
        self._queue.forget(gone)
        for path in (self.root / "keys").glob("*"):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
        return len(gone)

    def close(self) -> None:
        """Let the queue's database go."""
        self._queue.close()

    def folder(self, job_id: str) -> Path:
        """A job's folder. Raises: JobUnknown."""
        self._asked(job_id)
        return self._home(job_id)

    def _write(self, job_id: str, content: Mapping[str, Any], plan: Plan) -> None:
        """The job's folder, whole or not there."""
        self.root.mkdir(parents=True, exist_ok=True)
        part = self.root / f".tmp-{job_id}"
        part.mkdir()
        try:
            if plan.input_file_id is not None:
                about = self._files.get(plan.input_file_id)
                os.link(self._files.path(about.id), part / linked_name("input", about.filename))
            for role, file_id in plan.beside.items():
                about = self._files.get(file_id)
                os.link(self._files.path(about.id), part / linked_name(f"beside-{role}-input", about.filename))
            for name, generation in plan.pins.items():
                self._artifacts.pin(name, generation, holder=job_id)
            write_atomically(part / ASKED, json.dumps(content, ensure_ascii=False).encode())
            part.rename(self._home(job_id))
            sync_folder(self.root)
        except BaseException:
            self._unpin(job_id, plan.pins)
            shutil.rmtree(part, ignore_errors=True)
            raise

    def _drop(self, job_id: str, pins: Mapping[str, str]) -> None:
        self._unpin(job_id, pins)
        shutil.rmtree(self._home(job_id), ignore_errors=True)

    def _unpin(self, job_id: str, pins: Mapping[str, str]) -> None:
        for name, generation in pins.items():
            self._artifacts.unpin(name, generation, holder=job_id)

    def _claim(self, key: str, job_id: str) -> str:
        """The job that a key belongs to: this one, if nobody was first."""
        path = self._key_path(key)
        path.parent.mkdir(exist_ok=True)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        write_atomically(part, json.dumps({"id": job_id}).encode())
        try:
            os.link(part, path)
            sync_folder(path.parent)
        except FileExistsError:
            known = str(json.loads(path.read_bytes())["id"])
            if (self._home(known) / ASKED).exists():
                return known
            # What it was first sent for is swept: the key is as good as new.
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return job_id

    def _key_path(self, key: str) -> Path:
        # A tenant's keys are its own. No header holds a NUL.
        tenant = self._caller.tenant if self._caller is not None else ""
        return self.root / "keys" / _sha256(f"{tenant}\0{key}" if tenant else key)

    def _home(self, job_id: str) -> Path:
        return self.root / job_id

    def _asked(self, job_id: str) -> dict[str, Any]:
        # Only names that are ours reach the disk.
        if not (job_id.startswith(_PREFIX) and job_id.replace("-", "").isalnum() and job_id.isascii()):
            raise JobUnknown("There is no job of that id.")
        try:
            asked: dict[str, Any] = json.loads((self._home(job_id) / ASKED).read_bytes())
        except OSError:
            raise JobUnknown("There is no job of that id.") from None
        if self._caller is not None and not self._caller.sees_of(Caller.from_owner(asked.get("owner"))):
            raise JobUnknown("There is no job of that id.")
        return asked

    def _job(self, asked: Mapping[str, Any], known: Any) -> Job:  # noqa: ANN401 - DBOS's, which is None before it is put
        said = read_progress(self._home(asked["id"])) or {}
        status = cast(Status, STATUSES[known.status] if known is not None else "queued")
        outcome = (known.output if known is not None else None) or {}
        if status == "succeeded":
            status = outcome["status"]
        error = outcome.get("error") or (_GONE_WRONG if status == "failed" else None)
        finished = known.completed_at / 1000 if known is not None and known.completed_at else None
        return Job(
            id=asked["id"],
            kind=asked["kind"],
            status=status,
            progress=said.get("progress", _NO_PROGRESS),
            created_at=asked["created_at"],
            started_at=said.get("started_at"),
            finished_at=finished and max(finished, said.get("started_at") or 0),
            output_file_id=outcome.get("output_file_id"),
            counts=outcome.get("counts") or said.get("counts", _NO_COUNTS),
            error=error,
            request=asked["request"],
            result=outcome.get("result", {}),
        )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
