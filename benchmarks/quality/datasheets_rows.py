"""How much of what a careful reader finds in a datasheet our readers find, beside three simple heuristics.

    python benchmarks/quality/datasheets_rows.py [--out benchmarks/results/datasheets_rows.json]

A fact is (symbol, slot, SI value, SI unit, page). Gold: the four open sheets, where they are at hand, and the synthetic
set. Baselines, as FINDINGS describes them: ruled tables with forward-filled cells; columns by the x of the header;
both. The gold of the open sheets leaves out some printed rows (derating, other packages): precision is a lower bound.
A silent unit error is a fact that is right but for a power of a thousand.
"""

import argparse
import importlib.util
import io
import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pdfplumber

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pipelines.datasheets.clustered import clustered_grids  # noqa: E402
from pipelines.datasheets.document import read_document  # noqa: E402
from pipelines.datasheets.quantities import Unit, parse_quantity, parse_unit, to_si  # noqa: E402
from pipelines.datasheets.rows import ParameterRow, read_rows, reading_of, rows_of  # noqa: E402
from pipelines.datasheets.ruled import ruled_grids  # noqa: E402

Fact = tuple[str, str, float, str, int]


@dataclass
class Sheet:
    name: str
    pdf: bytes
    gold: set[Fact]


def fact(symbol: str | None, slot: str, value: float, unit: str | None, page: int) -> Fact:
    plain = re.sub(r"[\s_,()/\-]", "", symbol or "").lower()
    return plain, slot, float(f"{value:.6g}"), unit or "", page


def open_sheets(folder: Path) -> list[Sheet]:
    found = []
    for path in sorted((folder / "gold").glob("*.json")):
        data = json.loads(path.read_text())
        gold = {
            fact(p["symbol"], slot, p["si"][slot], p["si"]["unit"], p["page"])
            for p in data["parameters"]
            for slot in ("min", "typ", "max")
            if p["si"][slot] is not None
        }
        found.append(Sheet(data["file"], (folder / data["file"]).read_bytes(), gold))
    return found


def synthetic_sheets() -> list[Sheet]:
    made = _load(ROOT / "tests/data/datasheets_synthetic.py").sheets()
    return [
        Sheet(s.name, s.pdf, {
            fact(g.symbol, slot, g.si[slot], g.si["unit"], g.page)
            for g in s.gold for slot in ("min", "typ", "max") if g.si[slot] is not None
        })
        for s in made
    ]  # fmt: skip


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def facts_of(rows: Iterable[ParameterRow]) -> set[Fact]:
    return {
        fact(row.symbol, slot, row.si[slot], row.si["unit"], row.page)
        for row in rows
        for slot in row.slots
        if row.si[slot] is not None
    }


def ours(pdf: bytes) -> set[Fact]:
    return facts_of(read_rows(read_document(pdf)))


def our_ruled(pdf: bytes) -> set[Fact]:
    document = read_document(pdf)
    reading = reading_of(document)
    return facts_of(row for grid in ruled_grids(document) for row in rows_of(grid, reading))


def our_clustered(pdf: bytes) -> set[Fact]:
    document = read_document(pdf)
    reading = reading_of(document)
    return facts_of(row for grid in clustered_grids(document) for row in rows_of(grid, reading))


HEADS = {"symbol": "symbol", "min": "min", "typ": "typ", "max": "max", "unit": "unit", "units": "unit", "value": "max"}


def _head(text: str) -> str | None:
    return HEADS.get(re.sub(r"[^a-z]", "", text.lower()))


def _naive(cells: dict[str, str], page: int) -> set[Fact]:
    """Facts of a row whose cells are known, stacked lines taken side by side."""
    found = set()
    columns = {k: v.split("\n") for k, v in cells.items() if v}
    for slot in ("min", "typ", "max"):
        for i, text in enumerate(columns.get(slot, [])):
            quantity = parse_quantity(text)
            unit_text = columns.get("unit", [""])[min(i, len(columns.get("unit", [""])) - 1)]
            symbols = columns.get("symbol", [""])
            symbol = symbols[min(i, len(symbols) - 1)] if len(columns[slot]) > 1 else "".join(symbols)
            unit = parse_unit(unit_text)
            if quantity is None or (unit_text.strip() and unit is None):
                continue
            if quantity.value is not None:
                found.add(fact(symbol, slot, _si(quantity.value, unit), unit.si if unit else None, page))
            for own in ("min", "max"):
                number = getattr(quantity, own)
                if number is not None:
                    found.add(fact(symbol, own, _si(number, unit), unit.si if unit else None, page))
    return found


def _si(value: float, unit: Unit | None) -> float:
    return to_si(value, unit) if unit else value


def ruled_baseline(pdf: bytes) -> set[Fact]:
    """Ruled tables, merged cells filled from above, columns by the words of the first row that has some."""
    found: set[Fact] = set()
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        for page in document.pages:
            for table in page.extract_tables({"text_x_tolerance": 1.5, "text_y_tolerance": 4}):
                roles: list[str | None] = []
                last: list[str] = []
                for row in table:
                    heads = [_head(c or "") for c in row]
                    if sum(h is not None for h in heads) > 1:
                        roles, last = heads, []
                        continue
                    if not roles:
                        continue
                    filled = [c if c is not None else (last[i] if i < len(last) else "") for i, c in enumerate(row)]
                    last = filled
                    cells = {r: c for r, c in zip(roles, filled, strict=False) if r}
                    found |= _naive(cells, page.page_number)
    return found


def header_baseline(pdf: bytes) -> set[Fact]:
    """Lines of words, each word under the nearest head; the last symbol and unit go on."""
    found: set[Fact] = set()
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        for page in document.pages:
            heads: list[tuple[float, str]] = []
            symbol = ""
            for line in page.extract_text_lines(x_tolerance=1.5, y_tolerance=4):
                strip = (0, max(0, line["top"] - 1), page.width, min(page.height, line["bottom"] + 1))
                words = page.crop(strip).extract_words(x_tolerance=1.5, y_tolerance=4)
                roles = [((w["x0"] + w["x1"]) / 2, h) for w in words if (h := _head(w["text"]))]
                if len(roles) > 1:
                    heads = roles
                    continue
                if not heads:
                    continue
                cells: dict[str, list[str]] = {}
                for word in words:
                    middle = (word["x0"] + word["x1"]) / 2
                    x, role = min(heads, key=lambda h: abs(h[0] - middle))
                    if abs(x - middle) < 30:
                        cells.setdefault(role, []).append(word["text"])
                symbol = " ".join(cells.get("symbol", [])) or symbol
                joined = {r: " ".join(ws) for r, ws in cells.items()} | {"symbol": symbol}
                found |= _naive(joined, page.page_number)
    return found


def both_baselines(pdf: bytes) -> set[Fact]:
    return ruled_baseline(pdf) | header_baseline(pdf)


SYSTEMS: dict[str, Callable[[bytes], set[Fact]]] = {
    "baseline: ruled tables": ruled_baseline,
    "baseline: columns by header x": header_baseline,
    "baseline: both": both_baselines,
    "ours: ruled reader alone": our_ruled,
    "ours: clustered reader alone": our_clustered,
    "ours": ours,
}


def silent(found: set[Fact], gold: set[Fact]) -> set[Fact]:
    """Facts that are a gold fact but for a power of a thousand."""
    wrong = set()
    for symbol, slot, value, unit, page in found - gold:
        for other in gold:
            if (symbol, slot, page) == (other[0], other[1], other[4]) and value and other[2]:
                ratio = abs(value / other[2])
                if any(abs(ratio / 10.0**e - 1) < 1e-3 for e in (-12, -9, -6, -3, 3, 6, 9, 12)):
                    wrong.add((symbol, slot, value, unit, page))
    return wrong


def measure(system: Callable[[bytes], set[Fact]], sheets: list[Sheet]) -> dict[str, object]:
    hit = found_n = gold_n = 0
    errors: list[str] = []
    by_sheet = {}
    start = time.process_time()
    for sheet in sheets:
        found = system(sheet.pdf)
        right = len(found & sheet.gold)
        hit, found_n, gold_n = hit + right, found_n + len(found), gold_n + len(sheet.gold)
        errors += [f"{sheet.name}: {f}" for f in silent(found, sheet.gold)]
        by_sheet[sheet.name] = {"right": right, "found": len(found), "gold": len(sheet.gold)}
    precision, recall = hit / max(found_n, 1), hit / max(gold_n, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {
        "precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4), "silent_unit_errors": errors,
        "cpu_s_parent": round(time.process_time() - start, 2), "sheets": by_sheet,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sheets", type=Path, default=ROOT.parent / "shared/datasheets")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    sets = {"open": open_sheets(args.sheets) if args.sheets.exists() else [], "synthetic": synthetic_sheets()}
    results = {name: {s: measure(f, sheets) for s, f in SYSTEMS.items()} for name, sheets in sets.items() if sheets}
    for name, table in results.items():
        print(f"\n{name}: {len(sets[name])} sheets, {sum(len(s.gold) for s in sets[name])} facts")
        print(f"{'':32}{'precision':>10}{'recall':>8}{'F1':>8}{'silent unit errors':>20}")
        for system, r in table.items():
            errors = r["silent_unit_errors"]
            assert isinstance(errors, list)
            print(f"{system:32}{r['precision']:>10}{r['recall']:>8}{r['f1']:>8}{len(errors):>20}")
    if args.out:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        about = {"machine": platform.platform(), "python": platform.python_version(), "commit": commit.stdout.strip()}
        args.out.write_text(json.dumps({"about": about, "results": results}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
