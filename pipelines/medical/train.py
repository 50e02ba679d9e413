"""The medical recipe: annotated documents, aliases or both → a re-ranker for a terminology, kept only if it wins.

candidates   what the build offers for each mention (`material.py`), and the evidence for each (`evidence.py`)
cross-fit    documents fall into folds; each is re-ranked by what was learned on the others: the verdict
cross        optionally a cross-encoder on top, its verdict from documents that neither taught nor stopped it
calibrate    confidence and NIL threshold anew, on candidates re-ranked
keep         all documents teach the evidence's weights once more, and the artifact is published
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.artifacts import ArtifactStore
from models.encoders.base import Encoder
from models.encoders.packages import KNOWN
from models.rerankers.cross_encoder import CrossEncoder
from models.rerankers.listwise import Floats, ListwiseRanker
from models.training.listwise import ListwiseOptions, fit_listwise
from pipelines import registry
from pipelines.build import Build, calibrate, open_build
from pipelines.config import first_fault
from pipelines.errors import ConfigInvalid, SourceError
from pipelines.medical import corpora
from pipelines.medical.crossing import CrossConfig, Crossed, train_cross
from pipelines.medical.evidence import Evidence, Memory, Vocabulary, remembered
from pipelines.medical.judging import Verdict, judge
from pipelines.medical.material import Examples, aliases, annotated, joined, with_unmarked
from pipelines.medical.reranking import Reading, memory_tensors, settings_of
from pipelines.reranking import CALIBRATION, CROSS, KIND, SETTINGS, TENSORS, Reranking, artifact_name, lineage_of
from pipelines.sources import digest_of
from pipelines.space import space_of
from pipelines.spec import CalibrationSet

Progress = Callable[[str, int, int], None]

_OWN_CALIBRATION: Final = 1500
"""Texts made of the terminology's own terms that confidence is calibrated on beside annotated ones. A guess."""
_LIMITS: Final = (
    "Learned from how the data below were annotated: what they prefer (codes for “unspecified”, general concepts) it "
    "prefers. Measured on documents held out, from the same source."
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(_Strict):
    """Annotated documents."""

    path: Path = Field(description="A brat folder, or BigBIO (bigbio_kb) or plain JSON Lines.")
    format: str = Field("auto", pattern="^(auto|brat|bigbio|jsonl)$", description="How to read it.")
    language: str | None = Field(None, description="BCP 47, where the documents do not say; default: guessed.")
    name: str = Field(description="For the card.", min_length=1)
    licence: str = Field(description="For the card.", min_length=1)


class AliasConfig(_Strict):
    """Aliases of the terminology as mentions: weak supervision where little or nothing is annotated."""

    size: int = Field(2000, ge=1, le=100_000, description="How many, one of a concept (guess).")
    cross_lingual: float = Field(
        0.3, ge=0, le=1, description="Share that must be found by aliases in other languages (guess)."
    )


class EvidenceConfig(_Strict):
    """The weights of evidence; defaults as models/training/listwise.py has them."""

    steps: int = Field(800, ge=1, le=100_000, description="Batches.")
    batch_size: int = Field(64, ge=1)
    learning_rate: float = Field(5e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    hidden: int = Field(32, ge=1, le=1024)
    nil_share: float = Field(0.15, ge=0, lt=1, description="Mentions whose right candidates are hidden (guess).")
    candidates: int = Field(64, ge=2, le=200, description="Looked at per mention.")


class TrainConfig(_Strict):
    """A training run, as its TOML file says it."""

    terminology: str = Field(description="A terminology that the pipeline was built for.", min_length=1)
    data: list[DataConfig] = Field(default_factory=list)
    unmarked: bool = Field(
        False,
        description="Spans that the pipeline finds where nobody marked anything teach NIL: for documents in which all "
        "that counts is marked.",
    )
    aliases: AliasConfig | None = None
    evidence: EvidenceConfig = Field(default_factory=EvidenceConfig)
    cross: CrossConfig | None = None
    folds: int = Field(5, ge=2, le=50, description="Parts that documents fall into (guess).")
    seed: int = 0
    limits: str = Field(_LIMITS, description="For the card.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        card: what it is from and how it did.
        generation: of the artifact; None where retrieval alone does as well, and nothing was published.
    """

    card: dict[str, Any]
    generation: str | None


def train(
    source: Path,
    *,
    terminology: str,
    store: ArtifactStore,
    encoder_of: Callable[[str], Encoder],
    options: Mapping[str, Any],
    on_progress: Progress = lambda stage, done, total: None,
) -> dict[str, Any]:
    """The recipe as a job: a file of documents, and options as the TOML file has them, less `data`. JSON comes back.

    Raises: ConfigInvalid, SourceError, TrainingError.
    """
    own = {"format", "language", "name", "licence"}
    data = {"name": "the job's file", "licence": "as its owner says", **{k: options[k] for k in own & options.keys()}}
    rest = {k: v for k, v in options.items() if k not in own}
    if "data" in rest:
        raise ConfigInvalid("options: data: the job's file is the data")
    try:
        config = TrainConfig(**{**rest, "terminology": terminology, "data": [DataConfig(path=source, **data)]})
    except ValidationError as error:
        raise ConfigInvalid(f"options: {first_fault(error)}") from error
    if config.cross is not None and config.cross.base not in KNOWN:
        raise ConfigInvalid(f"options: cross.base: expected one of {', '.join(sorted(KNOWN))}")
    outcome = run(
        config,
        store=store,
        encoder_of=encoder_of,
        work=store.root / "training" / f"medical-{terminology}",
        command=f"a job over {terminology}",
        on_progress=on_progress,
    )
    return {"artifact": artifact_name("medical", terminology), "generation": outcome.generation, "card": outcome.card}


def run(
    config: TrainConfig,
    *,
    store: ArtifactStore,
    encoder_of: Callable[[str], Encoder],
    work: Path,
    command: str,
    resume: bool = False,
    on_progress: Progress = lambda stage, done, total: None,
) -> Outcome:
    """Train as the config says, and publish the re-ranker if it wins.

    Args:
        work: checkpoints of the cross-encoder; with `resume`, the last one there is gone on from.
        command: what made it, for the card.

    Raises: ConfigInvalid if there is nothing to learn from; TerminologyUnknown; SourceError; TrainingError.
    """
    if not config.data and config.aliases is None:
        raise ConfigInvalid("nothing to learn from: give [[data]], [aliases] or both")
    built = open_build(registry.spec("medical"), config.terminology, store=store, encoder_of=encoder_of)
    with built.artifact:
        return _trained(built, config, store, work, command, resume=resume, on_progress=on_progress)


def _trained(
    built: Build,
    config: TrainConfig,
    store: ArtifactStore,
    work: Path,
    command: str,
    *,
    resume: bool,
    on_progress: Progress,
) -> Outcome:
    examples, weak = read_examples(config, built, on_progress)
    trial = Trial(built, examples, weak, config, on_progress, remembers=bool(config.data))
    verdict = trial.verdict()
    card: dict[str, Any] = {
        "terminology": f"{built.terminology.name}@{built.terminology.version}",
        "command": command,
        "data": [
            {"name": d.name, "licence": d.licence, "sha256": digest_of(d.path) if d.path.is_file() else ""}
            for d in config.data
        ],
        "mentions": len(examples),
        "aliases": len(weak) if weak is not None and config.data else 0,
        "options": config.model_dump(mode="json", exclude={"data": True, "limits": True}),
        "evidence": verdict.to_json(),
        "limits": config.limits,
    }
    crossed: Crossed | None = None
    if config.cross is not None and verdict.wins:
        crossed = _crossed(config.cross, trial, work, resume, on_progress)
        card["cross"] = crossed.report
        crossed = crossed if crossed.verdict.wins else None
    card["kept"] = verdict.wins
    if not verdict.wins:
        return Outcome(card, None)
    calibration = calibrated(built, trial, crossed, on_progress)
    card["calibration"] = {k: v for k, v in calibration.items() if k not in {"calibrator", "named"}}
    return Outcome(card, _publish(trial, calibration, crossed, card, store))


def read_examples(
    config: TrainConfig, built: Build, on_progress: Progress = lambda stage, done, total: None
) -> tuple[Examples, Examples | None]:
    """What the verdict is on, and what teaches beside it; aliases are the former where nothing was annotated."""
    spec = registry.spec("medical")
    window = config.cross.reading.window if config.cross is not None else 0
    read = []
    for data in config.data:
        form = corpora.detect(data.path) if data.format == "auto" else data.format
        documents = corpora.read_documents(data.path, format=form)
        documents = [d for d in documents if d.annotations]
        if not documents:
            raise SourceError(f"{data.name}: no document has annotations")
        if config.unmarked:
            documents = with_unmarked(documents, built, language=data.language)
        read.append(annotated(spec, built, documents, language=data.language, window=window, on_progress=on_progress))
    weak = None
    if config.aliases is not None:
        chosen = config.aliases
        weak = aliases(
            spec,
            built,
            size=chosen.size,
            cross_lingual=chosen.cross_lingual,
            seed=config.seed,
            on_progress=on_progress,
        )
    if read:
        return joined(read), weak
    assert weak is not None
    return weak, None


class Trial:
    """Annotated mentions re-ranked by what was learned on other documents.

    Args:
        weak: aliases that teach beside them; they are in nobody's memory.
        remembers: whether what was annotated is evidence itself: not where the examples are aliases.
    """

    def __init__(
        self,
        built: Build,
        examples: Examples,
        weak: Examples | None,
        config: TrainConfig,
        on_progress: Progress = lambda stage, done, total: None,
        *,
        remembers: bool = True,
    ) -> None:
        self.built, self.examples, self.config = built, examples, config
        self.folds = examples.folds(config.folds)
        self.vocabulary = Vocabulary.of(built.terminology)
        self._on_progress = on_progress
        self._weak = weak
        self._remembers = remembers
        evidence = self.evidence(self.memory())
        self._listed = evidence.of(examples.mentions, examples.queries, examples.candidates, folds=self.folds)
        self._right = examples.hits(limit=config.evidence.candidates)
        self._aliases = None
        if weak is not None:
            self._aliases = self.evidence(None).of(weak.mentions, weak.queries, weak.candidates)

    @cached_property
    def logits(self) -> Floats:
        """(n, k + 1) of every mention, by a re-ranker that has not seen its document."""
        found: Floats = np.zeros((len(self.examples), self._right.shape[1] + 1), np.float32)
        for fold in range(self.config.folds):
            if (mine := self.folds == fold).any():
                found[mine] = self.learned(~mine).logits(self._listed[mine])
            self._on_progress("folds", fold + 1, self.config.folds)
        return found

    def memory(self, which: NDArray[np.bool_] | None = None) -> Memory | None:
        """What was annotated, in all documents or in some of the mentions."""
        if not self._remembers:
            return None
        some, folds = (self.examples, self.folds)
        if which is not None:
            some, folds = some.where(which), folds[which]
        return remembered(some.vectors, some.right, folds, self.built.terminology)

    def evidence(self, memory: Memory | None) -> Evidence:
        """Evidence for candidates, given what is remembered."""
        limit = self.config.evidence.candidates
        return Evidence(self.built.terminology, memory, vocabulary=self.vocabulary, limit=limit)

    def learned(self, which: NDArray[np.bool_] | None = None) -> ListwiseRanker:
        """What all mentions teach, or some of them."""
        chosen = np.ones(len(self.examples), bool) if which is None else which
        listed, right = self._listed[chosen], self._right[chosen]
        if self._aliases is not None and self._weak is not None:
            listed = listed.joined(self._aliases)
            right = _stacked(right, self._weak.hits(limit=self.config.evidence.candidates))
        own = self.config.evidence.model_dump(exclude={"candidates"})
        options = ListwiseOptions(**own, temperature=self.built.config.temperature, seed=self.config.seed)
        return fit_listwise(listed, right, words=len(self.vocabulary.telling), options=options)

    def verdict(self) -> Verdict:
        """Recall at 1 of what was learned on other documents, against retrieval's; mentions that name something."""
        named = np.array([bool(right) for right in self.examples.right])
        best = self.logits[:, :-1].argmax(axis=1)
        after = self._right[np.arange(len(best)), best]
        before = self._right[:, 0]
        documents = [d for d, is_named in zip(self.examples.documents, named, strict=True) if is_named]
        return judge(before[named], after[named], documents)

    def reranking(self, which: NDArray[np.bool_] | None = None, *, reading: Reading | None = None) -> Reranking:
        """What is learned from all mentions, or some, as it is kept."""
        space = space_of(self.built.artifact, self.built.encoder)
        arrays, ids = memory_tensors(self.memory(which), self.built.terminology, space)
        settings = settings_of(self.vocabulary, ids, limit=self.config.evidence.candidates, reading=reading)
        return Reranking(settings, self.learned(which).to_tensors() | arrays, {}, space)


def _crossed(config: CrossConfig, trial: Trial, work: Path, resume: bool, on_progress: Progress) -> Crossed:
    """A cross-encoder on top. Fold 0 stops it, fold 1 judges it; the others teach it."""
    return train_cross(
        config,
        trial.built.terminology,
        trial.examples,
        trial.logits,
        teaching=trial.folds > 1,
        stopping=trial.folds == 0,
        judging=trial.folds == 1,
        seed=trial.config.seed,
        work=work,
        resume=resume,
        on_progress=on_progress,
    )


def calibrated(
    built: Build,
    trial: Trial,
    crossed: Crossed | None = None,
    on_progress: Progress = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Confidence over candidates re-ranked: the terminology's own terms, and annotated mentions of one fold."""
    spec = registry.spec("medical")
    # Fold 0 stopped the cross-encoder, fold 1 did not teach it.
    fold = 0 if crossed is None else 1
    reranking = trial.reranking(trial.folds != fold, reading=None if crossed is None else crossed.reading)
    if crossed is not None:
        cross = CrossEncoder(crossed.folder)
        cross.load()
        reranking = replace(reranking, cross=cross)
    parts = replace(built.parts, reranking=reranking)
    own = spec.calibration(built.terminology, _OWN_CALIBRATION, 0)
    held = trial.examples.where(trial.folds == fold) if trial.config.data else trial.examples.where(trial.folds < 0)
    known = [next(iter(sorted(right)), None) for right in held.right]
    examples = CalibrationSet(
        texts=[*own.texts, *(m.query for m in held.mentions)],
        languages=[*own.languages, *(m.language for m in held.mentions)],
        concepts=[*own.concepts, *known],
        held_out=[*own.held_out, *([-1] * len(known))],
    )
    return calibrate(spec, parts, examples, encoder=built.query_encoder, config=built.config, on_progress=on_progress)


def _publish(
    trial: Trial, calibration: dict[str, Any], crossed: Crossed | None, card: dict[str, Any], store: ArtifactStore
) -> str:
    built = trial.built
    kept = trial.reranking(reading=None if crossed is None else crossed.reading)
    name = artifact_name("medical", built.terminology.name)
    parents = lineage_of(built.artifact, kept.space)
    parents["terminology"] = f"{built.terminology.name}@{built.terminology.version}"
    with store.write(name, kind=KIND, parents=parents) as writer:
        writer.add_json(SETTINGS, kept.settings)
        writer.add_tensors(TENSORS, kept.tensors)
        writer.add_json(CALIBRATION, calibration)
        writer.add_json("card.json", card)
        if crossed is not None:
            for file in sorted(crossed.folder.iterdir()):
                writer.add_bytes(f"{CROSS}/{file.name}", file.read_bytes())
        writer.details.update(evidence=card["evidence"], cross=card.get("cross"))
    return store.current(name)


def _stacked(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.bool_]:
    width = max(one.shape[1], other.shape[1])
    return np.concatenate([np.pad(a, ((0, 0), (0, width - a.shape[1]))) for a in (one, other)])


def shown(card: Mapping[str, Any]) -> Sequence[str]:
    """The card's figures, a line each."""
    evidence = card["evidence"]
    lines = [
        f"held-out documents: R@1 {evidence['R@1 without']:.4f} → {evidence['R@1 with']:.4f} "
        f"± {evidence['standard error of the difference']:.4f}, {evidence['mentions']:,} mentions"
    ]
    if cross := card.get("cross"):
        lines.append(f"cross-encoder: R@1 {cross['R@1 without']:.4f} → {cross['R@1 with']:.4f}, kept: {cross['kept']}")
    return lines
