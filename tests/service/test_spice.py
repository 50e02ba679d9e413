"""SPICE cards over HTTP."""

import base64

import pytest

from pipelines.datasheets.spice.plot import can_plot
from pipelines.datasheets.spice.simulate import simulator

pytest.importorskip("reportlab")

SPICE = "/v1/datasheets/spice"
CANARY = "kanarienvogel7131"
MOSFET = {
    "device_type": "mosfet",
    "part": "QM7002",
    "polarity": "n",
    "parameters": [
        {"name": "v_gs_th", "typ": 2.1, "unit": "V", "conditions": [{"symbol": "ID", "value": 250, "unit": "µA"}]},
        {
            "name": "r_ds_on",
            "typ": 1800.0,
            "unit": "mΩ",
            "conditions": [{"symbol": "VGS", "value": 10, "unit": "V"}, {"symbol": "ID", "value": 0.5, "unit": "A"}],
        },
    ],
}
DIODE = {
    "device_type": "diode",
    "parameters": [
        {"name": "v_f", "max": 1.0, "unit": "V", "conditions": [{"symbol": "IF", "value": 10, "unit": "mA"}]}
    ],
}
needs_ngspice = pytest.mark.skipif(simulator() is None, reason="ngspice is not installed")


@pytest.fixture(scope="module")
def sheets(named_store, hosted):
    served = hosted(named_store)
    yield served
    served.close()


def extract(served, pdf: bytes, **fields) -> dict:
    files = {"file": ("sheet.pdf", pdf, "application/pdf")}
    response = served.run(served.client.post("/v1/datasheets/extract", files=files, data=fields))
    assert response.status_code == 200, response.text
    return response.json()


def test_parameters_make_a_card_whose_numbers_say_where_they_come_from(sheets):
    answer = sheets.post(SPICE, MOSFET).json()
    assert ".model QM7002 VDMOS(" in answer["card"]
    by_name = {p["name"]: p for p in answer["model_parameters"]}
    assert by_name["RD"]["origin"] == "derived"
    assert by_name["RD"]["from"] == ["r_ds_on"]
    assert by_name["RG"]["origin"] == "assumed"
    assert {p["origin"] for p in answer["model_parameters"]} <= {"datasheet", "derived", "assumed"}


@needs_ngspice
def test_a_card_is_simulated_beside_what_the_sheet_says(sheets):
    answer = sheets.post(SPICE, MOSFET).json()
    assert answer["simulator"].startswith("ngspice")
    checks = {c["quantity"]: c for c in answer["checks"]}
    assert checks["r_ds_on"]["datasheet"] == 1.8
    for check in checks.values():
        assert abs(check["relative_error"]) < 0.1
        assert check["relative_error"] == pytest.approx(check["simulated"] / check["datasheet"] - 1, abs=1e-5)


@needs_ngspice
def test_a_document_that_was_extracted_makes_a_card(sheets, synthetic_sheets, assert_problem):
    answer = extract(sheets, synthetic_sheets.unruled_stacked().pdf)
    card = sheets.post(SPICE, {"document_id": answer["document"]["id"]}).json()
    assert (card["part"], card["device_type"], card["model"]) == ("QS2835", "diode", "D")
    errors = [c["relative_error"] for c in card["checks"] if c["quantity"] == "v_f"]
    assert len(errors) == 3
    assert max(map(abs, errors)) < 0.1
    assert card["checks"][0]["source"]["page"] == 1
    # What was extracted may be sent back as it is.
    again = sheets.post(SPICE, {"device_type": "diode", "parameters": answer["parameters"]}).json()
    assert {p["name"]: p["value"] for p in again["model_parameters"]} == {
        p["name"]: p["value"] for p in card["model_parameters"]
    }


def test_a_document_of_several_parts_needs_a_part(sheets, synthetic_sheets, assert_problem):
    document = extract(sheets, synthetic_sheets.stacked_variants().pdf, variants="all")["document"]["id"]
    assert "candidates" in assert_problem(sheets.post(SPICE, {"document_id": document}), 409, "part-ambiguous")


def test_ltspice_has_its_own_words(sheets):
    gain = {"name": "h_fe", "typ": 200, "conditions": [{"symbol": "IC", "value": 2, "unit": "mA"}]}
    body = {"device_type": "bjt", "parameters": [gain], "polarity": "pnp"}
    ngspice, ltspice = (sheets.post(SPICE, body | {"dialect": d}).json()["card"] for d in ("ngspice", "ltspice"))
    assert ".model BJT PNP(" in ngspice
    assert "NKF=" in ngspice
    assert "NK=" in ltspice
    assert "mfg=" in ltspice
    assert "mfg=" not in ngspice


@pytest.mark.skipif(not can_plot(), reason="needs ngspice and matplotlib")
def test_a_picture_where_one_is_asked_for(sheets):
    assert sheets.post(SPICE, DIODE).json()["plot"] is None
    svg = sheets.post(SPICE, DIODE | {"plot": "svg"}).json()["plot"]
    assert svg["format"] == "svg"
    assert "<svg" in svg["data"]
    png = sheets.post(SPICE, DIODE | {"plot": "png"}).json()["plot"]
    assert base64.b64decode(png["data"]).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"document_id": "0" * 64, "parameters": [], "device_type": "diode"}, ""),
        ({"parameters": []}, ""),
        ({"document_id": CANARY}, "/document_id"),
        ({"device_type": "diode", "parameters": []}, "/parameters"),
        ({"device_type": "regulator", "parameters": DIODE["parameters"]}, "/device_type"),
        ({"device_type": "diode", "parameters": [{"name": "v_f", "typ": 1, "unit": CANARY}]}, "/parameters/0"),
        ({"device_type": "diode", "parameters": [{"name": "v_f", "typ": "1"}]}, "/parameters/0/typ"),
        (DIODE | {"dialect": "pspice"}, "/dialect"),
        (DIODE | {"colour": "red"}, "/colour"),
    ],
)
def test_what_makes_no_card_is_422_with_its_pointer(sheets, assert_problem, body, pointer):
    problem = assert_problem(sheets.post(SPICE, body), 422)
    assert pointer in [fault["pointer"] for fault in problem["errors"]]
    assert CANARY not in str(problem)


def test_a_document_that_is_not_kept_is_404(sheets, assert_problem):
    assert_problem(sheets.post(SPICE, {"document_id": "0" * 64}), 404, "document-unknown")


@pytest.mark.parametrize("size", [1e-300, 1e-12, 1.0, 1e6, 1e300, -5.0, 0.0])
@pytest.mark.parametrize(
    ("device", "names"),
    [
        ("diode", ("v_f", "v_br", "c_d", "t_rr")),
        ("bjt", ("h_fe", "v_be_on", "v_ce_sat", "v_be_sat", "f_t", "c_ob", "h_oe")),
        ("mosfet", ("v_gs_th", "r_ds_on", "g_fs", "c_iss", "c_oss", "c_rss", "v_sd")),
        ("jfet", ("v_gs_off", "i_dss", "r_ds_on", "g_fs", "c_iss", "c_rss")),
        ("op_amp", ("gbw", "a_vol", "sr", "v_os", "i_s_supply")),
    ],
)
def test_numbers_that_no_part_has_are_no_fault_of_ours(sheets, device, names, size):
    held = [{"symbol": s, "value": size} for s in ("IF", "IC", "IB", "VCE", "VGS", "ID", "VDS", "IS", "f")]
    parameters = [{"name": name, "typ": size, "conditions": held} for name in names]
    response = sheets.post(SPICE, {"device_type": device, "parameters": parameters})
    assert response.status_code in (200, 422), response.text
