"""A sentence a line: what is said of the mention in [brackets]."""

import re
from pathlib import Path

import pytest

from pipelines.medical import context
from pipelines.medical.context import KINDS, context_of, function_words
from pipelines.medical.words import words_of

CASES = [
    ("en", "negated", "There is no [fever]."),
    ("en", "negated", "He denies cough, chest pain or [fever]."),
    ("en", "negated", "[Fever] was ruled out."),
    ("en", "", "No cough but [fever]."),
    ("en", "", "No cough. [Fever] since Monday."),
    ("en", "", "Not only [fever] was seen."),
    ("en", "family", "Her mother had [diabetes]."),
    ("en", "family", "Family history: [diabetes]."),
    ("en", "", "The mother reports [fever] in the child."),
    ("en", "hypothetical", "Return if [fever] occurs."),
    ("en", "hypothetical", "Possible [pneumonia]."),
    ("en", "negated family", "No family history of [diabetes]."),
    ("de", "negated", "Kein [Fieber]."),
    ("de", "negated", "[Fieber] wird verneint."),
    ("de", "", "[Husten], Fieber wird verneint."),
    ("de", "negated", "[Husten], Fieber werden verneint."),
    ("de", "", "Kein Husten, aber [Fieber]."),
    ("de", "family", "Die Mutter hatte [Brustkrebs]."),
    ("de", "family", "Familienanamnese: [Diabetes]"),
    ("de", "hypothetical", "Verdacht auf [Lungenembolie]."),
    ("de", "hypothetical", "Falls [Fieber] auftritt, bitte melden."),
    ("de", "", "Starkes [Fieber] seit Montag."),
    ("fr", "negated", "Pas de [fièvre]."),
    ("fr", "negated", "Il n'y a pas d'[œdème]."),
    ("fr", "negated", "Sans [vomissements]."),
    ("fr", "", "Pas de toux mais une [fièvre]."),
    ("fr", "family", "Sa mère est décédée d'un [cancer]."),
    ("fr", "family", "Antécédents familiaux : [diabète]."),
    ("fr", "hypothetical", "Consulter en cas de [fièvre]."),
    ("fr", "hypothetical", "Suspicion d'[embolie]."),
    ("fr", "", "Présente une [fièvre]."),
    ("es", "negated", "Niega [fiebre]."),
    ("es", "negated", "Sin [fiebre] ni tos."),
    ("es", "", "Sin tos, pero con [fiebre]."),
    ("es", "family", "Madre con [hipertensión]."),
    ("es", "hypothetical", "Sospecha de [neumonía]."),
    ("es", "hypothetical", "Acudir si [fiebre]."),
    ("es", "", "Presenta [fiebre]."),
    ("it", "negated", "Nega [febbre]."),
    ("it", "negated", "[Febbre] assente."),
    ("it", "", "Non tosse ma [febbre]."),
    ("it", "family", "Madre con [diabete]."),
    ("it", "hypothetical", "Sospetta [polmonite]."),
    ("it", "", "Riferisce [febbre] da tre giorni."),
    ("pt", "negated", "Sem [febre]."),
    ("pt", "negated", "[Febre] ausente."),
    ("pt", "", "Sem tosse, mas com [febre]."),
    ("pt", "", "Queixa-se de [febre]."),
    ("pt", "family", "Mãe com [diabetes]."),
    ("pt", "hypothetical", "Suspeita de [pneumonia]."),
    ("nl", "negated", "Geen [koorts]."),
    ("nl", "negated", "[Koorts] wordt ontkend."),
    ("nl", "", "Geen hoest, maar wel [koorts]."),
    ("nl", "family", "Vader had een [hartinfarct]."),
    ("nl", "hypothetical", "Verdenking op [longembolie]."),
    ("nl", "hypothetical", "Bij optreden van [koorts] bellen."),
    ("nl", "", "Heeft [koorts]."),
]


@pytest.mark.parametrize(("language", "kinds", "sentence"), CASES)
def test_cues_reach_what_they_speak_of(language, kinds, sentence):
    start, end = sentence.index("["), sentence.index("]") - 1
    text = sentence.replace("[", "").replace("]", "")
    words = words_of(text, language=language)
    inside = [i for i, word in enumerate(words) if word.start >= start and word.end <= end]
    (said,) = context_of(words, text, [(inside[0], inside[-1] + 1)], language=language)
    assert {kind for kind in KINDS if getattr(said, kind)} == set(kinds.split())


def _tricky() -> list[tuple[str, str]]:
    content = Path(__file__).parents[2].joinpath("data/medical_context.tsv").read_text(encoding="utf-8")
    return [tuple(line.split("\t")) for line in content.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(("language", "sentence"), _tricky())
def test_tricky_sentences(language, sentence):
    text, wanted, places = "", [], []
    for before, mention, flags in re.findall(r"([^\[]*)(?:\[([^|\]]+)(?:\|(\w+))?\])?", sentence):
        text += before
        if mention:
            places.append((len(text), len(text) + len(mention)))
            wanted.append({kind for kind in KINDS if kind[0] in flags})
            text += mention
    words = words_of(text, language=language)
    spans = []
    for start, end in places:
        inside = [i for i, word in enumerate(words) if word.start >= start and word.end <= end]
        spans.append((inside[0], inside[-1] + 1))
    said = context_of(words, text, spans, language=language)
    assert [{kind for kind in KINDS if getattr(one, kind)} for one in said] == wanted


def test_words_of_a_name_are_no_cue():
    words = words_of("absent speech, seizures", language="en")
    (said,) = context_of(words, "absent speech, seizures", [(2, 3)], language="en", names=[(0, 2)])
    assert not said.negated


def test_a_sentence_of_cues_alone_takes_no_longer_a_cue(monkeypatch):
    looked = []
    monkeypatch.setattr(context, "_ends", lambda cue, kind: bool(looked.append(cue)))
    words = words_of("无" * 500, language="zh")
    context_of(words, "无" * 500, [], language="zh")
    assert len(looked) == len(KINDS) * 500


def test_an_unknown_language_is_read_with_english_cues():
    words = words_of("no fever", language="fi")
    assert context_of(words, "no fever", [(1, 2)], language="fi")[0].negated


def test_a_mention_without_words_is_said_nothing_of():
    assert not context_of([], "…", [(0, 0)], language="en")[0].negated


def test_function_words_are_normalized():
    assert {"the", "der", "des", "het", "a"} <= function_words()
    assert all(word == word.casefold() and word.isalpha() for word in function_words())
