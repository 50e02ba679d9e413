import json
import re

import pytest

from pipelines.chat import ChatFailed, HttpChat
from pipelines.medical.corpora import AnnotatedDocument, Annotation, read_documents, to_plain
from pipelines.medical.substitution import substitute
from pipelines.medical.translation import Translator, projected
from pipelines.terminology import Concept, Term, Terminology
from tests.chat_stub import ChatStub

TERMINOLOGY = Terminology(
    "t",
    version="1",
    concepts=[
        Concept("T:F", "Fever", [Term("Fever", "en"), Term("Fieber", "de"), Term("erhöhte Temperatur", "de-AT")]),
        Concept("T:C", "Cough", [Term("Cough", "en"), Term("Husten", "de")], replaces=["T:OLD"]),
        Concept("T:G", "Gout", [Term("Gout", "en")]),
    ],
)
TEXT = "No fever 🙂 today. Dry cough, gout and high fever."


def document(*marked, text=TEXT, name="d"):
    annotations = []
    for piece, *ids in marked:
        start = text.index(piece)
        annotations.append(Annotation(start, start + len(piece), frozenset(ids)))
    return AnnotatedDocument(name, text, tuple(sorted(annotations, key=lambda a: (a.start, a.end))), "en")


FULL = document(
    ("fever", "T:F"), ("cough", "T:OLD"), ("Dry cough", "T:C"), ("gout", "T:G"), ("today",), ("high", "T:X")
)


def spelled(made):
    return [(made.text[a.start : a.end], sorted(a.concept_ids)) for a in made.annotations]


def test_mentions_become_aliases_of_the_other_language():
    (made,), counts = substitute([FULL], TERMINOLOGY, language="de")
    (fever, fever_ids), cough = spelled(made)
    assert fever in {"Fieber", "erhöhte Temperatur"}
    assert (fever_ids, cough) == (["T:F"], ("Husten", ["T:C"]))
    assert made.text == f"No {fever} 🙂 today. Husten, gout and high fever."
    assert (made.id, made.language) == ("d-de", "de")
    assert counts == {"substituted": 2, "nested": 1, "no alias": 1, "nil": 1, "no such concept": 1}


def test_an_obsolete_id_is_redirected():
    (made,), _ = substitute([document(("cough", "T:OLD"))], TERMINOLOGY, language="de")
    assert spelled(made) == [("Husten", ["T:C"])]


def test_the_same_seed_draws_the_same_whatever_stands_beside():
    others = [document(("fever", "T:F"), name=str(n)) for n in range(8)]
    alone = [substitute([one], TERMINOLOGY, language="de", seed=3)[0][0] for one in others]
    together, _ = substitute(others[::-1], TERMINOLOGY, language="de", seed=3)
    assert together[::-1] == alone
    assert len({made.text for made in alone}) == 2


def test_documents_without_a_substitution_are_left_out():
    assert substitute([document(("gout", "T:G"))], TERMINOLOGY, language="de")[0] == []


def test_what_is_written_is_read_again(tmp_path):
    made, _ = substitute([FULL], TERMINOLOGY, language="de")
    path = tmp_path / "made.jsonl"
    path.write_text("".join(json.dumps(to_plain(one)) + "\n" for one in made), encoding="utf-8")
    assert read_documents(path, format="jsonl") == made


@pytest.fixture
def stub():
    made = []

    def start(*answers, **options) -> ChatStub:
        made.append(ChatStub(*answers, **options))
        return made[-1]

    yield start
    for one in made:
        one.close()


def translator(stub, **options):
    return Translator(HttpChat(stub.url, "m", timeout_s=5), language="de", **options)


def says(text):
    return json.dumps({"translation": text})


def shouted(asked):
    """A translation that turns the sentence round: marks move with what they hold."""
    sentence = asked["messages"][1]["content"]
    parts = re.findall(r"<m\d+>.*?</m\d+>|[^<]+", sentence)
    return says(" ".join(part.upper().replace("M", "m") if "<" in part else part for part in reversed(parts)))


def test_mentions_are_found_again_in_the_translation(stub):
    model = translator(stub(shouted))
    made = model.translate(document(("fever", "T:F"), ("Dry cough", "T:C"), ("gout", "T:G")))
    assert spelled(made) == [("FEVER", ["T:F"]), ("DRY COUGH", ["T:C"]), ("GOUT", ["T:G"])]
    assert made.language == "de"
    assert model.counts == {"translated": 2}
    assert model.usage.prompt == 22


def test_ids_and_unmarked_text_never_depend_on_the_model(stub):
    endpoint = stub(shouted)
    translator(endpoint).translate(FULL)
    assert "T:F" not in json.dumps(endpoint.asked)


@pytest.mark.parametrize(
    "said",
    [
        "no json",
        json.dumps(["x"]),
        json.dumps({"translation": 3}),
        says("Kein Fieber"),
        says("<m1>Fieber</m1> <m1>Fieber</m1>"),
        says("<m1></m1> Fieber"),
        says("</m1>Fieber<m1>"),
        says("<m1>Fieber</m1> <m2>x</m2>"),
        says("<m1>Fieber"),
        says("<m1>Fie<m2>b</m2>er</m1>"),
    ],
)
def test_a_sentence_whose_marks_come_back_wrong_is_asked_again_and_dropped(stub, said):
    endpoint = stub(said)
    model = translator(endpoint, retries=1)
    assert model.translate(document(("fever", "T:F"), text="Fine. A fever.")) is None
    assert model.counts["dropped"] >= 1
    assert model.usage.rejected == len(endpoint.asked) - model.counts["translated"]


def test_a_second_answer_may_be_taken(stub):
    model = translator(stub("nonsense", says("Ein <m1>Fieber</m1>.")))
    made = model.translate(document(("fever", "T:F"), text="A fever."))
    assert (made.text, spelled(made)) == ("Ein Fieber.", [("Fieber", ["T:F"])])


def test_sentences_that_hold_marks_already_are_not_sent(stub):
    endpoint = stub(shouted)
    model = translator(endpoint)
    assert model.translate(document(("fever", "T:F"), text="<m1>x</m1> fever")) is None
    assert (endpoint.asked, model.counts) == ([], {"marked already": 1})


def test_a_mention_across_sentences_joins_them(stub):
    model = translator(stub(shouted))
    made = model.translate(document(("fever. Cough", "T:F"), text="Had fever. Cough too."))
    assert spelled(made) == [("FEVER. COUGH", ["T:F"])]


def test_a_model_out_of_reach_is_said_without_the_text(stub):
    with pytest.raises(ChatFailed) as failed:
        translator(stub("x", status=500)).translate(document(("fever", "T:F"), text="kanarienvogel4711 fever"))
    assert "kanarienvogel" not in str(failed.value)


def test_projection_trims_blanks():
    assert projected("a <m1> b </m1> c", 1) == ("a  b  c", [(3, 4)])
    assert projected("plain", 0) == ("plain", [])
