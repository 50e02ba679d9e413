"""From nothing to something that answers: encoders prepared, terminologies imported, pipelines built."""

from collections.abc import Sequence
from pathlib import Path

import orjson
from pydantic import ValidationError
from rich.markup import escape

from models.artifacts import ArtifactStore
from models.encoders import adapter as adapters
from models.encoders.adapter import Adapter
from models.encoders.library import KIND, artifact_name
from models.encoders.packages import KNOWN
from models.errors import EncoderError
from pipelines import registry
from pipelines.build import Build, build
from pipelines.build import artifact_name as build_name
from pipelines.config import PipelineConfig
from pipelines.errors import ConfigInvalid
from pipelines.evaluation import read_labelled
from pipelines.feedback import Confirmation
from pipelines.indexing import isco_names
from pipelines.library import import_terminology
from pipelines.results import Request
from pipelines.sources import read_terminology
from pipelines.spec import PipelineSpec
from pipelines.terminology import Terminology
from service.cli.console import Bars, err, library_of, say
from service.cli.starter_collection import set_up_collection


def set_up(store: ArtifactStore, *, pipeline: str | None = None) -> None:
    """Everything that a first answer needs, skipping what is there already; of one pipeline, or of all.

    Raises: PipelineUnknown.
    """
    library = library_of(store)
    for spec in registry.specs().values() if pipeline is None else [registry.spec(pipeline)]:
        config = spec.config()
        missing = library.missing(config.encoder)
        for name in config.encoder.split("+"):
            adapter = _adapter(name, store=store)
            if name in missing or (adapter is not None and not _prepared(name, adapter, store=store)):
                prepare_encoder(name, store=store)
        if spec.starter is None:
            continue
        for terminology in (spec.starter(), *(spec.packaged() if spec.packaged is not None else ())):
            _set_up_terminology(spec, terminology, config, store=store)
    if pipeline in {None, "retrieval"}:
        set_up_collection(store)


def _set_up_terminology(
    spec: PipelineSpec, terminology: Terminology, config: PipelineConfig, *, store: ArtifactStore
) -> None:
    import_terminology(terminology, store=store)
    stands = _stands(spec, terminology, config, store=store)
    if not stands:
        build_pipeline(spec, terminology, config=config, store=store)
    say(f"{spec.slug} over {terminology.name} {terminology.version}: built{' already' if stands else ''}")


def _stands(spec: PipelineSpec, terminology: Terminology, config: PipelineConfig, *, store: ArtifactStore) -> bool:
    """Whether the build there was made from this terminology, this encoder and these options."""
    name = build_name(spec, terminology.name)
    if not store.exists(name):
        return False
    with store.open(name) as artifact:
        parents = artifact.manifest.parents
        return (
            parents.get("terminology") == f"{terminology.name}@{terminology.version}"
            and parents.get("encoder") == library_of(store).get(config.encoder).fingerprint
            and artifact.read_json("config.json") == config.model_dump(mode="json")
        )


def prepare_encoder(name: str, *, store: ArtifactStore, variant: str = "fp32", force: bool = False) -> None:
    """Export an encoder and store it, with what was measured on the way."""
    from models.encoders import export

    # A known name says where it will rest before anything heavy is done; a folder or a hub id does not.
    label = name if variant == "fp32" else f"{name}-{variant}"
    adapter = _adapter(name, store=store)
    known = name in KNOWN or adapter is not None
    if known and not force and _prepared(label, adapter, store=store):
        say(f"{label}: prepared already")
        return
    with err.status(escape(f"{name}: preparing ({variant})")):
        target = artifact_name(_slug(label))
        with store.write(target, kind=KIND) as writer:
            described = export.prepare(
                name, writer.folder, variant=variant, called=None if known else _slug(name), adapter=adapter
            )
            writer.details.update(
                name=described.name,
                variant=described.variant,
                dimension=described.dimension,
                source=dict(described.source),
                weights_sha256=described.weights_sha256,
                adapter=adapter.sha256 if adapter else None,
            )
    measured = "; ".join(f"{a.reference}: cosine {a.mean_cosine:.5f}, top-1 {a.top1:.3f}" for a in described.agreements)
    say(f"{described.label}: prepared, {described.dimension} dimensions ({measured})")


def _adapter(name: str, *, store: ArtifactStore) -> Adapter | None:
    """What was trained here under that name, or ships with a pipeline; None if neither."""
    if name in KNOWN or name != _slug(name):  # a folder or a hub id
        return None
    if store.exists(adapters.artifact_name(name)):
        with store.open(adapters.artifact_name(name), kind=adapters.KIND) as artifact:
            return adapters.read_adapter(artifact.folder)
    shipped = [spec.adapters / name for spec in registry.specs().values() if spec.adapters is not None]
    return next((adapters.read_adapter(folder) for folder in shipped if (folder / adapters.CARD).is_file()), None)


def _prepared(label: str, adapter: Adapter | None, *, store: ArtifactStore) -> bool:
    """Whether the encoder is there, with this adapter in it."""
    if not store.exists(artifact_name(label)):
        return False
    return adapter is None or store.manifest(artifact_name(label)).details.get("adapter") == adapter.sha256


def _slug(name: str) -> str:
    """The last part of a path or hub id, as an artifact may be called."""
    slug = "".join(c if c.isalnum() or c in "._-" else "-" for c in name.rstrip("/").split("/")[-1].lower()).strip(
        "-._"
    )
    if not slug:
        raise EncoderError(f"{name!r} leaves no name to store the encoder under")
    return slug


def read_source(
    path: Path, *, format: str, name: str, version: str | None, languages: Sequence[str] | None
) -> Terminology:
    """Read a terminology with a count of concepts while it goes."""
    with err.status(escape(f"{name}: reading")) as status:
        return read_terminology(
            path,
            format=format,
            name=name,
            version=version,
            languages=list(languages) if languages else None,
            group_names=isco_names(),
            on_progress=lambda concepts: status.update(escape(f"{name}: {concepts:,} concepts")),
        )


def configured(spec: PipelineSpec, *, encoder: str | None, options: Sequence[str]) -> PipelineConfig:
    """A pipeline's options with what the command line says. Raises: ConfigInvalid."""
    said: dict[str, object] = {} if encoder is None else {"encoder": encoder, **_without_blocks(spec, encoder)}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise ConfigInvalid(f"--set {option}: expected name=value")
        try:
            said[key] = orjson.loads(value)
        except orjson.JSONDecodeError:
            said[key] = value
    try:
        return spec.config(**said)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigInvalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _without_blocks(spec: PipelineSpec, encoder: str) -> dict[str, object]:
    """Another encoder than the default one has other blocks: all alike, unless --set says otherwise."""
    same = encoder.count("+") == spec.config().encoder.count("+")
    return {} if same else {"blocks": {}}


def build_pipeline(
    spec: PipelineSpec,
    terminology: Terminology,
    *,
    config: PipelineConfig,
    store: ArtifactStore,
    labelled: Path | None = None,
    confirmations: Sequence[Confirmation] = (),
    queries: Sequence[Request] = (),
) -> Build:
    """Build with a bar per stage."""
    examples = None
    if labelled is not None:
        examples = read_labelled(labelled)
    encoder = library_of(store).get(config.encoder)
    with Bars(f"{spec.slug} over {terminology.name}") as bars:
        return build(
            spec,
            terminology,
            encoder=encoder,
            store=store,
            config=config,
            labelled=examples,
            confirmations=confirmations,
            queries=queries,
            on_progress=bars,
        )
