"""Symbols as houses print them → forms that can be compared: V_CE(sat), VCEsat and UCEsat are one."""

import re
from typing import Final

_GREEK: Final = str.maketrans({"θ": "th", "Θ": "th", "ϑ": "th", "Δ": "d", "∆": "d", "Φ": "φ", "ϕ": "φ", "Ψ": "ψ",
                               "²": "2", "½": "1/2", "Λ": "λ", "−": "-", "–": "-"})  # fmt: skip
_BETWEEN: Final = re.compile(r"[\s_(){}\[\].,/*'’†‡|:]+|-(?=.)")
_BREAKDOWN: Final = re.compile(r"^bv(?:br)?(?=[a-z])")
_QUALIFIER: Final = re.compile(r"(?<=[a-z\d])(?:max|min|typ|dc|nom|tot|total|avg|[\d*]+)$")
RELAXED: Final = 0.8
"""What a match is worth that needed a qualifier or number cut off. A guess."""


def plain(symbol: str) -> str:
    """The symbol without case, brackets and what stands between its parts."""
    text = cased(symbol).casefold()
    return _BREAKDOWN.sub("vbr", text)


def cased(symbol: str) -> str:
    """The symbol as `plain` has it, but with its case: hFE is not hfe."""
    # "ID @ TC = 25 °C": what it is measured at is no part of it.
    return _BETWEEN.sub("", re.split(r"\s*@|\s+at\s", symbol.translate(_GREEK))[0])


def forms(symbol: str) -> list[tuple[str, float]]:
    """The forms to look a printed symbol up by, and what a match of each is worth: as it is, then retried.

    A miss is retried with V for the German U, with the letter O for a final zero, and without a final number or
    qualifier ("hFE1", "IF max").
    """
    first = plain(symbol)
    found = {first: 1.0}
    spelled = re.sub(r"^u(?=[a-z])", "v", first)
    spelled = re.sub(r"(?<=[a-z])0(?=$|[a-z]*$)", "o", spelled)
    found.setdefault(spelled, 0.95)
    shorter = _QUALIFIER.sub("", spelled)
    if len(shorter) > 1:
        found.setdefault(shorter, RELAXED)
    return list(found.items())
