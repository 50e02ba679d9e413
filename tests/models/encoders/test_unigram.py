import unicodedata

import pytest

from models.encoders.unigram import UnigramVocabulary, build_tokenizer

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁nurse", "nurse", "s", "▁é", "\uff5e", "~", "▁a", "b"]
SCORES = [0.0, 0.0, 0.0, 0.0, -2.0, -3.0, -4.0, -4.0, -5.0, -5.0, -5.0, -3.5, -3.5]
VOCABULARY = UnigramVocabulary(PIECES, SCORES, unk=3, bos=0, eos=2, special=[0, 1, 2, 3], kept="\uff5e")


@pytest.fixture(scope="module")
def tokens():
    tokenizer = build_tokenizer(VOCABULARY)
    return lambda text: tokenizer.encode(text).tokens[1:-1]


def test_takes_the_likeliest_pieces(tokens):
    assert tokens("nurses") == ["▁nurse", "s"]


def test_white_space_is_one_space_and_none_at_the_ends(tokens):
    assert tokens("  a \n\t nurse ") == ["▁a", "▁nurse"]


def test_wraps_texts_in_the_ends():
    assert build_tokenizer(VOCABULARY).encode("a").ids == [0, 11, 2]


def test_composed_and_decomposed_are_the_same(tokens):
    assert tokens(unicodedata.normalize("NFD", "é")) == tokens("é") == ["▁é"]


def test_kept_characters_escape_nfkc(tokens):
    assert tokens("a\uff5e") == ["▁a", "\uff5e"]


def test_full_width_letters_are_folded(tokens):
    assert tokens("\uff41b") == ["▁a", "b"]


def test_a_run_of_unknown_characters_is_one_token():
    assert build_tokenizer(VOCABULARY).encode("a\u4e00\u4e01\u4e02").ids == [0, 11, 3, 2]


def test_controls_are_dropped(tokens):
    assert tokens("nur\x01se") == ["▁nurse"]
