"""The one flow that every pipeline is: prepare, encode, retrieve, correct, name, learn, rerank, decide."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, ParamSpec, Protocol, TypeVar

from models.arrays import Queries, Vectors
from models.hubness.base import HubnessCorrection
from models.indexes.base import Index
from pipelines.aggregation import Naming
from pipelines.deciding import Decider
from pipelines.encoding import TextEncoding
from pipelines.errors import CorrectionUnavailable
from pipelines.learning import Learner, NothingLearned
from pipelines.reranking import Reranking
from pipelines.results import Candidate, LinkedMention, Mention, Options, Request, Result
from pipelines.terminology import Terminology

_P = ParamSpec("_P")
_R = TypeVar("_R")
ROWS_PER_CANDIDATE: Final = 8
"""Rows retrieved for each candidate wanted: a concept has several terms."""
FETCHED: Final = 1000
"""Rows retrieved where they are corrected: a fused index cannot fold, and an exact top 10 needs as many (FINDINGS)."""

StageObserver = Callable[[str, float, int], None]
"""Called after each stage with its name, its seconds, and how many mentions (requests for prepare) it saw."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` makes of one request: its mentions, and the language it was read in."""

    mentions: Sequence[Mention]
    language: str | None = None


class Preparer(Protocol):
    """Requests in, mentions out; the domain's own step."""

    def prepare(self, requests: Sequence[Request]) -> list[Prepared]:
        """One Prepared per request, in order. Raises: InputInvalid with a pointer."""
        ...


class MentionEncoder(Protocol):
    """Mentions in, queries out."""

    def encode(self, mentions: Sequence[Mention]) -> Queries:
        """Texts, vectors and languages of the mentions, in order."""
        ...


class CandidateReranker(Protocol):
    """Candidates in, candidates out, re-scored and re-sorted."""

    def rerank(
        self, mentions: Sequence[Mention], queries: Queries, candidates: Sequence[list[Candidate]]
    ) -> list[list[Candidate]]:
        """The same candidates per mention, best first."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a build holds for a pipeline to be put together from.

    Attributes:
        index: dense and lexical rows of the terminology, fused.
        decider: calibrated on this terminology.
        corrections: hubness method → correction; "none" and "auto" at the least.
        learner: what use has taught.
        vectors: (rows, d) of the terminology's terms as they are indexed; None where they are not at hand.
        reranking: the re-ranker that was trained for this terminology, if there is one that won.
    """

    terminology: Terminology
    index: Index
    decider: Decider
    corrections: Mapping[str, HubnessCorrection]
    learner: Learner = field(default_factory=NothingLearned)
    vectors: Vectors | None = None
    reranking: Reranking | None = None


class OneMention:
    """The whole text is the mention."""

    def prepare(self, requests: Sequence[Request]) -> list[Prepared]:
        """One mention per request, as received."""
        return [Prepared([Mention(r.text, r.text, 0, len(r.text), r.language)], r.language) for r in requests]


class QueryText:
    """Encode the mention's query and nothing beside it."""

    def __init__(self, encoding: TextEncoding) -> None:
        self._encoding = encoding

    def encode(self, mentions: Sequence[Mention]) -> Queries:
        """The query vectors of the mentions."""
        texts, languages = [m.query for m in mentions], [m.language for m in mentions]
        return Queries(texts, self._encoding.encode(texts, languages), languages)


class Selector(Protocol):
    """Decided mentions in, those to answer with out; for pipelines that try more spans than they mean."""

    def select(self, prepared: Prepared, linked: list[LinkedMention]) -> list[LinkedMention]:
        """Some of one request's mentions, in order."""
        ...


class KeepAll:
    """Every mention is answered."""

    def select(self, prepared: Prepared, linked: list[LinkedMention]) -> list[LinkedMention]:
        """The mentions as they came."""
        return linked


class KeepOrder:
    """No re-ranking."""

    def rerank(
        self, mentions: Sequence[Mention], queries: Queries, candidates: Sequence[list[Candidate]]
    ) -> list[list[Candidate]]:
        """The candidates as they came."""
        return list(candidates)


class Pipeline:
    """The flow with its parts in place. Safe to call from several threads if its parts are.

    Args:
        name: registry name.
        preparer, encoder, index, naming, learner, reranker, decider: the steps, in order.
        corrections: hubness method → correction; "none" and "auto" are always there.
        rows: how many index rows are retrieved per mention.
        selector: which of the decided mentions are answered.
    """

    def __init__(
        self,
        name: str,
        *,
        preparer: Preparer,
        encoder: MentionEncoder,
        index: Index,
        corrections: Mapping[str, HubnessCorrection],
        naming: Naming,
        learner: Learner,
        reranker: CandidateReranker,
        decider: Decider,
        rows: int,
        selector: Selector | None = None,
    ) -> None:
        self.name = name
        self.observer: StageObserver = _observe_nothing
        self._preparer = preparer
        self._encoder = encoder
        self._index = index
        self._corrections = corrections
        self._naming = naming
        self._learner = learner
        self._reranker = reranker
        self._decider = decider
        self._rows = rows
        self._selector = selector or KeepAll()

    @property
    def hubness_methods(self) -> list[str]:
        """The corrections a request may ask for."""
        return sorted(self._corrections)

    def run(self, requests: Sequence[Request], *, hubness: str = "auto", merge: bool = True) -> list[Result]:
        """Name every text: one result per request, in order; an empty batch gives an empty list.

        Mentions that ask the same (query, language, context and options) are named once, unless `merge` is off: for a
        part that must see every mention in its turn.

        Raises: CorrectionUnavailable for a hubness method this build has no bank for; InputInvalid with a pointer.
        """
        correction = self._correction(hubness)
        prepared = self._stage("prepare", len(requests), self._preparer.prepare, requests)
        asked, which = _distinct(requests, prepared, merge=merge)
        mentions = [mention for mention, _ in asked]
        options = [wanted for _, wanted in asked]
        n = len(mentions)
        queries = self._stage("encode", n, self._encoder.encode, mentions)
        found = self._stage("retrieve", n, self._index.search, queries, k=self._rows_for(options, correction))
        found = self._stage("correct", n, correction.correct, queries, found)
        candidates = self._stage("name", n, self._naming.candidates, found, options=options, reach=self._learner.reach)
        candidates = self._stage("learn", n, self._learner.learn, queries, found, candidates, options)
        candidates = self._stage("rerank", n, self._reranker.rerank, mentions, queries, candidates)
        decisions = self._stage("decide", n, self._decider.decide, mentions, candidates, options)
        numbers = iter(which)
        linked = [[LinkedMention(mention, decisions[next(numbers)]) for mention in p.mentions] for p in prepared]
        return [Result(self._selector.select(p, some), p.language) for p, some in zip(prepared, linked, strict=True)]

    def queries(self, requests: Sequence[Request]) -> list[str]:
        """The text of each request's first mention as it is cleaned for search; "" where it has none."""
        return [p.mentions[0].query if p.mentions else "" for p in self._preparer.prepare(requests)]

    def encoded(self, requests: Sequence[Request]) -> Queries:
        """What each request's first mention is searched with. Every request must have one."""
        return self._encoder.encode([p.mentions[0] for p in self._preparer.prepare(requests)])

    def _rows_for(self, options: Sequence[Options], correction: HubnessCorrection) -> int:
        """Rows enough for the longest list of candidates asked for: concepts have several terms each.

        Where only some types may answer, most rows fall away after the search.
        """
        fetched = 0 if correction.method == "none" else FETCHED
        wanted = max((o.top_k for o in options), default=0) * ROWS_PER_CANDIDATE
        typed = self._rows * ROWS_PER_CANDIDATE if any(o.semantic_types for o in options) else 0
        return max(self._rows, fetched, wanted, typed)

    def _correction(self, method: str) -> HubnessCorrection:
        try:
            return self._corrections[method]
        except KeyError:
            raise CorrectionUnavailable(
                f"this build has no bank for hubness method {method!r}; it offers {', '.join(self.hubness_methods)}"
            ) from None

    def _stage(self, name: str, n: int, step: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        start = time.perf_counter()
        outcome = step(*args, **kwargs)
        self.observer(name, time.perf_counter() - start, n)
        return outcome


def _distinct(
    requests: Sequence[Request], prepared: Sequence[Prepared], *, merge: bool
) -> tuple[list[tuple[Mention, Options]], list[int]]:
    """The first of all mentions that ask the same, with its options, and for every mention which of those it equals."""
    places: dict[object, int] = {}
    asked: list[tuple[Mention, Options]] = []
    which: list[int] = []
    for request, p in zip(requests, prepared, strict=True):
        for mention in p.mentions:
            context = tuple(sorted(mention.context.items()))
            key = (mention.query, mention.spelled, mention.language, context, request.options)
            if key not in places or not merge:
                places[key] = len(asked)
                asked.append((mention, request.options))
            which.append(places[key])
    return asked, which


def _observe_nothing(stage: str, seconds: float, n: int) -> None:
    """Nobody is watching."""
