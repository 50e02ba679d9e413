"""Which parts make the naming of rows: HNEN, heterogeneous named entity normalization.

After D2S-FLOW (Chen et al. 2025), as far as it is published: symbols and names as houses print them → canonical
parameters, gated by what the unit measures, the section and the kind of device, tried again on a miss. Differs from the
paper: no language model is needed; one may choose among the candidates afterwards (`assistance.py`).
"""

from collections.abc import Sequence

import numpy as np

from models.arrays import Queries
from models.encoders.base import Encoder
from pipelines.aggregation import BestTerm, Naming
from pipelines.config import PipelineConfig
from pipelines.datasheets.config import DatasheetsConfig
from pipelines.datasheets.naming import Floor, Gates, SymbolIndex
from pipelines.datasheets.prepare import RowPreparer, clean_name, not_parameters, split_query
from pipelines.encoding import TextEncoding
from pipelines.flow import Parts, Pipeline
from pipelines.results import Mention
from pipelines.spec import CalibrationSet
from pipelines.terminology import Terminology


def pipeline(config: PipelineConfig, parts: Parts, encoder: Encoder) -> Pipeline:
    """Look the symbol up, search the name, weigh both, gate by unit, section and device, decide."""
    if not isinstance(config, DatasheetsConfig):
        raise TypeError(f"datasheets takes a DatasheetsConfig, not {type(config).__name__}")
    return Pipeline(
        "datasheets",
        preparer=RowPreparer(),
        encoder=NameOfRow(TextEncoding(encoder, config.blocks)),
        index=SymbolIndex(parts.index, parts.terminology, weight=config.symbol_weight),
        corrections=parts.corrections,
        naming=Naming(parts.terminology, aggregation=BestTerm(), limit=config.candidates),
        learner=parts.learner,
        reranker=Gates(parts.terminology, config),
        decider=Floor(parts.decider, least=config.least, known=config.known),
        rows=config.rows,
    )


class NameOfRow:
    """The vector of a row's name; of its symbol where it has none."""

    def __init__(self, encoding: TextEncoding) -> None:
        self._encoding = encoding

    def encode(self, mentions: Sequence[Mention]) -> Queries:
        """One query per mention; its text holds symbol and name."""
        texts, languages = [m.query for m in mentions], [m.language for m in mentions]
        named = [row_text(name or symbol) for symbol, name in map(split_query, texts)]
        return Queries(texts, self._encoding.encode(named, languages), languages)


def row_text(text: str) -> str:
    """A term as it is indexed: lower case, hyphens as blanks, without conditions."""
    return " ".join((clean_name(text) or text).lower().replace("-", " ").split())


def calibration(terminology: Terminology, size: int, seed: int) -> CalibrationSet:
    """Rows made from the terminology: a symbol of a concept with one of its names, or one of both, and table heads.

    Of four rows made of a name two have a symbol too, and the index must not find the name; one has no symbol, and it
    must not find the name either; one has both as they are. A symbol drawn stands alone. All print the concept's unit
    and a device that has it. A quarter as many rows name nothing. A guess at what sheets hold.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(terminology.rows)[: int(size * 0.8)]
    bank = not_parameters()
    made = [_made(terminology, int(row), rng) for row in rows]
    others = [f"{bank[i]} []" for i in rng.integers(0, len(bank), max(len(rows) // 4, 1))]
    return CalibrationSet(
        texts=[*(text for text, _ in made), *others],
        languages=[None] * (len(made) + len(others)),
        concepts=[*(terminology.concepts[terminology.row_concepts[r]].id for r in rows), *([None] * len(others))],
        held_out=[*(held for _, held in made), *([-1] * len(others))],
    )


def _made(terminology: Terminology, row: int, rng: np.random.Generator) -> tuple[str, int]:
    """A row's text, and the index row that it was made from and must not find."""
    concept = terminology.concepts[terminology.row_concepts[row]]
    term = terminology.row_terms[row]
    symbols = [t.text for t in concept.terms if t.language is None]
    units = concept.codes.get("unit", "").split("|")
    held = f" {{{concept.semantic_types[rng.integers(len(concept.semantic_types))]}}}" if concept.semantic_types else ""
    unit = f" [{'' if units[0] == '1' else units[0]}]" if units[0] else ""
    if term.language is None:
        return f"{term.text};{unit}{held}", -1
    kind = rng.random()
    with_symbol = bool(symbols) and (kind < 0.5 or kind > 0.75)
    symbol = f"{symbols[rng.integers(len(symbols))]}; " if with_symbol else ""
    return f"{symbol}{term.text}{unit}{held}", row if kind < 0.75 else -1
