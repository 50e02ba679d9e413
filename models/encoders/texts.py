"""Any string a caller can send, made fit for a tokenizer."""

import re
from collections.abc import Sequence

CHARACTERS_PER_TOKEN = 64
"""Characters read per token a model takes. Real text has 1 to 8; the cap bounds what a hostile one costs."""

_SURROGATES = re.compile("[\ud800-\udfff]")


def readable(texts: Sequence[str], *, prompt: str, max_tokens: int) -> list[str]:
    """The texts under their prompt, cut to what the model could read, with lone surrogates replaced.

    A text is cut at `max_tokens` × `CHARACTERS_PER_TOKEN` code points *before* tokenizing, because tokenizing
    a megabyte takes seconds. JSON can carry half a surrogate pair, which no tokenizer takes: it becomes U+FFFD.
    """
    longest = max_tokens * CHARACTERS_PER_TOKEN
    return [prompt + _encodable(text[:longest]) for text in texts]


def _encodable(text: str) -> str:
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)
