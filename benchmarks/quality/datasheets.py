"""From a PDF to canonical parameters and to a SPICE card: precision, recall, F1, EM, EC, irrelevant information, residuals.

    python -m benchmarks.quality.datasheets [--save]
    python -m benchmarks.quality.datasheets --first-run datasheets_first_run_3   # once, before the reader is mended on them

Sets: the four open sheets, where they are at hand, the synthetic sheets, and layouts that were drawn with their gold
before the reader was run on them. Of these, three lots were mended on after a first run that `datasheets_first_run.json`,
`…_2.json` and `…_3.json` keep; what is printed of them now is no longer about unseen sheets ("unseen at first"). The last
lot ("unseen") was drawn after that, and nothing was mended on it. A fact is (canonical parameter, slot, SI
value, SI unit). EM: share of gold parameters with every slot, unit and condition right. EC: share with the right values
whatever the variant or condition. Irrelevant information: of the rows retrieved for a gold parameter asked for by name,
those that are none of its gold rows. All over the whole document (`all_parts`), and again locked on the gold's part.

The open sheets' gold leaves out some printed rows (derating, other packages): precision is a lower bound. The synthetic
set was written beside the reader: it says that its traps are covered, nothing about unseen sheets. The open sheets were
looked at while the terminology was written; no parameter was tuned on them beyond that. Baselines are those of
quality/datasheets_rows.py, their symbols named by our own flow, which is more than they could do by themselves.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import SHARED, save
from benchmarks.quality import datasheets_rows as rows_benchmark
from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import Build, build
from pipelines.datasheets.conditions import parse_conditions
from pipelines.datasheets.document import read_document
from pipelines.datasheets.extraction import Extracted, Extraction, extract
from pipelines.datasheets.focus import Focus
from pipelines.datasheets.page import Document
from pipelines.datasheets.spice.facts import condition_key, condition_si, facts_of
from pipelines.datasheets.spice.making import make_card
from pipelines.results import Request, Result

Fact = tuple[str, str, float, str]
Run = Callable[[Sequence[Request]], Sequence[Result]]
FIRST_RUNS = {
    "datasheets_first_run": "datasheets_unseen",
    "datasheets_first_run_2": "datasheets_unseen_again",
    "datasheets_first_run_3": "datasheets_unseen_third",
}
"""The figures of a first run, and the layouts that they are of."""


@dataclass(frozen=True)
class GoldRow:
    name: str
    slots: dict[str, float]
    unit: str
    conditions: frozenset[tuple[str, float]]
    variant: str | None

    def facts(self) -> set[Fact]:
        return {(self.name, slot, value, self.unit) for slot, value in self.slots.items()}


@dataclass(frozen=True)
class Sheet:
    name: str
    pdf: bytes
    rows: tuple[GoldRow, ...]
    part: str | None
    device_type: str | None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--first-run", choices=FIRST_RUNS, help="measure and keep one lot of unseen layouts alone")
    args = parser.parse_args()
    sets: dict[str, Callable[[], list[Sheet]]] = {
        "open": open_sheets,
        "synthetic": synthetic_sheets,
        "unseen at first": seen_since,
        "unseen": unseen_sheets,
    }
    if args.first_run:
        sets = {"unseen": lambda: drawn(FIRST_RUNS[args.first_run])}
    with tempfile.TemporaryDirectory() as folder:
        built = _built(ArtifactStore(Path(folder)))
        results: dict[str, Any] = {}
        for label, load in sets.items():
            if sheets := load():
                results[label] = measure_set(sheets, built)
                show(label, results[label])
    if args.save or args.first_run:
        save(args.first_run or "datasheets", {"sets": results})


def _built(store: ArtifactStore) -> Build:
    spec = registry.spec("datasheets")
    config = spec.config()
    return build(spec, spec.starter(), encoder=EncoderLibrary(store).get(config.encoder), store=store, config=config)


# -- gold ---------------------------------------------------------------------------------------


def open_sheets() -> list[Sheet]:
    found = []
    for path in sorted((SHARED / "datasheets" / "gold").glob("*.json")):
        data = json.loads(path.read_text())
        rows = tuple(
            GoldRow(
                p["canonical_name"],
                {s: _rounded(p["si"][s]) for s in ("min", "typ", "max") if p["si"][s] is not None},
                p["si"]["unit"] or "",
                _held(p["conditions"] or ""),
                p["variant"],
            )
            for p in data["parameters"]
        )
        pdf = (SHARED / "datasheets" / data["file"]).read_bytes()
        found.append(Sheet(data["file"], pdf, rows, data["part"], data["device_type"]))
    return found


def synthetic_sheets() -> list[Sheet]:
    root = rows_benchmark.ROOT / "tests/data"
    names = rows_benchmark._load(root / "datasheets_names.py")
    found = []
    for made in rows_benchmark._load(root / "datasheets_synthetic.py").sheets():
        rows = tuple(
            GoldRow(
                name,
                {s: _rounded(g.si[s]) for s in ("min", "typ", "max") if g.si[s] is not None},
                g.si["unit"] or "",
                _held(g.conditions),
                g.variant,
            )
            for g in made.gold
            if (name := names.canonical(g.symbol, g.name))
        )
        part = made.parts[-1] if made.parts else None
        found.append(Sheet(made.name, made.pdf, rows, part, made.device_type))
    return found


def seen_since() -> list[Sheet]:
    return [sheet for first in FIRST_RUNS.values() for sheet in drawn(first)]


def unseen_sheets() -> list[Sheet]:
    return drawn("datasheets_unseen_last")


def drawn(module: str) -> list[Sheet]:
    found = []
    for made in rows_benchmark._load(rows_benchmark.ROOT / f"tests/data/{module}.py").sheets():
        rows = tuple(
            GoldRow(
                g.canonical,
                {s: _rounded(g.si[s]) for s in ("min", "typ", "max") if g.si[s] is not None},
                g.si["unit"] or "",
                _held(g.conditions),
                g.variant,
            )
            for g in made.gold
        )
        found.append(Sheet(made.name, made.pdf, rows, made.parts[-1] if made.parts else None, made.device_type))
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _held(text: str) -> frozenset[tuple[str, float]]:
    found = set()
    for c in parse_conditions(text):
        if c.symbol and c.value is not None and (value := condition_si(c.value, c.unit)) is not None:
            found.add((condition_key(c.symbol), _rounded(value)))
    return frozenset(found)


# -- measuring ----------------------------------------------------------------------------------


def found_row(e: Extracted) -> GoldRow:
    si = e.row.si
    held = _held(", ".join(c.text for c in (*e.row.conditions, *e.row.default_conditions)))
    slots = {s: _rounded(si[s]) for s in ("min", "typ", "max") if si[s] is not None}
    return GoldRow(e.name, slots, si["unit"] or "", held, e.row.variant)


def measure_set(sheets: Sequence[Sheet], built: Build) -> dict[str, Any]:
    before = _cpu()
    documents = {s.name: read_document(s.pdf) for s in sheets}
    reading = _cpu() - before
    pages = sum(len(d.pages) for d in documents.values())
    before = _cpu()
    for sheet in sheets:
        extract(documents[sheet.name], built.pipeline.run, all_parts=True)
    naming = _cpu() - before
    score = {"whole document": scores(sheets, documents, built.pipeline.run, locked=False)}
    score["locked on the part"] = scores(sheets, documents, built.pipeline.run, locked=True)
    for label, changed in ABLATIONS.items():
        spec = registry.spec("datasheets")
        config = built.config.model_copy(update=changed)
        run = spec.pipeline(config, built.parts, built.query_encoder).run
        score[f"ablation: {label}"] = scores(sheets, documents, run, locked=False)
    for label in ("ruled tables", "columns by header x", "both"):
        system = rows_benchmark.SYSTEMS[f"baseline: {label}"]
        score[f"baseline: {label}"] = baseline(sheets, system, built.pipeline.run)
    return {
        "sheets": len(sheets),
        "pages": pages,
        "gold_parameters": sum(len(s.rows) for s in sheets),
        "pages_per_cpu_s": {"read": round(pages / reading, 2), "read and named": round(pages / (reading + naming), 2)},
        "scores": score,
        "spice": residuals(sheets, documents, built.pipeline.run),
    }


ABLATIONS: dict[str, dict[str, float]] = {
    "symbols alone": {"symbol_weight": 1.0},
    "names alone": {"symbol_weight": 0.0},
    "no gate of device": {"device_penalty": 0.0},
    "no bonus of section": {"section_bonus": 0.0},
}


def scores(sheets: Sequence[Sheet], documents: dict[str, Document], run: Run, *, locked: bool) -> dict[str, Any]:
    hit = found_n = gold_n = exact = correct = rows_n = irrelevant = retrieved = 0
    silent: list[str] = []
    missed: list[str] = []
    devices = 0
    for sheet in sheets:
        part = sheet.part if locked else None
        extraction = extract(documents[sheet.name], run, part=part, all_parts=not locked or part is None)
        gold = [r for r in sheet.rows if not locked or _concerned(r, extraction.focus)]
        found = [found_row(e) for e in extraction.parameters]
        devices += extraction.device_type == sheet.device_type
        want: set[Fact] = set().union(*(r.facts() for r in gold)) if gold else set()
        have: set[Fact] = set().union(*(r.facts() for r in found)) if found else set()
        hit, found_n, gold_n = hit + len(want & have), found_n + len(have), gold_n + len(want)
        silent += [f"{sheet.name}: {f}" for f in _silent(have, want)]
        missed += [f"{sheet.name}: {f}" for f in sorted(want - have)]
        for row in gold:
            rows_n += 1
            alike = [f for f in found if f.name == row.name and f.slots == row.slots and f.unit == row.unit]
            correct += bool(alike)
            exact += any(row.conditions <= f.conditions for f in alike)
        for name in {r.name for r in gold}:
            rows = _asked_for(documents[sheet.name], run, name, part, locked)
            retrieved += len(rows)
            irrelevant += sum(not any(f.slots == r.slots for r in gold if r.name == name) for f in rows)
    precision, recall = hit / max(found_n, 1), hit / max(gold_n, 1)
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / max(precision + recall, 1e-9), 4),
        "em": round(exact / max(rows_n, 1), 4),
        "ec": round(correct / max(rows_n, 1), 4),
        "irrelevant_information": round(irrelevant / max(retrieved, 1), 4),
        "silent_unit_errors": silent,
        "missed": missed,
        "device_types_right": devices,
    }


def _asked_for(document: Document, run: Run, name: str, part: str | None, locked: bool) -> list[GoldRow]:
    extraction: Extraction = extract(document, run, part=part, all_parts=not locked or part is None, parameters=[name])
    return [found_row(e) for e in extraction.parameters]


def _concerned(row: GoldRow, about: Focus) -> bool:
    from pipelines.datasheets.focus import concerns

    return about.part is None or concerns(row.variant, about.part, names=about.names, packages=about.packages)


def _silent(found: set[Fact], gold: set[Fact]) -> set[Fact]:
    """Facts that are a gold fact but for a power of a thousand."""
    return {
        f
        for f in found - gold
        for g in gold
        if f[:2] == g[:2] and f[2] and g[2]
        if any(abs(abs(f[2] / g[2]) / 10.0**e - 1) < 1e-3 for e in (-12, -9, -6, -3, 3, 6, 9, 12))
    }


def baseline(sheets: Sequence[Sheet], system: Callable[[bytes], set[Any]], run: Run) -> dict[str, Any]:
    hit = found_n = gold_n = 0
    silent: list[str] = []
    for sheet in sheets:
        facts = sorted(system(sheet.pdf))
        device = f" {{{sheet.device_type}}}" if sheet.device_type else ""
        named = run([Request(f"{symbol}; [{unit}]{device}") for symbol, _, _, unit, _ in facts])
        have: set[Fact] = set()
        for (_, slot, value, unit, _), result in zip(facts, named, strict=True):
            if (name := result.mentions[0].decision.concept_id) is not None:
                have.add((name, slot, _rounded(value), unit))
        want: set[Fact] = set().union(*(r.facts() for r in sheet.rows)) if sheet.rows else set()
        hit, found_n, gold_n = hit + len(want & have), found_n + len(have), gold_n + len(want)
        silent += [f"{sheet.name}: {f}" for f in _silent(have, want)]
    precision, recall = hit / max(found_n, 1), hit / max(gold_n, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4),
            "silent_unit_errors": silent}  # fmt: skip


def residuals(sheets: Sequence[Sheet], documents: dict[str, Document], run: Run) -> dict[str, Any]:
    """The cards that can be made: the largest residual of what they were fitted to, and of all that was checked."""
    from pipelines.datasheets.errors import ModelImpossible

    found: dict[str, Any] = {}
    for sheet in sheets:
        if sheet.part is None:
            continue
        extraction = extract(documents[sheet.name], run, part=sheet.part)
        if extraction.device_type is None:
            continue
        try:
            card = make_card(
                facts_of(extraction.parameters),
                device_type=extraction.device_type,
                part=sheet.part,
                polarity=extraction.polarity,
            )
        except ModelImpossible:
            continue
        fitted = [abs(c.relative_error) for c in card.checks if c.fitted]
        found[sheet.name] = {
            "model": card.model.kind,
            "simulator": card.simulator,
            "fitted": len(fitted),
            "largest_residual_fitted": round(max(fitted), 4) if fitted else None,
            "checks": [
                [c.quantity, c.slot, c.datasheet, c.simulated, round(c.relative_error, 4), c.fitted]
                for c in card.checks
            ],
        }
    return found


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def show(label: str, result: dict[str, Any]) -> None:
    print(f"\n{label}: {result['sheets']} sheets, {result['pages']} pages, {result['gold_parameters']} gold parameters")
    print(f"pages per CPU-second: {result['pages_per_cpu_s']}")
    print(f"{'':34}{'P':>7}{'R':>7}{'F1':>7}{'EM':>7}{'EC':>7}{'irrel.':>8}{'silent':>8}")
    for system, s in result["scores"].items():
        rest = [f"{s[k]:.3f}" if k in s else "" for k in ("em", "ec", "irrelevant_information")]
        print(
            f"{system:34}{s['precision']:>7.3f}{s['recall']:>7.3f}{s['f1']:>7.3f}{rest[0]:>7}{rest[1]:>7}{rest[2]:>8}"
            f"{len(s['silent_unit_errors']):>8}"
        )
    for name, card in result["spice"].items():
        print(f"{name}: {card['model']}, {card['fitted']} fitted points, worst {card['largest_residual_fitted']}")


if __name__ == "__main__":
    main()
