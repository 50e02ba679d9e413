"""Two terminologies asked together: over HTTP, from the command line, by the client."""

import json

import pytest
from fhir.resources.R4B.parameters import Parameters
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from models.artifacts import ArtifactStore
from pipelines import registry
from pipelines.build import build
from pipelines.library import import_terminology
from pipelines.terminology import Concept, Term, Terminology
from service.cli.main import app

PATH = "/v1/medical/link"
NOTE = "Nosebleed and a broken toe; wet gangrene."
BOTH = ["findings", "codes"]
CANARY = "kanarienvogel4711"
REFERRED = {"HP:0000421": {"icd-10": "R04.0"}}


def coded(code, name, *others, types=()):
    terms = [Term(name, "en", "preferred"), *(Term(text, "en") for text in others)]
    return Concept(code, name, terms, codes={"icd-10-cm": code}, semantic_types=types)


CODES = Terminology(
    "codes",
    version="1",
    concepts=[
        coded("R04.0", "Epistaxis", "Nosebleed", types=["symptoms"]),
        coded("S92.5", "Fracture of toe", "Broken toe", types=["injuries"]),
        coded("I96", "Gangrene", "Wet gangrene", types=["circulation"]),
        coded("S92.4", "Fracture of great toe", types=["injuries"]),
        coded("R05", "Cough", types=["symptoms"]),
        coded("R50", "Fever", types=["symptoms"]),
        coded("R51", "Headache", types=["symptoms"]),
        coded("R42", "Dizziness", types=["symptoms"]),
    ],
)


@pytest.fixture(scope="module")
def store(encoder, tmp_path_factory) -> ArtifactStore:
    """The starter's findings, of which one refers to ICD-10, and a few codes."""
    store = ArtifactStore(tmp_path_factory.mktemp("several") / "artifacts")
    spec = registry.spec("medical")
    findings = [
        Concept(c.id, c.name, c.terms, codes=REFERRED.get(c.id, {}), semantic_types=c.semantic_types)
        for c in spec.starter().concepts
    ]
    for terminology in (Terminology("findings", version="1", concepts=findings), CODES):
        import_terminology(terminology, store=store)
        build(spec, terminology, encoder=encoder, store=store, config=spec.config(encoder="hashing"))
    return store


@pytest.fixture(scope="module")
def served(hosted, store):
    served = hosted(store)
    yield served
    served.close()


def ask(served, text=NOTE, **options):
    response = served.post(PATH, {"items": [{"text": text}], **options})
    assert response.status_code == 200, response.text
    return response.json()


def mentions(answer):
    return {m["text"].lower(): m for m in answer["results"][0]["mentions"]}


def test_each_mention_is_linked_against_all(served):
    answer = ask(served, terminology=BOTH)
    found = mentions(answer)
    assert found["broken toe"]["decision"]["concept_id"] == "S92.5"
    assert found["broken toe"]["decision"]["terminology"] == "codes"
    assert {c["terminology"] for c in found["broken toe"]["candidates"]} == {"findings", "codes"}
    assert [t["name"] for t in answer["terminologies"]] == BOTH
    assert answer["terminology"] == {"name": "findings", "version": "1"}
    for mention in found.values():
        confidences = [c["confidence"] for c in mention["candidates"]]
        assert confidences == sorted(confidences, reverse=True)
        assert len(mention["candidates"]) <= 5


def test_a_cross_reference_makes_two_concepts_one(served):
    nosebleed = mentions(ask(served, terminology=BOTH))["nosebleed"]
    ids = [c["concept_id"] for c in nosebleed["candidates"]]
    assert len({"HP:0000421", "R04.0"} & {*ids}) == 1
    chosen = next(c for c in nosebleed["candidates"] if c["concept_id"] == nosebleed["decision"]["concept_id"])
    assert {"icd-10", "icd-10-cm"} <= {*chosen["codes"]}
    assert {"HP:0000421", "R04.0"} == {chosen["concept_id"], chosen["explanation"].rsplit(" ", 1)[-1]}


def test_given_mentions_keep_their_order(served):
    places = [(16, 26), (0, 9), (16, 26)]
    items = [{"text": NOTE, "mentions": [{"start": start, "end": end} for start, end in places]}]
    response = served.post(PATH, {"items": items, "terminology": BOTH}).json()
    assert [(m["start"], m["end"]) for m in response["results"][0]["mentions"]] == places


def test_types_filter_all_of_them(served):
    for mention in mentions(ask(served, terminology=BOTH, semantic_types=["injuries"])).values():
        assert all("injuries" in c["semantic_types"] for c in mention["candidates"])


def test_a_list_of_one_answers_as_the_name_does(served):
    one, listed = ask(served, terminology="codes"), ask(served, terminology=["codes", "codes"])
    assert one == listed
    assert one["terminology"]["name"] == "codes"


def test_the_answer_is_what_openapi_says(served):
    document = served.get("/openapi.json").json()
    schema = {"$ref": "#/components/schemas/MedicalAnswer", "components": document["components"]}
    Draft202012Validator(schema).validate(ask(served, terminology=BOTH))


def test_fhir_names_each_coding_by_its_own_system(served):
    response = served.post(PATH, {"items": [{"text": NOTE}], "terminology": BOTH, "output": "fhir"})
    content = response.json()
    Parameters.model_validate(content)
    assert [p["part"][0]["valueString"] for p in content["parameter"] if p["name"] == "terminology"] == BOTH
    assert "urn:cognomen:terminology:codes" in response.text
    assert "http://hl7.org/fhir/sid/icd-10" in response.text


def test_bioc_says_whose_a_concept_is(served):
    content = served.post(PATH, {"items": [{"text": NOTE}], "terminology": BOTH, "output": "bioc"}).json()
    assert content["infons"]["terminology"] == "findings; codes"
    infons = {a["text"].lower(): a["infons"] for a in content["documents"][0]["passages"][0]["annotations"]}
    assert infons["broken toe"]["terminology"] == "codes"


@pytest.mark.parametrize(
    ("terminology", "pointer"),
    [
        ([], ""), (["findings", 1], "/1"), (["x" * 201], "/0"), (["findings", ""], "/1"), (["a", None], "/1"),
        (["a"] * 9, ""), ({"a": 1}, ""), (3, ""), ("x" * 201, ""),
    ],
)  # fmt: skip
def test_invalid_lists_say_where(served, assert_problem, terminology, pointer):
    body = {"items": [{"text": NOTE}], "terminology": terminology}
    problem = assert_problem(served.post(PATH, body), 422)
    assert [fault["pointer"] for fault in problem["errors"]] == [f"/terminology{pointer}"]


def test_one_unknown_name_refuses_the_whole(served, assert_problem):
    assert_problem(served.post(PATH, {"items": [{"text": NOTE}], "terminology": ["codes", "nothing"]}), 404)


def test_lines_of_a_job_take_one(served, assert_problem):
    file = served.post("/v1/files", files={"file": ("a.jsonl", b"{}")}, data={"purpose": "batch"}).json()
    body = {"kind": "run", "pipeline": "medical", "input_file_id": file["id"], "options": {"terminology": BOTH}}
    assert_problem(served.post("/v1/jobs", body), 422)


def test_texts_are_never_logged_nor_echoed(served, logged, assert_problem):
    text = f"{CANARY} has a broken toe"
    ask(served, text, terminology=BOTH)
    bad = {"items": [{"text": text, "mentions": [{"start": 0, "end": 9_000}]}], "terminology": BOTH}
    assert CANARY not in json.dumps(assert_problem(served.post(PATH, bad), 422))
    unknown = {"items": [{"text": text}], "terminology": [CANARY]}
    assert CANARY not in json.dumps(assert_problem(served.post(PATH, unknown), 404))
    assert CANARY not in logged.getvalue()
    assert CANARY not in served.get("/metrics").text


def test_the_longest_text_is_answered_by_all(served):
    text = ("Nosebleed, then a broken toe. No fever was seen. " * 2100)[:100_000]
    (result,) = ask(served, text, terminology=BOTH)["results"]
    assert len(result["mentions"]) > 5000
    assert all(text[m["start"] : m["end"]] == m["text"] for m in result["mentions"])


@pytest.fixture
def run(store):
    return lambda *said: CliRunner().invoke(app, ["link", *said, "--artifacts", str(store.root)])


@pytest.fixture
def _hashing(monkeypatch, encoder):
    class Library:
        def get(self, _name):
            return encoder

    monkeypatch.setattr("service.cli.linking.library_of", lambda _store: Library())


@pytest.mark.usefixtures("_hashing")
def test_the_command_asks_several(run):
    done = run(NOTE, "-t", "findings", "-t", "codes", "-o", "json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert [t["terminology"]["name"] for t in answer["terminologies"]] == BOTH
    assert mentions(answer)["broken toe"]["decision"]["concept_id"] == "S92.5"
    assert json.loads(run(NOTE, "-t", "codes", "-o", "fhir").stdout)["resourceType"] == "Parameters"
    assert json.loads(run(NOTE, "-t", "codes", "-o", "bioc").stdout)["documents"]
    assert "S92.5" in run(NOTE, "-t", "codes").stdout


@pytest.mark.usefixtures("_hashing")
@pytest.mark.parametrize("said", [("--output", "xml"), ("--language", "no language")])
def test_the_command_refuses_without_the_text(run, said):
    done = run("kanarienvogel4711", *said)
    assert done.exit_code == 1
    assert "kanarienvogel" not in done.output
