"""What every pipeline's configuration shares. Each option's comment says where its default comes from."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.errors import ConfigInvalid

_Config = TypeVar("_Config", bound=BaseModel)


class FusionConfig(BaseModel):
    """How much lexical similarity counts beside dense similarity (the rest), by query language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: float = Field(
        0.3, ge=0, le=1, description="Lexical weight for languages that the terminology has (guess)."
    )
    by_language: dict[str, float] = Field(
        default_factory=dict, description="Primary language subtag → lexical weight, where it is another."
    )
    foreign: float = Field(0.3, ge=0, le=1, description="Lexical weight for languages that the terminology has not.")
    unknown: float = Field(0.3, ge=0, le=1, description="Lexical weight where the language is not known.")


class BlockConfig(BaseModel):
    """How much each encoder of a joined one ("a+b+c") counts for a query, by its language; one weight per encoder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: list[float] = Field(default_factory=list, description="For languages not listed; empty: all alike.")
    unknown: list[float] = Field(default_factory=list, description="Where the language is not known; empty: default.")
    by_language: dict[str, list[float]] = Field(
        default_factory=dict, description="Primary language subtag → weights; 0 saves that encoder's work."
    )


class NgramOptions(BaseModel):
    """How text becomes n-grams for lexical search; see models/indexes/lexical.py."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    analyzer: str = Field("char_wb", pattern="^(char_wb|char|word)$", description="scikit-learn's (FINDINGS).")
    shortest: int = Field(2, ge=1, le=8, description="n from (FINDINGS).")
    longest: int = Field(4, ge=1, le=8, description="n to (FINDINGS).")
    sublinear: bool = Field(True, description="1 + log(tf) (FINDINGS).")
    binary: bool = Field(False, description="1 in place of tf.")
    strip_accents: bool = Field(False, description="é is e.")


class DemandOptions(BaseModel):
    """How what is asked for often is learned from traffic, and how much it counts; see pipelines/demand.py."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: float = Field(40.0, gt=0, description="T of the E step, and what the bonus is divided by (FINDINGS).")
    weight: float = Field(1.0, ge=0, le=5, description="Of the bonus; 0 takes it off (quality/vacancysbert.py, dev).")
    pseudo_count: float = Field(1.0, gt=0, description="Texts added to every concept: few teach little (guess).")
    nearness: float = Field(
        0.8,
        ge=0,
        le=1,
        description="Texts whose best score is lower teach nothing: they are near hubs, not concepts (guess).",
    )
    certainty: float = Field(2.0, ge=0, le=8, description="A text counts as (its largest share) to this power (guess).")
    limit: float = Field(
        4.6,
        gt=0,
        le=20,
        description="±ln of share against uniform: at most 100 times as often counts (guess).",
    )
    rounds: int = Field(30, ge=1, le=1000, description="Of expectation maximization (guess; shares settle by 20).")


class ConfirmedOptions(BaseModel):
    """How confirmed texts are learned from beyond being aliases; see pipelines/head.py."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    least: int = Field(
        300, ge=10, description="Confirmations below which no head is tried (curve in vacancysbert.json)."
    )
    temperature: float = Field(15.0, gt=0, description="T of their vote as evidence (FINDINGS; dev).")
    penalty: float = Field(1.0, gt=0, description="λ of the ridge head (guess).")


class HubnessOptions(BaseModel):
    """Which corrections for hubs are fitted, and which is on; see pipelines/hubs.py and docs/hubness.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = Field(
        "auto",
        pattern="^(auto|none|centre|is|dis|dual_is|dual_dis|csls|nnn)$",
        description="What hubness=auto means; auto: labelled texts decide, none without (harmful on titles: FINDINGS).",
    )
    methods: list[str] = Field(
        default_factory=lambda: ["centre", "is", "dis", "dual_is", "dual_dis", "csls", "nnn"],
        max_length=7,
        description="Corrections that requests may ask for.",
    )
    bank: int = Field(
        1000, ge=0, le=100_000, description="Terms in a bank drawn from the terminology (guess); 0: none."
    )
    beta: float | None = Field(None, gt=0, description="β over the query bank; 1/σ by default (quality/hubness.py).")


class PipelineConfig(BaseModel):
    """Options of every pipeline; a pipeline's `config.py` adds its own and overrides defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoder: str = Field("hashing", description="Name of a prepared encoder; `cognomen models prepare NAME`.")
    index: str = Field(
        "auto", pattern="^(auto|exact|codes|hnsw)$", description="exact up to 12,000 rows, then codes (guess)."
    )
    blocks: BlockConfig = Field(default_factory=BlockConfig, description="How much each joined encoder counts.")
    centred: list[str] = Field(default_factory=list, description="Encoders whose vectors lose the terms' mean.")
    aligned: list[str] = Field(
        default_factory=list, description="Encoders that get a linear map, fitted on synonyms, where it wins."
    )
    symmetric: bool = Field(
        False,
        description="Terms are encoded as queries are: for models with prompts, where terms are as short as queries.",
    )
    rows_by: dict[str, str] = Field(
        default_factory=dict,
        description="Encoder → the prepared variant that encodes terms in its place: e5-small → e5-small-int8.",
    )
    plain_names: bool = Field(
        True, description="Terms are also searched without what only a classification says, where a pipeline knows how."
    )
    rows: int = Field(200, ge=1, le=10_000, description="Index rows retrieved per mention (guess).")
    candidates: int = Field(32, ge=1, le=1000, description="Concepts kept for rerank and decide (guess).")
    rerank: bool = Field(True, description="Use the re-ranker that was trained for the terminology, if there is one.")
    fusion: FusionConfig = Field(default_factory=FusionConfig, description="Lexical against dense.")
    learn_fusion: bool = Field(
        False,
        description="Lexical weights are learned from the terminology's names, unless `fusion` is set. Off: it gains "
        "on some sets of mentions and loses a little on others (benchmarks/quality/medical_fusion.py).",
    )
    ngrams: NgramOptions = Field(default_factory=NgramOptions, description="Lexical search.")
    temperature: float = Field(15.0, gt=0, description="Kernel vote T (FINDINGS: 15–25).")
    length_penalty: float = Field(0.5, ge=0, le=1, description="Kernel vote p: 1/√terms (FINDINGS).")
    demand: DemandOptions = Field(default_factory=DemandOptions, description="Learned from traffic by `adapt`.")
    confirmed: ConfirmedOptions = Field(default_factory=ConfirmedOptions, description="Learned from confirmations.")
    hubness: HubnessOptions = Field(default_factory=HubnessOptions, description="Corrections for hubs.")
    min_confidence: float | None = Field(
        None, ge=0, le=1, description="Fixed NIL threshold; by default calibrated at build."
    )


def first_fault(error: ValidationError) -> str:
    """The first option at fault and why, on one line; never the value that was given."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def read_config(path: Path, kind: type[_Config]) -> _Config:
    """What a TOML file describes. Raises: ConfigInvalid, with the option at fault."""
    try:
        return kind(**read_toml(path))
    except ValidationError as error:
        raise ConfigInvalid(f"{path.name}: {first_fault(error)}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds. Raises: ConfigInvalid if it is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"{path.name} is no TOML: {error}") from error
