"""The spaCy component, against answers in the contract's shapes."""

import json

import httpx
import pytest

spacy = pytest.importorskip("spacy")

from cognomen_client import Client, spacy_linker  # noqa: E402
from tests.console import contract_answers as contract  # noqa: E402


@pytest.fixture
def asked(monkeypatch):
    """What was asked for; the service answers with the contract's mentions."""
    seen = []

    def handler(request):
        content = json.loads(request.content)
        seen.append(content)
        return httpx.Response(
            200, json={**contract.MEDICAL, "results": contract.MEDICAL["results"] * len(content["items"])}
        )

    def client(url, **options):
        return Client(url, transport=httpx.MockTransport(handler), **options)

    monkeypatch.setattr(spacy_linker, "Client", client)
    return seen


def test_mentions_are_found_where_there_are_no_entities(asked):
    nlp = spacy.blank("en")
    nlp.add_pipe("cognomen_linker", config={"terminology": "hpo"})
    doc = nlp(contract.NOTE)
    fever, diabetes = doc.spans["cognomen"]
    assert (fever.text, fever.kb_id_, fever.label_) == ("fever", "HP:0001945", "finding")
    assert fever._.cognomen["negated"]
    assert diabetes._.cognomen["experiencer"] == "family"
    assert asked == [{"items": [{"text": contract.NOTE}], "terminology": "hpo", "top_k": 1}]


def test_entities_get_their_concepts(asked):
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "SYMPTOM", "pattern": "fever"}, {"label": "DISEASE", "pattern": "diabetes"}])
    nlp.add_pipe("cognomen_linker")
    doc = nlp(contract.NOTE)
    assert [(ent.label_, ent.kb_id_) for ent in doc.ents] == [("SYMPTOM", "HP:0001945"), ("DISEASE", "HP:0001945")]
    assert asked[0]["items"][0]["mentions"] == [{"start": 5, "end": 10}, {"start": 27, "end": 35}]


def test_many_documents_go_out_together_and_an_empty_one_not_at_all(asked):
    nlp = spacy.blank("en")
    nlp.add_pipe("cognomen_linker", config={"batch_size": 8})
    docs = list(nlp.pipe([contract.NOTE, " ", contract.NOTE]))
    assert [len(doc.spans.get("cognomen", ())) for doc in docs] == [2, 0, 2]
    assert [len(content["items"]) for content in asked] == [2]
