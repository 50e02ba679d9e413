"""The synthetic sheets, each read once a session, and the four open ones where they are at hand."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pdfplumber")
pytest.importorskip("reportlab")

import importlib.util
import sys

from pipelines.datasheets.document import read_document
from pipelines.datasheets.page import Document
from pipelines.datasheets.rows import ParameterRow, read_rows

ROOT = Path(__file__).resolve().parents[3]
OPEN = ROOT.parent / "shared" / "datasheets"


def _synthetic():
    path = ROOT / "tests" / "data" / "datasheets_synthetic.py"
    spec = importlib.util.spec_from_file_location("datasheets_synthetic", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SYNTHETIC = _synthetic()
NAMES = [make.__name__ for make in SYNTHETIC.MAKERS]
OPEN_NAMES = ["1N4148_b", "2N3904", "2N7000", "J113"]


@dataclass(frozen=True)
class Read:
    sheet: Any
    document: Document
    rows: list[ParameterRow]


@cache
def read_synthetic(name: str) -> Read:
    sheet = getattr(SYNTHETIC, name)()
    document = read_document(sheet.pdf)
    return Read(sheet, document, read_rows(document))


@cache
def read_open(name: str) -> Read:
    path = OPEN / f"{name}.pdf"
    if not path.exists():
        pytest.skip("the open sheets are not at hand")
    document = read_document(path.read_bytes())
    return Read(json.loads((OPEN / "gold" / f"{name}.json").read_text()), document, read_rows(document))


@pytest.fixture(scope="session")
def synthetic():
    return SYNTHETIC


@pytest.fixture(params=NAMES)
def read(request):
    return read_synthetic(request.param)


@pytest.fixture(params=OPEN_NAMES)
def opened(request):
    return read_open(request.param)


@pytest.fixture
def named():
    return read_synthetic


@pytest.fixture
def open_named():
    return read_open
