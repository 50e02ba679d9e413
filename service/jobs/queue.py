"""The durable queue: DBOS on SQLite by default, or on PostgreSQL by URL (docs/adr/0008).

A job is a DBOS workflow of one step, whose id is the job's. DBOS keeps what waits, who works on it and how it ended.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from service.problems import Unavailable

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

NAME: Final = "cognomen"
QUEUE: Final = "jobs"
WORKFLOW: Final = "job"
VERSION: Final = "1"
"""Of what a workflow is; a job that another version of the code left behind is still resumed."""

LOOK_EVERY_S: Final = 0.2
"""How long a job waits for an idle worker at the most."""

_RETRY_S: Final = 5

UNFINISHED: Final = ("ENQUEUED", "PENDING", "DELAYED")
STATUSES: Final = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "running",
    "SUCCESS": "succeeded",
    "ERROR": "failed",
    "CANCELLED": "cancelled",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
}


def queue_url(jobs_url: str | None, data: Path) -> str:
    """Where the queue is kept: what the operator says, else a file beside the jobs."""
    return jobs_url or f"sqlite:///{(data / 'jobs' / 'queue.sqlite').absolute()}"


class QueueUnavailable(Unavailable):
    """The database of jobs cannot be reached or written now."""

    slug, title = "jobs-unavailable", "Jobs unavailable"


class Queue:
    """The queue as the service sees it. Opened when it is first needed; safe to call from several threads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: DBOSClient | None = None
        self._lock = Lock()

    @property
    def there(self) -> bool:
        """Whether anything can wait in it: a file that was never made holds nothing."""
        if self._client is not None or not self._url.startswith("sqlite:///"):
            return True
        return Path(self._url.removeprefix("sqlite:///")).exists()

    def put(self, job_id: str) -> None:
        """Let a job wait its turn; one that was put before stays as it is."""
        with self._using() as client:
            client.enqueue(
                {
                    "workflow_name": WORKFLOW,
                    "queue_name": QUEUE,
                    "workflow_id": job_id,
                    "app_version": VERSION,
                },
                job_id,
            )

    def look_up(self, job_ids: Sequence[str]) -> dict[str, "WorkflowStatus"]:
        """What became of jobs, by id; those never put are left out."""
        if not (job_ids and self.there):
            return {}
        with self._using() as client:
            found = client.list_workflows(workflow_ids=list(job_ids), load_input=False)
        return {status.workflow_id: status for status in found}

    def cancel(self, job_id: str) -> None:
        """Take a job off the queue, or have its worker drop it; one that ended stays as it ended."""
        with self._using() as client:
            client.cancel_workflow(job_id)

    def unfinished(self) -> list[str]:
        """Ids of jobs that wait or are worked on, the first to come first."""
        if not self.there:
            return []
        with self._using() as client:
            found = client.list_workflows(status=list(UNFINISHED), load_input=False, load_output=False)
        return [status.workflow_id for status in found]

    def workers(self) -> set[str]:
        """The workers that jobs are with, as far as the queue knows."""
        with self._using() as client:
            found = client.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {status.executor_id for status in found if status.executor_id}

    def forget(self, job_ids: Sequence[str]) -> None:
        """Remove what is known of jobs that ended."""
        if job_ids and self.there:
            with self._using() as client:
                client.delete_workflows(list(job_ids))

    def close(self) -> None:
        """Let the database go."""
        with self._lock:
            if self._client is not None:
                self._client.destroy()
                self._client = None

    @contextmanager
    def _using(self) -> "Iterator[DBOSClient]":
        """The client. Raises: QueueUnavailable."""
        # A second and 60 MB that a service without jobs does without.
        from service.jobs.engine import DATABASE_ERRORS

        try:
            yield self._opened()
        except DATABASE_ERRORS as error:
            raise QueueUnavailable(
                f"Jobs cannot be kept or read now ({type(error).__name__}).", retry_after_s=_RETRY_S
            ) from error

    def _opened(self) -> "DBOSClient":
        with self._lock:
            if self._client is None:
                if self._url.startswith("sqlite:///"):
                    Path(self._url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
                from service.jobs.engine import open_client

                self._client = open_client(self._url)
            return self._client
