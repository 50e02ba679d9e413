"""The nouns that flow: what is asked for, what is offered, what is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

NIL: Final = None
"""The concept id of "nothing fits"."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a request may ask of any pipeline.

    Attributes:
        top_k: candidates listed per mention, 1..100.
        min_confidence: below it the decision is NIL; None takes the threshold calibrated at build.
        semantic_types: only concepts of these types may answer; empty means any.
        backoff: answer with a broader concept when no specific one is sure enough.
    """

    top_k: int = 5
    min_confidence: float | None = None
    semantic_types: frozenset[str] = frozenset()
    backoff: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One text to be named, with what is known about it.

    Attributes:
        text: as received.
        language: BCP 47, or None where unknown.
        skills: what else the caller knows of a job; empty for other pipelines.
        description: longer text around it; None if there is none.
        mentions: (start, end) code point offsets to be linked, or None to find them.
    """

    text: str
    language: str | None = None
    skills: Sequence[str] = ()
    description: str | None = None
    mentions: Sequence[tuple[int, int]] | None = None
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True)
class Mention:
    """The span being named.

    Attributes:
        text: as it stands in the request.
        query: what is encoded and searched: the text cleaned.
        start, end: code point offsets in the request's text, end exclusive.
        language: BCP 47 or None.
        context: text that may take part in the query beside it: kind ("skills", "description") → text.
        facts: what `prepare` found out: seniority, negation; the pipeline's own keys.
        spelled: the text cleaned, where `query` is another form of it, such as the alias that it inflects; else "".
    """

    text: str
    query: str
    start: int
    end: int
    language: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    spelled: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A concept offered for a mention, with the score at every stage: its own explanation.

    Attributes:
        concept: index of the concept in its terminology.
        concept_id: CURIE or URI.
        name: preferred term.
        term: the term that matched best, and its language.
        score: ranks; comparable within one result only.
        scores: by stage: dense, lexical, corrected, demand, confirmed, rerank.
        support: how many terms of the concept were found.
        confidence: calibrated probability in [0, 1] that the concept is right; 0 before `decide`.
        terminology: the name of the one it stands in.
    """

    concept: int
    concept_id: str
    name: str
    term: str
    term_language: str | None
    score: float
    scores: Mapping[str, float]
    support: int = 1
    codes: Mapping[str, str] = field(default_factory=dict)
    semantic_types: Sequence[str] = ()
    confidence: float = 0.0
    explanation: str = ""
    terminology: str = ""

    def with_score(self, score: float, scores: Mapping[str, float]) -> "Candidate":
        """The same candidate, scored anew; its explanation says by what."""
        moved = ", ".join(f"{stage} {scores[stage]:+.2f}" for stage in scores if stage not in self.scores)
        return Candidate(
            self.concept,
            self.concept_id,
            self.name,
            self.term,
            self.term_language,
            score,
            scores,
            self.support,
            self.codes,
            self.semantic_types,
            self.confidence,
            f"{self.explanation}; {moved}" if moved else self.explanation,
            self.terminology,
        )

    def with_confidence(self, confidence: float) -> "Candidate":
        """The same candidate, this sure."""
        # `dataclasses.replace` costs eight times as much, and this runs for every candidate of every request.
        return Candidate(
            self.concept,
            self.concept_id,
            self.name,
            self.term,
            self.term_language,
            self.score,
            self.scores,
            self.support,
            self.codes,
            self.semantic_types,
            confidence,
            self.explanation,
            self.terminology,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The concept chosen, or NIL, and how sure that is.

    Attributes:
        concept_id: None is NIL.
        confidence: of the concept chosen; where NIL, of the best candidate refused (0 if there was none).
        notes: what the caller should know: "below min_confidence", "broader", a degraded stage.
        candidates: best first, at most `top_k`.
        terminology: whose concept it is, where several were asked; None where one was.
    """

    concept_id: str | None
    name: str | None
    confidence: float
    candidates: Sequence[Candidate]
    notes: Sequence[str] = ()
    terminology: str | None = None

    @property
    def chosen(self) -> Candidate | None:
        """The candidate decided for; None where NIL, and for a broader concept that was no candidate."""
        return next(
            (
                c
                for c in self.candidates
                if c.concept_id == self.concept_id and self.terminology in {None, c.terminology}
            ),
            None,
        )

    @property
    def source(self) -> str | None:
        """The terminology of the concept decided for; None where NIL."""
        if self.nil or self.terminology is not None:
            return self.terminology
        return self.candidates[0].terminology if self.candidates else None

    @property
    def nil(self) -> bool:
        """Whether nothing fits."""
        return self.concept_id is NIL


@dataclass(frozen=True, slots=True)
class LinkedMention:
    """A mention and what was decided for it."""

    mention: Mention
    decision: Decision


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one request: its mentions in order of appearance, each with its decision."""

    mentions: Sequence[LinkedMention]
    language: str | None = None
