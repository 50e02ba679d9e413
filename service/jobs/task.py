"""What a kind's work is given: its folder, its input, a place to say how far it is, and a way to learn to stop."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines.lines import suffix_of
from service.files import FileStore, write_atomically
from service.keys import Caller
from service.settings import Settings

ASKED: Final = "job.json"
PROGRESS: Final = "progress.json"
CANCEL: Final = "cancel"
_TELL_EVERY_S: Final = 0.25


class Cancelled(BaseException):
    """The job is not wanted any more. No Exception, so that nothing on the way takes it for a fault."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a kind's work ended well.

    Attributes:
        counts: "ok" and "failed", and what else the kind counts.
        output_file_id: what it put out, if anything.
        result: what it made: terminology, generation, …; JSON.
    """

    counts: Mapping[str, int]
    output_file_id: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)


class Task:
    """One attempt at a job.

    Attributes:
        spec: what its kind's `prepare` made of the request; JSON.
        folder: the job's own; what is written there by rename is there for the next attempt.
    """

    def __init__(
        self,
        job_id: str,
        *,
        folder: Path,
        settings: Settings,
        store: ArtifactStore,
        files: FileStore,
        library: EncoderLibrary,
    ) -> None:
        self.id = job_id
        self.folder = folder
        self.settings = settings
        self.store = store
        self.library = library
        asked = json.loads((folder / ASKED).read_bytes())
        # What it puts out belongs to whoever asked for it.
        self.files = files.seen_by(Caller.from_owner(asked["owner"])) if asked.get("owner") else files
        self.spec: Mapping[str, Any] = asked["spec"]
        self._started_at = (read_progress(folder) or {}).get("started_at") or time.time()
        self._told = 0.0
        self._begin: tuple[float, int, str] | None = None

    @property
    def input(self) -> Path:
        """The file it reads."""
        return input_of(self.folder)

    def beside(self, role: str) -> Path | None:
        """Another file it reads, if one was given for this."""
        return next(self.folder.glob(f"beside-{role}-*"), None)

    def check(self) -> None:
        """Go on only while the job is wanted. Raises: Cancelled."""
        if (self.folder / CANCEL).exists():
            raise Cancelled

    def progress(self, done: int, total: int, *, unit: str, ok: int = 0, failed: int = 0, now: bool = False) -> None:
        """Say how far it is, a few times a second at the most. Raises: Cancelled."""
        self.check()
        moment = time.monotonic()
        if self._begin is None or self._begin[2] != unit:
            self._begin = (moment, done, unit)
            now = True
        if not now and done < total and moment - self._told < _TELL_EVERY_S:
            return
        self._told = moment
        since, done_then, _ = self._begin
        speed = (done - done_then) / (moment - since) if moment > since else 0.0
        told = {
            "started_at": self._started_at,
            "counts": {"ok": ok, "failed": failed},
            "progress": {
                "done": done,
                "total": total,
                "unit": unit,
                "per_second": round(speed, 3) if speed else None,
                "eta_s": round((total - done) / speed, 1) if speed else None,
            },
        }
        write_atomically(self.folder / PROGRESS, json.dumps(told).encode())

    def once(self, name: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - JSON is what it is
        """What `make` gave the first time, in whatever attempt; JSON."""
        path = self.folder / f"once-{name}.json"
        if not path.exists():
            write_atomically(path, json.dumps(make()).encode())
        return json.loads(path.read_bytes())


def input_of(folder: Path) -> Path:
    """A job's input, under a name that says how to read it."""
    found = list(folder.glob("input*"))
    return found[0] if found else folder / "input"


def linked_name(role: str, filename: str) -> str:
    """What a job calls its link to a file: never a name that was sent."""
    return f"{role}{suffix_of(filename) or ('.zip' if filename.lower().endswith('.zip') else '')}"


def read_progress(folder: Path) -> dict[str, Any] | None:
    """What a task last said of itself; None before its first word."""
    try:
        said: dict[str, Any] = json.loads((folder / PROGRESS).read_bytes())
    except FileNotFoundError:
        return None
    return said
