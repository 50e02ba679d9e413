"""`index` of a collection: a file of documents becomes a new generation that is searched at once."""

from typing import TYPE_CHECKING, Final

from pipelines.retrieval.collections import ITEMS, build_collection, describe_collection
from pipelines.retrieval.config import CollectionConfig
from service.jobs.indexing import hubness_of, require_queries
from service.jobs.store import Plan
from service.jobs.task import Outcome, Task
from service.problems import Fault, Invalid
from service.schemas.jobs import IndexJob

if TYPE_CHECKING:
    from service.jobs.kinds import Asking

_FORMATS: Final = ("jsonl", "parquet")
_TERMINOLOGY_ONLY: Final = ("pipeline", "version", "languages")
_UNITS: Final = {
    "read": "documents read",
    "encode": "documents encoded",
    "index": "indexes built",
    "fit": "corrections fitted",
    "write": "generations written",
}


def prepare(body: IndexJob, asking: "Asking") -> Plan:
    """Check format, encoder, files and that a correction has its bank. Raises: EncoderUnknown, Invalid."""
    if body.format not in _FORMATS:
        fault = Fault("/format", f"Expected one of: {', '.join(_FORMATS)}.")
        raise Invalid("Collections are not read from this format.", faults=[fault])
    if said := [field for field in _TERMINOLOGY_ONLY if getattr(body, field) is not None]:
        faults = [Fault(f"/{field}", "A collection has none.") for field in said]
        raise Invalid("This is for terminologies.", faults=faults)
    queries = require_queries(body, asking)
    if body.hubness is not None and body.hubness.method not in {"auto", "none"} and queries is None:
        fault = Fault("/hubness/queries_file_id", "A correction is fitted on a bank of queries; name its file.")
        raise Invalid("The correction cannot be fitted.", faults=[fault])
    if body.encoder is not None:
        asking.host.require_encoder(body.encoder)
    asking.require_file(body.input_file_id, purposes=("documents",))
    return Plan(
        {
            "collection": body.collection,
            "encoder": body.encoder,
            "hubness": hubness_of(body),
        },
        input_file_id=body.input_file_id,
        queries_file_id=queries,
    )


def work(task: Task) -> Outcome:
    """Read, encode, index, fit, publish. An attempt that was killed before it published leaves nothing."""
    asked = task.spec
    name, hubness = asked["collection"], asked["hubness"]
    config = CollectionConfig(encoder=asked["encoder"], hubness=hubness.get("method", "auto"), beta=hubness.get("beta"))
    generation = build_collection(
        name,
        task.input,
        store=task.store,
        encoder_of=task.library.get,
        engines=task.settings.engines,
        config=config,
        queries=task.queries,
        gallery=ITEMS if task.queries is not None else None,
        on_progress=lambda stage, done, total: task.progress(done, total, unit=_UNITS.get(stage, stage)),
    )
    about = describe_collection(name, store=task.store)
    return Outcome(
        {"ok": about.items, "failed": 0},
        result={
            "collection": name,
            "generation": generation,
            "hubness": {"method": about.hubness.method, "reason": about.hubness.reason},
        },
    )
