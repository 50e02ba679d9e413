"""Layouts that were unseen when drawn: those mended on are read as their gold, and the quotes of all of them stand."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("reportlab")

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from pipelines import registry
from pipelines.build import build
from pipelines.datasheets.document import read_document
from pipelines.datasheets.extraction import NOT_A_DATASHEET, extract
from pipelines.datasheets.page import turned

DATA = Path(__file__).resolve().parents[2] / "data"
BOTH = frozenset({"jfet_pairs"})
"""Sheets with a row that is two parameters in one: "Gate-Drain or Gate-Source Voltage"."""


def _loaded(name):
    spec = importlib.util.spec_from_file_location(name, DATA / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


UNSEEN = _loaded("datasheets_unseen")
MENDED_ON = [*UNSEEN.MAKERS, *_loaded("datasheets_unseen_again").MAKERS, *_loaded("datasheets_unseen_third").MAKERS]
LAST = _loaded("datasheets_unseen_last").MAKERS


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    spec = registry.spec("datasheets")
    terminology = spec.starter()
    store = ArtifactStore(tmp_path_factory.mktemp("unseen") / "artifacts")
    few = spec.calibration(terminology, 800, 0)
    return build(
        spec, terminology, encoder=HashingEncoder(), store=store, config=spec.config(), labelled=few
    ).pipeline.run


def facts(rows) -> set[tuple[str, str, float, str | None]]:
    return {
        (name, slot, float(f"{si[slot]:.6g}"), si["unit"])
        for name, si in rows
        for slot in ("min", "typ", "max")
        if si[slot] is not None
    }


@pytest.mark.parametrize("make", [m for m in MENDED_ON if m.__name__ not in BOTH], ids=lambda make: make.__name__)
def test_a_layout_is_read_as_its_gold(run, make):
    sheet = make()
    found = extract(read_document(sheet.pdf), run, all_parts=True)
    assert facts((e.name, e.row.si) for e in found.parameters) == facts((g.canonical, g.si) for g in sheet.gold)
    assert found.device_type == sheet.device_type


@pytest.mark.parametrize("make", [*MENDED_ON, *LAST], ids=lambda make: make.__name__)
def test_what_is_read_is_quoted_where_it_stands_and_never_off_by_a_thousand(run, make):
    sheet = make()
    document = read_document(sheet.pdf)
    found = extract(document, run, all_parts=True)
    for row in (e.row for e in found.parameters):
        page = document.pages[row.page - 1]
        assert row.quote in page.text
        x0, top, x1, bottom = turned(row.box, page.turn, page.width, page.height)
        assert x0 < x1
        assert top < bottom
    gold = facts((g.canonical, g.si) for g in sheet.gold)
    for name, slot, value, unit in facts((e.name, e.row.si) for e in found.parameters) - gold:
        alike = [v for n, s, v, u in gold if (n, s, u) == (name, slot, unit) and v and value]
        assert not any(round(abs(value / v), 9) in (1e-9, 1e-6, 1e-3, 1e3, 1e6, 1e9) for v in alike)


@pytest.mark.parametrize("name", ["invoice", "paper"])
def test_what_is_no_datasheet_has_no_parameters_no_kind_and_a_note(run, name):
    found = extract(read_document(getattr(UNSEEN, name)().pdf), run)
    assert (found.parameters, found.device_type) == ((), None)
    assert NOT_A_DATASHEET in found.notes
