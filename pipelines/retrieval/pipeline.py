"""Which parts make the retrieval pipeline: none but the flow's own."""

import numpy as np

from models.encoders.base import Encoder
from pipelines.aggregation import KernelVote, Naming
from pipelines.config import PipelineConfig
from pipelines.encoding import TextEncoding
from pipelines.flow import KeepOrder, OneMention, Parts, Pipeline, QueryText
from pipelines.spec import CalibrationSet
from pipelines.terminology import Terminology


def pipeline(config: PipelineConfig, parts: Parts, encoder: Encoder) -> Pipeline:
    """Search the terms with the text as it is, correct for hubs, let a concept's terms vote, decide."""
    return Pipeline(
        "retrieval",
        preparer=OneMention(),
        encoder=QueryText(TextEncoding(encoder, config.blocks)),
        index=parts.index,
        corrections=parts.corrections,
        naming=Naming(
            parts.terminology,
            aggregation=KernelVote(config.temperature, config.length_penalty),
            limit=config.candidates,
        ),
        learner=parts.learner,
        reranker=KeepOrder(),
        decider=parts.decider,
        rows=config.rows,
    )


def row_text(text: str) -> str:
    """A term as it is encoded: as it stands, on one line."""
    return " ".join(text.split())


def calibration(terminology: Terminology, size: int, seed: int) -> CalibrationSet:
    """Terms whose own row is hidden (65 %), terms left in (15 %), and terms torn into halves of two others (20 %).

    A guess at traffic: nothing is known of what will be asked. Halves of two terms read like names and name nothing.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(terminology.rows)[: int(size * 0.8)]
    siblings = terminology.row_counts[terminology.row_concepts[rows]] > 1
    hidden = (rng.random(len(rows)) < 0.65 / 0.8) & siblings
    others = _torn(terminology, rng, max(len(rows) // 4, 1))
    return CalibrationSet(
        texts=[*(terminology.row_terms[r].text for r in rows), *others],
        languages=[*(terminology.row_terms[r].language for r in rows), *([None] * len(others))],
        concepts=[*(terminology.concepts[terminology.row_concepts[r]].id for r in rows), *([None] * len(others))],
        held_out=[*np.where(hidden, rows, -1).tolist(), *([-1] * len(others))],
    )


def _torn(terminology: Terminology, rng: np.random.Generator, n: int) -> list[str]:
    """The first half of one term and the second of another."""
    pairs = rng.integers(0, terminology.rows, (n, 2)).tolist()
    halves = [(terminology.row_terms[a].text, terminology.row_terms[b].text) for a, b in pairs]
    return [f"{one[: len(one) // 2]}{other[len(other) // 2 :]}" for one, other in halves]
