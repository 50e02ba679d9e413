"""A PDF over HTTP: what comes back, and what is refused."""

import asyncio
import hashlib
import io
import time

import pytest

pytest.importorskip("reportlab")

from pipelines.datasheets.page import Document
from service.datasheets import Shelf

EXTRACT = "/v1/datasheets/extract"
CANARY = "kanarienvogel7131"


@pytest.fixture(scope="module")
def sheets(named_store, hosted):
    served = hosted(named_store)
    yield served
    served.close()


def send(served, pdf: bytes, **fields):
    return served.run(served.client.post(EXTRACT, files={"file": ("sheet.pdf", pdf, "application/pdf")}, data=fields))


def test_every_parameter_has_its_unit_its_page_and_a_quote(sheets, synthetic_sheets):
    pdf = synthetic_sheets.ruled_plain().pdf
    response = send(sheets, pdf)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["document"]["id"] == hashlib.sha256(pdf).hexdigest()
    assert (answer["part"], answer["device_type"]) == ("QD4711", "diode")
    (vf,) = [p for p in answer["parameters"] if p["name"] == "v_f"]
    assert (vf["symbol"], vf["typ"], vf["max"], vf["unit"]) == ("VF", 0.72, 1.0, "V")
    assert vf["si"] == {"unit": "V", "min": None, "typ": 0.72, "max": 1.0}
    assert vf["conditions"] == [{"symbol": "IF", "value": 10.0, "unit": "mA", "text": "IF = 10 mA"}]
    assert "0.72" in vf["quote"]
    assert len(vf["bbox"]) == 4
    assert vf["decision"]["concept_id"] == "v_f"
    assert 0.5 < vf["confidence"] <= 1
    focus = answer["focus"]
    assert (focus["pages_total"], focus["rows_returned"]) == (1, len(answer["parameters"]))
    assert answer["terminology"]["name"] == "parameters"


def test_several_parts_and_no_choice_is_409_with_candidates(sheets, assert_problem, synthetic_sheets):
    pdf = synthetic_sheets.stacked_variants().pdf
    problem = assert_problem(send(sheets, pdf), 409, "part-ambiguous")
    assert set(problem["candidates"]) == {"QJ111", "QJ112", "QJ113"}
    answer = send(sheets, pdf, part="qj112").json()
    assert answer["part"] == "QJ112"
    assert {p["variant"] for p in answer["parameters"]} == {"QJ112"}
    everything = send(sheets, pdf, variants="all").json()
    assert everything["part"] is None
    assert len(everything["parameters"]) == 6


def test_a_part_that_is_not_in_the_document_is_422(sheets, assert_problem, synthetic_sheets):
    problem = assert_problem(send(sheets, synthetic_sheets.stacked_variants().pdf, part=CANARY), 422)
    assert problem["errors"][0]["pointer"] == "/part"
    assert CANARY not in str(problem)


def test_only_what_is_asked_for_is_looked_for(sheets, synthetic_sheets):
    pdf = synthetic_sheets.ruled_plain().pdf
    answer = send(sheets, pdf, parameters=["v_f", "h_fe"]).json()
    assert [p["name"] for p in answer["parameters"]] == ["v_f"]
    assert answer["focus"]["stages"] == {"v_f": "primary", "h_fe": "missed"}
    assert any("h_fe" in note for note in answer["notes"])
    alone = send(sheets, pdf, parameters="v_f").json()["focus"]
    assert alone["rows_seen"] < send(sheets, pdf).json()["focus"]["rows_seen"]


def test_device_type_overrides_the_guess(sheets, synthetic_sheets):
    assert (
        send(sheets, synthetic_sheets.ruled_plain().pdf, device_type="rectifier").json()["device_type"] == "rectifier"
    )


def test_what_is_no_datasheet_has_no_parameters_and_a_note(sheets, synthetic_sheets):
    answer = send(sheets, synthetic_sheets.prose().pdf).json()
    assert answer["parameters"] == []
    assert any("does not look like a datasheet" in note for note in answer["notes"])


@pytest.mark.parametrize("data", [b"", b"no PDF " + CANARY.encode(), b"%PDF-1.7\n" + b"\x00" * 200])
def test_what_is_no_pdf_is_422(sheets, assert_problem, data):
    problem = assert_problem(send(sheets, data), 422)
    assert problem["errors"][0]["pointer"] == "/file"
    assert CANARY not in str(problem)


def test_an_encrypted_pdf_is_422(sheets, assert_problem):
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, encrypt=StandardEncryption("secret", ownerPassword="owner"))
    canvas.drawString(50, 700, "VF 1.0 V")
    canvas.save()
    problem = assert_problem(send(sheets, out.getvalue()), 422, "document-unreadable")
    assert "password" in problem["detail"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"device_type": CANARY}, "/device_type"),
        ({"parameters": ["v_f", CANARY]}, "/parameters/1"),
        ({"ocr": "perhaps"}, "/ocr"),
        ({"colour": "red"}, "/colour"),
        ({"part": "x" * 65}, "/part"),
        ({"top_k": "0"}, "/top_k"),
        ({"min_confidence": "nan"}, "/min_confidence"),
        ({"part": ["a", "b"]}, "/part"),
        ({"file": "text"}, "/file"),
    ],
)
def test_a_field_that_cannot_be_used_is_422_with_its_pointer(sheets, assert_problem, fields, pointer, synthetic_sheets):
    problem = assert_problem(send(sheets, synthetic_sheets.ruled_plain().pdf, **fields), 422)
    assert pointer in [fault["pointer"] for fault in problem["errors"]]
    assert CANARY not in str(problem)


def test_no_file_is_422(sheets, assert_problem):
    response = sheets.run(sheets.client.post(EXTRACT, files={"part": (None, "QD4711")}))
    assert assert_problem(response, 422)["errors"][0]["pointer"] == "/file"


@pytest.mark.parametrize("content_type", ["application/json", "application/pdf", "", "multipart/mixed; boundary=x"])
def test_only_multipart_is_read(sheets, assert_problem, content_type):
    response = sheets.run(
        sheets.client.post(EXTRACT, content=b"{}", headers={"content-type": content_type} if content_type else {})
    )
    assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"--y\r\n" + CANARY.encode()),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n"),
    ],
)
def test_broken_multipart_is_400_or_422(sheets, content_type, body):
    response = sheets.run(sheets.client.post(EXTRACT, content=body, headers={"content-type": content_type}))
    assert response.status_code in (400, 422), response.text
    assert CANARY not in response.text


def test_a_large_pdf_is_413_and_a_larger_than_json_one_is_read(named_store, hosted, assert_problem, synthetic_sheets):
    served = hosted(named_store, max_body_bytes=1024, datasheet_max_bytes=50_000)
    try:
        pdf = synthetic_sheets.ruled_plain().pdf
        assert 1024 < len(pdf) < 50_000
        assert send(served, pdf).status_code == 200
        assert_problem(send(served, pdf + b" " * 50_000), 413, "body-too-large")
        assert_problem(send(served, pdf + b" " * 2_000_000), 413, "body-too-large")
    finally:
        served.close()


def test_more_than_fits_the_desk_is_503(named_store, hosted, assert_problem, monkeypatch, synthetic_sheets):
    from service import datasheets

    real = datasheets.read_document

    def slow(*args, **kwargs) -> Document:
        time.sleep(0.5)
        return real(*args, **kwargs)

    monkeypatch.setattr(datasheets, "read_document", slow)
    served = hosted(named_store, datasheet_queue=0)
    try:
        pdfs = [synthetic_sheets.ruled_plain().pdf, synthetic_sheets.unruled().pdf]

        async def both():
            files = [{"file": ("a.pdf", pdf, "application/pdf")} for pdf in pdfs]
            return await asyncio.gather(*(served.client.post(EXTRACT, files=f) for f in files))

        first, second = served.run(both())
        assert {first.status_code, second.status_code} == {200, 503}
        refused = first if first.status_code == 503 else second
        assert_problem(refused, 503, "overloaded")
        assert refused.headers["retry-after"]
    finally:
        served.close()


def test_a_deadline_that_passes_is_503(sheets, assert_problem, synthetic_sheets):
    response = sheets.run(
        sheets.client.post(
            EXTRACT,
            files={"file": ("a.pdf", synthetic_sheets.unruled().pdf + b"\n", "application/pdf")},
            headers={"x-request-timeout-ms": "1"},
        )
    )
    assert_problem(response, 503, "timeout")


def test_it_is_listed_and_described(sheets):
    (listed,) = sheets.get("/v1/pipelines").json()["pipelines"]
    assert (listed["name"], listed["verb"]) == ("datasheets", "extract")
    assert listed["terminology"]["concepts"] >= 250
    assert set(listed["terminology"]["languages"]) == {"de", "en", "fr", "zh"}
    operation = sheets.get("/openapi.json").json()["paths"][EXTRACT]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["file"]
    assert {"200", "409", "413", "415", "422", "503"} <= set(operation["responses"])


def test_logs_hold_no_text_of_the_document(sheets, logged, synthetic_sheets):
    send(sheets, synthetic_sheets.ruled_plain().pdf)
    assert "QD4711" not in logged.getvalue()


def test_the_shelf_forgets_by_age_and_by_size():
    now = [0.0]
    shelf = Shelf(capacity_bytes=10_000, keep_s=60, clock=lambda: now[0])
    for name in "abc":
        shelf.put(Document(name, (), 0))
    assert shelf.get("a") is None
    assert shelf.get("b") is not None
    shelf.put(Document("d", (), 0))
    assert shelf.get("c") is None
    now[0] = 61
    assert len(shelf) == 0
