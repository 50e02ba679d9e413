"""What a re-ranker learns from: annotated mentions with the candidates a build offers, and aliases as if mentioned."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores, Vectors
from models.indexes.base import Index
from pipelines.build import Build
from pipelines.flow import Pipeline
from pipelines.learning import Learner
from pipelines.medical.corpora import AnnotatedDocument, Annotation
from pipelines.medical.pipeline import row_text
from pipelines.medical.reranking import around
from pipelines.results import Candidate, Mention, Options, Request
from pipelines.spec import PipelineSpec
from pipelines.terminology import Terminology

_AT_ONCE: Final = 256

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Examples:
    """Mentions with their candidates and what is right, in order.

    Attributes:
        right: the ids that are right for each; empty is NIL.
        documents: the document each is from; for an alias its concept.
    """

    mentions: Sequence[Mention]
    vectors: Vectors
    candidates: Sequence[list[Candidate]]
    right: Sequence[frozenset[str]]
    documents: Sequence[str]

    def __len__(self) -> int:
        """The number of mentions."""
        return len(self.mentions)

    @property
    def queries(self) -> Queries:
        """As the flow hands them to a re-ranker."""
        return Queries([m.query for m in self.mentions], self.vectors, [m.language for m in self.mentions])

    def folds(self, number: int) -> NDArray[np.int64]:
        """(n,) which part each falls in, by its document's checksum: a document never falls apart."""
        return np.array([zlib.crc32(name.encode()) % number for name in self.documents], np.int64)

    def hits(self, *, limit: int) -> NDArray[np.bool_]:
        """(n, k) which candidates are right, among the first `limit`."""
        width = min(max(map(len, self.candidates), default=0), limit)
        found = np.zeros((len(self), width), bool)
        for i, (some, right) in enumerate(zip(self.candidates, self.right, strict=True)):
            found[i, : len(some)] = [c.concept_id in right for c in some[:width]]
        return found

    def where(self, chosen: NDArray[np.bool_]) -> "Examples":
        """Some of them."""
        rows = np.flatnonzero(chosen).tolist()
        return Examples(
            [self.mentions[i] for i in rows],
            self.vectors[rows],
            [self.candidates[i] for i in rows],
            [self.right[i] for i in rows],
            [self.documents[i] for i in rows],
        )


def annotated(
    spec: PipelineSpec,
    built: Build,
    documents: Sequence[AnnotatedDocument],
    *,
    language: str | None,
    window: int = 0,
    on_progress: Progress = lambda stage, done, total: None,
) -> Examples:
    """The annotations of documents, each with the candidates that retrieval offers for it.

    Args:
        language: of documents that do not say; None guesses.
        window: characters of context that each mention is given, either side.
    """
    recorder = _Recorder(built.parts.learner)
    pipeline = _retrieval(spec, built, recorder, built.parts.index)
    options = Options(top_k=built.config.candidates)
    known = built.terminology
    mentions: list[Mention] = []
    right: list[frozenset[str]] = []
    names: list[str] = []
    for start in range(0, len(documents), _AT_ONCE):
        some = documents[start : start + _AT_ONCE]
        requests = [
            Request(d.text, d.language or language, mentions=[(a.start, a.end) for a in d.annotations], options=options)
            for d in some
        ]
        for document, result in zip(some, pipeline.run(requests, merge=False), strict=True):
            found = [linked.mention for linked in result.mentions]
            mentions += [replace(m, context=around(document.text, m.start, m.end, window)) for m in found]
            right += [frozenset(map(known.current, a.concept_ids)) for a in document.annotations]
            names += [document.id] * len(document.annotations)
        on_progress("retrieve", min(start + _AT_ONCE, len(documents)), len(documents))
    return Examples(mentions, recorder.vectors, recorder.candidates, right, names)


def with_unmarked(
    documents: Sequence[AnnotatedDocument], built: Build, *, language: str | None
) -> list[AnnotatedDocument]:
    """Documents whose annotations, after those that people made, are the spans found beside them: these are NIL.

    A span that shares a character with what somebody marked is left out: it may be the same finding, cut otherwise.
    """
    found = []
    for start in range(0, len(documents), _AT_ONCE):
        some = documents[start : start + _AT_ONCE]
        results = built.pipeline.run([Request(d.text, d.language or language) for d in some])
        for document, result in zip(some, results, strict=True):
            marked = {place for a in document.annotations for place in range(a.start, a.end)}
            spans = [(linked.mention.start, linked.mention.end) for linked in result.mentions]
            beside = tuple(Annotation(a, b, frozenset()) for a, b in spans if marked.isdisjoint(range(a, b)))
            found.append(replace(document, annotations=(*document.annotations, *beside)))
    return found


def aliases(
    spec: PipelineSpec,
    built: Build,
    *,
    size: int,
    cross_lingual: float,
    seed: int,
    on_progress: Progress = lambda stage, done, total: None,
) -> Examples:
    """Aliases of the terminology as mentions that it does not have: each is left out of the index for its own search.

    Args:
        size: how many, at most; one concept gives one.
        cross_lingual: share for which all aliases of the alias's language are left out, where others remain.
    """
    terminology = built.terminology
    rng = np.random.default_rng(seed)
    rows = _one_each(terminology, size, rng)
    hiding = _HidingOwn(built.parts.index, _left_out(terminology, rows, rng.random(len(rows)) < cross_lingual))
    recorder = _Recorder(built.parts.learner)
    pipeline = _retrieval(spec, built, recorder, hiding)
    mentions: list[Mention] = []
    for start in range(0, len(rows), _AT_ONCE):
        hiding.offset = start
        terms = [terminology.row_terms[row] for row in rows[start : start + _AT_ONCE]]
        options = Options(top_k=built.config.candidates)
        requests = [Request(t.text, t.language, mentions=[(0, len(t.text))], options=options) for t in terms]
        mentions += [result.mentions[0].mention for result in pipeline.run(requests, merge=False)]
        on_progress("aliases", min(start + _AT_ONCE, len(rows)), len(rows))
    ids = [terminology.concepts[c].id for c in terminology.row_concepts[rows]]
    return Examples(mentions, recorder.vectors, recorder.candidates, [frozenset([i]) for i in ids], ids)


def _retrieval(spec: PipelineSpec, built: Build, recorder: "_Recorder", index: Index) -> Pipeline:
    """The build's pipeline without a re-ranker, its candidates written down."""
    parts = replace(built.parts, index=index, learner=recorder, reranking=None)
    return spec.pipeline(built.config, parts, built.query_encoder)


def _one_each(terminology: Terminology, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A random row of each of `size` concepts that have several."""
    rows = rng.permutation(terminology.rows)
    rows = rows[terminology.row_counts[terminology.row_concepts[rows]] > 1]
    _, first = np.unique(terminology.row_concepts[rows], return_index=True)
    return rows[np.sort(first)[:size]]


def _left_out(terminology: Terminology, rows: NDArray[np.int64], foreign: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """For each row those of its concept that are spelled alike and, where `foreign`, those of its language."""
    order = np.argsort(terminology.row_concepts, kind="stable")
    starts = np.concatenate([[0], np.cumsum(terminology.row_counts)])
    found = []
    for row, far in zip(rows.tolist(), foreign.tolist(), strict=True):
        concept = terminology.row_concepts[row]
        own = order[starts[concept] : starts[concept + 1]]
        term = terminology.row_terms[row]
        text = row_text(term.text)
        alike = [r for r in own if row_text(terminology.row_terms[r].text) == text]
        spoken = [r for r in own if terminology.row_terms[r].language == term.language or r in alike]
        found.append(np.array(spoken if far and len(spoken) < len(own) else alike, np.int64))
    return found


class _HidingOwn:
    """An index that hides from query i rows of its own. `offset`: the number of a batch's first query."""

    def __init__(self, index: Index, hidden: Sequence[NDArray[np.int64]]) -> None:
        self._index = index
        self._hidden = hidden
        self.offset = 0

    @property
    def size(self) -> int:
        """The number of rows, hidden ones included."""
        return self._index.size

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k best rows, less the hidden ones among them."""
        found = self._index.search(queries, k=k)
        own = self._hidden[self.offset : self.offset + len(queries)]
        hidden = np.array([np.isin(ids, rows) for ids, rows in zip(found.ids, own, strict=True)])
        scores = np.where(hidden, -np.inf, found.scores).astype(np.float32)
        return replace(found, scores=scores, ids=np.where(hidden, EMPTY, found.ids)).sorted()

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """As the index scores them."""
        return self._index.score(queries, rows)


class _Recorder:
    """A learner that writes down the queries and what another learner makes of the candidates."""

    def __init__(self, learner: Learner) -> None:
        self.reach = learner.reach
        self.candidates: list[list[Candidate]] = []
        self._learner = learner
        self._vectors: list[Vectors] = []

    @property
    def vectors(self) -> Vectors:
        """(n, d) of all queries so far."""
        found: Vectors = np.concatenate(self._vectors)
        return found

    def learn(
        self,
        queries: Queries,
        found: Neighbours,
        candidates: Sequence[list[Candidate]],
        options: Sequence[Options],
    ) -> list[list[Candidate]]:
        """The candidates as the other has them."""
        learned = self._learner.learn(queries, found, candidates, options)
        self.candidates += learned
        self._vectors.append(queries.vectors)
        return learned


def joined(examples: Sequence[Examples]) -> Examples:
    """Several as one."""
    return Examples(
        [m for e in examples for m in e.mentions],
        np.concatenate([e.vectors for e in examples]),
        [c for e in examples for c in e.candidates],
        [r for e in examples for r in e.right],
        [d for e in examples for d in e.documents],
    )
