"""A cross-encoder on top of weighed evidence: questions out of mentions, a verdict on documents held out, ONNX."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.rerankers.listwise import Floats
from pipelines.errors import ConfigInvalid
from pipelines.medical.judging import Verdict, judge
from pipelines.medical.material import Examples
from pipelines.medical.reranking import Reading, best_rows, candidate_text, in_doubt, question_text
from pipelines.terminology import Terminology

Progress = Callable[[str, int, int], None]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReadingConfig(_Strict):
    """When it reads, in training as in serving."""

    candidates: int = Field(12, ge=2, le=64, description="The best few (guess; 64 fits 16 GB with `together = 1`).")
    doubt: float = Field(0.9, gt=0, le=1, description="Reads where the best two are nearer than this (guess).")
    window: int = Field(48, ge=0, le=1000, description="Characters of context either side (guess).")


class CrossConfig(_Strict):
    """A cross-encoder; defaults as models/training/cross_encoder.py has them."""

    base: str = Field("e5-small", description="The encoder it starts from: a known name, a folder or a hub id.")
    reading: ReadingConfig = Field(default_factory=ReadingConfig)
    layers: int = Field(4, ge=1, le=48)
    max_tokens: int = Field(64, ge=8, le=512)
    rank: int = Field(8, ge=0, le=256, description="Of the factors inside its layers; 0: whole matrices.")
    alpha: float = Field(16.0, gt=0, description="Counts alpha / rank.")
    weights: str = Field(
        r"encoder\.layer\..*(query|key|value|dense)\.weight", description="Which weights: word tables stay."
    )
    epochs: int = Field(3, ge=1)
    learning_rate: float = Field(5e-4, gt=0)
    head_learning_rate: float = Field(3e-3, gt=0)
    rank_regularization: float = Field(0.1, ge=0, description="λ; xMEN's is 1.")
    accumulate: int = Field(16, ge=1)
    together: int = Field(4, ge=1)
    evaluate_every: int = Field(20, ge=1)
    patience: int = Field(4, ge=0)
    device: str = "auto"
    variant: str = Field("fp32", pattern="^(fp32|int8)$", description="How it is served.")


@dataclass(frozen=True, slots=True)
class Crossed:
    """What came of it.

    Attributes:
        folder: to be served from: graph, tokenizer, description.
        report: for the card.
    """

    folder: Path
    reading: Reading
    verdict: Verdict
    report: dict[str, Any]


def train_cross(
    config: CrossConfig,
    terminology: Terminology,
    examples: Examples,
    logits: Floats,
    *,
    teaching: NDArray[np.bool_],
    stopping: NDArray[np.bool_],
    judging: NDArray[np.bool_],
    seed: int,
    work: Path,
    resume: bool,
    on_progress: Progress = lambda stage, done, total: None,
) -> Crossed:
    """Train on some mentions, stop by others, judge by yet others; as it will be served.

    Args:
        logits: (n, k + 1) by what was learned of other documents.

    Raises: ConfigInvalid where one of the three has no mention in doubt; TrainingError.
    """
    from models.rerankers.cross_encoder import CrossEncoder
    from models.training.adapters import AdapterShape
    from models.training.bases import open_base
    from models.training.cross_encoder import CrossEncoderOptions, train
    from models.training.cross_export import export

    reading = Reading(**config.reading.model_dump())
    asked = questions(examples, logits, terminology, reading)
    parts = [[q for i, q in asked if which[i]] for which in (teaching, stopping)]
    judged = [(i, q) for i, q in asked if judging[i]]
    if not all([*parts, judged]):
        raise ConfigInvalid("too few mentions are in doubt for a cross-encoder to learn from: leave [cross] out")
    names = ("layers", "max_tokens", "epochs", "learning_rate", "head_learning_rate", "rank_regularization")
    names += ("accumulate", "together", "evaluate_every", "patience", "device")  # type: ignore[assignment]
    options = CrossEncoderOptions(**{name: getattr(config, name) for name in names}, seed=seed)
    folder = work / "served"
    with tempfile.TemporaryDirectory(prefix="cognomen-cross-") as scratch:
        base = open_base(config.base, scratch=Path(scratch), max_tokens=config.max_tokens)
        tokenizer = base.model.tokenizer.backend_tokenizer
        trained = train(
            base.network,
            tokenizer,
            parts[0],
            parts[1],
            shape=AdapterShape(config.rank, config.alpha, config.weights),
            options=options,
            folder=work,
            resume=resume,
            on_progress=on_progress,
        )
        export(trained.scorer, tokenizer, folder, base=base.weights, options=options, variant=config.variant)
    residuals = CrossEncoder(folder).logits([q.query for _, q in judged], [[*q.documents, ""] for _, q in judged])
    before = np.array([q.right[:-1][0] for _, q in judged])
    after = np.array([q.right[int((q.prior + r)[:-1].argmax())] for (_, q), r in zip(judged, residuals, strict=True)])
    verdict = judge(before, after, [examples.documents[i] for i, _ in judged])
    report = verdict.to_json() | {
        "base": config.base,
        "in doubt": round(len(asked) / max(len(examples), 1), 4),
        "looks": trained.history,
        "best step": f"{trained.best_step} of {trained.steps}",
    }
    return Crossed(folder, reading, verdict, report)


def questions(examples: Examples, logits: Floats, terminology: Terminology, reading: Reading) -> list[tuple[int, Any]]:
    """The mentions in doubt, by number, each with its best candidates as a cross-encoder reads them."""
    from models.training.cross_encoder import Question

    found = []
    for i, row in enumerate(logits):
        if not in_doubt(row, reading.doubt):
            continue
        best = best_rows(row, reading.candidates)
        candidates = [examples.candidates[i][k] for k in best]
        right = np.array([c.concept_id in examples.right[i] for c in candidates])
        documents = [candidate_text(terminology.concepts[c.concept], c) for c in candidates]
        prior = row[[*best, -1]].astype(np.float32)
        found.append(
            (i, Question(question_text(examples.mentions[i]), documents, prior, np.append(right, not right.any())))
        )
    return found
