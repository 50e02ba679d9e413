"""Terminology and encoder in, one artifact out: dense and lexical index, calibration, the terminology itself.

pipelines/job_titles/esco@GEN
    config.json          the pipeline's options, as built
    concepts.jsonl       the terminology: a build answers for itself, whatever is imported later
    dense.faiss          one vector per term
    lexical.json         n-gram settings and vocabulary
    lexical.safetensors  sparse rows
    means.safetensors    what is taken out of the encoders that are centred, and the maps of those aligned, if any
    calibration.json     score → probability, the NIL threshold, and what both were measured on
    confirmations.jsonl  the texts users confirmed that are among its terms, if any
    head.safetensors     what those teach beside, if there are enough of them and it won
    hubness.json, hubness.safetensors   the corrections for hubs that its banks allow
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, Neighbours
from models.artifacts import Artifact, ArtifactStore
from models.calibration.platt import PlattCalibrator
from models.encoders.base import Encoder
from models.encoders.concatenated import ConcatenatedEncoder
from models.errors import ArtifactInvalid, ShapeMismatch
from models.hubness.base import NoCorrection
from models.indexes.faiss import FaissIndex
from models.indexes.hybrid import HybridIndex
from models.indexes.lexical import LexicalIndex, NgramConfig
from pipelines.config import PipelineConfig
from pipelines.correcting import HubnessReport, keep_corrections, open_corrections
from pipelines.deciding import FEATURES, NEAREST, CalibratedDecider, Decider, TakeBest, features
from pipelines.demand import Counts, Demand, open_demand
from pipelines.demand import artifact_name as demand_name
from pipelines.encoding import ENCODED_AT_ONCE, MAP, centred, encode_rows
from pipelines.errors import ConfigInvalid, TerminologyUnknown
from pipelines.feedback import (
    Confirmation,
    Memory,
    RememberingDecider,
    confirmations_from_lines,
    confirmations_to_lines,
    counted,
    fingerprint,
    with_confirmations,
)
from pipelines.flow import Parts, Pipeline
from pipelines.fusing import LearnedFusion, learn_fusion
from pipelines.head import Head, HeadLearner, Trial, fit_head
from pipelines.hubs import Hubs, fit_hubs
from pipelines.learning import DemandBonus, Learner, NothingLearned
from pipelines.reranking import artifact_name as reranking_name
from pipelines.reranking import open_reranking
from pipelines.results import Options, Request
from pipelines.scoring import best_threshold, expected_calibration_error
from pipelines.spec import CalibrationSet, PipelineSpec
from pipelines.terminology import Terminology

KIND: Final = "build"
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

_FITTED_CANDIDATES: Final = 5
"""Candidates of a text that confidence is fitted on: as many as a request is shown."""
_CALIBRATION_TEXTS: Final = 3000
"""Texts that confidence is calibrated on when none are given. A guess: more changes the fit by less than its error."""


@dataclass(frozen=True)
class Build:
    """An opened build.

    Attributes:
        pipeline: ready to run.
        artifact: leased while this is open.
        encoder: what encodes its queries, as prepared.
        query_encoder: the same, centred as this build centres it.
        parts: what the pipeline was put together from.
        confirmed: (concepts,) how many texts were confirmed to mean each concept when it was built.
        memory: what users have said since; the pipeline answers by it at once.
    """

    pipeline: Pipeline
    artifact: Artifact
    encoder: Encoder
    query_encoder: Encoder
    parts: Parts
    config: PipelineConfig
    confirmed: Counts
    memory: Memory

    @property
    def terminology(self) -> Terminology:
        """What it answers from."""
        return self.parts.terminology

    @property
    def hubness(self) -> str:
        """What "auto" means here."""
        return self.hubness_report.method

    @property
    def hubness_report(self) -> HubnessReport:
        """What "auto" means here, and why."""
        return HubnessReport.from_json(self.artifact.manifest.details.get("hubness_report", {}))


def artifact_name(spec: PipelineSpec, terminology: str) -> str:
    """Where a pipeline's build for a terminology rests."""
    return f"pipelines/{spec.name}/{terminology}"


def builds(spec: PipelineSpec, *, store: ArtifactStore) -> list[str]:
    """The terminologies that a pipeline was built for, sorted."""
    prefix = f"pipelines/{spec.name}/"
    return [name.removeprefix(prefix) for name in store.names(prefix.rstrip("/"))]


def build(
    spec: PipelineSpec,
    terminology: Terminology,
    *,
    encoder: Encoder,
    store: ArtifactStore,
    config: PipelineConfig,
    labelled: CalibrationSet | None = None,
    confirmations: Sequence[Confirmation] = (),
    queries: Sequence[Request] = (),
    origin: Mapping[str, str] | None = None,
    rows_by: Mapping[str, Encoder] = MappingProxyType({}),
    on_progress: Progress = lambda stage, done, total: None,
) -> Build:
    """Index a terminology for a pipeline, calibrate it, publish it as a new generation and open that.

    Args:
        confirmations: texts known to mean a concept: they become its terms, vote, and say what is asked for.
        labelled: real texts with known concepts to calibrate on; by default the terminology's own terms, each held
            out in turn, and texts that name nothing. They also decide whether a correction for hubs is on.
        queries: texts as they are asked, answers unknown: the query bank of those corrections. By default terms.
        origin: what else the manifest should name among the build's parents, such as the job that asked for it.
        rows_by: the encoders that `config.rows_by` names, by the encoder whose place each takes.

    Raises: ConfigInvalid if one of those is missing or of another width; CorrectionUnavailable if the options set a
        correction without its bank; ArtifactWriteFailed if the disk refuses; the last good generation keeps answering.
    """
    if spec.searched is not None and config.plain_names:
        terminology = spec.searched(terminology)
    terminology, taken = with_confirmations(terminology, confirmations)
    texts = [spec.row_text(term.text) for term in terminology.row_terms]
    if not texts:
        raise ArtifactInvalid(f"terminology {terminology.name} has no terms to index")
    vectors, means = encode_rows(
        texts,
        encoder=encoder,
        config=config,
        concepts=terminology.row_concepts,
        rows_by=_checked(rows_by, encoder, config),
        on_progress=on_progress,
    )
    query_encoder = centred(encoder, means)
    on_progress("index", 0, 1)
    dense = FaissIndex.build(vectors, method=config.index)
    lexical = LexicalIndex.build(texts, config=NgramConfig(**config.ngrams.model_dump()))
    on_progress("index", 1, 1)
    index = _hybrid(dense, lexical, config, terminology)
    uncorrected = {"none": NoCorrection(), "auto": NoCorrection()}
    parts = Parts(terminology, index, TakeBest(), uncorrected, vectors=vectors)
    fusion = _learned_fusion(spec, parts, config, encoder=query_encoder)
    parts = replace(parts, index=index.weighted(fusion.weights(config.fusion, terminology.languages)))
    trial = _learned(spec, parts, taken, encoder=query_encoder, config=config, store=store, on_progress=on_progress)
    hubs = fit_hubs(
        lambda some: spec.pipeline(config, some, query_encoder),
        trial.parts,
        vectors,
        encoder=encoder.fingerprint,
        options=config.hubness,
        queries=queries,
        labelled=labelled,
        on_progress=on_progress,
    )
    fitted = replace(trial.parts, corrections=hubs.offered())
    examples = labelled or _with_held(spec.calibration(terminology, _CALIBRATION_TEXTS, 0), trial.held)
    calibration = calibrate(spec, fitted, examples, encoder=query_encoder, config=config, on_progress=on_progress)

    def check(folder: Path) -> None:
        FaissIndex.from_file(folder / "dense.faiss", size=len(texts), dimension=encoder.dimension)

    on_progress("write", 0, 1)
    parents = {"encoder": encoder.fingerprint, "terminology": f"{terminology.name}@{terminology.version}"}
    parents |= {f"rows by {by.name}": by.fingerprint for by in rows_by.values()}
    parents |= origin or {}
    if taken:
        parents["confirmations"] = fingerprint(taken)
    name = artifact_name(spec, terminology.name)
    with store.write(name, kind=KIND, parents=parents, check=check) as writer:
        writer.add_json("config.json", config.model_dump())
        writer.add_lines("concepts.jsonl", terminology.to_lines())
        writer.add_bytes("dense.faiss", dense.to_bytes())
        writer.add_json("lexical.json", lexical.settings)
        writer.add_tensors("lexical.safetensors", lexical.tensors)
        writer.add_json("calibration.json", calibration)
        keep_corrections(hubs.corrections, writer)
        if means:
            writer.add_tensors("means.safetensors", means)
        if taken:
            writer.add_lines("confirmations.jsonl", iter(confirmations_to_lines(taken)))
        if trial.head is not None:
            writer.add_tensors("head.safetensors", trial.head.to_tensors())
        writer.details.update(
            terminology={
                "name": terminology.name,
                "version": terminology.version,
                "title": terminology.title,
                "concepts": len(terminology),
                "terms": terminology.rows,
                "languages": terminology.languages,
            },
            encoder={"name": encoder.name, "dimension": encoder.dimension, "fingerprint": encoder.fingerprint},
            index=dense.method,
            aligned=sorted(name.removesuffix(MAP) for name in means if name.endswith(MAP)),
            fusion=fusion.to_json(),
            hubness=hubs.report.method,
            hubness_report=hubs.report.to_json(),
            calibration={k: v for k, v in calibration.items() if k not in {"calibrator", "named"}},
            confirmations={"given": len(confirmations), "taken": len(taken)},
            head=trial.report,
        )
    on_progress("write", 1, 1)
    return open_build(spec, terminology.name, store=store, encoder_of=lambda _: encoder)


def open_build(
    spec: PipelineSpec,
    terminology: str,
    *,
    store: ArtifactStore,
    encoder_of: Callable[[str], Encoder],
    generation: str | None = None,
    at: Mapping[str, str] | None = None,
) -> Build:
    """Open what `build` published, checksums verified.

    Args:
        encoder_of: encoder name → encoder.
        at: artifact → generation, as `snapshot` gives: answers then are what they were at that time.

    Raises: TerminologyUnknown if the pipeline was never built for it; ArtifactInvalid if the encoder of that name is
        no longer the one it was built with; ArtifactCorrupt.
    """
    name = artifact_name(spec, terminology)
    if not store.exists(name):
        raise TerminologyUnknown(
            f"{spec.slug} has no build for that terminology; `cognomen build {spec.slug}` makes one"
        )
    artifact = store.open(name, kind=KIND, generation=generation if at is None else at.get(name, generation))
    details = artifact.manifest.details
    encoder = encoder_of(details["encoder"]["name"])
    if encoder.fingerprint != details["encoder"]["fingerprint"]:
        raise ArtifactInvalid(f"{name} was built with another version of encoder {encoder.name!r}; build it again")
    config = spec.config(**artifact.read_json("config.json"))
    about = details["terminology"]
    opened = Terminology.from_lines(
        about["name"],
        version=about["version"],
        title=about["title"],
        lines=artifact.read_bytes("concepts.jsonl").splitlines(),
    )
    dense = FaissIndex.from_file(artifact.path("dense.faiss"), size=opened.rows, dimension=encoder.dimension)
    lexical = LexicalIndex.from_parts(artifact.read_json("lexical.json"), artifact.read_tensors("lexical.safetensors"))
    files = artifact.manifest.files
    taken = confirmations_from_lines(
        artifact.read_bytes("confirmations.jsonl").splitlines() if "confirmations.jsonl" in files else []
    )
    confirmed = counted(taken, opened)
    hubs = Hubs(
        open_corrections(artifact, encoder=encoder.fingerprint, size=opened.rows),
        HubnessReport.from_json(details.get("hubness_report", {})),
    )
    memory = Memory()
    reranking = (
        open_reranking(spec.name, artifact, opened, encoder=encoder, store=store, fits=spec.reranks, at=at)
        if config.rerank
        else None
    )
    calibration = artifact.read_json("calibration.json") if reranking is None else reranking.calibration
    decider = _decider(opened, calibration, config)
    fusion = LearnedFusion.from_json(details.get("fusion", {}) if _learns_fusion(spec, config) else {})
    parts = Parts(
        terminology=opened,
        index=_hybrid(dense, lexical, config, opened, fusion),
        decider=RememberingDecider(decider, terminology=opened, memory=memory),
        corrections=hubs.offered(),
        learner=_learner(
            open_demand(spec.name, opened, store=store, confirmed=confirmed, options=config.demand, at=at),
            Head.from_tensors(artifact.read_tensors("head.safetensors")) if "head.safetensors" in files else None,
            terminology=opened,
            config=config,
        ),
        vectors=dense.vectors,
        reranking=reranking,
    )
    means = artifact.read_tensors("means.safetensors") if "means.safetensors" in files else {}
    query_encoder = centred(encoder, means)
    pipeline = spec.pipeline(config, parts, query_encoder)
    return Build(pipeline, artifact, encoder, query_encoder, parts, config, confirmed, memory)


def _checked(rows_by: Mapping[str, Encoder], encoder: Encoder, config: PipelineConfig) -> Mapping[str, Encoder]:
    parts = encoder.encoders if isinstance(encoder, ConcatenatedEncoder) else [encoder]
    widths = {part.name: part.dimension for part in parts}
    if rows_by.keys() != config.rows_by.keys() or any(by.dimension != widths.get(n) for n, by in rows_by.items()):
        raise ConfigInvalid(
            f"rows_by: each of its encoders must stand for one of {', '.join(widths)} and be as wide; "
            f"it has {', '.join(config.rows_by) or 'none'}"
        )
    return rows_by


def snapshot(spec: PipelineSpec, terminology: str, *, store: ArtifactStore) -> dict[str, str]:
    """Artifact → its generation now, for all that decides what a build answers.

    Raises: TerminologyUnknown if the pipeline was never built for it.
    """
    name = artifact_name(spec, terminology)
    if not store.exists(name):
        raise TerminologyUnknown(f"{spec.slug} has no build for that terminology")
    names = [name, demand_name(spec.name, terminology), reranking_name(spec.name, terminology)]
    return {name: store.current(name) for name in names if store.exists(name)}


def calibrate(
    spec: PipelineSpec,
    parts: Parts,
    examples: CalibrationSet,
    *,
    encoder: Encoder,
    config: PipelineConfig,
    on_progress: Progress = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Fit score → probability and the NIL threshold on texts with known answers.

    Half of the texts (chosen by seed) fit the two calibrators, whether a candidate is right and whether a text names
    anything; the threshold and the expected calibration error come from the other half. The threshold maximises F1 of
    "a right concept is answered" among the texts that are taken for names.

    Returns: JSON: calibrator, named, threshold, and how they did on the held-out half. Without a single right or
        without a single wrong candidate there is nothing to fit: calibrator is None and scores stand in for
        probabilities. Without texts that name nothing, named is None.
    """
    masked = replace(parts, index=_Masked(parts.index, examples.held_out))
    pipeline = spec.pipeline(config, masked, encoder)
    evidence: list[NDArray[np.float32]] = []
    right: list[bool] = []
    owner: list[int] = []
    top_right = np.zeros(len(examples), bool)
    for start in range(0, len(examples), ENCODED_AT_ONCE):
        chunk = slice(start, start + ENCODED_AT_ONCE)
        masked.index.offset = start  # type: ignore[attr-defined]
        requests = [
            Request(text, language, mentions=((0, len(text)),), options=Options(top_k=config.candidates))
            for text, language in zip(examples.texts[chunk], examples.languages[chunk], strict=True)
        ]
        for i, result in enumerate(pipeline.run(requests, merge=False), start=start):
            mention = result.mentions[0].mention
            # The evidence of the first few, as `decide` will see it: it looks no further than the nearest.
            everyone = result.mentions[0].decision.candidates
            candidates = everyone[:_FITTED_CANDIDATES]
            evidence.append(features(mention, everyone[:NEAREST])[:_FITTED_CANDIDATES])
            right.extend(c.concept_id == examples.concepts[i] for c in candidates)
            owner.extend([i] * len(candidates))
            top_right[i] = bool(candidates) and candidates[0].concept_id == examples.concepts[i]
        on_progress("calibrate", min(start + ENCODED_AT_ONCE, len(examples)), len(examples))
    rng = np.random.default_rng(0)
    fit_half = rng.random(len(examples)) < 0.5
    x, y, owners = np.concatenate(evidence), np.array(right, np.bool_), np.array(owner, np.int64)
    try:
        calibrator = PlattCalibrator.fit(x[fit_half[owners]], y[fit_half[owners]], names=FEATURES)
    except ShapeMismatch:
        return {"calibrator": None, "named": None, "threshold": 0.0, "texts": len(examples), "ece": None}
    first = np.concatenate([[True], owners[1:] != owners[:-1]])
    probability = np.zeros(len(examples))
    probability[owners[first]] = calibrator.probabilities(x[first])
    held = ~fit_half
    named = np.array([c is not None for c in examples.concepts])
    telling = _fit_named(x[first], named[owners[first]], fit_half[owners[first]])
    known = np.zeros(len(examples), bool)
    known[owners[first]] = True if telling is None else telling.probabilities(x[first]) >= 0.5
    threshold = best_threshold(np.where(known, probability, -1.0)[held], top_right[held], named[held])
    return {
        "calibrator": calibrator.to_json(),
        "named": None if telling is None else telling.to_json(),
        "threshold": threshold,
        "texts": len(examples),
        "ece": round(expected_calibration_error(probability[held], top_right[held]), 4),
        "accuracy_at_1": round(float(top_right[held & named].mean()), 4),
        "nil_recall": round(float((~known)[held & ~named].mean()), 4) if (held & ~named).any() else None,
    }


def _fit_named(
    evidence: NDArray[np.float32], named: NDArray[np.bool_], fitting: NDArray[np.bool_]
) -> PlattCalibrator | None:
    """Best candidates' features → whether the text names a concept; None where all do, or none."""
    try:
        return PlattCalibrator.fit(evidence[fitting], named[fitting], names=FEATURES)
    except ShapeMismatch:
        return None


class _Masked:
    """An index that hides from query i the row it was made from.

    `offset` is the number, in the whole set, of the first query of the batch.
    """

    def __init__(self, index: HybridIndex | Any, held_out: Sequence[int]) -> None:  # noqa: ANN401
        self._index = index
        self._held_out = np.asarray(held_out, np.int64)
        self.offset = 0

    @property
    def size(self) -> int:
        return int(self._index.size)

    def search(self, queries: Any, *, k: int) -> Neighbours:  # noqa: ANN401
        found: Neighbours = self._index.search(queries, k=k)
        own = self._held_out[self.offset : self.offset + len(found), None]
        hidden = (found.ids == own) & (own != EMPTY)
        return replace(
            found, scores=np.where(hidden, -np.inf, found.scores), ids=np.where(hidden, EMPTY, found.ids)
        ).sorted()

    def score(self, queries: Any, rows: Any) -> Any:  # noqa: ANN401
        return self._index.score(queries, rows)


def _hybrid(
    dense: FaissIndex,
    lexical: LexicalIndex,
    config: PipelineConfig,
    terminology: Terminology,
    fusion: LearnedFusion = LearnedFusion(),  # noqa: B008 - frozen
) -> HybridIndex:
    weights = fusion.weights(config.fusion, terminology.languages)
    return HybridIndex(dense, lexical, weights=weights, pool=config.rows)


def _learns_fusion(spec: PipelineSpec, config: PipelineConfig) -> bool:
    """Weights that somebody has set are not learned over."""
    return config.learn_fusion and config.fusion == spec.config().fusion


def _learned_fusion(spec: PipelineSpec, parts: Parts, config: PipelineConfig, *, encoder: Encoder) -> LearnedFusion:
    """The lexical weights that the terminology's own names teach, if the options want it."""
    if not _learns_fusion(spec, config):
        return LearnedFusion()
    return learn_fusion(
        spec.calibration(parts.terminology, _CALIBRATION_TEXTS, 1),
        encode=spec.pipeline(config, parts, encoder).encoded,
        index=parts.index,
        terminology=parts.terminology,
        config=config,
    )


def _decider(terminology: Terminology, calibration: Mapping[str, Any], config: PipelineConfig) -> Decider:
    if calibration["calibrator"] is None:
        return TakeBest()
    threshold = calibration["threshold"] if config.min_confidence is None else config.min_confidence
    named = calibration.get("named")
    return CalibratedDecider(
        terminology,
        PlattCalibrator.from_json(calibration["calibrator"]),
        threshold,
        PlattCalibrator.from_json(named) if named is not None else None,
    )


def _learned(
    spec: PipelineSpec,
    parts: Parts,
    taken: Sequence[Confirmation],
    *,
    encoder: Encoder,
    config: PipelineConfig,
    store: ArtifactStore,
    on_progress: Progress,
) -> Trial:
    """What confirmations teach, and the parts to calibrate with."""
    confirmed = counted(taken, parts.terminology)
    demand = open_demand(spec.name, parts.terminology, store=store, confirmed=confirmed, options=config.demand)
    parts = replace(parts, learner=_learner(demand, None, terminology=parts.terminology, config=config))
    if len(taken) < config.confirmed.least:
        return Trial(None, (), parts)
    on_progress("learn", 0, 1)
    trial = fit_head(lambda some: spec.pipeline(config, some, encoder), parts, taken, demand=demand, config=config)
    on_progress("learn", 1, 1)
    return trial


def _learner(demand: Demand, head: Head | None, *, terminology: Terminology, config: PipelineConfig) -> Learner:
    if head is not None:
        return HeadLearner(head, terminology=terminology, demand=demand, config=config)
    if demand.texts or demand.confirmed.any():
        return DemandBonus(demand, limit=config.candidates, reach=config.rows)
    return NothingLearned()


def _with_held(examples: CalibrationSet, held: Sequence[Confirmation]) -> CalibrationSet:
    """The terminology's own examples and real texts whose answers were held out."""
    return CalibrationSet(
        texts=[*examples.texts, *(c.text for c in held)],
        languages=[*examples.languages, *(c.language for c in held)],
        concepts=[*examples.concepts, *(c.concept_id for c in held)],
        held_out=[*examples.held_out, *([-1] * len(held))],
    )
