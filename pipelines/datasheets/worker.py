"""The process that opens a PDF: what is on its pages, as JSON, and nothing about what it means.

Run by path as a script (`python -I worker.py`), fed the document on its standard input, killed when it takes too long.
It imports nothing of the house, so that starting it stays cheap. `document.py` is the other end.

Standard output is one JSON object a line: the head, then a page each, written as soon as it is read; pages that are
pictures come a second time when they were read as such. Whoever kills this process keeps what it wrote.
"""

import contextlib
import io
import json
import re
import resource
import sys
import time
import types
from typing import Any, Final

import pdfplumber
import pypdfium2  # type: ignore[import-untyped,unused-ignore]
from pdfminer.encodingdb import name2unicode
from pdfminer.pdffont import PDFFont, PDFSimpleFont
from pdfminer.pdfinterp import PDFResourceManager
from pdfminer.pdftypes import resolve1
from pdfminer.psparser import PSLiteral

NAMED: Final = 0xE000
"""As in glyphs.py."""
PRIVATE: Final = 0xF000
"""Where private use keeps the Symbol encoding."""
_CODE_NAME: Final = re.compile(r"[A-Za-z]{1,4}0*(\d{2,3})")
_CHARS: Final = 30_000
_EDGES: Final = 4_000
_LEGIBLE: Final = 25
"""Characters below which a page with a picture is a scan. A guess."""
_CELLS: Final = 4_000
_EDGES_FOR_TABLES: Final = 1_600
"""Beyond this a page is a drawing, and finding tables in it takes quadratic time."""
_TABLES: Final = {"snap_tolerance": 3, "join_tolerance": 3, "intersection_tolerance": 3}


class _Fonts(PDFResourceManager):
    """pdfminer's fonts, with glyphs named by code alone marked as such rather than read as Latin letters."""

    def get_font(self, objid: object, spec: Any) -> PDFFont:  # noqa: ANN401
        """The font, mended."""
        font = super().get_font(objid, spec)
        if isinstance(font, PDFSimpleFont) and not hasattr(font, "mended"):
            font.mended = True  # type: ignore[attr-defined]
            marks = _marks(spec)
            if _is_symbol(str(getattr(font, "basefont", ""))) and font.unicode_map is None:
                marks = {code: chr(PRIVATE + code) for code in range(32, 255)} | _named(spec) | marks
            if marks:
                _mend(font, marks)
        return font


def _is_symbol(font: str) -> bool:
    """As in glyphs.py."""
    name = font.rsplit("+", 1)[-1].lower()
    return ("symbol" in name or name.endswith("sym")) and not name.startswith(("segoe", "apple"))


def _named(spec: Any) -> dict[int, str]:  # noqa: ANN401
    """Code → character, for the glyphs in /Differences that Adobe's list knows."""
    known = {}
    for code, name in _differences(spec):
        with contextlib.suppress(KeyError, ValueError):
            known[code] = name2unicode(name)
    return known


def _marks(spec: Any) -> dict[int, str]:  # noqa: ANN401
    """Code → what to answer for it, for glyphs in /Differences whose names say nothing to Adobe's list."""
    return {code: mark for code, name in _differences(spec) if (mark := _mark(name, code))}


def _differences(spec: Any) -> list[tuple[int, str]]:  # noqa: ANN401
    """(code, glyph name) of every entry in /Differences."""
    encoding = resolve1(spec.get("Encoding"))
    differences = resolve1(encoding.get("Differences", [])) if isinstance(encoding, dict) else []
    found, code = [], 0
    for entry in differences if isinstance(differences, list) else []:
        entry = resolve1(entry)
        if isinstance(entry, int):
            code = entry
        elif isinstance(entry, PSLiteral):
            found.append((code, entry.name if isinstance(entry.name, str) else entry.name.decode("latin-1")))
            code += 1
    return found


def _mark(name: str, code: int) -> str | None:
    with contextlib.suppress(KeyError, ValueError):
        name2unicode(name)
        return None
    match = _CODE_NAME.fullmatch(name)
    if match and int(match[1]) < 256 and (int(match[1]) == code or re.fullmatch(r"C\d{4}", name)):
        return chr(NAMED + int(match[1]))
    # Any other name with a number may be a glyph's index: the code underneath is the better witness.
    return None if match or name == ".notdef" else "\ufffd"


def _mend(font: Any, marks: dict[int, str]) -> None:  # noqa: ANN401
    plain = font.to_unichr

    def to_unichr(self: Any, cid: int) -> str:  # noqa: ANN401
        mark = marks.get(cid)
        if mark is None:
            return str(plain(cid))
        mapped = self.unicode_map.cid2unichr.get(cid) if self.unicode_map else None
        # A /ToUnicode that answers with the glyph's own code has been made from the name, not from the glyph.
        own = chr(ord(mark) - NAMED) if NAMED <= ord(mark[0]) < NAMED + 256 else None
        return mark if mapped is None or mapped == own else str(mapped)

    font.to_unichr = types.MethodType(to_unichr, font)


def _runs(page: Any, fonts: dict[str, int]) -> list[list[Any]]:  # noqa: ANN401
    """[text, x0, x1, top, bottom, baseline, size, font, angle, space before] of every stretch of like characters."""
    runs: list[list[Any]] = []
    space = True
    for char in page.chars[:_CHARS]:
        text = char["text"]
        if not text.strip():
            space = True
            continue
        a, b, _, _, _, f = char["matrix"]
        angle = 0 if abs(a) >= abs(b) and a >= 0 else 180 if abs(a) >= abs(b) else 90 if b > 0 else 270
        baseline = char["bottom"] - (f - char["y0"]) if angle in (0, 180) else char["bottom"]
        if not char["top"] - char["size"] <= baseline <= char["bottom"] + char["size"]:
            baseline = char["bottom"] - 0.2 * char["size"]
        font = fonts.setdefault(char["fontname"], len(fonts))
        last = runs[-1] if runs else None
        same = last is not None and last[7:9] == [font, angle] and abs(last[6] - char["size"]) < 0.1
        if last is not None and same and angle == 0 and not space and abs(last[5] - baseline) < 0.3:
            gap = char["x0"] - last[2]
            if -0.3 * char["size"] < gap < 0.1 * char["size"] and char["x1"] > last[2]:
                last[0] += text
                last[2] = round(char["x1"], 2)
                continue
        box = [round(char[k], 2) for k in ("x0", "x1", "top", "bottom")]
        runs.append([text, *box, round(baseline, 2), round(char["size"], 2), font, angle, space])
        space = False
    return runs


def _edges(page: Any) -> list[list[float]]:  # noqa: ANN401
    """[x0, top, x1, bottom] of the rulings: lines, and rectangles so thin that they are lines."""
    found = set()
    for edge in page.edges[: 4 * _EDGES]:
        box = tuple(round(edge[k], 1) for k in ("x0", "top", "x1", "bottom"))
        if max(box[2] - box[0], box[3] - box[1]) >= 4:
            found.add(box)
    return [list(box) for box in sorted(found, key=lambda e: (e[1], e[0]))[:_EDGES]]


def _tables(page: Any) -> list[list[list[float]]]:  # noqa: ANN401
    """The cells [x0, top, x1, bottom] of every ruled table."""
    if len(page.edges) > _EDGES_FOR_TABLES:
        return []
    tables = page.find_tables(table_settings=_TABLES)
    cells = [[[round(v, 1) for v in cell] for cell in table.cells if cell] for table in tables]
    return [table for table in cells if 3 <= len(table) <= _CELLS]


def _scanned(page: Any) -> bool:  # noqa: ANN401
    """Whether an image covers most of a page that has next to no text."""
    covered = max((abs(i["x1"] - i["x0"]) * abs(i["bottom"] - i["top"]) for i in page.images), default=0.0)
    return len(page.chars) < _LEGIBLE and bool(covered > 0.4 * float(page.width) * float(page.height))


def _pdfium_runs(page: Any, text_page: Any, fonts: dict[str, int]) -> list[list[Any]]:  # noqa: ANN401
    """The same runs as seen by PDFium, for a page that pdfminer cannot read: no fonts, sizes from the boxes."""
    height, count = page.get_height(), min(text_page.count_chars(), _CHARS)
    font = fonts.setdefault("", len(fonts))
    runs: list[list[Any]] = []
    space = True
    for i in range(count):
        text = text_page.get_text_range(i, 1)
        if not text.strip():
            space = True
            continue
        left, bottom, right, top = text_page.get_charbox(i, loose=True)
        size = top - bottom
        box = [round(v, 2) for v in (left, right, height - top, height - bottom)]
        runs.append([text, *box, round(height - bottom - 0.2 * size, 2), round(size, 2), font, 0, space])
        space = False
    return runs


def _page(data: dict[str, Any], plumber: Any, pdfium: Any, deadline: float) -> dict[str, Any]:  # noqa: ANN401
    """One page, by PDFium first (its lines), then by pdfminer unless time is up or it fails."""
    fonts: dict[str, int] = {}
    with contextlib.suppress(Exception):
        text_page = pdfium.get_textpage()
        data["lines"] = text_page.get_text_range()[:200_000].splitlines()[:2_000]
    try:
        if plumber is None or time.monotonic() > deadline:
            raise TimeoutError
        data.update(width=float(plumber.width), height=float(plumber.height), rotation=int(plumber.rotation or 0))
        data.update(runs=_runs(plumber, fonts), edges=_edges(plumber), tables=_tables(plumber))
        data.update(needs_ocr=_scanned(plumber))
    except Exception as error:  # noqa: BLE001  whatever a hostile page makes of pdfminer, PDFium still gets its turn
        data["notes"].append(f"page {data['number']}: read by PDFium alone ({type(error).__name__})")
        with contextlib.suppress(Exception):
            data.update(width=pdfium.get_width(), height=pdfium.get_height())
            data.update(runs=_pdfium_runs(pdfium, pdfium.get_textpage(), fonts))
            pictures = any(pdfium.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]))
            data.update(needs_ocr=len(data["runs"]) < _LEGIBLE and pictures)
    data["fonts"] = list(fonts)
    return data


def _ocr(data: dict[str, Any], pdfium: Any, engine: Any) -> None:  # noqa: ANN401
    """Replace a scanned page's runs by what RapidOCR reads on it."""
    scale = 150 / 72
    read = engine(pdfium.render(scale=scale).to_numpy())
    runs = []
    for box, text in zip(read.boxes if read.boxes is not None else [], read.txts or (), strict=False):
        xs, ys = [float(p[0]) / scale for p in box], [float(p[1]) / scale for p in box]
        x0, width, size = min(xs), max(xs) - min(xs), 0.8 * (max(ys) - min(ys))
        at = 0
        for word in text.split():
            start = text.index(word, at)
            at = start + len(word)
            left, right = (x0 + width * part / len(text) for part in (start, at))
            row = [word, left, right, min(ys), max(ys), max(ys) - 0.2 * size, size, 0, 0, True]
            runs.append([round(v, 2) if isinstance(v, float) else v for v in row])
    data.update(runs=runs, fonts=["ocr"], needs_ocr=False, ocr=True)


def _read_scans(scans: list[dict[str, Any]], pdfium: Any, engine: Any, deadline: float) -> None:  # noqa: ANN401
    """Write scanned pages once more, read, as long as the next one is likely to be done in time."""
    longest = 0.0
    for data in scans:
        begun = time.monotonic()
        if begun + longest > deadline:
            return
        with contextlib.suppress(IndexError):
            _ocr(data, pdfium[data["number"] - 1], engine)
            _write(data)
        longest = max(longest, time.monotonic() - begun)


def _read(raw: bytes, options: dict[str, Any]) -> None:
    pdfium = pypdfium2.PdfDocument(raw)
    total = len(pdfium)
    plumber, notes = None, []
    if not options["pdfium_only"]:
        try:
            plumber = pdfplumber.open(io.BytesIO(raw))
            plumber.rsrcmgr = _Fonts()
            metadata = {str(k): str(v)[:500] for k, v in (plumber.metadata or {}).items()}
        except Exception as error:  # noqa: BLE001  as above
            notes.append(f"read by PDFium alone ({type(error).__name__})")
    if plumber is None:
        metadata = {k: v[:500] for k, v in pdfium.get_metadata_dict().items()}
    _write({"pages_total": total, "metadata": metadata, "notes": notes})
    engine = _engine() if options["ocr"] else None
    scans: list[dict[str, Any]] = []
    deadline = time.monotonic() + options["budget_s"]
    for index in range(min(total, options["pages"])):
        data: dict[str, Any] = {"number": index + 1, "width": 0.0, "height": 0.0, "rotation": 0, "notes": []}
        data.update(runs=[], edges=[], tables=[], lines=[], needs_ocr=False, ocr=False)
        with contextlib.suppress(IndexError):
            page = plumber.pages[index] if plumber else None
            _page(data, page, pdfium[index], deadline)
            _write(data)
            if data["needs_ocr"]:
                scans.append(data)
            if page is not None:
                page.close()
    if engine is not None:
        _read_scans(scans[: options["scans"]], pdfium, engine, deadline)


def _engine() -> Any:  # noqa: ANN401
    try:
        from rapidocr import RapidOCR  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        _write({"error": "ocr"})
        raise SystemExit(0) from None
    return RapidOCR()


def _write(data: dict[str, Any]) -> None:
    # Lone surrogates come out of broken CMaps: ASCII JSON carries them, and the reader drops them.
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the document on standard input; the options are the first argument, as JSON."""
    options = json.loads(sys.argv[1])
    for what, limit in ((resource.RLIMIT_AS, options["memory_bytes"]), (resource.RLIMIT_CPU, options["cpu_s"])):
        resource.setrlimit(what, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setrecursionlimit(2_000)
    try:
        _read(sys.stdin.buffer.read(), options)
    except MemoryError:
        _write({"error": "memory"})
    except pypdfium2.PdfiumError as error:
        _write({"error": "encrypted" if "password" in str(error).lower() else "damaged"})


if __name__ == "__main__":
    main()
