"""HDER: the document as a tree, and where in it a parameter is looked for first.

Hierarchical document-enhanced retrieval (D2S-FLOW, Chen et al. 2025), as far as it is published: for a parameter a
primary and some supplementary sections are predicted, searched first, and only a miss widens the search to the rest.
Differs from the paper: the prediction is a table of rules here, so that it costs nothing and can be read.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.datasheets.page import Document
from pipelines.datasheets.rows import ParameterRow
from pipelines.datasheets.sections import Kind, sections


@dataclass(frozen=True, slots=True)
class TableNode:
    """A table: its title, the heading within it, and its rows."""

    title: str
    group: str | None
    page: int
    rows: tuple[ParameterRow, ...]


@dataclass(frozen=True, slots=True)
class SectionNode:
    """A section: its kind, its title, and its tables."""

    kind: Kind
    title: str
    page: int
    tables: tuple[TableNode, ...]

    @property
    def rows(self) -> list[ParameterRow]:
        """The rows of all its tables."""
        return [row for table in self.tables for row in table.rows]


@dataclass(frozen=True, slots=True)
class DocumentTree:
    """Document → section → table → row."""

    document_id: str
    sections: tuple[SectionNode, ...]

    def rows(self, kinds: Sequence[Kind] | None = None) -> list[ParameterRow]:
        """The rows of sections of these kinds, or of all, in reading order."""
        return [row for node in self.sections if kinds is None or node.kind in kinds for row in node.rows]


@dataclass(frozen=True, slots=True)
class Prediction:
    """Where a parameter is looked for.

    Attributes:
        primary: kinds of sections searched first.
        supplementary: searched next.
    """

    primary: tuple[Kind, ...]
    supplementary: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """What a search found.

    Attributes:
        rows: that matched, best first where the matcher scores them.
        stage: "primary", "supplementary", "widened" or "missed".
        rows_seen: how many rows the matcher looked at: the cost that focusing saves.
    """

    rows: tuple[ParameterRow, ...]
    stage: str
    rows_seen: int


_ELECTRICAL: Final[tuple[Kind, ...]] = ("electrical", "static", "dynamic", "switching", "diode", "recommended")
_RULES: Final[tuple[tuple[str, tuple[Kind, ...], tuple[Kind, ...]], ...]] = (
    (r"thermal|r_?th|junction to (?:case|ambient)|θ|theta", ("thermal",), ("ratings", "features")),
    (r"dissipation|\bp_?(?:d|tot)\b|derat", ("thermal", "ratings"), ("electrical",)),
    (r"storage|junction temp|operating temp|\bt_?(?:j|stg|a)\b|solder", ("ratings", "thermal"), ("recommended",)),
    (r"breakdown|threshold|cut-?off|saturation|on[ -](?:state )?resist|current gain|\bh_?fe\b|leakage|reverse current|"
     r"forward voltage|offset|bias current", ("static", "electrical", "diode"), ("dynamic", "typical", "features")),
    (r"capacitance|\bc_?(?:iss|oss|rss|ob|ib|j|t|d)|gate charge|\bq_?(?:g|gs|gd|rr)\b|transition|bandwidth|noise|slew|"
     r"transconduct|\bg_?fs\b|\bf_?t\b", ("dynamic", "electrical"), ("static", "switching", "typical")),
    (r"delay|rise time|fall time|storage time|recovery|turn-?o|\bt_?(?:d|r|f|s|rr|on|off)\b",
     ("switching", "dynamic", "electrical"), ("diode", "static", "typical")),
    (r"surge|repetitive peak|\bi_?(?:fsm|frm|dm|cm)\b|\bv_?(?:rrm|ceo|cbo|ebo|dss|gss|dgr|dg|r)\b|maximum rating|"
     r"continuous|peak reverse|average (?:forward|rectified)|isolation",
     ("ratings",), ("electrical", "static", "features")),
)  # fmt: skip
_PATTERNS: Final = tuple((re.compile(p, re.IGNORECASE), primary, more) for p, primary, more in _RULES)


def tree(document: Document, rows: Sequence[ParameterRow]) -> DocumentTree:
    """The tree of a document: sections in reading order, those without rows included."""
    nodes = []
    heads = sections(document)
    starts = [(s.kind, s.title, s.page) for s in heads]
    known = list(dict.fromkeys([*starts, *((r.section, r.section_title, r.page) for r in rows if not r.section_title)]))
    taken: set[int] = set()
    for kind, title, page in known:
        own = [i for i, r in enumerate(rows) if i not in taken and (r.section, r.section_title) == (kind, title)]
        own = [i for i in own if rows[i].page >= page]
        taken.update(own)
        nodes.append(SectionNode(kind, title, page, _tables([rows[i] for i in own])))
    left = [r for i, r in enumerate(rows) if i not in taken]
    if left:
        nodes.append(SectionNode("other", "", left[0].page, _tables(left)))
    return DocumentTree(document.id, tuple(nodes))


def predict(name: str, symbol: str | None = None) -> Prediction:
    """The sections in which datasheets print a parameter.

    Args:
        name: what it is called, in English: a canonical name ("v_ce_sat") or a printed one.
        symbol: how it is written, if known.
    """
    text = f"{name.replace('_', ' ')} {name} {symbol or ''}"
    for pattern, primary, more in _PATTERNS:
        if pattern.search(text):
            return Prediction(primary, more)
    return Prediction(_ELECTRICAL, ("ratings", "thermal", "features", "other"))


def locate(
    document: DocumentTree,
    prediction: Prediction,
    match: Callable[[ParameterRow], float],
    *,
    least: float = 0.5,
) -> Located:
    """The rows of a parameter: first from where it should be, then from where it may be, then from anywhere.

    Args:
        document: the tree.
        prediction: of `predict`, or the caller's own.
        match: how sure a row is the parameter's, 0 to 1.
        least: below it a row does not count; a stage without one above it is a miss.
    """
    seen = 0
    looked: set[Kind] = set()
    stages: list[tuple[str, Sequence[Kind] | None]] = [
        ("primary", prediction.primary),
        ("supplementary", prediction.supplementary),
        ("widened", None),
    ]
    for stage, kinds in stages:
        rows = [r for r in document.rows(kinds) if r.section not in looked]
        looked.update(kinds or ())
        seen += len(rows)
        scored = sorted(((match(r), i) for i, r in enumerate(rows)), key=lambda s: (-s[0], s[1]))
        found = tuple(rows[i] for score, i in scored if score >= least)
        if found:
            return Located(found, stage, seen)
    return Located((), "missed", seen)


def _tables(rows: Sequence[ParameterRow]) -> tuple[TableNode, ...]:
    groups: dict[tuple[str, str | None, int], list[ParameterRow]] = {}
    for row in rows:
        groups.setdefault((row.table_title, row.group, row.page), []).append(row)
    return tuple(TableNode(title, group, page, tuple(own)) for (title, group, page), own in groups.items())
