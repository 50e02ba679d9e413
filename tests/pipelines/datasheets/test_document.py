"""Opening PDFs: hostile ones cost no more than their limits and say why they cannot be read."""

import json
import random
import time
import zlib

import pytest

from pipelines.datasheets.document import Limits, read_document
from pipelines.datasheets.errors import DocumentUnreadable, OcrUnavailable
from pipelines.datasheets.page import Document, turned

SHORT = Limits(wall_s=20, cpu_s=15, pages=5)


def test_the_page_model_survives_json(named):
    document = named("merged_cells").document
    assert Document.from_json(json.loads(json.dumps(document.to_json()))) == document


def test_every_word_stands_where_it_says_in_the_text(read):
    for page in read.document.pages:
        for word in page.words:
            assert page.text[word.start : word.end] == word.text


def test_subscripts_join_their_symbol(named):
    assert "VCE(sat)" in named("unruled").document.pages[0].text


def test_a_square_and_an_exponent_keep_their_marks(named):
    assert "A²s" in named("units_zoo").document.pages[0].text
    assert "10^-7" in named("raised_marks").document.pages[0].text


@pytest.mark.parametrize("data", [b"", b"hello", b"\x00" * 100, "naïve".encode(), b"PK\x03\x04" + b"0" * 50])
def test_what_is_no_pdf_is_refused_without_a_process(data):
    with pytest.raises(DocumentUnreadable) as error:
        read_document(data)
    assert error.value.reason == "not_pdf"
    assert error.value.pointer == "/file"


@pytest.mark.parametrize(
    "data", [b"%PDF-1.4\n%%EOF", b"%PDF-1.7\n" + b"\xff" * 2000, b"%PDF-1.4 trailer<</Root 1 0 R>>"]
)
def test_a_pdf_in_name_only_is_damaged(data):
    with pytest.raises(DocumentUnreadable):
        read_document(data, limits=SHORT)


def test_a_truncated_pdf_is_read_or_refused_never_an_error(named):
    pdf = named("ruled_plain").sheet.pdf
    for share in (0.3, 0.6, 0.9):
        try:
            assert read_document(pdf[: int(len(pdf) * share)], limits=SHORT).pages_total >= 0
        except DocumentUnreadable as error:
            assert error.reason in ("damaged", "crash", "memory", "timeout")  # noqa: PT017


@pytest.mark.slow
def test_mutated_pdfs_are_read_or_refused_never_an_error(named):
    pdf = named("ruled_plain").sheet.pdf
    rng = random.Random(7)
    for _ in range(25):
        data = bytearray(pdf)
        for _ in range(rng.randint(1, 60)):
            data[rng.randrange(9, len(data))] = rng.randrange(256)
        try:
            read_document(bytes(data), limits=SHORT)
        except DocumentUnreadable:
            continue


def _pdf(content: bytes, *, extra: bytes = b"", filter_: bytes = b"/FlateDecode") -> bytes:
    """A one-page PDF around a content stream; no cross-reference table, which readers mend."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<<>>" + extra + b">>endobj\n"
        b"4 0 obj<</Length "
        + str(len(content)).encode()
        + b"/Filter"
        + filter_
        + b">>stream\n"
        + content
        + b"\nendstream endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF"
    )


def test_a_stream_that_inflates_to_gigabytes_is_stopped():
    once = zlib.compress(b"0 0 m 1 1 l S\n" * 20_000_000, 9)
    start = time.monotonic()
    try:
        read_document(_pdf(once), limits=Limits(wall_s=10, cpu_s=6, memory_bytes=600 * 2**20))
    except DocumentUnreadable as error:
        assert error.reason in ("timeout", "memory", "crash", "damaged")  # noqa: PT017
    assert time.monotonic() - start < 15


def test_pages_beyond_the_cap_are_noted(named):
    document = read_document(named("multi_page").sheet.pdf, limits=Limits(pages=1))
    assert (len(document.pages), document.pages_total) == (1, 3)
    assert "1 of 3 pages were read" in document.notes


def test_a_file_over_the_limit_is_too_large(named):
    with pytest.raises(DocumentUnreadable) as error:
        read_document(named("ruled_plain").sheet.pdf, limits=Limits(size_bytes=100))
    assert error.value.reason == "too_large"


def test_an_encrypted_pdf_says_so(synthetic):
    import io

    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    c = Canvas(out, encrypt=StandardEncryption("secret", ownerPassword="owner", strength=128))
    c.drawString(50, 700, "VF 1.0 V")
    c.save()
    with pytest.raises(DocumentUnreadable) as error:
        read_document(out.getvalue())
    assert error.value.reason == "encrypted"


def test_a_scan_is_flagged_and_not_read(named):
    document = named("scan").document
    assert document.needs_ocr
    assert any("scan" in note for note in document.notes)


def test_a_scan_without_the_extra_says_what_to_install(named):
    pytest.importorskip("pypdfium2")
    import importlib.util

    if importlib.util.find_spec("rapidocr"):
        pytest.skip("the extra is installed")
    with pytest.raises(OcrUnavailable, match="extra `ocr`"):
        read_document(named("scan").sheet.pdf, ocr=True)


def test_what_breaks_the_first_reader_is_read_by_pdfium_alone(named, monkeypatch):
    from pipelines.datasheets import document as module

    attempt = module._attempt

    def broken(data, limits, *, share, ocr, pdfium_only):
        if not pdfium_only:
            return [], "timeout"
        return attempt(data, limits, share=share, ocr=ocr, pdfium_only=True)

    monkeypatch.setattr(module, "_attempt", broken)
    document = read_document(named("ruled_plain").sheet.pdf)
    assert any("PDFium alone" in note for note in document.notes)
    assert "Forward voltage" in document.pages[0].text


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turning_a_box_back_gives_the_box(turn):
    box = (10.0, 20.0, 110.0, 50.0)
    width, height = 600.0, 800.0
    there = turned(box, turn, width, height)
    size = (height, width) if turn in (90, 270) else (width, height)
    assert turned(there, -turn % 360, *size) == box


def test_pdfium_alone_knows_a_scan_too(named, monkeypatch):
    from pipelines.datasheets import document as module

    attempt = module._attempt

    def pdfium_only(data, limits, **options):
        return attempt(data, limits, **(options | {"pdfium_only": True}))

    monkeypatch.setattr(module, "_attempt", pdfium_only)
    assert read_document(named("scan").sheet.pdf).needs_ocr
    assert not read_document(named("ruled_plain").sheet.pdf).needs_ocr


def test_rows_of_a_scan_say_so(named):
    from dataclasses import replace

    from pipelines.datasheets.rows import read_rows

    document = named("ruled_plain").document
    scanned = replace(document, pages=tuple(replace(page, ocr=True) for page in document.pages))
    plain = {row.quote: row.score for row in named("ruled_plain").rows}
    for row in read_rows(scanned):
        assert "read from a scan" in row.notes[0]
        assert row.score < plain[row.quote]


def test_scans_that_there_was_no_time_for_are_said_and_the_rest_is_answered(named, monkeypatch):
    from pipelines.datasheets import document as module

    attempt = module._attempt

    def out_of_time(data, limits, *, share, ocr, pdfium_only):
        lines, _ = attempt(data, limits, share=share, ocr=False, pdfium_only=pdfium_only)
        return lines, "timeout"

    monkeypatch.setattr(module, "_attempt", out_of_time)
    document = read_document(named("scan").sheet.pdf, ocr=True)
    assert document.needs_ocr
    assert any("no time left" in note and "job" in note for note in document.notes)


def test_a_page_that_came_twice_counts_as_it_came_last():
    from pipelines.datasheets.document import _latest

    lines = [{"pages_total": 2}, {"number": 1, "ocr": False}, {"number": 2, "ocr": False}, {"number": 1, "ocr": True}]
    assert _latest(lines) == [lines[0], lines[2], lines[3]]
