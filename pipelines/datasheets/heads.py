"""Headers of tables without rulings: which lines are one, and which words of them head the same column."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.datasheets.headers import VALUES, Keyword, is_header, keywords
from pipelines.datasheets.page import Page, Word
from pipelines.datasheets.parts import looks_like_part, looks_like_variant
from pipelines.datasheets.sections import kind_of, split_heading

_HEADER_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a table.

    Attributes:
        lines: which of the page's lines it takes.
        heads: its phrases, left to right.
        x0, x1: where it starts and ends.
    """

    page: Page
    lines: tuple[int, ...]
    heads: tuple[Keyword, ...]
    x0: float
    x1: float


def overlap(one: Header, other: Header) -> bool:
    """Whether one stands below the other."""
    return min(one.x1, other.x1) - max(one.x0, other.x0) > 0


def headers_of(page: Page) -> list[Header]:
    """The headers of a page, top to bottom; two where tables stand side by side."""
    found: list[Header] = []
    at = 0
    while at < len(page.lines):
        used, headers = _header_at(page, at)
        found += headers
        at += used
    return found


def _header_at(page: Page, at: int) -> tuple[int, list[Header]]:
    """How many lines the header at this line takes, and the tables it heads: two where they stand side by side."""
    if _is_heading(page.lines[at].words):
        return 1, []
    if _parts_alone(page, at):
        return 1, [_made(page, (at,), [Keyword("none", (w,)) for w in page.lines[at].words])]
    for count in range(1, _HEADER_LINES + 1):
        lines = page.lines[at : at + count]
        if len(lines) < count or lines[-1].box[1] - lines[0].box[3] > 1.8 * lines[0].size:
            break
        if count > 1 and _complete(lines[-1].words) and not _storey(lines[0].words, lines[-1].words):
            break  # a header of its own, below some heading
        heads = sorted((k for line in lines for k in keywords(line.words)), key=lambda k: k.x0)
        told = sum(len(k.words) for k in heads)
        total = sum(len(line.words) for line in lines)
        rest = [w for line in lines for w in line.words if not any(w in k.words for k in heads)]
        if told == 0 or (told < 0.5 * total and not all(looks_like_variant(w.text) for w in rest)):
            break
        if is_header([k.role for k in heads]) and _apart(heads):
            labels = [Keyword("none", (w,)) for w in rest if looks_like_variant(w.text)]
            heads = sorted([*heads, *labels, *_labels_above(page, at, heads)], key=lambda k: k.x0)
            more = _second_line(page, at + count, heads)
            heads = sorted([*heads, *more[1]], key=lambda k: k.x0)
            indices = tuple(range(at, at + count + more[0]))
            return count + more[0], [_made(page, indices, part) for part in _side_by_side(heads)]
    return 1, []


def _is_heading(words: Sequence[Word]) -> bool:
    """Whether a line is the heading of a section: "Electrical Characteristics", a word of which could head a column."""
    run_on = len(words) > 1 and all(b.x0 - a.x1 < 0.9 * a.size for a, b in itertools.pairwise(words))
    return run_on and kind_of(split_heading(" ".join(w.text for w in words))[0]) != "other"


def _parts_alone(page: Page, at: int) -> bool:
    """Whether a line of part numbers and nothing else heads the columns of numbers below it."""
    words = page.lines[at].words
    if len(words) < 2 or not all(looks_like_part(w.text) for w in words) or at + 1 >= len(page.lines):
        return False
    below = page.lines[at + 1].words
    under = [w for w in below if w.x1 > words[0].x0 - words[0].size and any(c.isdigit() for c in w.text)]
    return bool(under) and below[0].x1 < words[0].x0 and any(c.isalpha() for c in below[0].text)


def _storey(above: Sequence[Word], below: Sequence[Word]) -> bool:
    """Whether the lower line goes on with the header above: that one describes, this one has only Min, Typ and Max."""
    upper, lower = ({k.role for k in keywords(words)} for words in (above, below))
    return bool(upper & {"symbol", "name"}) and lower <= {*VALUES, "unit"}


def _complete(words: Sequence[Word]) -> bool:
    heads = keywords(words)
    return is_header([k.role for k in heads]) and _apart(heads) and sum(len(k.words) for k in heads) == len(words)


def _apart(heads: Sequence[Keyword]) -> bool:
    """Whether the heads stand apart as columns do, and are not the words of a heading: "Typical Characteristics"."""
    told = {k.role for k in heads}
    columns = sum(b.x0 - a.x1 > 0.9 * a.words[0].size for a, b in itertools.pairwise(heads))
    stacked = len({round(k.words[0].top) for k in heads}) > 1
    return (columns > 0 or stacked) and (len(told) > 2 or "unit" in told or len(told & VALUES) > 1)


def _labels_above(page: Page, at: int, heads: Sequence[Keyword]) -> list[Keyword]:
    """The parts that a line over the header names, each over its own Min, Typ and Max."""
    slots = [k.role for k in heads if k.role in VALUES]
    if not at or len(slots) == len(set(slots)):
        return []
    line = page.lines[at - 1]
    close = heads[0].words[0].top - line.box[3] < 1.2 * line.size
    return (
        [Keyword("none", (w,)) for w in line.words]
        if close and all(looks_like_variant(w.text) for w in line.words)
        else []
    )


def _second_line(page: Page, at: int, heads: Sequence[Keyword]) -> tuple[int, list[Keyword]]:
    """A line below the header that holds only more of it: Min Typ Max, or the parts."""
    if at >= len(page.lines):
        return 0, []
    line = page.lines[at]
    more = keywords(line.words)
    rest = [w for w in line.words if not any(w in k.words for k in more)]
    labels = [Keyword("none", (w,)) for w in rest]
    if line.box[1] - max(k.words[0].bottom for k in heads) > 1.5 * line.size:
        return 0, []
    if all(looks_like_variant(w.text) for w in rest) and all(k.role in VALUES for k in more) and line.words:
        return 1, [*more, *labels]
    return 0, []


def _side_by_side(heads: Sequence[Keyword]) -> list[list[Keyword]]:
    """The heads of each table in the line: a second one starts where a description follows the unit."""
    parts: list[list[Keyword]] = [[]]
    for head in heads:
        seen = [k.role for k in parts[-1]]
        if head.role in ("symbol", "name") and "unit" in seen and is_header(seen):
            parts.append([])
        parts[-1].append(head)
    return [part for part in parts if is_header([k.role for k in part])]


def _made(page: Page, lines: tuple[int, ...], heads: Sequence[Keyword]) -> Header:
    return Header(page, lines, tuple(heads), min(k.x0 for k in heads), max(k.x1 for k in heads))


def stacked(heads: Sequence[Keyword]) -> list[list[Keyword]]:
    """The heads grouped to columns: those that stand one over the other.

    A head over several others (Value over two parts) belongs to each of them.
    """
    tops = sorted({k.words[0].top for k in heads})
    if len(tops) < 2 or tops[-1] - tops[0] < 0.6 * heads[0].words[0].size:
        return [[k] for k in heads]
    lowest = [k for k in heads if not any(_over(k, o) for o in heads if o is not k)]
    labels = [k for k in heads if k.role == "none" and k not in lowest]
    labels += [k for k in lowest if k.role == "none" and k.words[0].top < tops[-1] - 2]
    lowest = [k for k in lowest if k not in labels]
    groups = []
    owners = _by_turns(labels, [k for k in sorted(lowest, key=lambda k: k.x0) if k.role in VALUES])
    for low in sorted(lowest, key=lambda k: k.x0):
        above = [k for k in heads if k not in lowest and k not in labels and _nearest_below(k, lowest, low)]
        if labels and low.role in VALUES:
            above.append(owners.get(id(low)) or min(labels, key=lambda k: abs(_middle(k) - _middle(low))))
        groups.append([*above, low])
    return groups


def _by_turns(labels: Sequence[Keyword], slots: Sequence[Keyword]) -> dict[int, Keyword]:
    """The label of each slot where Min, Typ and Max come again as often as there are labels, in the same order."""
    runs: list[list[Keyword]] = []
    for slot in slots:
        if not runs or slot.role in [k.role for k in runs[-1]]:
            runs.append([])
        runs[-1].append(slot)
    if len(runs) != len(labels):
        return {}
    ordered = sorted(labels, key=lambda k: k.x0)
    return {id(slot): label for run, label in zip(runs, ordered, strict=True) for slot in run}


def _middle(head: Keyword) -> float:
    return (head.x0 + head.x1) / 2


def _over(one: Keyword, other: Keyword) -> bool:
    """Whether one stands right above the other."""
    return one.words[0].bottom <= other.words[0].top + 2 and min(one.x1, other.x1) - max(one.x0, other.x0) > -2


def _nearest_below(head: Keyword, lowest: Sequence[Keyword], low: Keyword) -> bool:
    """Whether a head belongs to what stands below it: right below, or, of Max over three parts, to the outer ones."""
    if _over(head, low):
        return True
    outer = head.role in VALUES and low.role == "none" and low.words[0].top > head.words[0].top + 2
    return outer and all(k.role == "none" for k in lowest if min(low.x0, head.x0) < k.x0 < max(low.x1, head.x1))
