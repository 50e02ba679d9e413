"""Headers that head only the numbers, Min Typ Max or the parts: what stands left of them is described by what it is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pipelines.datasheets.headers import Keyword, Role
from pipelines.datasheets.heads import Header
from pipelines.datasheets.page import Page, Word
from pipelines.datasheets.symbols import looks_like_symbol, telling

_GAP_ENDS: Final = 4.5
_PHRASE: Final = 0.75
_SAME_LEFT: Final = 6.0
"""Points by which the starts of one column's cells may differ. A guess."""
_DESCRIBED: Final = frozenset({"symbol", "name", "conditions"})


def described(header: Header, until: int) -> Header:
    """The header with heads for the columns left of its own, where it has none for them.

    The column of symbols is the one that holds nothing else; the leftmost is the names'.

    Args:
        header: as printed.
        until: the line of the page before which its table ends.
    """
    if any(k.role in _DESCRIBED for k in header.heads):
        return header
    columns = _columns(header.page, header, until)
    if not columns:
        return header
    symbols = [texts for texts in columns if _mostly(texts)]
    heads = [_head("Symbol", "symbol", symbols[-1], header)] if symbols else []
    rest = [texts for texts in columns if texts not in symbols]
    if rest:
        heads.append(_head("Parameter", "name", rest[0], header))
    if not heads:
        return header
    every = tuple(sorted([*heads, *header.heads], key=lambda k: k.x0))
    return replace(header, heads=every, x0=every[0].x0)


def _columns(page: Page, header: Header, until: int) -> list[list[list[Word]]]:
    """The phrases left of the header, by where they start; what starts but once is part of another."""
    found: dict[float, list[list[Word]]] = {}
    last = page.lines[header.lines[-1]]
    for line in page.lines[header.lines[-1] + 1 : until]:
        if line.box[1] - last.box[3] > _GAP_ENDS * line.size:
            break
        last = line
        for phrase in phrases([w for w in line.words if w.x1 < header.x0]):
            left = next((x for x in found if abs(x - phrase[0].x0) < _SAME_LEFT), phrase[0].x0)
            found.setdefault(left, []).append(phrase)
    return [found[x] for x in sorted(found) if len(found[x]) > 1]


def phrases(line: Sequence[Word]) -> list[list[Word]]:
    """Words with no more than a blank between them."""
    found: list[list[Word]] = []
    for word in line:
        if found and word.x0 - found[-1][-1].x1 < _PHRASE * word.size:
            found[-1].append(word)
        else:
            found.append([word])
    return found


def _mostly(texts: Sequence[Sequence[Word]]) -> bool:
    """Whether most of these are symbols."""
    single = [p[0].text for p in texts if len(p) == 1]
    return 2 * sum(looks_like_symbol(t) and telling(t) for t in single) > len(texts)


def _head(text: str, role: Role, texts: Sequence[Sequence[Word]], header: Header) -> Keyword:
    lowest = max((k.words[0] for k in header.heads), key=lambda w: w.top)
    x0 = min(p[0].x0 for p in texts)
    return Keyword(role, (replace(lowest, text=text, x0=x0, x1=max(x0 + 1, min(p[-1].x1 for p in texts))),))
