"""DBOS itself: how it is opened by those who ask and by those who work, and what it is allowed to store."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from dbos import DBOS, DBOSClient, Serializer
from sqlalchemy.exc import SQLAlchemyError

from service.jobs.queue import LOOK_EVERY_S, NAME, QUEUE, VERSION, WORKFLOW

DATABASE_ERRORS: Final = (SQLAlchemyError, OSError)
"""What DBOS lets through when its database is away, full or damaged."""


class JsonSerializer(Serializer):
    """What DBOS stores as JSON: its own way is pickle, which this house does not read."""

    def serialize(self, data: Any) -> str:  # noqa: ANN401 - DBOS hands over what it likes
        """JSON; of an error, its type."""
        return json.dumps(data, default=lambda value: {"error_type": type(value).__name__})

    def deserialize(cls, serialized_data: str) -> Any:  # noqa: ANN401 - as DBOS names it
        """What was serialized."""
        return json.loads(serialized_data)

    def name(self) -> str:
        """How DBOS marks what was written this way."""
        return "cognomen_json"


def open_client(url: str) -> DBOSClient:
    """A client of the queue, whose database is made if it is not there."""
    DBOS.migrate(url)
    return DBOSClient(system_database_url=url, serializer=JsonSerializer(), retry_connection_errors=False)


def begin_work(url: str, *, worker: str, work: Callable[[str], dict[str, Any]]) -> None:
    """Take jobs from the queue, one at a time, from now on.

    Args:
        worker: a name that no other process has or had.
        work: job id → how it ended, JSON; called in a thread, and again for a job whose worker died in the middle.
    """
    DBOS(
        config={
            "name": NAME,
            "system_database_url": url,
            "executor_id": worker,
            "application_version": VERSION,
            "serializer": JsonSerializer(),
            "log_level": "CRITICAL",
            "scheduler_polling_interval_sec": 3600.0,
        }
    )

    @DBOS.step(name="attempt")
    def attempt(job_id: str) -> dict[str, Any]:
        return work(job_id)

    @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
    def job(job_id: str) -> dict[str, Any]:
        return attempt(job_id)

    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=1, polling_interval_sec=LOOK_EVERY_S, on_conflict="always_update")


def rescue(workers: Sequence[str]) -> None:
    """Put the jobs of workers that died back on the queue; a job that somebody took up meanwhile stays with them."""
    # DBOS has no public name for it outside its hosted conductor; the call is idempotent (docs/adr/0008).
    DBOS._recover_pending_workflows(list(workers))
