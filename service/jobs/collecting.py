"""`index` of a collection: a file of documents becomes its new generation."""

from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from pipelines.retrieval import collections
from pipelines.retrieval.config import CollectionConfig
from pipelines.retrieval.documents import FORMATS
from service.jobs.store import Plan
from service.jobs.task import Outcome, Task
from service.problems import Fault, Invalid, pointer_of
from service.schemas.jobs import HubnessBuild, IndexJob

if TYPE_CHECKING:
    from service.jobs.kinds import Asking

_UNITS: Final = {
    "read": "documents read",
    "encode": "texts encoded",
    "encode bank": "bank texts encoded",
    "fit": "corrections fitted",
    "index": "indexes built",
    "write": "generations written",
}


def prepare(body: IndexJob, asking: "Asking") -> Plan:
    """Check format, options, encoder and files. Raises: EncoderUnknown, Invalid."""
    if body.format not in FORMATS:
        fault = Fault("/format", f"Expected one of: {', '.join(FORMATS)}.")
        raise Invalid("Documents of this format are not read.", faults=[fault])
    _refuse_others(body)
    config = _configured(body)
    asking.require_file(body.input_file_id, purposes=("documents",))
    if config.encoder is not None:
        asking.host.require_encoder(config.encoder)
    hubness = body.hubness
    spec = {
        "collection": str(body.collection),
        "format": body.format,
        "config": config.model_dump(mode="json"),
        "gallery": hubness.gallery if hubness else None,
    }
    return Plan(spec, input_file_id=body.input_file_id, beside=bank_files(hubness, asking))


def work(task: Task) -> Outcome:
    """Read, encode, correct, publish. What an earlier attempt published is not made twice."""
    asked = task.spec
    name = asked["collection"]
    generation = collections.build_collection(
        name,
        task.input,
        store=task.store,
        encoder_of=task.library.get,
        engines=task.settings.engines,
        format=asked["format"],
        config=CollectionConfig(**asked["config"]),
        queries=task.beside("queries"),
        gallery=task.beside("gallery") or asked["gallery"],
        development=task.beside("development"),
        origin=task.id,
        on_progress=lambda stage, done, total: task.progress(done, total, unit=_UNITS.get(stage, stage)),
    )
    about = collections.describe_collection(name, store=task.store)
    return Outcome(
        {"ok": about.items, "failed": 0},
        result={
            "collection": name,
            "generation": generation,
            "encoder": about.encoder,
            "hubness": {"method": about.hubness.method, "reason": about.hubness.reason},
        },
    )


def bank_files(hubness: HubnessBuild | None, asking: "Asking") -> dict[str, str]:
    """Role → file, of the banks and development queries that a build is to read. Raises: Invalid."""
    if hubness is None:
        return {}
    files = {
        "queries": hubness.queries_file_id,
        "gallery": hubness.gallery_file_id,
        "development": hubness.development_file_id,
    }
    given = {role: file_id for role, file_id in files.items() if file_id is not None}
    for role, file_id in given.items():
        asking.require_file(file_id, purposes=("queries",), pointer=f"/hubness/{role}_file_id")
    return given


def _refuse_others(body: IndexJob) -> None:
    """What only a terminology has."""
    faults = [
        Fault(f"/{field}", "A collection has none.")
        for field in ("pipeline", "version", "languages")
        if getattr(body, field) is not None
    ]
    if faults:
        raise Invalid("A collection is indexed without these.", faults=faults)


def _configured(body: IndexJob) -> CollectionConfig:
    """The collection's options as the job says them. Raises: Invalid."""
    said: dict[str, Any] = dict(body.options)
    for field in {"encoder", "hubness", "beta", "methods"} & said.keys():
        raise Invalid("The options say this elsewhere.", faults=[Fault(f"/options/{field}", "Has a field of its own.")])
    if body.hubness is not None:
        said |= {"hubness": body.hubness.method, "beta": body.hubness.beta}
    try:
        return CollectionConfig(**said, encoder=body.encoder)
    except ValidationError as error:
        faults = [Fault(pointer_of(("body", "options", *e["loc"])), str(e["msg"])) for e in error.errors()]
        raise Invalid("The options are not a collection's.", faults=faults) from None
