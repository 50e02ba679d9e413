"""A language model that helps and is not believed: against a stub of an OpenAI-compatible endpoint."""

import json

import pytest

from pipelines.chat import HttpChat
from pipelines.datasheets.assistance import LanguageModel
from pipelines.datasheets.extraction import extract
from pipelines.results import Candidate, Decision, LinkedMention, Mention, Result
from tests.chat_stub import ChatStub


@pytest.fixture
def stub():
    made = []

    def start(*answers, **options) -> ChatStub:
        made.append(ChatStub(*answers, **options))
        return made[-1]

    yield start
    for one in made:
        one.close()


def unsure(requests):
    """A flow that is never sure: two candidates for each row, and a guess."""

    def candidate(concept_id, confidence):
        return Candidate(0, concept_id, concept_id, concept_id, None, confidence, {}, confidence=confidence)

    decision = Decision("i_r", "i_r", 0.4, [candidate("i_r", 0.4), candidate("v_f", 0.35)])
    return [Result([LinkedMention(Mention(r.text, r.text, 0, len(r.text)), decision)]) for r in requests]


def choose(concept_id):
    """Say so of every row that is asked about."""

    def answer(body):
        rows = json.loads(body["messages"][1]["content"])["rows"]
        return json.dumps({"choices": [{"row": r["row"], "id": concept_id} for r in rows]})

    return answer


def assisted(stub, **options) -> LanguageModel:
    return LanguageModel(HttpChat(stub.url, "stub", "secret", 5), **options)


def test_it_chooses_among_the_candidates_of_a_row(named, stub):
    endpoint = stub(choose("v_f"))
    model = assisted(endpoint)
    extraction = extract(named("ruled_plain").document, unsure, assistant=model)
    assert {e.name for e in extraction.parameters} == {"v_f"}
    assert extraction.parameters[0].decision.confidence == 0.35
    assert "language model" in extraction.parameters[0].decision.notes[0]
    usage = extraction.looked.usage
    assert (usage.requests, usage.prompt, usage.completion) == (1, 11, 3)
    assert endpoint.headers[0]["Authorization"] == "Bearer secret"
    assert endpoint.asked[0]["response_format"]["type"] == "json_schema"


def test_it_may_say_that_none_fits(named, stub):
    extraction = extract(named("ruled_plain").document, unsure, assistant=assisted(stub(choose(None))))
    assert extraction.parameters == ()


def test_what_is_no_candidate_is_no_choice(named, stub):
    extraction = extract(named("ruled_plain").document, unsure, assistant=assisted(stub(choose("p_tot"))))
    assert {e.name for e in extraction.parameters} == {"i_r"}
    assert extraction.looked.usage.rejected > 0


def test_what_is_no_json_is_asked_for_again(named, stub):
    endpoint = stub("I think it is VF.", '```json\n{"rows": []}\n```', choose("v_f"))
    model = assisted(endpoint)
    extraction = extract(named("ruled_plain").document, unsure, assistant=model)
    assert {e.name for e in extraction.parameters} == {"v_f"}
    assert (model.usage.requests, model.usage.rejected) == (3, 2)
    assert model.notes == []


def test_a_model_that_never_answers_in_json_is_done_without(named, stub):
    extraction = extract(named("ruled_plain").document, unsure, assistant=assisted(stub("no"), retries=1))
    assert {e.name for e in extraction.parameters} == {"i_r"}
    assert any("JSON" in note for note in extraction.notes)


@pytest.mark.parametrize("status", [401, 500])
def test_an_endpoint_that_fails_is_done_without(named, stub, status):
    extraction = extract(named("ruled_plain").document, unsure, assistant=assisted(stub("{}", status=status)))
    assert extraction.parameters
    assert any(str(status) in note for note in extraction.notes)
    assert not any("secret" in note for note in extraction.notes)


def test_an_endpoint_that_is_not_there_is_done_without(named):
    model = LanguageModel(HttpChat("http://127.0.0.1:9/v1", "none", None, 1))
    extraction = extract(named("ruled_plain").document, unsure, assistant=model)
    assert any("cannot be reached" in note for note in extraction.notes)


FOUND = {"found": True, "symbol": "CD", "min": None, "typ": None, "max": 4, "unit": "pF", "page": 1}


def asked_for(named, endpoint):
    """The diode's capacitance, which the flow here takes for something else."""
    return extract(named("ruled_plain").document, unsure, parameters=["c_d"], assistant=assisted(endpoint))


def test_what_it_quotes_from_the_page_is_a_row(named, stub):
    document = named("ruled_plain").document
    line = next(line.text for line in document.pages[0].lines if "Diode capacitance" in line.text)
    answer = json.dumps(FOUND | {"quote": line})
    extraction = asked_for(named, stub(choose("i_r"), answer))
    (found,) = extraction.parameters
    assert (found.name, found.row.max, found.row.si["max"]) == ("c_d", 4.0, 4e-12)
    assert found.row.quote in document.pages[0].text
    assert any("language model" in note for note in found.row.notes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quote": "Diode capacitance 4 pF as everybody knows"},
        {"max": 5},
        {"unit": "nF"},
        {"unit": "V"},
        {"page": 7},
        {"max": None},
        {"quote": ""},
    ],
)
def test_what_is_not_on_the_page_is_not_believed(named, stub, wrong):
    document = named("ruled_plain").document
    line = next(line.text for line in document.pages[0].lines if "Diode capacitance" in line.text)
    answer = json.dumps(FOUND | {"quote": line} | wrong)
    extraction = asked_for(named, stub(choose("i_r"), answer))
    assert extraction.parameters == ()
    assert any("c_d" in note for note in extraction.notes)
    assert extraction.looked.usage.rejected == 1


def test_it_may_find_nothing(named, stub):
    assert asked_for(named, stub(choose("i_r"), '{"found": false}')).parameters == ()
