"""A page of a PDF as a picture."""

import pytest

pytest.importorskip("reportlab")

PAGE = "/v1/datasheets/page"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def pdf(synthetic_sheets):
    return synthetic_sheets.ruled_plain().pdf


def send(served, content, **fields):
    return served.run(served.client.post(PAGE, files={"file": ("sheet.pdf", content, "application/pdf")}, data=fields))


def test_a_page_is_drawn_as_wide_as_asked_and_its_size_in_points_is_said(served, pdf):
    answer = send(served, pdf, page="1", width="400")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(PNG)
    assert int.from_bytes(answer.content[16:20], "big") == pytest.approx(400, abs=1)
    width, height = (float(answer.headers[f"x-page-{side}"]) for side in ("width", "height"))
    assert 500 < width < height < 1000


def test_a_page_that_is_not_there_is_422(served, pdf, assert_problem):
    problem = assert_problem(send(served, pdf, page="2"), 422)
    assert problem["errors"][0]["pointer"] == "/page"


@pytest.mark.parametrize(
    "fields", [{"page": "0"}, {"page": "x"}, {"width": "99"}, {"width": "999999999"}, {"page": "²"}]
)
def test_fields_that_cannot_be_used_are_422(served, pdf, fields, assert_problem):
    problem = assert_problem(send(served, pdf, **fields), 422)
    assert problem["errors"][0]["pointer"] == f"/{next(iter(fields))}"


@pytest.mark.parametrize("content", [b"no pdf", b"%PDF-1.4 broken", b""])
def test_what_cannot_be_drawn_is_422(served, content, assert_problem):
    assert_problem(send(served, content), 422, "document-unreadable")


def test_no_form_is_415(served, assert_problem):
    assert_problem(served.post(PAGE, {"page": 1}), 415)
