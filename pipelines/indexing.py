"""A terminology's file in, all that answers from it built anew: import, compare, encode what changed, publish."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from models.artifacts import ArtifactStore
from models.encoders.base import Encoder
from models.encoders.stored import remembering
from pipelines import registry
from pipelines.build import Progress, artifact_name, build, builds
from pipelines.config import PipelineConfig
from pipelines.errors import TerminologyUnknown
from pipelines.feedback import Confirmation
from pipelines.library import import_terminology, open_terminology
from pipelines.results import Request
from pipelines.sources import read_terminology
from pipelines.spec import PipelineSpec
from pipelines.terminology import Terminology

_ORIGIN: Final = "job"


@dataclass(frozen=True, slots=True)
class Changes:
    """How a terminology differs from the one that was imported before it, in concepts."""

    added: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0

    def to_json(self) -> dict[str, int]:
        """As it stands in a job's counts."""
        return {f"concepts_{name}": count for name, count in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Built:
    """A new generation.

    Attributes:
        artifact, generation: where it rests.
        encoded, reused: distinct texts that had to be encoded, and that had been before, over all encoders.
    """

    pipeline: str
    terminology: str
    artifact: str
    generation: str
    encoded: int
    reused: int


def read_for_index(
    path: Path,
    *,
    format: str,
    name: str,
    version: str | None = None,
    languages: Sequence[str] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Terminology:
    """The terminology at the path, groups named. Raises: SourceError at the first fault."""
    return read_terminology(
        path,
        format=format,
        name=name,
        version=version,
        languages=languages,
        group_names=isco_names(),
        on_progress=on_progress,
    )


def changes_of(terminology: Terminology, *, store: ArtifactStore) -> Changes:
    """How it differs from the imported terminology of its name; all is added where there is none."""
    try:
        before = _contents(open_terminology(terminology.name, store=store))
    except TerminologyUnknown:
        before = {}
    now = _contents(terminology)
    both = before.keys() & now.keys()
    unchanged = sum(before[concept_id] == now[concept_id] for concept_id in both)
    return Changes(
        added=len(now) - len(both),
        changed=len(both) - unchanged,
        deleted=len(before) - len(both),
        unchanged=unchanged,
    )


def default_pipelines(terminology: str, *, store: ArtifactStore) -> list[PipelineSpec]:
    """The pipelines that answer from a terminology already; job titles where none does."""
    over = [spec for spec in registry.specs().values() if terminology in builds(spec, store=store)]
    return over or [registry.spec("job_titles")]


def index_terminology(
    terminology: Terminology,
    *,
    specs: Iterable[PipelineSpec],
    store: ArtifactStore,
    encoder_of: Callable[[str], Encoder],
    vectors: Path,
    configure: Callable[[PipelineSpec], PipelineConfig],
    confirmations_of: Callable[[PipelineSpec], Sequence[Confirmation]] = lambda spec: (),
    queries: Sequence[Request] = (),
    origin: str | None = None,
    on_progress: Progress = lambda stage, done, total: None,
) -> list[Built]:
    """Import a terminology and build pipelines over it, each a new generation that is switched to when it is whole.

    Args:
        encoder_of: encoder name → encoder.
        vectors: folder of vectors encoded before; only texts that are not in it are encoded.
        configure: the options of each build.
        confirmations_of: what users confirmed, for each build to learn.
        queries: the query bank of corrections for hubs; terms by default.
        origin: the id of the job that asks. A build that the same job published before it was killed is not made twice.

    Raises: ArtifactWriteFailed if the disk refuses; the last good generations keep answering.
    """
    import_terminology(terminology, store=store)
    built = []
    for spec in specs:
        name = artifact_name(spec, terminology.name)
        if origin is not None and (generation := _made_by(origin, name, store=store)):
            built.append(Built(spec.slug, terminology.name, name, generation, 0, 0))
            continue
        config = configure(spec)
        encoder, stored = remembering(encoder_of(config.encoder), vectors)
        rows_by = {}
        for whose, variant in config.rows_by.items():
            rows_by[whose], more = remembering(encoder_of(variant), vectors)
            stored += more
        try:
            opened = build(
                spec,
                terminology,
                encoder=encoder,
                store=store,
                config=config,
                confirmations=confirmations_of(spec),
                queries=queries,
                origin={_ORIGIN: origin} if origin else None,
                rows_by=rows_by,
                on_progress=on_progress,
            )
            opened.artifact.close()
        finally:
            for part in stored:
                part.close()
        encoded, reused = sum(p.encoded for p in stored), sum(p.reused for p in stored)
        built.append(Built(spec.slug, terminology.name, name, opened.artifact.generation, encoded, reused))
    return built


def isco_names() -> Mapping[str, str]:
    """ISCO-08 code → name, from the job titles' starter: ESCO's occupation files name no group."""
    starter = registry.spec("job_titles").starter
    return {c.codes["isco-08"]: c.name for c in starter().concepts if "isco-08" in c.codes} if starter else {}


def _made_by(origin: str, name: str, *, store: ArtifactStore) -> str | None:
    """The generation that this job published, if it did."""
    for generation in reversed(store.generations(name)):
        if store.manifest(name, generation=generation).parents.get(_ORIGIN) == origin:
            return generation
    return None


def _contents(terminology: Terminology) -> dict[str, int]:
    """Concept id → a hash of all that is known of it; ids cannot repeat."""
    return {concept.id: hash(line) for concept, line in zip(terminology.concepts, terminology.to_lines(), strict=True)}
