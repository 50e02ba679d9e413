"""`index`: a terminology's file becomes a new generation of every pipeline that answers from it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from models.artifacts import ArtifactStore
from pipelines import registry
from pipelines.build import artifact_name
from pipelines.config import PipelineConfig
from pipelines.hubs import read_bank
from pipelines.indexing import changes_of, default_pipelines, index_terminology, read_for_index
from pipelines.sources import FORMATS
from pipelines.spec import PipelineSpec
from service.feedback_store import read_confirmations
from service.jobs.store import Plan
from service.jobs.task import Outcome, Task
from service.problems import Fault, Invalid
from service.schemas.jobs import IndexJob

if TYPE_CHECKING:
    from service.jobs.kinds import Asking

_PURPOSES: Final = ("terminology",)


def prepare(body: IndexJob, asking: "Asking") -> Plan:
    """Check format, pipelines, encoder and file. Raises: PipelineUnknown, EncoderUnknown, Invalid."""
    if body.format not in FORMATS:
        fault = Fault("/format", f"Expected one of: {', '.join(sorted(FORMATS))}.")
        raise Invalid("Terminologies of this format are not read.", faults=[fault])
    terminology = str(body.terminology)
    specs = [registry.spec(body.pipeline)] if body.pipeline else default_pipelines(terminology, store=asking.host.store)
    for spec in specs:
        asking.host.require_encoder(
            body.encoder if body.encoder is not None else options_of(spec, terminology, None, asking.host.store).encoder
        )
    asking.require_file(body.input_file_id, purposes=_PURPOSES)
    queries = require_queries(body, asking)
    return Plan(
        {
            "terminology": terminology,
            "format": body.format,
            "version": body.version,
            "languages": body.languages,
            "encoder": body.encoder,
            "pipelines": [spec.slug for spec in specs],
            "hubness": hubness_of(body),
        },
        input_file_id=body.input_file_id,
        queries_file_id=queries,
    )


def require_queries(body: IndexJob, asking: "Asking") -> str | None:
    """The file of the query bank, if one is named. Raises: Invalid."""
    named = body.hubness.queries_file_id if body.hubness else None
    if named is not None:
        asking.require_file(named, purposes=("queries",), pointer="/hubness/queries_file_id")
    return named


def hubness_of(body: IndexJob) -> dict[str, Any]:
    """What was asked of the correction, as builds and collections call it."""
    asked = body.hubness
    return {} if asked is None else {"method": asked.method} | ({"beta": asked.beta} if asked.beta else {})


def work(task: Task) -> Outcome:
    """Import, compare, encode what changed, publish. What an earlier attempt published is not made twice."""
    asked = task.spec
    name = asked["terminology"]
    terminology = read_for_index(
        task.input,
        format=asked["format"],
        name=name,
        version=asked["version"],
        languages=asked["languages"],
        on_progress=lambda read: task.progress(read, read, unit="concepts read"),
    )
    changes = task.once("changes", lambda: changes_of(terminology, store=task.store).to_json())
    built = index_terminology(
        terminology,
        specs=[registry.spec(pipeline) for pipeline in asked["pipelines"]],
        store=task.store,
        encoder_of=task.library.get,
        vectors=task.settings.data / "vectors",
        configure=lambda spec: options_of(spec, name, asked["encoder"], task.store, hubness=asked["hubness"]),
        queries=read_bank(task.queries) if task.queries is not None else (),
        confirmations_of=lambda spec: read_confirmations(task.settings.data, spec.slug, name),
        origin=task.id,
        on_progress=lambda stage, done, total: task.progress(done, total, unit=_UNITS.get(stage, stage)),
    )
    return Outcome(
        {
            "ok": len(terminology),
            "failed": 0,
            **changes,
            "texts_encoded": sum(b.encoded for b in built),
            "texts_reused": sum(b.reused for b in built),
        },
        result={
            "terminology": {"name": name, "version": terminology.version},
            "builds": [{"pipeline": b.pipeline, "artifact": b.artifact, "generation": b.generation} for b in built],
        },
    )


_UNITS: Final = {
    "encode": "texts encoded",
    "index": "indexes built",
    "calibrate": "texts calibrated on",
    "write": "generations written",
}


def options_of(
    spec: PipelineSpec,
    terminology: str,
    encoder: str | None,
    store: ArtifactStore,
    *,
    hubness: Mapping[str, Any] = MappingProxyType({}),
) -> PipelineConfig:
    """The options of the build that stands, else the pipeline's own; with what else is asked for."""
    options: dict[str, Any] = {}
    name = artifact_name(spec, terminology)
    if store.exists(name):
        with store.open(name) as artifact:
            options = artifact.read_json("config.json")
    if hubness:
        options["hubness"] = {**options.get("hubness", {}), **hubness}
    standing = spec.config(**options)
    if encoder is None or encoder == standing.encoder:
        return standing
    options["encoder"] = encoder
    if encoder.count("+") != standing.encoder.count("+"):
        # Weights are one for each joined encoder: all alike, then.
        options["blocks"] = {}
    return spec.config(**options)
