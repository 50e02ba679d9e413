"""POST /v1/medical/link over the starter's findings and the hashing encoder."""

import json

import pytest
from fhir.resources.R4B.parameters import Parameters
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from service.jobs.wire_lines import LINE_FORMATS

PATH = "/v1/medical/link"
CANARY = "kanarienvogel4711"
NOTE = "No fever. The child has seizures; her father has diabetes. Return if vomiting occurs."


def link(served, *texts, mentions=None, language=None, **options):
    items = [{"text": text} | ({"language": language} if language else {}) for text in texts]
    if mentions is not None:
        items[0]["mentions"] = [{"start": start, "end": end} for start, end in mentions]
    response = served.post(PATH, {"items": items, **options})
    assert response.status_code == 200, response.text
    return response.json()


def names(result):
    return [(m["text"], m["decision"]["name"]) for m in result["mentions"]]


def test_mentions_are_found_where_they_stand(medical):
    (result,) = link(medical, NOTE)["results"]
    assert result["language"] == "en"
    assert names(result) == [
        ("fever", "Fever"),
        ("seizures", "Seizure"),
        ("diabetes", "Diabetes"),
        ("vomiting", "Vomiting"),
    ]
    for mention in result["mentions"]:
        assert NOTE[mention["start"] : mention["end"]] == mention["text"]
    fever, seizures, diabetes, vomiting = result["mentions"]
    assert fever["negated"]
    assert diabetes["experiencer"] == "family"
    assert vomiting["hypothetical"]
    assert (seizures["negated"], seizures["experiencer"], seizures["hypothetical"]) == (False, "patient", False)


def test_given_mentions_are_linked_in_their_order(medical):
    text = "Fieber und Kopfschmerzen"
    given = [(11, 24), (0, 6), (0, 6), (7, 10)]
    (result,) = link(medical, text, mentions=given)["results"]
    assert [(m["start"], m["end"]) for m in result["mentions"]] == given
    assert [m["text"] for m in result["mentions"]] == ["Kopfschmerzen", "Fieber", "Fieber", "und"]
    assert [m["decision"]["name"] for m in result["mentions"]][:3] == ["Headache", "Fever", "Fever"]
    assert result["mentions"][3]["candidates"] == sorted(result["mentions"][3]["candidates"], key=lambda c: -c["score"])


def test_no_mentions_given_is_not_mentions_to_find(medical):
    assert link(medical, NOTE, mentions=[])["results"] == [{"language": "en", "mentions": []}]


def test_a_text_without_a_finding_has_no_mention(medical):
    assert link(medical, "The meeting is on Monday.")["results"][0]["mentions"] == []


def test_offsets_count_code_points(medical):
    text = "🙂👩‍👧 Ärztin: e\u0301te\u0301 \u200f שלום, fièvre ʻ\u0301 und Fieber 🤒 Husten."
    (result,) = link(medical, text, language="fr")["results"]
    for mention in result["mentions"]:
        assert text[mention["start"] : mention["end"]] == mention["text"]
    assert "fièvre" in [m["text"] for m in result["mentions"]]


@pytest.mark.parametrize(("start", "end", "field"), [(3, 3, "end"), (5, 2, "end"), (0, 7, "end"), (6, 7, "start")])
def test_a_mention_outside_its_text_is_refused_with_a_pointer(medical, assert_problem, start, end, field):
    items = [{"text": "cough"}, {"text": "fever!", "mentions": [{"start": 0, "end": 1}, {"start": start, "end": end}]}]
    problem = assert_problem(medical.post(PATH, {"items": items}), 422)
    assert problem["errors"][0]["pointer"] == f"/items/1/mentions/1/{field}"


def test_only_the_semantic_types_asked_for_answer(medical):
    (result,) = link(medical, "headache", mentions=[(0, 8)], semantic_types=["respiratory system"])["results"]
    for candidate in result["mentions"][0]["candidates"]:
        assert "respiratory system" in candidate["semantic_types"]
    (nothing,) = link(medical, "headache", mentions=[(0, 8)], semantic_types=["no such type"])["results"]
    assert nothing["mentions"][0]["decision"]["nil"]
    assert nothing["mentions"][0]["candidates"] == []


def test_nil_is_an_answer(medical):
    (result,) = link(medical, "qzxv vvkj", mentions=[(0, 9)], min_confidence=1.0)["results"]
    decision = result["mentions"][0]["decision"]
    assert (decision["nil"], decision["concept_id"]) == (True, None)


def test_fhir_answers_are_r4_parameters(medical):
    response = medical.post(
        PATH, {"items": [{"text": NOTE}, {"text": "x\x00y", "mentions": [{"start": 0, "end": 3}]}], "output": "fhir"}
    )
    assert response.headers["content-type"] == "application/fhir+json"
    content = response.json()
    Parameters.model_validate(content)
    results = [p for p in content["parameter"] if p["name"] == "result"]
    assert len(results) == 2
    mentions = [p["part"] for p in results[0]["part"] if p["name"] == "mention"]
    first = {part["name"]: part for part in mentions[0]}
    assert first["negated"]["valueBoolean"] is True
    assert first["concept"]["valueCodeableConcept"]["coding"][0] == {
        "system": "http://human-phenotype-ontology.org",
        "code": "HP:0001945",
        "display": "Fever",
    }


def test_bioc_answers_hold_text_and_annotations(medical):
    content = medical.post(PATH, {"items": [{"text": NOTE}, {"text": "x"}], "output": "bioc"}).json()
    assert [d["id"] for d in content["documents"]] == ["0", "1"]
    passage = content["documents"][0]["passages"][0]
    assert passage["text"] == NOTE
    for annotation in passage["annotations"]:
        (place,) = annotation["locations"]
        assert NOTE[place["offset"] : place["offset"] + place["length"]] == annotation["text"]
    assert passage["annotations"][0]["infons"]["identifier"] == "HP:0001945"


def test_the_answer_is_what_openapi_says(medical):
    document = medical.get("/openapi.json").json()
    schema = {"$ref": "#/components/schemas/MedicalAnswer", "components": document["components"]}
    Draft202012Validator(schema).validate(link(medical, NOTE, "x"))


@pytest.mark.parametrize(
    "body",
    [
        {"items": []},
        {"items": [{"text": ""}]},
        {"items": [{"text": "x" * 100_001}]},
        {"items": [{"text": "x", "mentions": [{"start": -1, "end": 1}]}]},
        {"items": [{"text": "x", "mentions": [{"start": 0}]}]},
        {"items": [{"text": "x", "mentions": [{"start": 0.5, "end": 1}]}]},
        {"items": [{"text": "x", "mentions": [{"start": 0, "end": 1}] * 10_001}]},
        {"items": [{"text": "x"}], "output": "xml"},
        {"items": [{"text": "x"}], "semantic_types": ["y"] * 101},
        {"items": [{"text": "x"}], "semantic_types": [""]},
        {"items": [{"title": "x"}]},
    ],
)
def test_invalid_requests_say_where(medical, assert_problem, body):
    assert_problem(medical.post(PATH, body), 422)


HOSTILE = {
    "nul": "\x00fever\x00",
    "marks": "a" + "\u0301" * 99_000,
    "bidi": "\u202e fever \u202c",
    "one word": "f" * 100_000,
    "brackets": "(" * 50_000 + ")" * 50_000,
    "open": "AB (" * 25_000,
    "repeats": "fever " * 16_000,
    "cues": "no fever, " * 10_000,
    "cjk": "發燒" * 50_000,
    "invisible": "\u200b" * 1000,
    "blank": " ",
    "dotted": "İ" * 1000 + " (İİ)",
    "ligature": "ﬁ" * 1000 + " fever",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_answered(medical, text):
    (result,) = link(medical, text)["results"]
    for mention in result["mentions"]:
        assert text[mention["start"] : mention["end"]] == mention["text"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=200), data=st.data())
def test_any_text_and_any_mention_in_it_is_answered(medical, text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    for output in ("json", "fhir", "bioc"):
        body = {"items": [{"text": text, "mentions": [{"start": start, "end": end}]}], "output": output}
        response = medical.post(PATH, body)
        assert response.status_code in {200, 422}, response.text
        if output == "fhir" and response.status_code == 200:
            Parameters.model_validate(response.json())


def test_texts_are_never_logged_nor_echoed(medical, logged, assert_problem):
    link(medical, f"{CANARY} has fever")
    link(medical, f"{CANARY} fever", mentions=[(0, len(CANARY))])
    bad = {"items": [{"text": f"{CANARY} fever", "mentions": [{"start": 0, "end": 9_000}]}]}
    problem = assert_problem(medical.post(PATH, bad), 422)
    assert CANARY not in json.dumps(problem)
    assert CANARY not in logged.getvalue()
    assert CANARY not in medical.get("/metrics").text


def test_feedback_on_a_mention_is_answered_at_once(medical):
    text = "wobbly sausage feeling"
    said = {"items": [{"text": text, "concept_id": "HP:0002321", "verdict": "accept"}]}
    response = medical.post("/v1/medical/feedback", said)
    assert response.json() == {"accepted": 1, "conflicts": []}, response.text
    (result,) = link(medical, f"A {text}.", mentions=[(2, 2 + len(text))])["results"]
    assert result["mentions"][0]["decision"]["concept_id"] == "HP:0002321"
    listed = medical.get("/v1/medical/feedback").json()
    assert len(listed["items"]) == 1


@pytest.mark.parametrize(
    ("language", "mention", "text"),
    [
        ("en", "nosebleeds", "The child had two nosebleeds and one nosebleed last week."),
        ("de", "Krampfanfällen", "Das Kind leidet seit langem an Krampfanfällen, heute ein Krampfanfall."),
    ],
)
@pytest.mark.parametrize("verdict", ["accept", "reject"])
def test_feedback_on_an_inflected_mention_holds_where_it_is_found_and_where_it_is_given(
    medical, language, mention, text, verdict
):
    place = (text.index(mention), text.index(mention) + len(mention))

    def answers(**given):
        (result,) = link(medical, text, language=language, **given)["results"]
        return {m["text"]: m["decision"]["concept_id"] for m in result["mentions"]}

    before = answers()
    concept_id = "HP:0002321" if verdict == "accept" else before[mention]
    said = {"items": [{"text": mention, "concept_id": concept_id, "verdict": verdict, "language": language}]}
    assert medical.post("/v1/medical/feedback", said).status_code == 200
    try:
        found, given = answers(), answers(mentions=[place])
        assert (found[mention] == concept_id) is (verdict == "accept")
        assert (given[mention] == concept_id) is (verdict == "accept")
        other = mention.removesuffix("s").replace("anfällen", "anfall")
        assert found[other] == before[other]
    finally:
        for item in medical.get("/v1/medical/feedback").json()["items"]:
            if item["text"] == mention:
                medical.delete(f"/v1/medical/feedback/{item['id']}")


def test_lines_of_a_run_job_are_answered_as_json_only():
    lines = LINE_FORMATS["medical"]
    item = {"text": NOTE, "mentions": [{"start": 3, "end": 8}]}
    (request,) = lines.request.model_validate({"items": [item]}).requests()
    assert len({request, request}) == 1
    with pytest.raises(ValidationError):
        lines.request.model_validate({"items": [item], "output": "fhir"})
