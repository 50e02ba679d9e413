"""The recipe that teaches an encoder a field's language: names of one concept belong together, whatever their language.

    cognomen train medical --config deploy/training/e5-small-medical.toml

Terminologies are all it needs, no annotated text. After Liu et al. 2021, *Self-Alignment Pretraining for Biomedical
Entity Representations* (arXiv 2010.11784), which calls it self-alignment. Differs from the paper: InfoNCE in place of
the multi-similarity loss; hard pairs come from batches of near concepts (`neighbours`), in which the softmax weighs the
nearest most; batches are of one pair of languages; low-rank factors inside the encoder in place of all its
weights, so that what was learned takes a megabyte and an encoder of a hundred languages keeps them.
"""

import hashlib
from pathlib import Path

from pydantic import Field, model_validator

from models.artifacts import ArtifactStore
from models.training.bases import Encode
from models.training.card import Card
from pipelines import encoder_training
from pipelines.encoder_training import EncoderConfig, Material, Progress
from pipelines.library import open_terminology
from pipelines.medical.pipeline import row_text
from pipelines.sources import FORMATS, digest_of, read_terminology
from pipelines.term_pairs import Terms
from pipelines.terminology import Terminology

_LIMITS = (
    "Trained on names of diseases, findings and procedures: other texts may have become harder to tell apart. Names of "
    "the terminologies it was trained on are known to it: measure on mentions that they do not hold."
)


class DataConfig(encoder_training.DataConfig):
    """A terminology that was imported, or one that lies in a file or folder."""

    terminology: str | None = Field(None, description="The name it was imported under.")
    path: Path | None = Field(None, description="In place of that: its file or folder.")
    format: str | None = Field(None, description="How to read the path: a format of `cognomen import`.")
    languages: dict[str, float] = Field(
        default_factory=dict, description="Primary tag → weight; empty: all, by the root of their number of names."
    )

    @model_validator(mode="after")
    def _one_place(self) -> "DataConfig":
        if (self.terminology is None) == (self.path is None):
            raise ValueError("give either terminology or path")
        if self.path is not None and self.format not in FORMATS:
            raise ValueError(f"a path needs a format: one of {', '.join(sorted(FORMATS))}")
        return self


class EncoderTrainConfig(EncoderConfig):
    """A training run, as its TOML file says it."""

    data: list[DataConfig] = Field(min_length=1)
    limits: str = Field(_LIMITS, description="For the card.")


def run(
    config: EncoderTrainConfig,
    folder: Path,
    *,
    store: ArtifactStore,
    work: Path,
    command: str,
    resume: bool = False,
    on_progress: Progress = lambda stage, done, total: None,
) -> Card:
    """Train as the config says; see `encoder_training.run`.

    Args:
        store: where terminologies were imported to.

    Raises: SourceError for data that cannot be read, TerminologyUnknown for what was not imported, too.
    """

    def material_of(encode: Encode) -> list[Material]:
        return [_material(data, config, store, encode) for data in config.data]

    return encoder_training.run(
        config, material_of, folder, work=work, command=command, resume=resume, on_progress=on_progress
    )


def _material(data: DataConfig, config: EncoderTrainConfig, store: ArtifactStore, encode: Encode) -> Material:
    terminology, sha256 = _opened(data, store)
    names = Terms(terminology, row_text=row_text, keep_out=config.keep_out)
    development = names.development(data.shares, seed=config.seed)
    return Material(data, names.sources(data.weight, data.shares, encode), development, terminology.rows, sha256)


def _opened(data: DataConfig, store: ArtifactStore) -> tuple[Terminology, str]:
    if data.path is not None and data.format is not None:
        return read_terminology(data.path, format=data.format, name=data.slug), digest_of(data.path)
    assert data.terminology is not None
    terminology = open_terminology(data.terminology, store=store)
    return terminology, hashlib.sha256(b"\n".join(terminology.to_lines())).hexdigest()
