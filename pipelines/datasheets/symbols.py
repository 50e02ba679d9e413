"""What the symbol of a parameter looks like."""

import re
from typing import Final

_SYMBOL: Final = re.compile(
    r"(?:2(?=[θφϕΘ]))?[A-Za-zΔΦβηθΘλτφϕωΨψ∆|][\wΔΦθβηλ()/\-+|.,’'∆ψΨ*½]{0,18}(?:[,/] ?[A-Za-zΔθ][\wθ()\-]{0,12}){0,3}"
)
_WORD_HEAD: Final = 5
"""Letters that only a word has in a row. A guess: Ptot and Tstg have four, "Input" five."""


def looks_like_symbol(text: str) -> bool:
    """Whether a text can be the symbol of a parameter: short, and no word."""
    if not _SYMBOL.fullmatch(text) or len(text) > 40:
        return False
    head = re.split(r"[,/(\s-]", text)[0]
    return not (len(head) >= _WORD_HEAD and head.isalpha() and (head[1:].islower()))


def telling(text: str, *, before: str = "") -> bool:
    """Whether a word is a symbol for certain, and not the first word of a name.

    Args:
        text: the word.
        before: what follows it: "RMS" goes on with "output noise", a symbol with a capital.
    """
    if text.lower() in _WORDS or (text.isupper() and text.isalpha() and len(text) > 5):
        return False
    if text.isupper() and text.isalpha() and len(text) > 2 and before[:1].islower():
        return False
    return bool(_CERTAIN.search(text))


_CERTAIN: Final = re.compile(
    r"^[A-ZΔθ][A-Z]|^[a-z]{1,3}[A-Z]|^[A-Zθ][a-z]{0,4}\(|[θΔλη]|^[ftCIQRPTg][a-z]{1,4}$|^[A-Za-z]\d|^[VIPR]$"
)
_WORDS: Final = frozenset(
    [
        "total",
        "the",
        "case",
        "rise",
        "fall",
        "time",
        "test",
        "type",
        "in",
        "is",
        "at",
        "to",
        "of",
        "on",
        "off",
        "dc",
        "ac",
        "peak",
        "low",
        "high",
        "input",
        "power",
        "gain",
        "max",
        "min",
        "typ",
        "fig",
        "note",
        "pulse",
        "range",
        "rate",
        "reset",
        "tape",
        "pin",
        "pad",
        "for",
        "from",
        "gate",
        "rev",
        "free",
        "turn",
        "top",
        "no",
        "ic",
        "esd",
        "pwm",
        "led",
        "nand",
    ]
)
