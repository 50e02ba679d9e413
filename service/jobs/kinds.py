"""Which kinds of jobs there are. A new kind is one entry: what it checks when it is asked for, and what it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.files import FileStore, FileUnknown
from service.host import PipelineHost
from service.jobs import collecting, indexing, learning, running
from service.jobs.store import Plan
from service.jobs.task import Outcome, Task
from service.problems import Fault, Invalid
from service.schemas.jobs import IndexJob


@dataclass(frozen=True, slots=True)
class Asking:
    """What a kind may look at when it is asked for."""

    host: PipelineHost
    files: FileStore

    def require_file(self, file_id: str, *, purposes: tuple[str, ...], pointer: str = "/input_file_id") -> None:
        """Let only a file pass that was uploaded for this. Raises: Invalid."""
        try:
            purpose = self.files.get(file_id).purpose
        except FileUnknown:
            fault = Fault(pointer, "There is no file of that id; POST /v1/files makes one.")
            raise Invalid("The job's file is not there.", faults=[fault]) from None
        if purpose not in purposes:
            fault = Fault(pointer, f"Expected a file of purpose {' or '.join(purposes)}.")
            raise Invalid("The file was uploaded for something else.", faults=[fault])


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job.

    Attributes:
        prepare: request → what is to be done; in the service, quickly. Raises what a route may raise.
        work: does it; in the worker, for as long as it takes. Raises errors of our floors; then nothing was published.
    """

    prepare: Callable[[Any, Asking], Plan]
    work: Callable[[Task], Outcome]


KINDS: Final[Mapping[str, Kind]] = {
    "run": Kind(running.prepare, running.work),
    "index": Kind(indexing.prepare, indexing.work),
    "index-collection": Kind(collecting.prepare, collecting.work),
    "adapt": Kind(learning.prepare_adapt, learning.adapt_demand),
    "train": Kind(learning.prepare_train, learning.train),
}
"""Name → kind. `index` of a collection is "index-collection"."""


def kind_of(body: Any) -> str:  # noqa: ANN401 - one of service.schemas.jobs
    """The kind that a request asks for."""
    return "index-collection" if isinstance(body, IndexJob) and body.collection is not None else str(body.kind)
