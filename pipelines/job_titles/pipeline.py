"""Which parts make the job titles pipeline."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.arrays import Queries, Vectors
from models.encoders.base import Encoder
from pipelines.aggregation import KernelVote, Naming
from pipelines.config import PipelineConfig
from pipelines.encoding import TextEncoding
from pipelines.flow import KeepOrder, Parts, Pipeline
from pipelines.job_titles.config import JobTitlesConfig
from pipelines.job_titles.prepare import TitlePreparer, held_back, not_titles
from pipelines.job_titles.skills import SkillFinder
from pipelines.results import Mention
from pipelines.spec import CalibrationSet
from pipelines.terminology import Terminology


def pipeline(config: PipelineConfig, parts: Parts, encoder: Encoder) -> Pipeline:
    """Clean the title, search terms densely and lexically, let an occupation's terms vote, decide."""
    if not isinstance(config, JobTitlesConfig):
        raise TypeError(f"job_titles takes a JobTitlesConfig, not {type(config).__name__}")
    return Pipeline(
        "job_titles",
        preparer=TitlePreparer(),
        encoder=TitleWithContext(
            TextEncoding(encoder, config.blocks),
            weights={"skills": config.skills_weight, "description": config.description_weight},
            agreement=(config.agreement_from, config.agreement_full),
            finder=SkillFinder(skill for concept in parts.terminology.concepts for skill in concept.skills),
        ),
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


class TitleWithContext:
    """The title's vector, moved towards its skills' and description's vectors where these agree with it.

    q = (title + w · context) / (1 + w) for each kind of context in turn, where w rises from 0 to the kind's weight as
    the cosine of title and context rises over `agreement`: skills that have nothing to do with the title move nothing.
    A title that names no occupation by itself ("intern") has only its context, which counts in full. Skills that a
    description names count as skills. Without context, the title's vector untouched.

    Args:
        weights: per kind of context, when it agrees fully.
        agreement: the cosines at which context begins to count, and counts in full.
        finder: of skills in descriptions.
    """

    def __init__(
        self,
        encoding: TextEncoding,
        *,
        weights: Mapping[str, float],
        agreement: tuple[float, float],
        finder: SkillFinder,
    ) -> None:
        self._encoding = encoding
        self._weights = weights
        self._agreement = agreement
        self._finder = finder

    def encode(self, mentions: Sequence[Mention]) -> Queries:
        """One query per mention; titles and contexts are encoded in one batch."""
        # "Intern" alone must not find an internist; its skills, if there are any, still say what the job is.
        texts = ["" if m.facts.get("bare") else row_text(m.query) for m in mentions]
        languages = [m.language for m in mentions]
        context = [
            (i, self._weights[kind], row_text(text))
            for i, m in enumerate(mentions)
            for kind, text in self._context(m).items()
            if self._weights.get(kind, 0) > 0
        ]
        encoded = self._encoding.encode(
            [*texts, *(text for _, _, text in context)], [*languages, *(languages[i] for i, _, _ in context)]
        )
        vectors: Vectors = encoded[: len(texts)].copy()
        vectors[[i for i, text in enumerate(texts) if not text]] = 0
        for (i, weight, _), vector in zip(context, encoded[len(texts) :], strict=True):
            w = weight * self._share(encoded[i], vector) if texts[i] else weight
            # Divided by 1 + w, so that a title and skills that agree score as the title alone would.
            vectors[i] = (vectors[i] + w * vector) / (1 + w)
        return Queries(texts, vectors, languages)

    def _context(self, mention: Mention) -> dict[str, str]:
        """The mention's context, the skills that its description names among its skills."""
        context = dict(mention.context)
        if found := self._finder.find(context.get("description", "")):
            context["skills"] = ", ".join([*filter(None, [context.get("skills")]), *found])
        return context

    def _share(self, title: NDArray[np.float32], context: NDArray[np.float32]) -> float:
        """How far context agrees with its title, from 0 to 1."""
        low, high = self._agreement
        lengths = float(np.linalg.norm(title) * np.linalg.norm(context))
        cosine = float(title @ context) / lengths if lengths else 0.0
        return min(max((cosine - low) / (high - low), 0.0), 1.0)


def row_text(text: str) -> str:
    """A term or a cleaned title as it is encoded: lower case, since titles' capitals follow taste and not meaning.

    Taxonomies are not cleaned: "intern" in one is meant.
    """
    return " ".join(text.lower().split())


def calibration(terminology: Terminology, size: int, seed: int) -> CalibrationSet:
    """Texts made from the terminology: terms held out, terms left in, and texts that name nothing.

    Of `size`, 65 % are terms whose own row is hidden (as a title that the terminology has not seen), 15 % terms left in
    (titles as published do occur) and 20 % texts that are no title. A guess at traffic.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(terminology.rows)[: int(size * 0.8)]
    siblings = terminology.row_counts[terminology.row_concepts[rows]] > 1
    hidden = (rng.random(len(rows)) < 0.65 / 0.8) & siblings
    bank = [text for text in not_titles() if held_back(text)]
    others = [bank[i] for i in rng.permutation(len(bank))[: max(len(rows) // 4, 1)]]
    return CalibrationSet(
        texts=[*(terminology.row_terms[r].text for r in rows), *others],
        languages=[*(terminology.row_terms[r].language for r in rows), *([None] * len(others))],
        concepts=[*(terminology.concepts[terminology.row_concepts[r]].id for r in rows), *([None] * len(others))],
        held_out=[*np.where(hidden, rows, -1).tolist(), *([-1] * len(others))],
    )
