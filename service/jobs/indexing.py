"""`index`: a terminology's file becomes a new generation of every pipeline that answers from it."""

from typing import TYPE_CHECKING, Any, Final

from models.artifacts import ArtifactStore
from pipelines import registry
from pipelines.build import artifact_name
from pipelines.config import PipelineConfig
from pipelines.hubs import read_bank
from pipelines.indexing import changes_of, default_pipelines, index_terminology, read_for_index
from pipelines.results import Request
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
    _refuse_others(body)
    terminology = str(body.terminology)
    specs = [registry.spec(body.pipeline)] if body.pipeline else default_pipelines(terminology, store=asking.host.store)
    for spec in specs:
        asking.host.require_encoder(
            body.encoder if body.encoder is not None else options_of(spec, terminology, None, asking.host.store).encoder
        )
    asking.require_file(body.input_file_id, purposes=_PURPOSES)
    hubness = body.hubness
    if hubness is not None and hubness.queries_file_id is not None:
        asking.require_file(hubness.queries_file_id, purposes=("queries",), pointer="/hubness/queries_file_id")
    return Plan(
        {
            "terminology": terminology,
            "format": body.format,
            "version": body.version,
            "languages": body.languages,
            "encoder": body.encoder,
            "pipelines": [spec.slug for spec in specs],
            "hubness": None if hubness is None else {"method": hubness.method, "beta": hubness.beta},
        },
        input_file_id=body.input_file_id,
        beside={"queries": hubness.queries_file_id} if hubness is not None and hubness.queries_file_id else {},
    )


def _refuse_others(body: IndexJob) -> None:
    """What only a collection has."""
    hubness = body.hubness
    given = {
        "/options": bool(body.options),
        "/hubness/gallery": hubness is not None and hubness.gallery is not None,
        "/hubness/gallery_file_id": hubness is not None and hubness.gallery_file_id is not None,
        "/hubness/development_file_id": hubness is not None and hubness.development_file_id is not None,
    }
    if faults := [Fault(pointer, "Only a collection has it.") for pointer, there in given.items() if there]:
        raise Invalid("A terminology is indexed without these.", faults=faults)


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
        configure=lambda spec: _corrected(options_of(spec, name, asked["encoder"], task.store), asked["hubness"]),
        queries=_queries(task),
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


def _corrected(config: PipelineConfig, hubness: dict[str, Any] | None) -> PipelineConfig:
    """The options with what the job says of corrections for hubs."""
    if hubness is None:
        return config
    return config.model_copy(update={"hubness": config.hubness.model_copy(update=hubness)})


def _queries(task: Task) -> list[Request]:
    """The query bank, if a file was given for one."""
    path = task.beside("queries")
    return read_bank(path) if path is not None else []


_UNITS: Final = {
    "encode": "texts encoded",
    "hubs": "corrections fitted",
    "index": "indexes built",
    "calibrate": "texts calibrated on",
    "write": "generations written",
}


def options_of(spec: PipelineSpec, terminology: str, encoder: str | None, store: ArtifactStore) -> PipelineConfig:
    """The options of the build that stands, else the pipeline's own; with another encoder if one is asked for."""
    options: dict[str, Any] = {}
    name = artifact_name(spec, terminology)
    if store.exists(name):
        with store.open(name) as artifact:
            options = artifact.read_json("config.json")
    standing = spec.config(**options)
    if encoder is None or encoder == standing.encoder:
        return standing
    options["encoder"] = encoder
    if encoder.count("+") != standing.encoder.count("+"):
        # Weights are one for each joined encoder: all alike, then.
        options["blocks"] = {}
    return spec.config(**options)
