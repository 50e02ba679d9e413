"""Ruled tables → grids.

Merged cells are spread over all they cover, columns beside the frame are taken in, headers are inherited.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipelines.datasheets.grid import Band, Cell, Grid, box_of, clustered, inside
from pipelines.datasheets.headers import VALUES, Column, Role, columns, inferred, is_header, role_of, with_ratings
from pipelines.datasheets.page import Box, Document, Page, Word, around
from pipelines.datasheets.parts import looks_like_variant

_SNAP: Final = 2.5
_SAME_COLUMNS: Final = 6.0
_OUTSIDE: Final = 130.0
"""How far beside the frame a column of symbols or units may stand, in points. A guess."""
_HEADER_BANDS: Final = 4
_MOST_COLUMNS: Final = 24


@dataclass(frozen=True, slots=True)
class Frame:
    """A ruled table before its header is understood."""

    page: Page
    box: Box
    spans: tuple[tuple[float, float], ...]
    bands: tuple[Band, ...]


def ruled_grids(document: Document) -> list[Grid]:
    """The grids of all ruled tables, in reading order; tables without a header of their own take the last one's."""
    grids: list[Grid] = []
    for page in document.pages:
        for frame in frames(page):
            grids += _grids(frame, grids)
    return grids


def frames(page: Page) -> list[Frame]:
    """The ruled tables of a page, top to bottom; a frame drawn round other tables is none."""
    tables = [t for t in page.tables if len(t) > 2]
    boxes = [around(t) for t in tables]
    found = []
    for table, box in sorted(zip(tables, boxes, strict=True), key=lambda t: (t[1][1], t[1][0])):
        if not any(_contains(box, other) for other in boxes if other != box):
            frame = _frame(page, table, [b for b in boxes if b != box])
            found += [frame] if frame else []
    return found


def _contains(box: Box, other: Box) -> bool:
    inner = box[0] - 2 <= other[0] and box[1] - 2 <= other[1] and box[2] + 2 >= other[2] and box[3] + 2 >= other[3]
    larger = (box[2] - box[0]) * (box[3] - box[1]) > 1.5 * (other[2] - other[0]) * (other[3] - other[1])
    return inner and larger


def _frame(page: Page, cells: Sequence[Box], others: Sequence[Box]) -> Frame | None:
    xs = clustered([v for c in cells for v in (c[0], c[2])], _SNAP)
    ys = clustered([v for c in cells for v in (c[1], c[3])], _SNAP)
    if not 2 < len(xs) + 1 <= _MOST_COLUMNS + 2 or len(ys) < 2:
        return None
    box = (xs[0], ys[0], xs[-1], ys[-1])
    spans = list(itertools.pairwise(xs))
    rows = list(itertools.pairwise(ys))
    words = [w for w in page.words if box[1] - 1 <= (w.top + w.bottom) / 2 <= box[3] + 1]
    owners = _owners(cells, spans, rows, words)
    left = _beside(words, rows, (max(0.0, box[0] - _OUTSIDE), box[0]), others)
    right = _beside(words, rows, (box[2], min(page.width, box[2] + _OUTSIDE)), others)
    grid = [[c and replace(c, columns=tuple(i + 1 for i in c.columns)) for c in row] for row in owners]
    grid = _shared(owners, grid)
    bands = tuple(
        Band(top, bottom, (_outer(left, b, 0), *grid[b], _outer(right, b, len(spans) + 1)))
        for b, (top, bottom) in enumerate(rows)
    )
    outer = ((min((w.x0 for row in left for w in row), default=box[0]), box[0]),)
    outer_right = ((box[2], max((w.x1 for row in right for w in row), default=box[2])),)
    return Frame(page, box, (*outer, *spans, *outer_right), bands)


def _owners(
    cells: Sequence[Box],
    spans: Sequence[tuple[float, float]],
    rows: Sequence[tuple[float, float]],
    words: Sequence[Word],
) -> list[list[Cell | None]]:
    """Per elementary field the cell that covers it."""
    owners: list[list[Cell | None]] = [[None] * len(spans) for _ in rows]
    for cell in cells:
        over = tuple(i for i, (x0, x1) in enumerate(spans) if cell[0] <= (x0 + x1) / 2 <= cell[2])
        down = tuple(b for b, (top, bottom) in enumerate(rows) if cell[1] <= (top + bottom) / 2 <= cell[3])
        owner = Cell(tuple(w for w in words if inside(w, cell)), over, down)
        for b in down:
            for i in over:
                owners[b][i] = owner
    return owners


def _shared(owners: list[list[Cell | None]], moved: list[list[Cell | None]]) -> list[list[Cell | None]]:
    """The moved cells, one object again for every object there was."""
    first: dict[int, Cell | None] = {}
    return [
        [first.setdefault(id(old), new) if old else None for old, new in zip(a, b, strict=True)]
        for a, b in zip(owners, moved, strict=True)
    ]


def _beside(
    words: Sequence[Word], rows: Sequence[tuple[float, float]], x: tuple[float, float], others: Sequence[Box]
) -> list[list[Word]]:
    """Per band the words beside the frame that stand in no other table."""
    found: list[list[Word]] = [[] for _ in rows]
    for word in words:
        if x[0] <= word.x0 and word.x1 <= x[1] + 2 and not any(inside(word, other) for other in others):
            y = (word.top + word.bottom) / 2
            for band, (top, bottom) in zip(found, rows, strict=True):
                if top <= y <= bottom:
                    band.append(word)
    return found


def _outer(beside: list[list[Word]], band: int, column: int) -> Cell | None:
    return Cell(tuple(beside[band]), (column,), (band,)) if beside[band] else None


def _grids(frame: Frame, before: Sequence[Grid]) -> list[Grid]:
    """The grid of a table; several where its header comes again; none if it is no table of parameters."""
    headers = [b for b in range(len(frame.bands)) if is_header(_roles(frame.bands[b]))]
    if not headers:
        one = _inherited(frame, before) or _guessed(frame)
        return [one] if one else []
    starts = [h for i, h in enumerate(headers) if i == 0 or not _one_header(frame, headers[i - 1], h)]
    found: list[Grid] = []
    for start, end in zip(starts, [*starts[1:], len(frame.bands)], strict=True):
        last = _header_end(frame, start, end)
        title = " ".join(_band_text(b) for b in frame.bands[:start] if _band_text(b)) if start == starts[0] else ""
        heads = [_header_text(frame.bands[start:last], i) for i in range(len(frame.spans))]
        found.append(_grid(frame, columns(frame.spans, heads), frame.bands[last:end], title))
    return found


def _one_header(frame: Frame, above: int, below: int) -> bool:
    """Whether two header bands are the two storeys of one header: the lower adds no description."""
    over = frame.bands[above].cells
    fresh = tuple(None if any(c is o for o in over) else c for c in frame.bands[below].cells)
    told = set(_roles(replace(frame.bands[below], cells=fresh))) - {"none"}
    return below == above + 1 and told <= {*VALUES, "unit"}


def _roles(band: Band) -> list[Role]:
    distinct = {id(c): c for c in band.cells if c and c.words}
    texts = [c.text for c in distinct.values()]
    return with_ratings([role_of(text) for text in texts], texts)


def _header_end(frame: Frame, start: int, end: int) -> int:
    """The band after the header: it goes on while bands hold nothing but roles, parts and packages."""
    last = start + 1
    while last < min(end, start + _HEADER_BANDS) and _goes_on(frame.bands[last], frame.bands[last - 1]):
        last += 1
    return last


def _goes_on(band: Band, above: Band) -> bool:
    cells = {id(c): c for c in band.cells if c and c.text}
    fresh = [c for c in cells.values() if not any(c is a for a in above.cells)]
    texts = [c.text for c in fresh]
    return bool(texts) and all(_heads(t) for t in texts) and len({i for c in fresh for i in c.columns}) > 0


def _heads(text: str) -> bool:
    return (role_of(text) in (*VALUES, "unit") and len(text.split()) <= 3) or looks_like_variant(text)


def _header_text(bands: Sequence[Band], column: int) -> str:
    cells: list[Cell] = []
    for band in bands:
        cell = band.cells[column]
        if cell and not any(cell is c for c in cells):
            cells.append(cell)
    return " ".join(c.text for c in cells)


def _band_text(band: Band) -> str:
    return " ".join(w.text for w in sorted(band.words, key=lambda w: w.start))


def _inherited(frame: Frame, before: Sequence[Grid]) -> Grid | None:
    """The grid under the header of the last table with the same columns, on this page or the one before."""
    for grid in reversed(before):
        if grid.page < frame.page.number - 1:
            return None
        if len(grid.columns) == len(frame.spans) and all(
            abs(a.x1 - b[1]) < _SAME_COLUMNS for a, b in zip(grid.columns[:-1], frame.spans[:-1], strict=True)
        ):
            return _headless(frame, grid)
    return None


def _guessed(frame: Frame) -> Grid | None:
    """The grid of a table without any header, if its cells say what they are."""
    cells = [[c.text if (c := band.cells[i]) else "" for band in frame.bands] for i in range(len(frame.spans))]
    named = inferred(frame.spans, cells)
    return _grid(frame, named, frame.bands, "") if named else None


def _headless(frame: Frame, like: Grid) -> Grid:
    """Roles from another table, variants from this one's first band if that holds nothing else."""
    named, start = list(like.columns), 0
    first = frame.bands[0]
    texts = {i: c.text for i, c in enumerate(first.cells) if c and c.text}
    if texts and all(looks_like_variant(t) and like.columns[i].role in VALUES for i, t in texts.items()):
        named = [replace(c, variant=texts.get(i, c.variant)) for i, c in enumerate(named)]
        start = 1
    moved = [replace(c, x0=x0, x1=x1) for c, (x0, x1) in zip(named, frame.spans, strict=True)]
    return _grid(frame, moved, frame.bands[start:], "")


def _grid(frame: Frame, named: Sequence[Column], bands: Sequence[Band], title: str) -> Grid:
    kept = _without_stray(named)
    groups, body = [], []
    for band in bands:
        whole = {id(c): c for c in band.cells if c and c.words}
        only = next(iter(whole.values())) if len(whole) == 1 else None
        if only and len(only.columns) > len(named) // 2 and not any(ch.isdigit() for ch in only.text):
            groups.append((band.top, only.text.strip(" *:")))
        else:
            body.append(replace(band, cells=tuple(c if k else None for c, k in zip(band.cells, kept, strict=True))))
    words = [w for band in bands for w in band.words]
    box = box_of(words) if words else frame.box
    return Grid(frame.page.number, box, tuple(named), tuple(body), title, "ruled", tuple(groups))


def _without_stray(named: Sequence[Column]) -> list[bool]:
    """Whether a column counts: one beside the frame does only if its header says symbol or unit."""
    inner = [True] * len(named)
    roles = {c.role for c in named[1:-1]}
    inner[0] = named[0].role in ("symbol", "name", "unit") and named[0].role not in roles
    inner[-1] = named[-1].role in ("symbol", "unit", "conditions", *VALUES) and named[-1].role not in roles - VALUES
    return inner
