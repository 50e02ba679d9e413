"""Tables without rulings → grids: columns from the words of the header and the white between the words below it.

Horizontal rules, where there are some, part the bands; else a band starts with every symbol.
"""

import itertools
import re
from collections.abc import Sequence
from typing import Final

from pipelines.datasheets.grid import Band, Cell, Grid, box_of, cell_lines
from pipelines.datasheets.headers import Column, Keyword, columns
from pipelines.datasheets.heads import Header, headers_of, overlap, stacked
from pipelines.datasheets.implied import described, phrases
from pipelines.datasheets.overleaf import continued
from pipelines.datasheets.page import Document, Line, Page, Word
from pipelines.datasheets.quantities import parse_quantity
from pipelines.datasheets.ranks import heads_ranks
from pipelines.datasheets.sections import kind_of, split_heading

_BOTTOM: Final = 0.8
"""How far down a page a table must reach to go on overleaf. A guess."""
_GAP_ENDS: Final = 4.5
"""A gap of so many sizes below a line ends a table that no rule goes on with. A guess."""
_ENDS: Final = frozenset({"typical", "package", "ordering", "application", "legal", "pinout"})


def clustered_grids(document: Document) -> list[Grid]:
    """The grids under every header on every page; a table that goes on overleaf without one keeps its columns."""
    found: list[Grid] = []
    open_at_the_end: Header | None = None
    for page in document.pages:
        headers = headers_of(page)
        first = min((h.lines[0] for h in headers), default=len(page.lines))
        if open_at_the_end and (above := continued(page, open_at_the_end, first)):
            headers = [above, *headers]
        open_at_the_end = None
        for i, header in enumerate(headers):
            below = [h.lines[0] for h in headers[i + 1 :] if h.lines[0] > header.lines[-1] and overlap(h, header)]
            grid = _grid(header, min(below, default=len(page.lines)))
            if grid:
                found.append(grid)
            if grid and header is headers[-1] and grid.box[3] > _BOTTOM * page.height:
                open_at_the_end = header
    return found


def _grid(header: Header, until: int) -> Grid | None:
    header = described(header, until)
    page = header.page
    heads = stacked(header.heads)
    body = _body(header, until)
    if not body:
        return None
    left, right = _edges(header, body)
    body = [kept for line in body if (kept := _within(line, left, right))]
    if not body:
        return None
    cuts = _cuts(page, heads, body, left, right)
    spans = list(zip([left, *cuts], [*cuts, right], strict=True))
    named = columns(spans, [" ".join(w.text for k in group for w in k.words) for group in heads])
    groups, rows = _groups(body, named)
    bands = [_band(words, named) for words in _banded(page, rows, named)]
    if not bands:
        return None
    title = page.lines[header.lines[0] - 1].text if header.lines[0] else ""
    box = box_of([w for line in body for w in line])
    return Grid(page.number, box, tuple(named), tuple(bands), title, "clustered", tuple(groups))


def _body(header: Header, until: int) -> list[tuple[Word, ...]]:
    """The lines below the header that can belong to the table."""
    page = header.page
    found: list[tuple[Word, ...]] = []
    last = page.lines[header.lines[-1]]
    own = any(w in last.words for k in header.heads for w in k.words)  # not overleaf from its header
    for line in page.lines[header.lines[-1] + 1 : until]:
        words = tuple(w for w in line.words if w.x1 > header.x0 - 150 and w.x0 < header.x1 + 60)
        if not words:
            continue
        if (
            (found or own)
            and line.box[1] - last.box[3] > _GAP_ENDS * line.size
            and not _ruled_on(page, last, line, header)
        ):
            break
        if _ends(line, header):
            break
        found.append(words)
        last = line
    return found


def _ruled_on(page: Page, last: Line, line: Line, header: Header) -> bool:
    """Whether an upright rule goes through the gap: the same table, a taller cell."""
    top, bottom = last.box[3], line.box[1]
    return any(r[2] - r[0] < 1.5 and r[1] <= top and r[3] >= bottom and r[0] <= header.x1 for r in page.rules)


def _ends(line: Line, header: Header) -> bool:
    text = line.text
    if re.match(r"(?:\*|†|note|\(?\d\)|fig(?:ure)?\.? ?\d|©|rev\.? )", text, re.IGNORECASE) and _is_prose(line, header):
        return True
    if heads_ranks(line):
        return True
    title, _ = split_heading(text)
    bold = line.words[0].bold or title.isupper()
    return bold and len(title.split()) < 8 and kind_of(title) in _ENDS and not re.search(r"\d$", text)


def _is_prose(line: Line, header: Header) -> bool:
    """Whether the line runs on across columns with no gap."""
    gaps = [b.x0 - a.x1 for a, b in zip(line.words, line.words[1:], strict=False)]
    return len(line.words) > 3 and (not gaps or max(gaps) < 1.2 * line.size)


def _edges(header: Header, body: Sequence[tuple[Word, ...]]) -> tuple[float, float]:
    """How far the table reaches to both sides of its header: to the first white that goes all the way down."""
    words = [w for line in body for w in line]
    left = header.x0
    for word in sorted(words, key=lambda w: -w.x1):
        if word.x1 > left - 9 and word.x0 < left:
            left = word.x0
    right = header.x1
    for word in sorted(words, key=lambda w: w.x0):
        if word.x0 < right + 6 and word.x1 > right:
            right = word.x1
    return left - 1, right + 1


def _within(line: tuple[Word, ...], left: float, right: float) -> tuple[Word, ...]:
    return tuple(w for w in line if w.x0 >= left - 1 and w.x1 <= right + 1)


def _cuts(
    page: Page, stacked: Sequence[list[Keyword]], body: Sequence[tuple[Word, ...]], left: float, right: float
) -> list[float]:
    """Where a column ends and the next begins: an upright rule, else the emptiest place between the two heads."""
    tabular = [line for line in body if len(phrases(line)) > 1]
    spans = [(p[0].x0, p[-1].x1) for line in tabular or body for p in phrases(line)]
    tops, bottoms = body[0][0].top, body[-1][0].bottom
    upright = [
        r[0] for r in page.rules if r[2] - r[0] < 1.5 and min(r[3], bottoms) - max(r[1], tops) > 0.4 * (bottoms - tops)
    ]
    cuts: list[float] = []
    shared = {id(k) for group in stacked for k in group if sum(k in other for other in stacked) > 1}
    own = [[k for k in group if id(k) not in shared] or group for group in stacked]
    for a, b in itertools.pairwise(own):
        a_mid = (min(k.x0 for k in a) + max(k.x1 for k in a)) / 2
        b_mid = (min(k.x0 for k in b) + max(k.x1 for k in b)) / 2
        low, high = max(a_mid, cuts[-1] + 2 if cuts else left), max(b_mid, a_mid + 2)
        ruled = [x for x in upright if low < x < high]
        cuts.append(ruled[0] if len(ruled) == 1 else _emptiest(spans, low, high, a[-1].x1, b[-1].x0))
    return cuts


def _emptiest(spans: Sequence[tuple[float, float]], low: float, high: float, a_end: float, b_start: float) -> float:
    """The middle of the widest of the stretches that the fewest phrases cross."""
    points = sorted({low, high, *(x for s in spans for x in s if low < x < high)})
    pieces = list(itertools.pairwise(points))
    if not pieces:
        return (low + high) / 2
    crossed = [sum(s[0] < (x0 + x1) / 2 < s[1] for s in spans) for x0, x1 in pieces]
    fewest = min(crossed)
    runs: list[list[float]] = []
    for (x0, x1), n in zip(pieces, crossed, strict=True):
        if n > fewest:
            continue
        if runs and abs(runs[-1][1] - x0) < 0.01:
            runs[-1][1] = x1
        else:
            runs.append([x0, x1])

    def worth(run: list[float]) -> float:
        between = max(0.0, min(run[1], b_start) - max(run[0], a_end))
        return run[1] - run[0] + between

    best = max(runs, key=worth)
    return (best[0] + best[1]) / 2


def _groups(
    body: Sequence[tuple[Word, ...]], named: Sequence[Column]
) -> tuple[list[tuple[float, str]], list[tuple[Word, ...]]]:
    """Headings within the table, and the other lines."""
    groups, rows = [], []
    for line in body:
        text = " ".join(w.text for w in line)
        title, _ = split_heading(text)
        single = len(phrases(line)) == 1 and not any(ch.isdigit() for ch in title)
        if single and (line[0].bold or title.isupper()) and len(title) > 6 and kind_of(title) != "other":
            groups.append((line[0].top, title))
        else:
            rows.append(line)
    return groups, rows


def _banded(page: Page, rows: Sequence[tuple[Word, ...]], named: Sequence[Column]) -> list[list[Word]]:
    """The words of each band."""
    words = [w for line in rows for w in line]
    if not words:
        return []
    left, right = named[0].x0, named[-1].x1
    cuts = [r[1] for r in page.rules if r[3] - r[1] < 1.5 and min(r[2], right) - max(r[0], left) > 0.7 * (right - left)]
    cuts = sorted({round(c) for c in cuts if rows[0][0].top < c < rows[-1][0].bottom + 3})
    bands: list[list[Word]] = []
    for top, bottom in zip([-1e9, *cuts], [*cuts, 1e9], strict=True):
        inside = [line for line in rows if top < (line[0].top + line[0].bottom) / 2 <= bottom]
        if inside:
            bands += _by_symbol(inside, named)
    return bands


def _by_symbol(rows: Sequence[tuple[Word, ...]], named: Sequence[Column]) -> list[list[Word]]:
    """Rows cut where a symbol, or without a symbol column a name, starts with numbers beside it."""
    lead = next((c for c in named if c.role == "symbol"), None) or next((c for c in named if c.role == "name"), None)
    if lead is None:
        return [[w for line in rows for w in line]]
    starts = [_starts(line, lead, named) for line in rows]
    owner = []
    current = -1
    for i in range(len(rows)):
        if starts[i]:
            current += 1
            owner.append(current)
        elif _belongs_below(rows, starts, i):
            owner.append(current + 1)
        else:
            owner.append(max(current, 0))
    bands: dict[int, list[Word]] = {}
    for line, band in zip(rows, owner, strict=True):
        bands.setdefault(band, []).extend(line)
    return list(bands.values())


def _starts(line: Sequence[Word], lead: Column, named: Sequence[Column]) -> bool:
    own = [w for w in line if lead.x0 <= w.centre <= lead.x1 and not w.raised and not re.fullmatch(r"\(?\d\)", w.text)]
    if not own:
        return False
    valued = any(
        c.holds_values and c.x0 <= w.centre <= c.x1 and any(ch.isdigit() for ch in w.text) for w in line for c in named
    )
    return valued or (lead.role == "symbol" and not own[0].text.startswith("("))


def _belongs_below(rows: Sequence[tuple[Word, ...]], starts: Sequence[bool], i: int) -> bool:
    """Whether a line without a start is nearer to the start below it than to the line above."""
    if i + 1 >= len(rows) or not starts[i + 1]:
        return False
    below = rows[i + 1][0].top - rows[i][0].top
    above = rows[i][0].top - rows[i - 1][0].top if i else 1e9
    return below < 0.8 * above


def _band(words: Sequence[Word], named: Sequence[Column]) -> Band:
    """The words in their columns; what is printed across the columns of several variants spans them."""
    cells: list[list[Word]] = [[] for _ in named]
    spanning: list[tuple[tuple[int, ...], list[Word]]] = []
    valued = [i for i, c in enumerate(named) if c.holds_values]
    for line in cell_lines(words):
        numbers = [p for p in phrases(line.words) if valued and _in(p, named[valued[0]].x0, named[valued[-1]].x1)]
        over = _spans(numbers, named, valued)
        for phrase in numbers:
            if over:
                spanning.append((over, phrase))
            else:
                _place(phrase, cells, named, valued)
        taken = {id(w) for p in numbers for w in p}
        for word in line.words:
            if id(word) not in taken:
                cells[_column_of(word, named)].append(word)
    row: list[Cell | None] = [Cell(tuple(c), (i,)) if c else None for i, c in enumerate(cells)]
    top, bottom = min(w.top for w in words), max(w.bottom for w in words)
    for over, phrase in spanning:
        cell = Cell(tuple(phrase), over)
        for i in over:
            row[i] = cell if row[i] is None else row[i]
    return Band(top, bottom, tuple(row))


def _in(phrase: Sequence[Word], left: float, right: float) -> bool:
    return left <= (phrase[0].x0 + phrase[-1].x1) / 2 <= right


def _spans(numbers: Sequence[Sequence[Word]], named: Sequence[Column], valued: Sequence[int]) -> tuple[int, ...]:
    """The value columns that a single number covers: those of all variants, if it stands under none of them."""
    if len(numbers) != 1 or len(valued) < 2:
        return ()
    x0, x1 = numbers[0][0].x0, numbers[0][-1].x1
    variants = {named[i].variant for i in valued}
    covered = tuple(i for i in valued if x0 < named[i].x1 - 3 and x1 > named[i].x0 + 3)
    if len(covered) > 1 and parse_quantity(" ".join(w.text for w in numbers[0])):
        return tuple(valued) if len(variants) > 1 else covered
    if len(variants) < 2:
        return ()
    middle = (named[valued[0]].x0 + named[valued[-1]].x1) / 2
    pitch = (named[valued[-1]].x1 - named[valued[0]].x0) / len(valued)
    own = min(abs((x0 + x1) / 2 - named[i].centre) for i in valued)
    central = abs((x0 + x1) / 2 - middle) < 0.25 * pitch
    return tuple(valued) if central and (own > 0.25 * pitch or len(valued) % 2) else ()


def _place(phrase: Sequence[Word], cells: list[list[Word]], named: Sequence[Column], valued: Sequence[int]) -> None:
    """A phrase into the column it stands under; word by word where its words stand under several."""
    text = " ".join(w.text for w in phrase)
    middle = (phrase[0].x0 + phrase[-1].x1) / 2
    if len(phrase) > 1 and parse_quantity(text) is None:
        for word in phrase:
            cells[_column_of(word, named)].append(word)
        return
    nearest = min(valued, key=lambda i: 0.0 if named[i].x0 <= middle <= named[i].x1 else abs(named[i].centre - middle))
    cells[nearest] += phrase


def _column_of(word: Word, named: Sequence[Column]) -> int:
    for i, column in enumerate(named):
        if column.x0 <= word.centre < column.x1:
            return i
    return min(range(len(named)), key=lambda i: abs(named[i].centre - word.centre))
