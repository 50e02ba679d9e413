"""The console, end to end in Chromium."""

import re
import subprocess
import sys

import httpx
import pytest

from tests.console import contract_answers as contract

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import expect

SPICE = {"/v1/datasheets/spice": contract.SPICE}
PDF = {"name": "d.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
TITLE = "#/job-titles?title=Softwareentwickler%20(m%2Fw%2Fd)"


def test_a_title_is_named_with_its_scores_and_why(open_page):
    page = open_page("#/job-titles")
    page.get_by_label("Titles, one a line").fill("staff nurse")
    page.get_by_role("button", name="Name it").click()
    expect(page.locator(".decision").first).to_contain_text("Nursing professionals")
    first = page.locator(".candidate").first
    expect(first.locator(".bar-dense .value")).to_have_text("1")
    expect(first).to_contain_text("chosen")
    expect(page.locator(".why").first).to_contain_text("Ahead of")
    assert "title=staff+nurse" in page.url


def test_a_link_shows_what_it_was_copied_from(open_page):
    page = open_page(f"{TITLE}&top_k=2")
    expect(page.locator(".candidate")).to_have_count(2)
    expect(page.locator(".decision")).to_contain_text("Software developers")


def test_one_click_teaches_the_next_answer(open_page):
    page = open_page("#/job-titles?title=kitchen+porter&top_k=3")
    second = page.locator(".candidate").nth(1)
    name = second.locator("h3").inner_text()
    second.get_by_role("button", name=f"accept {name}").click()
    expect(second.get_by_role("button", name=f"accept {name}")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Name it").click()
    expect(page.locator(".decision")).to_contain_text(name)
    expect(page.locator(".decision")).to_contain_text("confirmed")
    page.goto(page.url.split("#")[0] + "#/feedback?pipeline=job-titles")
    row = page.get_by_role("row", name="kitchen porter")
    row.get_by_role("button").click()
    expect(row).to_have_count(0)


def test_the_call_can_be_pasted_into_a_shell_and_into_python(open_page, live, tmp_path):
    page = open_page("#/job-titles?title=" + "cook's%20%22mate%22%20%24HOME")
    page.get_by_role("button", name="Copy as curl").click()
    curl = page.evaluate("navigator.clipboard.readText()")
    answered = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, check=True)
    page.get_by_role("button", name="Copy as Python").click()
    python = page.evaluate("navigator.clipboard.readText()")
    script = tmp_path / "copied.py"
    script.write_text(python, encoding="utf-8")
    printed = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    for text in (answered.stdout, printed.stdout):
        assert '"cleaned_title":"cook\'s' in text
    assert live in curl


def test_terminologies_are_browsed_to_a_concept(open_page):
    page = open_page("#/terminologies")
    page.get_by_role("link", name="twelve").click()
    page.get_by_label("Words of a term").fill("klempner")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Plumbers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plumbers")
    expect(page.get_by_role("table", name="Terms")).to_contain_text("Klempner")


@pytest.mark.parametrize(("view", "said"), [
    ("#/medical?text=fever", "medical is not hosted here"),
    ("#/retrieval", "retrieval is not hosted here"),
    ("#/files", "Files are not hosted here"),
    ("#/jobs", "Jobs are not hosted here"),
    ("#/keys", "Key management is not hosted here"),
])  # fmt: skip
def test_what_is_not_hosted_is_said_to_be_missing(open_page, view, said):
    missing = {"type": "urn:cognomen:problem:not-found", "title": "Not found", "status": 404}
    page = open_page(view, answers={"/v1/medical/link": (404, missing), "/v1/retrieval": (404, missing),
                                    "/v1/files*": (404, missing), "/v1/jobs*": (404, missing),
                                    "/v1/keys": (404, missing)})  # fmt: skip
    expect(page.locator(".notice").first).to_contain_text(said)


def test_mentions_are_marked_where_they_stand_and_another_concept_can_be_chosen(open_page):
    said = []

    def feedback(request):
        said.append(request.post_data_json)
        return {"accepted": 1, "conflicts": []}

    page = open_page("#/medical", answers={"/v1/medical/link": contract.MEDICAL, "/v1/medical/feedback": feedback})
    page.get_by_label("Clinical text").fill(contract.NOTE)
    page.get_by_role("button", name="Link it").click()
    marks = page.locator(".note .mention")
    expect(marks).to_have_text(["fever", "diabetes"])  # The emoji before them is one code point.
    expect(marks.first).to_have_class(re.compile("negated"))
    marks.nth(1).click()
    expect(page.locator(".detail h2")).to_have_text("diabetes")
    page.locator(".detail").get_by_role("button", name="Choose this one").click()
    expect(page.locator(".detail .candidate.chosen")).to_contain_text("Chill")
    assert said == [
        {"items": [{"text": "diabetes", "concept_id": "HP:0000002", "verdict": "accept", "language": "en"}]}
    ]
    assert "fever" not in page.url  # A note stays out of the address.
    assert page.title() == "Medical · cognomen"  # Markup in data is text.


def test_what_is_marked_is_linked_by_code_points(open_page):
    asked = []

    def link(request):
        asked.append(request.post_data_json)
        return contract.MEDICAL

    page = open_page("#/medical", answers={"/v1/medical/link": link})
    text = page.get_by_label("Clinical text")
    text.fill(contract.NOTE)
    text.evaluate("field => field.setSelectionRange(6, 11)")
    page.get_by_role("button", name="Link the marked part").click()
    expect(page.locator(".note")).to_be_visible()
    assert asked[0]["items"][0]["mentions"] == [{"start": 5, "end": 10}]


def test_a_note_is_linked_and_given_as_fhir(open_page):
    page = open_page("#/medical")
    page.get_by_label("Clinical text").fill("😀 No fever. The child has had seizures; her father has diabetes.")
    page.get_by_role("button", name="Link it").click()
    marks = page.locator(".note .mention")
    expect(marks).to_have_text(["fever", "seizures", "diabetes"])
    expect(marks.first).to_have_class(re.compile("negated"))
    expect(marks.nth(2)).to_have_class(re.compile("family"))
    marks.nth(1).click()
    expect(page.locator(".detail .candidate.chosen")).to_contain_text("Seizure")
    page.get_by_role("button", name="As FHIR R4").click()
    expect(page.get_by_label("As FHIR R4", exact=True).last).to_contain_text('"resourceType": "Parameters"')


def test_a_sheet_of_several_parts_asks_which_and_shows_where_each_value_is_printed(open_page, synthetic_sheets):
    page = open_page("#/datasheets")
    pdf = {**PDF, "buffer": synthetic_sheets.stacked_variants().pdf}
    page.get_by_label("Datasheet (PDF)").set_input_files(pdf)
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("button", name="QJ112", exact=True).click(timeout=60_000)
    table = page.get_by_role("table", name="Parameters")
    expect(table).to_contain_text("QJ112", timeout=60_000)
    table.get_by_role("button").first.click()
    expect(page.locator(".box.chosen")).to_have_count(1)
    expect(page.locator("tr.chosen")).to_have_count(1)
    expect(page.locator("svg.painted image")).to_have_count(1, timeout=60_000)


def test_a_datasheet_makes_a_model(open_page, synthetic_sheets):
    page = open_page("#/datasheets")
    page.get_by_label("Datasheet (PDF)").set_input_files({**PDF, "buffer": synthetic_sheets.ruled_plain().pdf})
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("button", name="Make the SPICE model").click(timeout=60_000)
    expect(page.get_by_label("SPICE card")).to_contain_text(".model", timeout=60_000)
    expect(page.get_by_role("table", name="Model parameters")).to_be_visible()


def test_a_simulated_model_is_shown_beside_the_sheet(open_page):
    page = open_page("#/datasheets", answers={"/v1/datasheets/extract": contract.DATASHEET, **SPICE})
    page.get_by_label("Datasheet (PDF)").set_input_files(PDF)
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("button", name="reverse_current", exact=True).click()
    expect(page.locator(".quote")).to_contain_text("VR = 20 V 25 nA")
    page.get_by_role("button", name="Make the SPICE model").click()
    expect(page.get_by_role("table", name="Residuals")).to_contain_text("-3 %")
    expect(page.locator(".curve img")).to_have_js_property("naturalWidth", 9)


def test_a_search_is_shown_with_and_without_correction(open_page):
    page = open_page("#/retrieval?q=red+car%0Aold+hat&hubness=is&top_k=3")
    expect(page.locator(".side h3").nth(1)).to_have_text("with is")
    expect(page.locator(".side").first.locator("li").first).to_contain_text("red car")
    expect(page.locator(".plot figcaption")).to_contain_text("hits of 2 queries")


def test_what_moves_is_said_and_a_hub_is_seen(open_page):
    page = open_page("#/retrieval?q=one%0Atwo%0Athree", answers=EVERYTHING)
    expect(page.locator(".side").nth(1).locator("li").first).to_contain_text("↑ 1")
    expect(page.locator(".plot figcaption")).to_contain_text("at most 3 without correction, 1 with dual_is")


def test_a_file_becomes_a_job_and_its_result_is_fetched(open_page, live):
    page = open_page("#/files")
    lines = b'{"title": "plumber"}\n{"title": "staff nurse"}\n'
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "t.jsonl", "mimeType": "text/plain", "buffer": lines}
    )
    page.get_by_role("button", name="Upload").click()
    row = page.get_by_role("row", name=re.compile("t.jsonl"))
    row.get_by_role("link", name="Use in a job").click()
    page.get_by_label("Pipeline").fill("job-titles")
    page.get_by_role("button", name="Ask for it").click()
    expect(page).to_have_url(re.compile("#/jobs\\?id="))  # not yet the list, where others' jobs may stand
    expect(page.locator(".status-succeeded").first).to_be_visible(timeout=120_000)
    expect(page.locator(".facts")).to_contain_text("2 of 2 lines")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the result").click()
    assert b"T:7126" in download.value.path().read_bytes()
    page.goto(f"{live}/console#/generations")
    page.reload()
    expect(page.get_by_role("table", name="Generations that answer")).to_contain_text("things")
    kept = page.get_by_role("table", name="Generations kept")
    expect(kept).to_contain_text("collections/things")
    expect(kept.get_by_text("answers", exact=True).first).to_be_visible()


def test_a_job_is_watched_as_it_goes_and_cancelled(open_page):
    state = {"status": "running"}
    stream = "".join(f"event: job\ndata: {contract.json_of(contract.job('running', done))}\n\n" for done in (10, 60))

    def events(_request):
        return stream

    def cancel(_request):
        state["status"] = "cancelled"
        return contract.job("cancelled", 60)

    page = open_page("#/jobs?id=job-1", answers={
        "/v1/jobs/job-1": lambda _request: contract.job(state["status"], 60),
        "/v1/jobs/job-1/events": events,
        "/v1/jobs/job-1/cancel": cancel,
    })  # fmt: skip
    expect(page.locator(".facts").first).to_contain_text("60 of 100 lines")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator(".status-cancelled")).to_be_visible()


def test_a_new_key_is_shown_once(open_page):
    page = open_page("#/keys")
    page.get_by_label("Name").fill("gateway")
    page.get_by_role("button", name="Make a key").click()
    expect(page.locator(".secret")).to_have_text(re.compile(r"\S{20,}"))
    secret = page.locator(".secret").inner_text()
    row = page.get_by_role("row", name=re.compile("gateway"))
    row.get_by_role("button", name="Rotate gateway").click()
    expect(page.locator(".secret")).not_to_have_text(secret)
    page.reload()
    expect(page.get_by_role("table", name="Keys")).to_contain_text("gateway")
    assert secret not in page.content()
    row.get_by_role("button", name="Revoke gateway").click()
    expect(row).to_have_count(0)


def test_the_key_goes_with_every_call_and_is_never_copied(open_page):
    sent = []

    def pipelines(request):
        sent.append(request.headers.get("authorization"))
        return {"pipelines": []}

    page = open_page("#/", answers={"/v1/pipelines": pipelines})
    page.get_by_role("button", name="Key").click()
    page.get_by_label("Key", exact=True).fill("cg_mine")
    page.keyboard.press("Enter")
    expect(page.locator("#key-button")).to_have_class("set")
    expect.set_options(timeout=5_000)
    page.wait_for_function("document.querySelector('.call') !== null")
    page.get_by_role("button", name="Copy as curl").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert sent[-1] == "Bearer cg_mine"
    assert "cg_mine" not in copied
    assert "$COGNOMEN_KEY" in copied
    assert page.evaluate("Object.keys(localStorage).length") == 0
    page.get_by_role("button", name="Key").click()
    page.keyboard.press("Escape")
    assert page.evaluate("sessionStorage.getItem('cognomen-key')") == "cg_mine"


def test_a_problem_is_told_in_the_services_words(open_page):
    page = open_page("#/job-titles?title=cook&terminology=nowhere")
    expect(page.get_by_role("alert")).to_contain_text("Unknown terminology")


def test_the_theme_follows_the_system_until_one_is_chosen(open_page):
    page = open_page("#/", scheme="dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Light theme").click()
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light


def test_it_works_behind_a_prefix(open_page, live):
    assert httpx.get(f"{live}/console").text.count('"console/') >= 5  # Relative: a gateway may put a prefix before it.


VIEWS = ["#/", TITLE, "#/medical?text=x", "#/datasheets", "#/retrieval?q=a%0Ab", "#/terminologies?name=twelve",
         "#/terminologies?name=twelve&id=T:2512", "#/feedback", "#/files", "#/jobs", "#/jobs?id=job-1", "#/generations",
         "#/keys"]  # fmt: skip
EVERYTHING = {
    "/v1/medical/link": contract.MEDICAL,
    "/v1/retrieval": contract.COLLECTIONS,
    "/v1/retrieval/notes/search": contract.search,
    "/v1/files?*": {"files": [contract.FILE], "next_page_token": None},
    "/v1/jobs?*": {"jobs": [contract.job("running", 40)], "next_page_token": None},
    "/v1/jobs": {"jobs": [contract.job("running", 40)], "next_page_token": None},
    "/v1/jobs/job-1": contract.job("succeeded", 100, output_file_id="file-2"),
    "/v1/keys": {"keys": [contract.KEY]},
}


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_fits_a_phone_and_axe_finds_nothing_serious(open_page, view):
    page = open_page(view, width=360, answers=EVERYTHING)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("h1").count() == 1
    for scheme, width in (("light", 360), ("dark", 1280)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert not serious(page)


def serious(page):
    """What axe finds: (rule, where)."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    found = [v for v in axe.Axe().run(page).response["violations"] if v["impact"] in {"serious", "critical"}]
    return [(v["id"], [node["target"] for node in v["nodes"]]) for v in found]


def test_everything_can_be_reached_with_the_keyboard_in_reading_order(open_page):
    page = open_page("#/job-titles")
    reached = []
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name"))
    order = [
        "Skip to content",
        "cognomen",
        "Key",
        "Dark",
        "Overview",
        "Keys",
        "titles",
        "language",
        "skills",
        "Name it",
    ]
    places = [reached.index(name) for name in order]
    assert places == sorted(places)
    page.get_by_label("Titles, one a line").focus()
    page.keyboard.type("plumber")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".decision")).to_contain_text("Plumbers")


def test_axe_finds_nothing_serious_in_a_datasheet(open_page):
    page = open_page("#/datasheets", width=360, answers={"/v1/datasheets/extract": contract.DATASHEET, **SPICE})
    page.get_by_label("Datasheet (PDF)").set_input_files(PDF)
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("button", name="Make the SPICE model").click()
    page.get_by_role("table", name="Residuals").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not serious(page)
