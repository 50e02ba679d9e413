"""Hubs of a terminology: banks to learn them from, corrections fitted on its rows, and whether `auto` turns one on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Queries, Vectors
from models.hubness.base import HubnessCorrection, NoCorrection
from models.hubness.fitted import Fitted
from models.hubness.normalizers import Bank
from pipelines.config import HubnessOptions
from pipelines.correcting import (
    NEIGHBOURS,
    HubnessReport,
    choice_of,
    fit_corrections,
    report_of,
    skewness_of,
)
from pipelines.errors import SourceError
from pipelines.flow import FETCHED, Parts, Pipeline
from pipelines.results import Options, Request
from pipelines.spec import CalibrationSet
from pipelines.tables import columns_of, read_rows
from pipelines.terminology import Terminology

_TEXT_COLUMNS: Final = ("text", "title")
_AT_ONCE: Final = 512
_TRIED: Final = 2000
"""Labelled texts that `auto` is chosen on. A guess."""
_MEASURED: Final = 1000
"""Bank queries that hubs are measured by. A guess."""


@dataclass(frozen=True)
class Hubs:
    """What was fitted.

    Attributes:
        corrections: method → correction, simplest first; empty without a bank.
        report: what `auto` is, and why.
    """

    corrections: Mapping[str, Fitted] = field(default_factory=dict)
    report: HubnessReport = field(default_factory=HubnessReport)

    def offered(self) -> dict[str, HubnessCorrection]:
        """What a request may ask for, "none" and "auto" among them."""
        known: dict[str, HubnessCorrection] = {"none": NoCorrection(), **self.corrections}
        return {**known, "auto": known[self.report.method]}


def read_bank(path: Path) -> list[Request]:
    """Unlabelled texts from a table: a column text or title, and language if there is one.

    Raises: SourceError for a missing column, or for the first row that cannot be read.
    """
    columns = columns_of(path)
    column = next((c for c in _TEXT_COLUMNS if c in columns), None)
    if column is None:
        raise SourceError(f"{path.name}: expected a column text (or title); it has: {', '.join(columns) or 'none'}")
    requests = []
    for row in read_rows(path):
        text = row.values.get(column)
        if row.fault is not None or not isinstance(text, str) or not text.strip():
            raise SourceError(row.fault or f"column {column}: expected a text", line=row.line)
        language = row.values.get("language")
        requests.append(_whole(text, str(language) if language else None))
    return requests


def fit_hubs(
    make: Callable[[Parts], Pipeline],
    parts: Parts,
    vectors: Vectors,
    *,
    encoder: str,
    options: HubnessOptions,
    queries: Sequence[Request] = (),
    labelled: CalibrationSet | None = None,
    on_progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Hubs:
    """Corrections for the rows of a terminology.

    Args:
        make: parts → the pipeline with them in place.
        parts: its index holds the rows.
        vectors: (rows, d) of the dense index.
        encoder: fingerprint of what made them.
        queries: the query bank: texts as they are asked, whose answers need not be known. By default a sample of the
            terms, each masked from its concept's rows, stands for them.
        labelled: texts with known concepts, by which `auto` is chosen; without them it is none.

    Raises: CorrectionUnavailable if `options` set a method for which there is no bank.
    """
    terminology, pipeline = parts.terminology, make(parts)
    rows = _sampled(terminology, options.bank)
    if not queries and not len(rows):
        choice = choice_of(options.method, {}, groups=None, offered=[])
        return Hubs(report=HubnessReport(method=choice.method, reason=choice.reason))
    on_progress("hubs", 0, 1)
    asked = list(queries) or [
        _whole(terminology.row_terms[r].text, terminology.row_terms[r].language) for r in rows.tolist()
    ]
    encoded = list(_encoded(pipeline, asked))
    bank = Bank(_vectors(encoded), _NO_PAIRS if queries else _own(terminology, rows))
    gallery = Bank(vectors[rows], _own(terminology, rows)) if len(rows) else None
    fitted = fit_corrections(vectors, bank, gallery, encoder=encoder, methods=options.methods, beta=options.beta)
    right, groups = _tried(make, parts, fitted, labelled) if labelled is not None else ({}, None)
    choice = choice_of(options.method, right, groups=groups, offered=list(fitted))
    before, after = _skewness(parts, encoded, fitted.get(choice.method))
    report = report_of(choice, bank=bank, gallery=gallery, before=before, after=after, measured_on="query bank")
    on_progress("hubs", 1, 1)
    return Hubs(fitted, report)


_NO_PAIRS: Final = np.zeros((0, 2), np.int64)


def _whole(text: str, language: str | None) -> Request:
    """A request whose whole text is the mention."""
    return Request(text, language, mentions=[(0, len(text))])


def _sampled(terminology: Terminology, size: int) -> NDArray[np.int64]:
    """Rows that stand for what is asked, or for what else might be found."""
    return np.sort(np.random.default_rng(0).permutation(terminology.rows)[:size]).astype(np.int64)


def _own(terminology: Terminology, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of each sampled row and every row of its concept: an item is no hub for being near to its own."""
    order = np.argsort(terminology.row_concepts, kind="stable")
    concepts = terminology.row_concepts[order]
    wanted = terminology.row_concepts[rows]
    starts, ends = np.searchsorted(concepts, wanted, "left"), np.searchsorted(concepts, wanted, "right")
    pairs = [(i, row) for i, (s, e) in enumerate(zip(starts, ends, strict=True)) for row in order[s:e].tolist()]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _encoded(pipeline: Pipeline, asked: Sequence[Request]) -> Iterator[Queries]:
    for start in range(0, len(asked), _AT_ONCE):
        yield pipeline.encoded(asked[start : start + _AT_ONCE])


def _vectors(encoded: Sequence[Queries]) -> Vectors:
    vectors: Vectors = np.concatenate([queries.vectors for queries in encoded])
    return vectors


def _tried(
    make: Callable[[Parts], Pipeline], parts: Parts, fitted: Mapping[str, Fitted], labelled: CalibrationSet
) -> tuple[dict[str, NDArray[np.bool_]], NDArray[np.int64] | None]:
    """Whether each labelled text's first candidate is right, by method; and what each text asks for."""
    known = parts.terminology.by_id
    chosen = [i for i, concept in enumerate(labelled.concepts) if concept in known]
    chosen = np.random.default_rng(0).permutation(chosen)[:_TRIED].astype(int).tolist()
    if not chosen or not fitted:
        return {}, None
    pipeline = make(replace(parts, corrections={"none": NoCorrection(), **fitted}))
    requests = [replace(_whole(labelled.texts[i], labelled.languages[i]), options=Options(top_k=1)) for i in chosen]
    gold = [labelled.concepts[i] for i in chosen]
    right = {method: _right(pipeline, requests, gold, method) for method in ("none", *fitted)}
    return right, np.array([known[concept] for concept in gold if concept is not None], np.int64)


def _right(
    pipeline: Pipeline, requests: Sequence[Request], gold: Sequence[str | None], method: str
) -> NDArray[np.bool_]:
    right = []
    for start in range(0, len(requests), _AT_ONCE):
        for result in pipeline.run(requests[start : start + _AT_ONCE], hubness=method):
            candidates = result.mentions[0].decision.candidates if result.mentions else ()
            right.append(candidates[0].concept_id if candidates else None)
    return np.array([found == wanted for found, wanted in zip(right, gold, strict=True)], np.bool_)


def _skewness(parts: Parts, encoded: Sequence[Queries], correction: Fitted | None) -> tuple[float, float]:
    """Of how often rows are among the ten nearest of the bank, without the correction and with it."""
    before, after, seen = [], [], 0
    # Without a correction nothing far away can come near.
    k = NEIGHBOURS if correction is None else FETCHED
    for queries in encoded:
        if seen >= _MEASURED:
            break
        seen += len(queries)
        found = parts.index.search(queries, k=k)
        before.append(found.ids[:, :NEIGHBOURS])
        if correction is not None:
            after.append(correction.correct(queries, found).ids[:, :NEIGHBOURS])
    size = parts.terminology.rows
    plain = skewness_of(np.concatenate(before), size=size)
    return plain, skewness_of(np.concatenate(after), size=size) if after else plain
