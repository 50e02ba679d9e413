"""The recipe: published occupations and vacancies in, an adapter of a few megabytes out.

    cognomen train job-titles --config train.toml

What is learned from is said here; how, in pipelines/encoder_training.py.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from models.artifacts import ArtifactStore
from models.encoders.adapter import artifact_name
from models.encoders.base import Encoder
from models.encoders.packages import KNOWN
from models.training.bases import Encode
from models.training.card import Card
from pipelines import encoder_training, registry
from pipelines.build import open_build
from pipelines.config import first_fault
from pipelines.encoder_training import EncoderConfig, Material, Progress, publish
from pipelines.errors import ConfigInvalid
from pipelines.job_titles.material import vacancies
from pipelines.job_titles.pipeline import row_text
from pipelines.sources import digest_of, read_terminology
from pipelines.term_pairs import Shares, Terms

_LIMITS = (
    "Trained on occupation titles: other texts (diseases, products) may have become harder to tell apart. Terms of the "
    "taxonomies it was trained on are known to it: measure on titles that they do not hold."
)


class DataConfig(encoder_training.DataConfig):
    """A terminology's file or folder, or a table of vacancies."""

    path: Path = Field(description="A terminology's file or folder, or a table of vacancies.")
    format: Literal["esco", "onet", "jsonl", "csv", "vacancies"] = Field(description="How to read it.")
    definitions: float = Field(0.0, ge=0, le=1, description="Share of batches that pair titles with definitions.")
    skills: float = Field(0.0, ge=0, le=1, description="Share of batches that pair titles with skills.")

    @property
    def shares(self) -> Shares:
        """How its batches are spread."""
        return Shares(self.languages, self.cross_lingual, self.definitions, self.skills, self.neighbours)


class TrainConfig(EncoderConfig):
    """A training run, as its TOML file says it."""

    data: list[DataConfig] = Field(min_length=1)
    limits: str = Field(_LIMITS, description="For the card.")


def train(
    source: Path,
    *,
    terminology: str,
    store: ArtifactStore,
    encoder_of: Callable[[str], Encoder],
    options: Mapping[str, Any],
    on_progress: Progress = lambda stage, done, total: None,
) -> dict[str, Any]:
    """The recipe as a job: a table of vacancies beside the terms of a build, and options as the TOML file has them.

    Of `data`, the options `format`, `weight` and `licence` are the file's. `base` is a known encoder's name: no folder,
    no hub. Without `adapter` and `head` a head is trained. A job that was killed begins anew, to the same bits. JSON
    comes back.

    Raises: ConfigInvalid, SourceError, TerminologyUnknown, TrainingError.
    """
    own = {"format", "weight", "licence"}
    given = {"format": "vacancies", "licence": "as its owner says", **{k: options[k] for k in own & options.keys()}}
    rest = {k: v for k, v in options.items() if k not in own}
    if "data" in rest:
        raise ConfigInvalid("options: data: the job's file is the data")
    if rest.get("base") not in KNOWN:
        raise ConfigInvalid(f"options: base: expected one of {', '.join(sorted(KNOWN))}")
    if not {"adapter", "head"} & rest.keys():
        rest["head"] = {}
    built = open_build(registry.spec("job_titles"), terminology, store=store, encoder_of=encoder_of)
    with built.artifact, tempfile.TemporaryDirectory(prefix="cognomen-train-") as scratch:
        terms = Path(scratch) / "terms.jsonl"
        terms.write_bytes(b"\n".join(built.terminology.to_lines()))
        about = f"{built.terminology.name}@{built.terminology.version}"
        known = DataConfig(path=terms, format="jsonl", name=about, licence="as its source says")
        try:
            data = [known, DataConfig(path=source, name="the job's file", **given)]
            config = TrainConfig(**{"name": f"{rest['base']}-{terminology}", **rest, "data": data})
        except ValidationError as error:
            raise ConfigInvalid(f"options: {first_fault(error)}") from error
        made = Path(scratch) / "made"
        checkpoints = store.root / "training" / config.name
        card = run(config, made, work=checkpoints, command=f"a job over {terminology}", on_progress=on_progress)
        generation = publish(card, made, store=store)
    return {"artifact": artifact_name(card.name), "generation": generation, "figures": card.figures}


def run(
    config: TrainConfig,
    folder: Path,
    *,
    work: Path,
    command: str,
    resume: bool = False,
    on_progress: Progress = lambda stage, done, total: None,
) -> Card:
    """Train as the config says; see `encoder_training.run`. Raises: SourceError for data that cannot be read, too."""

    def material_of(encode: Encode) -> list[Material]:
        return [_material(data, config, encode) for data in config.data]

    return encoder_training.run(
        config, material_of, folder, work=work, command=command, resume=resume, on_progress=on_progress
    )


def _material(data: DataConfig, config: TrainConfig, encode: Encode) -> Material:
    if data.format == "vacancies":
        sources, rows = vacancies(data.path, weight=data.weight, name=data.name)
        return Material(data, sources, [], rows, digest_of(data.path))
    terminology = read_terminology(data.path, format=data.format, name=data.slug)
    titles = Terms(terminology, row_text=row_text, keep_out=config.keep_out)
    sources = titles.sources(data.weight, data.shares, encode)
    development = titles.development(data.shares, seed=config.seed)
    return Material(data, sources, development, terminology.rows, digest_of(data.path))
