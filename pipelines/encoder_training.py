"""How an encoder is taught what means the same: material in, an adapter of a few megabytes and its card out.

One run changes one encoder, in up to two steps: an adapter inside it, then a linear head over its vectors. Concepts
kept out by checksum say when to stop and whether anything was gained; docs/training.md tells the rest. What the
material is, a pipeline's own recipe says.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.artifacts import ArtifactStore
from models.encoders.adapter import HEAD_MATRIX, HEAD_MEAN, KIND, artifact_name
from models.training.adapters import AdapterShape
from models.training.bases import Base, Encode, open_base
from models.training.bi_encoder import DevelopmentSet, Trained, TrainingOptions
from models.training.bi_encoder import train as train_inside
from models.training.card import Card, DataUsed, write_adapter
from models.training.heads import HeadOptions, LinearHead, fit_head
from models.training.measures import mean_average_precision
from models.training.pairs import Batches, PairSource, draw_batches
from pipelines.errors import ConfigInvalid
from pipelines.term_pairs import Shares

Progress = Callable[[str, int, int], None]


class Strict(BaseModel):
    """Options that are all known and never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(Strict):
    """One source of training material."""

    name: str = Field(description="For the card.", min_length=1)
    licence: str = Field(description="For the card.", min_length=1)
    weight: float = Field(1.0, gt=0, description="Share of the batches, against the other sources' weights.")
    languages: dict[str, float] = Field(
        default_factory=dict, description="Primary tag → weight; empty: all, by the root of their number of terms."
    )
    cross_lingual: float = Field(0.4, ge=0, le=1, description="Share of term pairs in languages drawn apart (guess).")

    neighbours: float = Field(0.0, ge=0, le=1, description="Share of the batches whose concepts are near each other.")

    @property
    def shares(self) -> Shares:
        """How its batches are spread."""
        return Shares(self.languages, self.cross_lingual, neighbours=self.neighbours)

    @property
    def slug(self) -> str:
        """The name as a terminology may be called."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.name.lower()).split())


class AdapterConfig(Strict):
    """What may change inside the encoder."""

    weights: str = Field(description="Regular expression over weight names.")
    rank: int = Field(8, ge=0, le=256, description="Of the two factors; 0: whole matrices.")
    alpha: float = Field(16.0, gt=0, description="Counts alpha / rank.")
    steps: int = Field(300, ge=1, description="Batches.")
    batch_size: int = Field(256, ge=2, description="Pairs in a batch; each is the others' negative.")
    learning_rate: float = Field(5e-4, gt=0, description="Peak.")
    evaluate_every: int = Field(100, ge=1, description="Steps between two looks at the concepts kept out.")
    patience: int = Field(3, ge=0, description="Looks without a gain before it stops; 0: never.")
    mini_batch: int = Field(64, ge=1, description="Texts at a time; bounds memory.")
    cached: bool = Field(True, description="Embed twice, to keep memory to a mini-batch's; false is a third faster.")
    exact: bool = Field(False, description="Train in float32 even where the chip has bfloat16.")


class HeadConfig(Strict):
    """A linear head over the encoder's vectors."""

    steps: int = Field(200, ge=1, description="Batches (FINDINGS: 60 to 1,500 were tried; longer over-fits).")
    batch_size: int = Field(1024, ge=2, description="Pairs in a batch.")
    learning_rate: float = Field(3e-4, gt=0, description="Peak (FINDINGS).")


class EncoderConfig(Strict):
    """A training run, as its TOML file says it; a pipeline's own adds `data`."""

    name: str = Field(description="What the encoder is called with this folded in.", pattern="^[a-z0-9][a-z0-9._-]*$")
    base: str = Field(description="The encoder it starts from: a known name, a folder or a hub id.")
    prompt: str | None = Field(
        None, max_length=100, description="Before every text, served with it too; None: the base's. '' saves tokens."
    )
    adapter: AdapterConfig | None = None
    head: HeadConfig | None = None
    seed: int = 0
    device: str = "auto"
    max_tokens: int = Field(64, ge=4, description="Longer texts are cut while training (FINDINGS).")
    scale: float = Field(20.0, gt=0, description="The softmax's inverse temperature (FINDINGS).")
    keep_out: float = Field(0.1, gt=0, lt=1, description="Share of the concepts that development is measured on.")
    limits: str = Field("", description="For the card.")


@dataclass(frozen=True, slots=True)
class Material:
    """One source of data, read.

    Attributes:
        rows: its terms or vacancies.
        sha256: of what was read.
    """

    data: DataConfig
    sources: Sequence[PairSource]
    development: Sequence[DevelopmentSet]
    rows: int
    sha256: str


def publish(card: Card, folder: Path, *, store: ArtifactStore) -> str:
    """An adapter that `run` wrote, as an artifact that `models prepare` folds in; gives back its generation."""
    name = artifact_name(card.name)
    with store.write(name, kind=KIND) as writer:
        for file in sorted(folder.iterdir()):
            writer.add_bytes(file.name, file.read_bytes())
        writer.details.update(name=card.name, base=card.base, base_sha256=card.base_sha256)
    return str(store.current(name))


def run(
    config: EncoderConfig,
    material_of: Callable[[Encode], Sequence[Material]],
    folder: Path,
    *,
    work: Path,
    command: str,
    resume: bool = False,
    on_progress: Progress = lambda stage, done, total: None,
) -> Card:
    """Train as the config says, and write the adapter with its card into `folder`.

    Args:
        material_of: what to learn from, given the encoder as it is now.
        work: checkpoints go here; with `resume`, the last one there is gone on from.
        command: what made it, for the card.

    Raises: ConfigInvalid if nothing is to be trained; TrainingError; what `material_of` raises.
    """
    if config.adapter is None and config.head is None:
        raise ConfigInvalid("nothing to train: give [adapter], [head] or both")
    with tempfile.TemporaryDirectory(prefix="cognomen-train-") as scratch:
        base = open_base(config.base, scratch=Path(scratch), max_tokens=config.max_tokens, prompt=config.prompt)
        read = material_of(base.encode)
        sources = [source for material in read for source in material.sources]
        development = [d for material in read for d in material.development]
        figures: dict[str, Any] = {"before": _measure(base.encode, development)}
        changes: dict[str, NDArray[np.generic]] = {}
        batches: list[Batches] = []
        if config.adapter is not None:
            drawn, trained = _adapt(config, base, sources, development, work, resume, on_progress)
            batches.append(drawn)
            changes |= trained.changes
            figures["with adapter"] = _measure(base.encode, development)
            figures["looks"] = trained.history
            figures["best step"] = f"{trained.best_step} of {trained.steps}"
        if config.head is not None:
            drawn, head = _fit(config, base.encode, sources, on_progress)
            batches.append(drawn)
            changes |= {HEAD_MEAN: head.mean.astype(np.float16), HEAD_MATRIX: head.matrix.astype(np.float16)}
            figures["with head"] = _measure(base.encode, development, head)
        card = Card(
            name=config.name,
            base=config.base,
            base_licence=base.weights.source.get("licence", ""),
            base_sha256=base.weights.sha256,
            command=command,
            data=[_used(material, batches) for material in read],
            options=config.model_dump(mode="json", exclude={"data": {"__all__": {"path"}}, "limits": True}),
            figures=figures,
            limits=config.limits,
        )
    write_adapter(folder, changes, card)
    return card


def _adapt(
    config: EncoderConfig,
    base: Base,
    sources: Sequence[PairSource],
    development: Sequence[DevelopmentSet],
    work: Path,
    resume: bool,
    on_progress: Progress,
) -> tuple[Batches, Trained]:
    assert config.adapter is not None
    chosen = config.adapter
    batches = draw_batches(sources, steps=chosen.steps, batch_size=chosen.batch_size, seed=config.seed)
    trained = train_inside(
        base.model,
        base.network,
        batches,
        shape=AdapterShape(chosen.rank, chosen.alpha, chosen.weights),
        development=development,
        options=TrainingOptions(
            learning_rate=chosen.learning_rate,
            scale=config.scale,
            mini_batch=chosen.mini_batch,
            cached=chosen.cached,
            exact=chosen.exact,
            evaluate_every=chosen.evaluate_every,
            patience=chosen.patience,
            seed=config.seed,
            device=config.device,
        ),
        folder=work,
        resume=resume,
        on_progress=on_progress,
    )
    return batches, trained


def _fit(
    config: EncoderConfig, encode: Encode, sources: Sequence[PairSource], on_progress: Progress
) -> tuple[Batches, LinearHead]:
    assert config.head is not None
    chosen = config.head
    batches = draw_batches(sources, steps=chosen.steps, batch_size=chosen.batch_size, seed=config.seed)
    options = HeadOptions(learning_rate=chosen.learning_rate, scale=config.scale, seed=config.seed)
    return batches, fit_head(encode, batches, options=options, on_progress=on_progress)


def _measure(encode: Encode, development: Sequence[DevelopmentSet], head: LinearHead | None = None) -> dict[str, float]:
    """Development set → mean average precision."""
    found = {}
    for data in development:
        queries, corpus = encode(data.queries), encode(data.corpus)
        if head is not None:
            queries, corpus = head.apply(queries), head.apply(corpus)
        found[data.name] = round(mean_average_precision(queries @ corpus.T, data.relevant), 4)
    return found


def _used(material: Material, batches: Sequence[Batches]) -> DataUsed:
    names = {source.name for source in material.sources}
    drawn = [name for some in batches for name in some.sources]
    share = sum(name in names for name in drawn) / max(len(drawn), 1)
    data = material.data
    return DataUsed(data.name, data.licence, round(share, 4), material.rows, material.sha256)
