"""A language model as an assistant that is never believed: it chooses among candidates, and quotes what it found.

Two things it may do, both only where the rules fall short. It names a row that the flow is unsure of, by choosing one
of the flow's own candidates or none. And it looks for a parameter that was asked for and missed, in the sections where
such parameters stand: what it says is a row only if its quote stands on the page, holds the numbers, and measures what
the parameter measures. An answer that is no JSON, or not of the shape asked for, is asked for again.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from pipelines.chat import Chat, ChatFailed, Usage
from pipelines.datasheets.locate import predict
from pipelines.datasheets.page import Document, Page, around
from pipelines.datasheets.parameter import ParameterRow
from pipelines.datasheets.quantities import parse_number
from pipelines.datasheets.sections import section_at, sections
from pipelines.datasheets.units import Dimension, explain_unit
from pipelines.results import NIL, Decision

_Read = TypeVar("_Read")
SURE: Final = 0.6
"""A decision surer than this is not asked about. A guess."""
_AT_ONCE: Final = 16
_CANDIDATES: Final = 5
_PAGE_CHARS: Final = 6000
_SLOTS: Final = ("min", "typ", "max")

_CHOICES: Final = {
    "type": "object",
    "required": ["choices"],
    "properties": {
        "choices": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["row", "id"],
                "properties": {"row": {"type": "integer"}, "id": {"type": ["string", "null"]}},
            },
        }
    },
}
_FINDING: Final = {
    "type": "object",
    "required": ["found"],
    "properties": {
        "found": {"type": "boolean"},
        "symbol": {"type": ["string", "null"]},
        **{slot: {"type": ["number", "null"]} for slot in _SLOTS},
        "unit": {"type": ["string", "null"]},
        "page": {"type": ["integer", "null"]},
        "quote": {"type": ["string", "null"]},
    },
}
_CHOOSE: Final = (
    "You match rows of an electronic component's datasheet to known parameters. For each row choose the id of one of "
    'its candidates, or null if none means the same. Answer with JSON: {"choices": [{"row": 0, "id": "v_f"}]}.'
)
_FIND: Final = (
    "You look up one parameter in pages of a datasheet. Copy numbers and unit exactly as printed. `quote` must be "
    "copied character by character from the page and hold the numbers. If it is not there answer "
    '{"found": false}. Answer with JSON: {"found": true, "symbol": "VF", "min": null, "typ": 0.7, "max": 1.0, '
    '"unit": "V", "page": 2, "quote": "..."}.'
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A parameter that was asked for and missed: its canonical name, what it is called, what it may measure."""

    name: str
    called: str
    dimensions: frozenset[Dimension]


class Assistant(Protocol):
    """Whoever helps where the rules fall short."""

    @property
    def usage(self) -> Usage:
        """What it cost so far."""
        ...

    @property
    def notes(self) -> list[str]:
        """What went wrong."""
        ...

    def choose(self, rows: Sequence[ParameterRow], decisions: Sequence[Decision]) -> list[Decision]:
        """The decisions, some of them made anew; same length and order."""
        ...

    def find(self, document: Document, wanted: Sequence[Wanted]) -> dict[str, ParameterRow]:
        """Canonical name → row, for what was found."""
        ...


class NoAssistant:
    """Nobody helps: the default."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.notes: list[str] = []

    def choose(self, rows: Sequence[ParameterRow], decisions: Sequence[Decision]) -> list[Decision]:
        """The decisions as they are."""
        return list(decisions)

    def find(self, document: Document, wanted: Sequence[Wanted]) -> dict[str, ParameterRow]:
        """Nothing."""
        return {}


@dataclass
class LanguageModel:
    """A language model, for one extraction. If it fails, the extraction goes on without it and says so.

    Attributes:
        chat: how it is reached.
        retries: how often an answer that cannot be read is asked for again.
    """

    chat: Chat
    retries: int = 2
    usage: Usage = field(default_factory=Usage)
    notes: list[str] = field(default_factory=list)

    def choose(self, rows: Sequence[ParameterRow], decisions: Sequence[Decision]) -> list[Decision]:
        """The decisions; those that were unsure are the model's choice among their own candidates."""
        chosen = list(decisions)
        unsure = [i for i, d in enumerate(decisions) if d.candidates and d.confidence < SURE]
        # Rows that read alike are one question.
        alike: dict[tuple[str | None, str, str | None], list[int]] = {}
        for i in unsure:
            alike.setdefault((rows[i].symbol, rows[i].raw_name, rows[i].unit), []).append(i)
        groups = list(alike.values())
        for start in range(0, len(groups), _AT_ONCE):
            some = groups[start : start + _AT_ONCE]
            asked = [_question(n, rows[same[0]], decisions[same[0]]) for n, same in enumerate(some)]
            answers = self._asked(_CHOOSE, {"rows": asked}, _CHOICES, partial(_read_choices, rows=len(some)))
            for n, concept_id in (answers or {}).items():
                for i in some[n]:
                    chosen[i] = self._chosen(decisions[i], concept_id)
        return chosen

    def find(self, document: Document, wanted: Sequence[Wanted]) -> dict[str, ParameterRow]:
        """What the model quotes from the pages where each parameter should stand, and what stands up to checking."""
        found: dict[str, ParameterRow] = {}
        for parameter in wanted:
            pages = _likely_pages(document, parameter)
            if not pages:
                continue
            asked = {
                "parameter": parameter.called,
                "pages": [{"page": p.number, "text": p.text[:_PAGE_CHARS]} for p in pages],
            }
            answer = self._asked(_FIND, asked, _FINDING, _read_finding)
            row = _row(answer, pages, document, parameter) if answer else None
            if row is not None:
                found[parameter.name] = row
            elif answer:
                self.usage.rejected += 1
        return found

    def _chosen(self, decision: Decision, concept_id: str | None) -> Decision:
        """The decision with the model's choice; a choice that is none of its candidates is no choice."""
        offered = {c.concept_id: c for c in decision.candidates[:_CANDIDATES]}
        note = "chosen by a language model"
        if concept_id is None:
            return replace(decision, concept_id=NIL, name=None, notes=(*decision.notes, note))
        if concept_id not in offered:
            self.usage.rejected += 1
            return decision
        best = offered[concept_id]
        return replace(decision, concept_id=concept_id, name=best.name, confidence=best.confidence, notes=(note,))

    def _asked(
        self, task: str, asked: Mapping[str, Any], schema: dict[str, Any], read: Callable[[Any], _Read]
    ) -> _Read | None:
        """The answer, read; None where the model fails or does not come to one."""
        messages = [
            {"role": "system", "content": task},
            {"role": "user", "content": json.dumps(asked, ensure_ascii=False)},
        ]
        for _ in range(self.retries + 1):
            try:
                text = self.chat.ask(messages, schema=schema, usage=self.usage)
            except ChatFailed as error:
                self._note(str(error))
                return None
            try:
                return read(json.loads(_bare(text), strict=False))
            except (KeyError, TypeError, ValueError):
                self.usage.rejected += 1
                messages = [*messages[:2], {"role": "user", "content": "That was no JSON of the shape asked for."}]
        self._note("the language model did not answer in JSON")
        return None

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _question(number: int, row: ParameterRow, decision: Decision) -> dict[str, Any]:
    return {
        "row": number,
        "symbol": row.symbol,
        "name": row.raw_name,
        "unit": row.unit,
        "section": row.section,
        "candidates": [{"id": c.concept_id, "name": c.name} for c in decision.candidates[:_CANDIDATES]],
    }


def _bare(text: str) -> str:
    """JSON without the fence that many models put around it."""
    match = re.search(r"```(?:json)?\s*(.*?)```", text, re.DOTALL)
    return (match[1] if match else text).strip()


def _read_choices(answer: Any, *, rows: int) -> dict[int, str | None]:  # noqa: ANN401 - whatever a model says
    """Row → id. Raises: KeyError, TypeError or ValueError for another shape."""
    found: dict[int, str | None] = {}
    for choice in answer["choices"]:
        row, concept_id = choice["row"], choice["id"]
        if type(row) is not int or not 0 <= row < rows or not (concept_id is None or isinstance(concept_id, str)):
            raise ValueError("another shape")
        found[row] = concept_id
    return found


def _read_finding(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a model says
    """What was found; empty for nothing. Raises: KeyError, TypeError or ValueError for another shape."""
    if answer["found"] is not True:
        return {}
    numbers = [answer.get(slot) for slot in _SLOTS]
    if not all(n is None or (isinstance(n, int | float) and not isinstance(n, bool)) for n in numbers):
        raise ValueError("another shape")
    if not isinstance(answer["quote"], str) or type(answer["page"]) is not int:
        raise ValueError("another shape")
    return dict(answer)


def _likely_pages(document: Document, parameter: Wanted) -> list[Page]:
    """The pages that hold the sections where such a parameter stands (HDER), four at the most."""
    prediction = predict(parameter.called, parameter.name)
    kinds = {*prediction.primary, *prediction.supplementary}
    numbers = {s.page for s in sections(document) if s.kind in kinds} or {p.number for p in document.pages[:3]}
    return [p for p in document.pages if p.number in numbers][:4]


def _row(answer: dict[str, Any], pages: Sequence[Page], document: Document, wanted: Wanted) -> ParameterRow | None:
    """What the model found as a row, if its quote is on the page, holds its numbers, and measures the right thing."""
    page = next((p for p in pages if p.number == answer["page"]), None)
    place = _place(answer["quote"], page.text) if page else None
    numbers = {slot: float(answer[slot]) for slot in _SLOTS if answer.get(slot) is not None}
    if page is None or place is None or not numbers:
        return None
    quote = page.text[place[0] : place[1]]
    printed = [n for token in re.findall(r"[-−–±]? ?\d[\d.,]*", quote) if (n := parse_number(token)) is not None]
    if not all(any(abs(abs(n) - abs(p)) <= 1e-9 * abs(n) for p in printed) for n in numbers.values()):
        return None
    unit = answer.get("unit") if isinstance(answer.get("unit"), str) else None
    measured, _ = explain_unit(unit)
    # The unit too must stand there: a model that turns µA into mA would be the worst error there is.
    if unit and (measured is None or unit not in _lines_around(page.text, place)):
        return None
    if wanted.dimensions and (measured.dimension if measured else ()) not in wanted.dimensions:
        return None
    words = [w for w in page.words if place[0] <= w.start < place[1]]
    box = around([w.box for w in words]) if words else None
    section = section_at(sections(document), page.number, box[1]) if box else None
    symbol = answer.get("symbol")
    if box is None:
        return None
    return ParameterRow(
        symbol=symbol if isinstance(symbol, str) and symbol in page.text else None,
        raw_name=wanted.called,
        conditions=(),
        min=numbers.get("min"),
        typ=numbers.get("typ"),
        max=numbers.get("max"),
        unit=unit,
        measured=measured,
        variant=None,
        page=page.number,
        box=page.place(box),
        quote=quote,
        section=section.kind if section else "other",
        section_title=section.title if section else "",
        reader="language model",
        score=0.4,
        notes=("found by a language model; its quote is on the page",),
        at=tuple(w.start for w in words),
    )


def _lines_around(text: str, place: tuple[int, int]) -> str:
    """The whole lines that a quote stands on."""
    end = text.find("\n", place[1])
    return text[text.rfind("\n", 0, place[0]) + 1 : end if end >= 0 else len(text)]


def _place(quote: str, text: str) -> tuple[int, int] | None:
    """Where a quote stands in a text, blanks aside; None where it does not."""
    pieces = quote.split()
    if not pieces or len(quote) > 1000:
        return None
    match = re.search(r"\s+".join(map(re.escape, pieces)), text)
    return (match.start(), match.end()) if match else None
