from models.encoders.texts import CHARACTERS_PER_TOKEN, readable


def test_puts_the_prompt_first():
    assert readable(["cook", ""], prompt="query: ", max_tokens=8) == ["query: cook", "query: "]


def test_cuts_before_tokenizing():
    (cut,) = readable(["x" * 10**6], prompt="", max_tokens=8)
    assert len(cut) == 8 * CHARACTERS_PER_TOKEN


def test_lone_surrogates_become_replacement_characters():
    (text,) = readable(["a\ud800b\udfff"], prompt="", max_tokens=8)
    assert text == "a\ufffdb\ufffd"
    text.encode()
