"""A document → its parameters: rows focused on one part, named by the flow, and what it cost to look.

Document ─ rows ─ AGDF (one part) ─ HDER (the sections of what is asked for) ─ HNEN (the flow) ─ Extraction
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pipelines.chat import Usage
from pipelines.datasheets.assistance import Assistant, NoAssistant, Wanted
from pipelines.datasheets.errors import PartAmbiguous, PartUnknown
from pipelines.datasheets.focus import Focus, focus
from pipelines.datasheets.locate import locate, predict, tree
from pipelines.datasheets.page import Document
from pipelines.datasheets.parameter import ParameterRow
from pipelines.datasheets.parameters import parameters as known_parameters
from pipelines.datasheets.prepare import row_request
from pipelines.datasheets.rows import read_rows
from pipelines.results import Decision, Request, Result

Name = Callable[[Sequence[Request]], Sequence[Result]]
"""The flow: a pipeline's `run`."""

NOT_A_DATASHEET: Final = "no parameter was found: this does not look like a datasheet"
_FEWEST: Final = 2
"""Named rows below which a document that names several parts is no datasheet but a list. A guess."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """A printed row and the parameter it is.

    Attributes:
        name: canonical; the concept of the decision.
    """

    name: str
    row: ParameterRow
    decision: Decision


@dataclass(frozen=True, slots=True)
class Looked:
    """What it cost to look.

    Attributes:
        pages_total: pages of the document.
        pages_read: pages whose rows were looked at.
        rows_seen: rows that were looked at.
        rows_returned: rows that came back.
        stages: parameter asked for → where it was found: "primary", "supplementary", "widened", "missed".
        usage: what a language model was asked and what it cost; nothing where there is none.
    """

    pages_total: int
    pages_read: int
    rows_seen: int
    rows_returned: int
    stages: Mapping[str, str]
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a document says of one part.

    Attributes:
        part: the one it is about; None where the document names none, or where all of them were asked for.
        device_type: the caller's, else as guessed; None where nothing tells.
        polarity: "npn", "pnp", "n", "p" or None.
    """

    document: Document
    focus: Focus
    part: str | None
    device_type: str | None
    polarity: str | None
    parameters: tuple[Extracted, ...]
    looked: Looked
    notes: tuple[str, ...]


def extract(
    document: Document,
    name: Name,
    *,
    part: str | None = None,
    device_type: str | None = None,
    parameters: Sequence[str] = (),
    all_parts: bool = False,
    assistant: Assistant | None = None,
) -> Extraction:
    """The parameters of a document's part, in reading order.

    Args:
        document: as read.
        name: names rows.
        part: the caller's choice; may be None where the document is about one part alone.
        device_type: overrides the guess.
        parameters: canonical names to look for; empty for all.
        all_parts: rows of every part, and no choice needed.
        assistant: asked where the flow is unsure, and for parameters that were missed.

    Raises: PartAmbiguous if the document is about several parts and none was chosen; PartUnknown if the one chosen is
        not in it. A document that is no datasheet raises neither: it has no parameters, and a note says so.
    """
    rows = read_rows(document)
    about = focus(document, rows, part=part)
    device = device_type or about.device.kind
    assistant = assistant or NoAssistant()
    named = _named(rows, name, device, assistant)
    notes = [*document.notes]
    if len(named) < _FEWEST and (len(about.names) != 1 or not named):
        rows, named, device = [], {}, device_type
        notes.append(NOT_A_DATASHEET)
    elif not all_parts:
        _require_part(about)
    concerned = [i for i, row in enumerate(rows) if all_parts or about.concerns(row)]
    kept, looked = _looked_for(document, rows, {i: named[i] for i in concerned if i in named}, concerned, parameters)
    missed = [p for p in parameters if looked.stages.get(p) == "missed"]
    if missed and rows:
        kept += _found_by(assistant, document, name, missed, device)
    kept = _without_repeats(kept)
    notes += [*_notes(rows, concerned, named), *assistant.notes]
    if lacking := [p for p in parameters if not any(e.name == p for e in kept)]:
        notes.append(f"not found: {', '.join(lacking)}")
    return Extraction(
        document=document,
        focus=about,
        part=None if all_parts else about.part,
        device_type=device,
        polarity=about.device.polarity,
        parameters=tuple(kept),
        looked=replace(looked, rows_returned=len(kept), usage=assistant.usage),
        notes=tuple(dict.fromkeys(notes)),
    )


def _named(rows: Sequence[ParameterRow], name: Name, device: str | None, assistant: Assistant) -> dict[int, Extracted]:
    """Row → what it is, for the rows that are a known parameter. Rows that read alike are named once."""
    requests = [row_request(row, device=device) for row in rows]
    different = list({r.text: r for r in requests}.values())
    decisions = {
        request.text: result.mentions[0].decision for request, result in zip(different, name(different), strict=True)
    }
    chosen = assistant.choose(rows, [decisions[request.text] for request in requests])
    return {
        i: Extracted(decision.concept_id, row, decision)
        for i, (row, decision) in enumerate(zip(rows, chosen, strict=True))
        if decision.concept_id is not None
    }


def _found_by(
    assistant: Assistant, document: Document, name: Name, missed: Sequence[str], device: str | None
) -> list[Extracted]:
    """What an assistant finds of the parameters missed; named by the flow like any other row."""
    known = {p.name: p for p in known_parameters()}
    wanted = [Wanted(p, known[p].names["en"][0], known[p].dimensions) for p in missed if p in known]
    found = assistant.find(document, wanted)
    results = name([row_request(row, device=device) for row in found.values()]) if found else []
    extracted = []
    for (parameter, row), result in zip(found.items(), results, strict=True):
        decision = result.mentions[0].decision
        # It was asked for by this name: the flow's candidate of that name says how sure that is.
        offered = next((c for c in decision.candidates if c.concept_id == parameter), None)
        sure = replace(
            decision,
            concept_id=parameter,
            name=known[parameter].names["en"][0],
            confidence=offered.confidence if offered else 0.0,
            notes=("found by a language model",),
        )
        extracted.append(Extracted(parameter, row, sure))
    return extracted


def _require_part(about: Focus) -> None:
    if about.reason == "ambiguous":
        raise PartAmbiguous(about.names)
    if about.reason == "not_in_document":
        raise PartUnknown(about.names)


def _looked_for(
    document: Document,
    rows: Sequence[ParameterRow],
    named: Mapping[int, Extracted],
    concerned: Sequence[int],
    wanted: Sequence[str],
) -> tuple[list[Extracted], Looked]:
    """All rows, or those of the parameters wanted: looked for where such parameters stand first (HDER)."""
    own = [rows[i] for i in concerned]
    if not wanted:
        pages = {row.page for row in own}
        return list(named.values()), Looked(document.pages_total, len(pages), len(own), 0, {})
    by_row = {id(rows[i]): found for i, found in named.items()}
    document_tree = tree(document, own)
    kept: list[Extracted] = []
    stages: dict[str, str] = {}
    seen: set[int] = set()
    for parameter in dict.fromkeys(wanted):
        looked_at: set[int] = set()

        def match(row: ParameterRow, parameter: str = parameter, looked_at: set[int] = looked_at) -> float:
            looked_at.add(id(row))
            found = by_row.get(id(row))
            return 1.0 if found is not None and found.name == parameter else 0.0

        located = locate(document_tree, predict(parameter), match)
        stages[parameter] = located.stage
        seen |= looked_at
        kept += [by_row[id(row)] for row in located.rows]
    order = {id(row): i for i, row in enumerate(own)}
    kept.sort(key=lambda e: order[id(e.row)])
    pages = {row.page for row in own if id(row) in seen}
    return kept, Looked(document.pages_total, len(pages), len(seen), 0, stages)


def _without_repeats(found: Sequence[Extracted]) -> list[Extracted]:
    """Without what the quick reference on the front page says again."""
    elsewhere = [e for e in found if e.row.section != "features"]
    known = {(e.name, slot, e.row.si[slot]) for e in elsewhere for slot in e.row.slots}
    return [
        e
        for e in found
        if e.row.section != "features" or not all((e.name, s, e.row.si[s]) in known for s in e.row.slots)
    ]


def _notes(rows: Sequence[ParameterRow], concerned: Sequence[int], named: Mapping[int, Extracted]) -> list[str]:
    unnamed = [rows[i] for i in concerned if i not in named]
    notes = [note for i in concerned if i in named for note in rows[i].notes]
    if unnamed:
        pages = ", ".join(map(str, sorted({row.page for row in unnamed})))
        notes.append(f"{len(unnamed)} printed rows are no parameter that is known (page {pages})")
    return notes
