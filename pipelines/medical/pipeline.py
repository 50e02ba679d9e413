"""Which parts make the medical pipeline."""

from collections.abc import Sequence

import numpy as np
import unicodedata2 as unicodedata

from models.arrays import Queries, Vectors
from models.encoders.base import Encoder
from pipelines.aggregation import KernelVote, Naming
from pipelines.config import PipelineConfig
from pipelines.encoding import TextEncoding
from pipelines.flow import ROWS_PER_CANDIDATE, Parts, Pipeline
from pipelines.medical.chunks import NounChunks
from pipelines.medical.config import MedicalConfig
from pipelines.medical.context import function_words, modifiers, variants
from pipelines.medical.dictionary import Dictionary
from pipelines.medical.guesses import Guesser
from pipelines.medical.prepare import MedicalPreparer, query_of
from pipelines.medical.reranking import reranker, window_of
from pipelines.medical.selection import BestSpans
from pipelines.results import Mention
from pipelines.spec import CalibrationSet
from pipelines.terminology import Terminology


def pipeline(config: PipelineConfig, parts: Parts, encoder: Encoder) -> Pipeline:
    """Find mentions, search every alias densely and lexically, let a concept's aliases vote, decide, select spans."""
    if not isinstance(config, MedicalConfig):
        raise TypeError(f"medical takes a MedicalConfig, not {type(config).__name__}")
    dictionary = Dictionary(
        parts.terminology, function_words=function_words(), modifiers=modifiers(), variants=variants()
    )
    return Pipeline(
        "medical",
        preparer=MedicalPreparer(
            dictionary,
            Guesser(parts.terminology, dictionary, alike=config.alike),
            guesses=config.guesses,
            foreign_guesses=config.foreign_guesses,
            window=window_of(parts.reranking),
            chunks=NounChunks() if config.chunks else None,
        ),
        encoder=KnownMentions(
            TextEncoding(encoder, config.blocks),
            terminology=parts.terminology,
            vectors=parts.vectors if config.symmetric and "+" not in config.encoder else None,
        ),
        index=parts.index,
        corrections=parts.corrections,
        naming=Naming(
            parts.terminology,
            aggregation=KernelVote(config.temperature, config.length_penalty),
            limit=config.candidates,
        ),
        learner=parts.learner,
        reranker=reranker(parts.reranking, parts.terminology),
        decider=parts.decider,
        rows=config.rows if parts.reranking is None else max(config.rows, config.candidates * ROWS_PER_CANDIDATE),
        selector=BestSpans(sure=config.sure, foreign_sure=config.foreign_sure),
    )


class KnownMentions:
    """The mention's text encoded; one that is spelled as an alias has the alias's vector already.

    Args:
        encoding: for all others.
        terminology: whose rows the vectors are.
        vectors: (rows, d), encoded as mentions are; None encodes everything.
    """

    def __init__(self, encoding: TextEncoding, *, terminology: Terminology, vectors: Vectors | None) -> None:
        self._encoding = encoding
        self._vectors = vectors
        self._rows: dict[str, int] = {}
        if vectors is not None:
            for row, term in enumerate(terminology.row_terms):
                self._rows.setdefault(row_text(term.text), row)

    def encode(self, mentions: Sequence[Mention]) -> Queries:
        """One query per mention; the vector of an empty one is zero."""
        texts = [row_text(mention.query) for mention in mentions]
        languages = [mention.language for mention in mentions]
        rows = [self._rows.get(text, -1) for text in texts]
        new = [i for i, row in enumerate(rows) if row < 0]
        encoded = self._encoding.encode([texts[i] for i in new], [languages[i] for i in new])
        vectors: Vectors = np.zeros((len(texts), encoded.shape[1]), np.float32)
        vectors[new] = encoded
        if self._vectors is not None:
            known = [i for i, row in enumerate(rows) if row >= 0]
            vectors[known] = self._vectors[[rows[i] for i in known]]
        vectors[[i for i, text in enumerate(texts) if not text]] = 0
        return Queries(texts, vectors, languages)


def row_text(text: str) -> str:
    """An alias or a mention as it is encoded: lower case, since notes' capitals follow taste and not meaning.

    However it is composed: full-width letters and marks apart from theirs are the same text, and Turkish "İ" is "i".
    """
    composed: str = unicodedata.normalize("NFKC", query_of(text))
    return composed.lower().replace("i\u0307", "i")


def calibration(terminology: Terminology, size: int, seed: int) -> CalibrationSet:
    """Aliases of the terminology as mentions: their own row hidden, or left in, and words of aliases at random.

    Of `size`, 45 % are aliases whose own row is hidden (as a name the terminology has not), 30 % aliases left in (most
    mentions are spelled as some alias) and 25 % two or three words of as many aliases, which together name nothing.
    A guess at what clinical texts hold.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(terminology.rows)[: int(size * 0.75)]
    siblings = terminology.row_counts[terminology.row_concepts[rows]] > 1
    hidden = (rng.random(len(rows)) < 0.6) & siblings
    others = _mixed(terminology, max(len(rows) // 3, 1), rng)
    return CalibrationSet(
        texts=[*(terminology.row_terms[r].text for r in rows), *(text for text, _ in others)],
        languages=[*(terminology.row_terms[r].language for r in rows), *(language for _, language in others)],
        concepts=[*(terminology.concepts[terminology.row_concepts[r]].id for r in rows), *([None] * len(others))],
        held_out=[*np.where(hidden, rows, -1).tolist(), *([-1] * len(others))],
    )


def _mixed(terminology: Terminology, size: int, rng: np.random.Generator) -> list[tuple[str, str | None]]:
    """Texts of words drawn from aliases of one language, and their language."""
    by_language: dict[str | None, list[str]] = {}
    for term in terminology.row_terms:
        by_language.setdefault(term.language, []).extend(term.text.split())
    languages = [terminology.row_terms[r].language for r in rng.integers(0, terminology.rows, size)]
    texts = []
    for tag in languages:
        words = by_language[tag]
        texts.append((" ".join(words[i] for i in rng.integers(0, len(words), rng.integers(1, 4))), tag))
    return texts
