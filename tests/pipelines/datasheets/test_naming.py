"""Rows against canonical parameters, and documents against rows."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from pipelines import registry
from pipelines.build import build
from pipelines.datasheets.errors import PartAmbiguous, PartUnknown
from pipelines.datasheets.extraction import NOT_A_DATASHEET, extract
from pipelines.datasheets.notation import forms, plain
from pipelines.datasheets.parameters import DEVICES, parameters, starter
from pipelines.datasheets.prepare import RowPreparer, clean_name, split_query
from pipelines.datasheets.units import dimension_of
from pipelines.results import Request

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    spec = registry.spec("datasheets")
    terminology = spec.starter()
    store = ArtifactStore(tmp_path_factory.mktemp("naming") / "artifacts")
    few = spec.calibration(terminology, 1500, 0)
    built = build(spec, terminology, encoder=HashingEncoder(), store=store, config=spec.config(), labelled=few)
    return built.pipeline.run


def name(run, text: str) -> str | None:
    (result,) = run([Request(text)])
    return result.mentions[0].decision.concept_id


def test_every_parameter_has_names_in_four_languages_units_and_devices():
    known = parameters()
    assert len(known) >= 250
    assert len({p.name for p in known}) == len(known)
    for parameter in known:
        assert parameter.name == parameter.name.lower()
        assert all(parameter.names[language] for language in ("en", "de", "fr", "zh")), parameter.name
        assert parameter.units, parameter.name
        assert set(parameter.devices) <= set(DEVICES), parameter.name
        for unit in parameter.units:
            assert unit == "1" or dimension_of(unit) is not None
    assert len(starter()) == len(known)


def test_every_name_that_the_open_sheets_use_is_canonical(shared):
    known = {p.name for p in parameters()}
    for path in (shared / "datasheets" / "gold").glob("*.json"):
        for parameter in json.loads(path.read_text())["parameters"]:
            assert parameter["canonical_name"] in known


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("VCE(sat); Collector-emitter saturation voltage [mV] {bjt, static}", "v_ce_sat"),
        ("V_CEsat [V] {bjt}", "v_ce_sat"),
        ("UCEsat; Sättigungsspannung [V] {bjt}", "v_ce_sat"),
        ("BVCEO; Breakdown voltage [V] {bjt}", "v_br_ceo"),
        ("ICB0; Reststrom [nA] {bjt}", "i_cbo"),
        ("hFE; DC current gain [] {bjt}", "h_fe"),
        ("hfe; Small-signal current gain [] {bjt}", "h_fe_ac"),
        ("hFE1; [] {bjt}", "h_fe"),
        ("Gate threshold voltage [V] {mosfet}", "v_gs_th"),
        ("VDS; Drain-source voltage [V] {mosfet, ratings}", "v_dss"),
        ("VGS; Gate-source voltage [V] {jfet, ratings}", "v_gs_max"),
        ("VGS; Gate-source voltage [V] {mosfet, ratings}", "v_gss"),
        ("Cob; Output capacitance [pF] {bjt}", "c_ob"),
        ("Coss; Output capacitance [pF] {mosfet}", "c_oss"),
        ("tr; Rise time [ns] {bjt}", "t_r"),
        ("TJ, Tstg; Operating and storage temperature [°C]", "t_j_stg"),
        ("PD; Verlustleistung [mW] {bjt}", "p_tot"),
        ("Derate above 25 °C [mW/°C] {bjt}", "p_derating"),
        ("集电极-发射极饱和电压 [V] {bjt}", "v_ce_sat"),
        ("Tension inverse de crête répétitive [V] {rectifier}", "v_rrm"),
        ("Max. rev. curr. [µA] {diode}", "i_r"),
        ("RθJA; Thermal resistance, junction to ambient [°C/W] {mosfet, thermal}", "r_th_ja"),
        ("CTR; Current transfer ratio [%] {optocoupler}", "ctr"),
        ("VIO; Input offset voltage [mV] {op_amp}", "v_os"),
    ],
)
def test_a_row_is_named(run, text, canonical):
    assert name(run, text) == canonical


def test_rows_as_makers_print_them_are_named(run):
    lines = (ROOT / "tests" / "data" / "datasheets_printed_rows.tsv").read_text(encoding="utf-8").splitlines()[1:]
    wanted = [line.split("\t") for line in lines]
    results = run([Request(text) for _, text in wanted])
    named = [result.mentions[0].decision.concept_id for result in results]
    wrong = [(n, text, found) for (n, text), found in zip(wanted, named, strict=True) if n != found]
    assert wrong == []


@pytest.mark.parametrize("text", ["Marking code []", "Package outline [mm]", "Quantity per reel [pcs]", ""])
def test_what_is_no_parameter_is_nil(run, text):
    assert name(run, text) is None


def test_the_unit_shuts_out_what_it_does_not_measure(run):
    assert name(run, "IC; Collector current [mA] {bjt, ratings}") == "i_c"
    assert name(run, "IC; Collector current [pF] {bjt, ratings}") not in {"i_c", "i_cm"}


def test_a_wrong_guess_of_the_device_is_forgiven(run):
    """Retry on a miss: the device's gate is lifted where nothing is left of its kind."""
    assert name(run, "VCEO; Collector-emitter voltage [V] {mosfet}") == "v_ceo"


@pytest.mark.parametrize(
    "spellings",
    [
        ("VCE(sat)", "V_CE(sat)", "VCEsat", "Vce (SAT)"),
        ("RθJA", "Rth(JA)", "RthJA"),
        ("V(BR)DSS", "BVDSS", "BV(BR)DSS"),
    ],
)
def test_spellings_of_one_symbol_have_one_form(spellings):
    assert len({plain(s) for s in spellings}) == 1


def test_a_miss_is_retried_with_other_forms():
    assert ("vcesat", 0.95) in forms("UCEsat")
    assert ("icbo", 0.95) in forms("ICB0")
    assert dict(forms("hFE1"))["hfe"] < 1


def test_a_row_is_read_from_its_text():
    (prepared,) = RowPreparer().prepare([Request("VF; Fwd. volt. (IF = 10 mA) [mV] {diode, static}")])
    (mention,) = prepared.mentions
    assert split_query(mention.query) == ("VF", "forward voltage")
    assert mention.facts == {"dimension": dimension_of("V"), "held": ("diode", "static")}


def test_conditions_are_no_part_of_a_name():
    assert clean_name("Drain current (continuous) at TC = 25°C") == "Drain current (continuous)"
    assert clean_name("Zero gate voltage drain current (VGS = ") == "Zero gate voltage drain current"


@given(st.text(max_size=400))
def test_no_text_breaks_the_reading_of_rows(text):
    (prepared,) = RowPreparer().prepare([Request(text)])
    assert len(prepared.mentions) == 1


def test_every_quote_and_box_is_on_its_page(run, read):
    extraction = extract(read.document, run, all_parts=True)
    pages = {page.number: page for page in read.document.pages}
    for found in extraction.parameters:
        page = pages[found.row.page]
        assert found.row.quote in page.text
        x0, top, x1, bottom = found.row.box
        assert 0 <= x0 < x1 <= max(page.width, page.height)
        assert 0 <= top < bottom <= max(page.width, page.height)


def test_the_open_sheets_are_named_as_their_gold_is(run, opened):
    extraction = extract(opened.document, run, all_parts=True)
    named = {e.name for e in extraction.parameters}
    gold = {p["canonical_name"] for p in opened.sheet["parameters"]}
    assert gold <= named
    assert extraction.device_type == opened.sheet["device_type"]


def test_several_parts_without_a_choice_are_refused(run, named):
    document = named("stacked_variants").document
    with pytest.raises(PartAmbiguous) as refused:
        extract(document, run)
    assert set(refused.value.candidates) == {"QJ111", "QJ112", "QJ113"}
    with pytest.raises(PartUnknown):
        extract(document, run, part="QJ999")
    assert {e.row.variant for e in extract(document, run, part="QJ113").parameters} == {"QJ113"}


def test_what_is_no_datasheet_has_no_parameters(run, named):
    extraction = extract(named("prose").document, run)
    assert extraction.parameters == ()
    assert NOT_A_DATASHEET in extraction.notes


def test_a_parameter_is_looked_for_where_it_should_be(run, named):
    document = named("ruled_plain").document
    all_of_it, some = extract(document, run), extract(document, run, parameters=["v_rrm", "h_fe"])
    assert [e.name for e in some.parameters] == ["v_rrm"]
    assert some.looked.stages == {"v_rrm": "primary", "h_fe": "missed"}
    assert extract(document, run, parameters=["v_rrm"]).looked.rows_seen < all_of_it.looked.rows_seen
