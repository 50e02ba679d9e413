"""Runs of characters → words, lines and the page's text; subscripts joined to what they belong to.

V + CE(sat) set lower and smaller is one word, VCE(sat). What is set higher is told apart: an exponent after 10, the
square of a unit, the ring of a degree, or a footnote mark, which must never become the last digit of a number.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pipelines.datasheets.glyphs import NAMED, repair, symbol_fonts
from pipelines.datasheets.headers import roles_in
from pipelines.datasheets.micro import with_micro
from pipelines.datasheets.page import Box, Line, Page, Word, turned

_GAP: Final = 0.22
"""A gap wider than this share of the size parts two words that no space parts. A guess."""
_SCRIPT_GAP: Final = 0.3
_FEWEST_HEADS: Final = 3
_TURNED: Final = 0.6
"""Share of the characters that must run another way for the page to be turned."""
_MARK: Final = re.compile(r"\(?\d{1,2}\)?(?:,\(?\d\)?)*|[*†‡#]+|\([a-f]\)")
_SQUARED: Final = frozenset({"A", "m", "cm", "mm", "V", "in", "kA", "I", "i"})
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\u200b-\u200f\ufeff]")


@dataclass(slots=True, eq=False)
class _Run:
    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    baseline: float
    size: float
    bold: bool
    spaced: bool
    base: "_Run | None" = None
    scripts: "list[_Run]" = field(default_factory=list)

    @property
    def raised(self) -> bool:
        return self.base is not None and self.baseline < self.base.baseline


def page_of(data: Mapping[str, Any], symbols: frozenset[str]) -> Page:
    """The page model of what the worker wrote about one page."""
    width, height = data["width"], data["height"]
    turn = _turn(data["runs"])
    runs = _runs(data, symbols, turn)
    runs += _upright_heads(data, turn)
    engine_lines = tuple(_CONTROLS.sub("", line) for line in data["lines"])
    lines, text = _lines(_attached(_once(runs)), engine_lines)
    size = (height, width) if turn in (90, 270) else (width, height)

    def place(box: Sequence[float]) -> Box:
        return turned((box[0], box[1], box[2], box[3]), turn, width, height)

    return Page(
        data["number"],
        *size,
        turn,
        tuple(lines),
        text,
        engine_lines=engine_lines,
        rules=tuple(place(edge) for edge in data["edges"]),
        tables=tuple(tuple(place(cell) for cell in table) for table in data["tables"]),
        needs_ocr=data["needs_ocr"],
        ocr=data["ocr"],
    )


def fonts_like_symbol(pages: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Fonts of the document that name glyphs by code and are laid out as Symbol is."""
    codes: dict[str, set[int]] = defaultdict(set)
    for page in pages:
        for run in page["runs"]:
            found = {ord(c) - NAMED for c in run[0] if NAMED <= ord(c) < NAMED + 256}
            if found:
                codes[page["fonts"][run[7]]] |= found
    return symbol_fonts(codes)


def _turn(runs: Sequence[Sequence[Any]]) -> int:
    counts = Counter[int]()
    for run in runs:
        counts[run[8]] += len(run[0])
    if not counts:
        return 0
    angle, most = counts.most_common(1)[0]
    return angle if most >= _TURNED * counts.total() else 0


def _runs(data: Mapping[str, Any], symbols: frozenset[str], turn: int) -> list[_Run]:
    """Runs that read left to right after the turn, glyphs repaired."""
    found = []
    fonts = data["fonts"]
    for text, x0, x1, top, bottom, baseline, size, font, angle, spaced in data["runs"]:
        if angle != turn:
            continue
        text = _CONTROLS.sub("", repair(text, font=fonts[font], symbols=symbols))
        if not text.strip():
            continue
        if turn:
            x0, top, x1, bottom = turned((x0, top, x1, bottom), turn, data["width"], data["height"])
            size = bottom - top
            baseline = bottom - 0.2 * size
        if x1 - x0 < 0.1 * size:
            # pdfminer knows no widths of the standard Symbol font.
            x1 = x0 + 0.55 * size * len(text)
        bold = bool(re.search(r"bold|black|heavy|-Bd|Blk|demi", fonts[font], re.IGNORECASE))
        found.append(_Run(text, x0, x1, top, bottom, baseline, max(size, 1.0), bold, spaced))
    return found


def _upright_heads(data: Mapping[str, Any], turn: int) -> list[_Run]:
    """Column heads that run upwards, as runs that stand on one line at their foot.

    Axes of curves run upwards too: only where three heads of columns end at one height are they such.
    """
    columns: dict[tuple[int, int], list[Sequence[Any]]] = defaultdict(list)
    for run in data["runs"]:
        if (run[8] - turn) % 360 == 90 and not turn:
            columns[round(run[1]), round(run[2])].append(run)
    words: list[list[Sequence[Any]]] = []
    for found in columns.values():
        for run in sorted(found, key=lambda r: -r[4]):
            if words and words[-1][0][1] == run[1] and -1.0 < words[-1][-1][3] - run[4] < 0.6 * (run[2] - run[1]):
                words[-1].append(run)
            else:
                words.append([run])
    heads = [(text, word) for word in words if roles_in([text := "".join(r[0] for r in word)])]
    feet = Counter(round(word[0][4] / 3) for _, word in heads)
    upright = []
    for text, word in heads:
        _, x0, x1, _, foot, *_ = word[0]
        if sum(feet[round(foot / 3) + d] for d in (-1, 0, 1)) >= _FEWEST_HEADS:
            upright.append(_Run(text, x0, x1, foot - (x1 - x0), foot, foot, x1 - x0, True, True))
    return upright


def _once(runs: Sequence[_Run]) -> list[_Run]:
    """Without what is printed twice on the same spot to look bold."""
    seen: set[tuple[str, int, int]] = set()
    kept = []
    for run in runs:
        x, y = round(run.x0), round(run.baseline)
        if any((run.text, x + dx, y + dy) in seen for dx in (-1, 0, 1) for dy in (-1, 0, 1)):
            continue
        seen.add((run.text, x, y))
        kept.append(run)
    return kept


def _attached(runs: list[_Run]) -> list[_Run]:
    """The same runs, scripts tied to their bases."""
    by_end = sorted(runs, key=lambda r: r.x1)
    ends = [r.x1 for r in by_end]
    for run in sorted(runs, key=lambda r: r.x0):
        low = bisect_left(ends, run.x0 - 2.0 * run.size)
        best: tuple[float, _Run] | None = None
        for other in by_end[low : bisect_left(ends, run.x0 + 0.6 * run.size)]:
            fit = _fit(other, run)
            if fit is not None and (best is None or fit < best[0]):
                best = (fit, other)
        if best:
            root = best[1].base or best[1]
            run.base = root
            root.scripts.append(run)
    return runs


def _fit(base: _Run, run: _Run) -> float | None:
    """How well a run hangs on a base, smaller is better; None where it does not."""
    if base is run or base.x0 >= run.x0:
        return None
    root = base.base or base
    gap = run.x0 - base.x1
    if not -0.15 * root.size <= gap <= _SCRIPT_GAP * root.size:
        return None
    if base.base is not None:
        # The next piece of the same script.
        same = abs(run.baseline - base.baseline) < 0.12 * root.size and abs(run.size - base.size) < 0.15 * root.size
        return 0.1 + max(gap, 0) if same and gap < _GAP * root.size else None
    offset = run.baseline - root.baseline
    smaller = run.size <= 0.86 * root.size
    lowest = 0.06 if smaller else 0.14
    if not lowest * root.size <= abs(offset) <= (0.75 if smaller else 0.45) * root.size or run.size > 1.1 * root.size:
        return None
    if not smaller and gap > 0.12 * root.size:
        return None
    return max(gap, 0) + 0.01 * abs(offset)


def _lines(runs: Sequence[_Run], engine_lines: Sequence[str]) -> tuple[list[Line], str]:
    """Lines top to bottom, their words knowing where they stand in the text."""
    rows: list[list[_Run]] = []
    for run in sorted((r for r in runs if r.base is None), key=lambda r: r.baseline):
        for row in reversed(rows[-6:]):
            if abs(row[0].baseline - run.baseline) <= 0.28 * min(row[0].size, run.size):
                row.append(run)
                break
        else:
            rows.append([run])
    lines, texts, at = [], [], 0
    printed = with_micro([_words(sorted(row, key=lambda r: r.x0)) for row in rows], engine_lines)
    for row, found in zip(rows, printed, strict=True):
        words = []
        start = at
        for word in found:
            words.append(replace(word, start=start))
            start += len(word.text) + 1
        lines.append(Line(tuple(words), row[0].baseline))
        texts.append(lines[-1].text)
        at = start
    return lines, "\n".join(texts)


def _words(row: Sequence[_Run]) -> list[Word]:
    words: list[list[_Run]] = []
    for run in row:
        last = _end(words[-1][-1]) if words else 0.0
        gap = run.x0 - last
        if words and gap < _GAP * run.size and not (run.spaced and gap > 0.08 * run.size and not _open(words[-1][-1])):
            words[-1].append(run)
        else:
            words.append([run])
    return [word for group in words for word in _word(group)]


def _open(run: _Run) -> bool:
    """Whether more of the same word must follow: an exponent hangs between 10 and its unit, a ring before its C."""
    return any(s.raised and s.text in {"o", "°"} for s in run.scripts)


def _end(run: _Run) -> float:
    return max([run.x1, *(s.x1 for s in run.scripts)])


def _word(group: Sequence[_Run]) -> list[Word]:
    """The word, and after it the footnote marks that hung on it."""
    text = ""
    marks: list[_Run] = []
    boxes: list[_Run] = []
    for run in group:
        text += run.text
        boxes.append(run)
        for script in sorted(run.scripts, key=lambda s: s.x0):
            piece = _script(text, script, followed=run is not group[-1])
            if piece is None:
                marks.append(script)
            else:
                text += piece
                boxes.append(script)
    main = _as_word(text, boxes)
    # In one place, a mark and its word share a line of text; apart they stay, so that no digit joins a number.
    return [main, *(replace(_as_word(m.text, [m]), raised=True) for m in marks)]


def _script(text: str, script: _Run, *, followed: bool) -> str | None:
    """What a script adds to the word so far; None for a footnote mark."""
    if not script.raised:
        return script.text
    raised = script.text.replace("−", "-").replace("–", "-")
    if raised in {"o", "O", "°", "0", "º"} and (text[-1:].isdigit() or text[-1:] in {"/", ""}) and followed:
        return "°"
    if re.search(r"(?:^|[x×·*\d.])10$", text) and re.fullmatch(r"-?\d{1,2}", raised) and _scientific(text, raised):
        return "^" + raised
    if raised == "2" and text.rsplit("/", 1)[-1] in _SQUARED:
        return "²"
    if _MARK.fullmatch(raised):
        return None
    return script.text


def _scientific(text: str, raised: str) -> bool:
    return raised.startswith("-") or bool(re.search(r"[x×·*]10$", text)) or text == "10"


def _as_word(text: str, runs: Sequence[_Run]) -> Word:
    base = max(runs, key=lambda r: r.size)
    return Word(
        text,
        round(min(r.x0 for r in runs), 2),
        round(min(r.top for r in runs), 2),
        round(max(r.x1 for r in runs), 2),
        round(max(r.bottom for r in runs), 2),
        round(base.size, 2),
        base.bold,
    )
