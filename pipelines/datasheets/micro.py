"""A µ that one engine dropped and the other reads: without it 5 µA is 5 A.

Where PDFium has a line that is a piece of one of ours but for a µ, the µ is put back. Nothing else is taken from it.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pipelines.datasheets.page import Word

_MICRO: Final = re.compile("µ")
_FEWEST: Final = 4
"""Signs of a line below which it could be a piece of anything. A guess."""


def with_micro(lines: Sequence[Sequence[Word]], engine_lines: Sequence[str]) -> list[list[Word]]:
    """The words of each line, a lost µ put back where the other engine leaves no doubt of its place.

    Args:
        lines: the words, left to right; where they stand in the page's text is not looked at.
        engine_lines: the same page as PDFium reads it.
    """
    found = [list(words) for words in lines]
    own = [_squeezed("".join(w.text for w in words)) for words in found]
    for theirs in dict.fromkeys(map(_squeezed, engine_lines)):
        bare = _MICRO.sub("", theirs)
        if bare == theirs or len(bare) < _FEWEST or any(theirs in line for line in own):
            continue
        places = [(i, line.find(bare)) for i, line in enumerate(own) if line.count(bare) == 1]
        if len(places) == 1 and sum(line.count(bare) for line in own) == 1:
            i, start = places[0]
            before = [start + len(_MICRO.sub("", theirs[: m.start()])) for m in _MICRO.finditer(theirs)]
            found[i] = _inserted(found[i], before)
    return found


def _inserted(words: Sequence[Word], places: Sequence[int]) -> list[Word]:
    """The words with a µ before the signs at these places of their joined text."""
    mended = []
    at = 0
    for word in words:
        text = word.text
        for place in reversed([p - at for p in places if at <= p < at + len(text)]):
            text = f"{text[:place]}µ{text[place:]}"
        at += len(word.text)
        mended.append(replace(word, text=text))
    return mended


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text).replace("μ", "µ")
