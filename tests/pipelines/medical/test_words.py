import pytest

from pipelines.medical.pipeline import row_text
from pipelines.medical.words import cuts_word, norm_of, stem_of, words_of


def test_places_count_code_points_of_the_text_as_received():
    text = "🙂 e\u0301te\u0301, Œdème-like\u200f 發燒"
    words = words_of(text, language="fr")
    assert [text[w.start : w.end] for w in words] == ["e\u0301te\u0301", "Œdème", "like", "發", "燒"]
    assert [w.norm for w in words] == ["ete", "oedeme", "like", "發", "燒"]


def test_a_part_of_a_text_keeps_its_places():
    assert [(w.start, w.norm) for w in words_of("no fever here", language="en", start=3, end=8)] == [(3, "fever")]


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", ["seizure", "seizures"]),
        ("en", ["anomaly", "anomalies"]),
        ("fr", ["tumeur", "tumeurs"]),
        ("fr", ["maligne", "malignes"]),
        ("es", ["dolor", "dolores"]),
        ("es", ["abdominal", "abdominales"]),
        ("de", ["kopfschmerz", "kopfschmerzen"]),
        ("de", ["starke", "starken", "starker", "starkes"]),
        ("nl", ["niersteen", "niersteen"]),
        ("cs", ["záchvat", "záchvaty", "záchvatů", "záchvatech"]),
        ("cs", ["bolest", "bolestí", "bolestmi"]),
        ("pl", ["drgawki", "drgawkami"]),
        ("ru", ["пневмония", "пневмонию", "пневмонии"]),
        ("tr", ["ağrısı", "ağrıları", "ağrı"]),
        ("tr", ["nöbet", "nöbetler", "NÖBETLER"]),
        ("sv", ["anfall", "anfallet", "anfallen"]),
    ],
)
def test_inflected_forms_share_a_stem(language, forms):
    assert len({stem_of(norm_of(form), language) for form in forms}) == 1


@pytest.mark.parametrize(
    "spellings",
    [
        ("SIKINTI", "sıkıntı", "Sikinti"),
        ("İshal", "ishal", "ISHAL", "i\u0307shal"),
        ("Œdème", "oede\u0300me", "OEDEME"),
        ("ＡＤＨＤ", "adhd"),
        ("ﾃﾝｶﾝ"[0], "テ"),
        ("デ", "テ\u3099"),
        ("Ødem", "odem"),
    ],
)
def test_one_word_however_it_is_encoded(spellings):
    assert len({norm_of(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("text", "part", "cuts"),
    [
        ("盲腸の検査", "盲", True),
        ("盲である", "盲", False),
        ("プラスチック", "チック", True),
        ("チックがある", "チック", False),
        ("頭痛発熱", "頭痛", False),
    ],
)
def test_parts_of_words_without_spaces(text, part, cuts):
    assert cuts_word(text, text.index(part), text.index(part) + len(part)) is cuts


@pytest.mark.parametrize(("one", "other"), [("iris", "iri"), ("sinus", "sinu"), ("mass", "mas"), ("b12", "b1")])
def test_what_is_no_ending_stays(one, other):
    assert stem_of(one, "en") != stem_of(other, "en")


def test_a_word_beyond_measure_is_looked_at_in_part():
    (word,) = words_of("a" * 100_000, language=None)
    assert (word.end, len(word.norm)) == (100_000, 64)


@pytest.mark.parametrize("spelled", ["BAŞ DÖNMESİ", "Baş dönmesi", "bas\u0327 do\u0308nmesi", "ｂaş dönmesi"])
def test_one_text_is_searched_for_however_it_is_composed(spelled):
    assert row_text(spelled) == "baş dönmesi"
