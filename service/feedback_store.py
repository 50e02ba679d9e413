"""What users said, kept: one SQLite file for each pipeline and terminology, below `COGNOMEN_DATA`.

    DATA/feedback/job-titles/esco.sqlite     in WAL mode, every answer to a POST synced to disk first

Feedback is data that grows by one line at a time and must never be lost; artifacts are whole, immutable generations. So
it rests beside them and not among them (docs/adr/0007). Nothing is written until somebody says something.
"""

import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import uuid4

from models.errors import ArtifactInvalid
from pipelines.feedback import Confirmation, Feedback, Memory, confirmations
from pipelines.flow import Pipeline
from pipelines.results import Request
from pipelines.terminology import Terminology
from service.problems import Refusal, Unavailable

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS feedback (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    query TEXT NOT NULL,
    key TEXT NOT NULL,
    concept_id TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('accept', 'reject')),
    language TEXT,
    created_at REAL NOT NULL,
    UNIQUE (text, concept_id)
) STRICT;
CREATE INDEX IF NOT EXISTS feedback_by_key ON feedback (key);
"""
_COLUMNS: Final = "id, text, query, concept_id, verdict, language, created_at"
_BUSY_S: Final = 5.0
_RETRY_S: Final = 5
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


class FeedbackUnknown(Refusal):
    """No feedback of that id."""

    status, slug, title = 404, "feedback-unknown", "Unknown feedback"


class FeedbackUnavailable(Unavailable):
    """The file of feedback cannot be read or written now."""

    slug, title = "feedback-unavailable", "Feedback unavailable"


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the feedback, oldest first.

    Attributes:
        total: how much there is in all.
        following: the place to go on after; None on the last page.
    """

    items: Sequence[Feedback]
    total: int
    following: int | None


@dataclass(frozen=True, slots=True)
class Unfit:
    """What cannot be kept: which item, which field of it ("concept_id" or "text"), and why."""

    item: int
    field: str
    reason: str


def prepared(
    items: Sequence[Feedback], *, pipeline: Pipeline, terminology: Terminology
) -> tuple[list[Feedback], list[Unfit]]:
    """The items with their texts cleaned as the pipeline cleans them, and those that cannot be kept, in order."""
    queries = pipeline.queries([Request(item.text, item.language, mentions=[(0, len(item.text))]) for item in items])
    unfit = [
        Unfit(i, "concept_id", "The terminology has no such concept.")
        for i, item in enumerate(items)
        if terminology.current(item.concept_id) not in terminology.by_id
    ] + [
        Unfit(i, "text", "Nothing is left of it after cleaning.")
        for i, query in enumerate(queries)
        if not query.strip()
    ]
    return [
        replace(item, query=query, concept_id=terminology.current(item.concept_id))
        for item, query in zip(items, queries, strict=True)
    ], unfit


def feedback_path(data: Path, pipeline: str, terminology: str) -> Path:
    """Where a pipeline's feedback on a terminology rests. Raises: ArtifactInvalid for a name that is no file's name."""
    if not (_NAME.fullmatch(pipeline) and _NAME.fullmatch(terminology)):
        raise ArtifactInvalid("a pipeline's or terminology's name is lower-case letters, digits, '.', '_', '-'")
    return data / "feedback" / pipeline / f"{terminology}.sqlite"


class FeedbackStore:
    """The feedback on one terminology, and the memory that answers by it. Safe to call from several threads.

    Two processes may write one file: neither loses anything, and each remembers what the other wrote at its next start.

    Args:
        path: the file; None keeps it for the life of this object.
        memory: kept in step with the file.
    """

    def __init__(self, path: Path | None, *, memory: Memory) -> None:
        self._path = path
        self._memory = memory
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        if path is not None and path.exists():
            memory.remember(self.all())

    def add(self, items: Sequence[Feedback]) -> None:
        """Keep what was said, all of it or nothing, durably; the memory has it when this returns.

        The same verdict on the same text and concept again changes nothing; the other verdict takes its place, as the
        latest word.
        """
        with self._writing() as connection:
            for item in items:
                known = connection.execute(
                    "SELECT id, verdict FROM feedback WHERE text = ? AND concept_id = ?", (item.text, item.concept_id)
                ).fetchone()
                if known is not None and known[1] == item.verdict:
                    continue
                kept = replace(item, id=known[0] if known else uuid4().hex, created_at=time.time())
                if known is not None:
                    connection.execute("DELETE FROM feedback WHERE id = ?", (kept.id,))
                connection.execute(
                    f"INSERT INTO feedback ({_COLUMNS}, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (*_row(kept), kept.key),
                )
            self._refresh(connection, sorted({item.key for item in items}))

    def remove(self, feedback_id: str) -> None:
        """Forget one item. Raises: FeedbackUnknown."""
        if not self._there:
            raise FeedbackUnknown("There is no feedback of that id.")
        with self._writing() as connection:
            known = connection.execute("SELECT key FROM feedback WHERE id = ?", (feedback_id,)).fetchone()
            if known is None:
                raise FeedbackUnknown("There is no feedback of that id.")
            connection.execute("DELETE FROM feedback WHERE id = ?", (feedback_id,))
            self._refresh(connection, [known[0]])

    def page(self, *, after: int = 0, size: int) -> Page:
        """The items after a place, oldest first."""
        if not self._there:
            return Page([], 0, None)
        with self._reading() as connection:
            total = connection.execute("SELECT count(*) FROM feedback").fetchone()[0]
            rows = connection.execute(
                f"SELECT {_COLUMNS}, place FROM feedback WHERE place > ? ORDER BY place LIMIT ?",
                (after, size + 1),
            ).fetchall()
        following = rows[size - 1][-1] if len(rows) > size else None
        return Page([_feedback(row) for row in rows[:size]], total, following)

    def all(self) -> list[Feedback]:
        """Every item, oldest first."""
        if not self._there:
            return []
        with self._reading() as connection:
            return _select(connection, "1")

    def rebind(self, memory: Memory) -> None:
        """Keep another memory in step from now on: that of a build which answers in place of the one before."""
        if self._there:
            with self._reading() as connection:
                memory.remember(_select(connection, "1"))
                self._memory = memory
        else:
            self._memory = memory

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @property
    def _there(self) -> bool:
        return self._connection is not None or (self._path is not None and self._path.exists())

    def _refresh(self, connection: sqlite3.Connection, keys: Sequence[str]) -> None:
        """Have the memory learn, once the transaction that changed these texts is through."""
        changed = {key: _select(connection, "key = ?", key) for key in keys}
        connection.execute("COMMIT")
        self._memory.update(changed)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The one connection, for one thread at a time. Raises: FeedbackUnavailable."""
        with self._lock:
            try:
                yield self._opened()
            except (sqlite3.Error, OSError) as error:
                raise FeedbackUnavailable(
                    f"Feedback cannot be kept or read now ({type(error).__name__}).", retry_after_s=_RETRY_S
                ) from error

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self._path or ":memory:", timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode = WAL")
            # With WAL, only FULL survives a power cut.
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_SCHEMA)
            self._connection = connection
        return self._connection


def read_confirmations(data: Path, pipeline: str, terminology: str) -> list[Confirmation]:
    """What users confirmed for a pipeline's slug and a terminology, for `build`; empty where nobody said anything."""
    return confirmations(read_feedback(data, pipeline, terminology))


def read_feedback(data: Path, pipeline: str, terminology: str) -> list[Feedback]:
    """Everything that users said for a pipeline's slug and a terminology, oldest first."""
    store = FeedbackStore(feedback_path(data, pipeline, terminology), memory=Memory())
    try:
        return store.all()
    finally:
        store.close()


def _row(item: Feedback) -> tuple[str | float | None, ...]:
    return (item.id, item.text, item.query, item.concept_id, item.verdict, item.language, item.created_at)


def _select(connection: sqlite3.Connection, where: str, *values: str) -> list[Feedback]:
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM feedback WHERE {where} ORDER BY place",
        values,
    )
    return [_feedback(row) for row in rows]


def _feedback(row: Sequence[object]) -> Feedback:
    feedback_id, text, query, concept_id, verdict, language, created_at = row[:7]
    return Feedback(
        text=str(text),
        query=str(query),
        concept_id=str(concept_id),
        verdict="accept" if verdict == "accept" else "reject",
        language=None if language is None else str(language),
        id=str(feedback_id),
        created_at=float(str(created_at)),
    )
