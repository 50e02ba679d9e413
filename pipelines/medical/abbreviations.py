"""Abbreviations that a text explains: "atrial fibrillation (AF)", or "AF (atrial fibrillation)".

Source: Schwartz & Hearst 2003, *A simple algorithm for identifying abbreviation definitions in biomedical text*;
differs: letters of any script, and a short form may also hold a hyphen, a slash or a point.
"""

import re
from typing import Final

SHORTEST: Final = 2
LONGEST: Final = 10
MAX_DEFINITIONS: Final = 500
"""Of one text; a document that explains more is a list of abbreviations or an attack."""

# Inside brackets at most 200 characters, so that one that never closes costs nothing.
_BRACKETED: Final = re.compile(r"[(\[]([^()\[\]\n]{2,200})[)\]]")
_SHORT: Final = re.compile(r"[^\W_][\w./-]*")
_TOKEN: Final = re.compile(r"\S+")


def definitions(text: str) -> dict[str, str]:
    """Short form → the long form beside its first definition, in order of appearance."""
    found: dict[str, str] = {}
    for match in _BRACKETED.finditer(text):
        if len(found) >= MAX_DEFINITIONS:
            break
        inside = re.split(r"[,;]|\s(?:or|oder|ou|o|of)\s", match[1])[0].strip()
        before = text[max(0, match.start() - 200) : match.start()].rstrip()
        if is_short(inside):
            short, long = inside, _long_before(inside, before)
        else:
            # Turned round: the short form stands before the brackets, the long one inside.
            short = before.rsplit(maxsplit=1)[-1] if before else ""
            long = best_long(short, match[1].strip()) if is_short(short) else None
        if long is not None:
            found.setdefault(short, long)
    return found


def is_short(form: str) -> bool:
    """Whether a text can be an abbreviation: one or two words, a letter, a capital or digit, 2 to 10 characters."""
    return (
        SHORTEST <= len(form) <= LONGEST
        and len(form.split()) <= 2
        and bool(_SHORT.match(form))
        and any(map(str.isalpha, form))
        and (any(map(str.isupper, form)) or any(map(str.isdigit, form)))
    )


def _long_before(short: str, before: str) -> str | None:
    """The long form among at most min(|A| + 5, 2|A|) words before the brackets."""
    length = sum(map(str.isalnum, short))
    # A sentence ends a candidate.
    tokens = list(_TOKEN.finditer(re.split(r"[.;:!?]\s", before)[-1]))
    tail = re.split(r"[.;:!?]\s", before)[-1]
    kept = tokens[-min(length + 5, 2 * length) :]
    return best_long(short, tail[kept[0].start() :]) if kept else None


def best_long(short: str, candidate: str) -> str | None:
    """The shortest tail of the candidate that holds the short form's letters in order, the first at a word's start."""
    folded_short, folded = short.casefold(), candidate.casefold()
    if len(folded) != len(candidate):  # "İ" folds to two code points: places would no longer agree.
        return None
    place = len(folded) - 1
    for number in range(len(folded_short) - 1, -1, -1):
        letter = folded_short[number]
        if not letter.isalnum():
            continue
        while place >= 0 and (folded[place] != letter or (number == 0 and place > 0 and folded[place - 1].isalnum())):
            place -= 1
        if place < 0:
            return None
        place -= 1
    long = candidate[place + 1 :].strip()
    words = long.split()
    if not long or len(long) <= len(short) or len(words) > min(len(short) + 5, 2 * len(short)):
        return None
    return None if short in words else long
