"""Words of a text with their places, and the forms in which two of them are the same word.

Places count code points of the text as received: nothing is normalized before words are cut, only each word after.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import unicodedata2 as unicodedata

from pipelines.encoding import primary

MAX_WORD: Final = 64
"""Characters of a word that are looked at; longer ones are no words, and normalizing them is quadratic."""

# Scripts without spaces: every character is a word. Combining marks belong to the letter before them.
_UNSPACED: Final = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_MARKS: Final = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
_IDEOGRAPH: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_KATAKANA: Final = re.compile("[\u30a1-\u30fa\u30fc\uff66-\uff9f]")
_WORD: Final = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_])(?:(?![{_UNSPACED}])[^\W_]|[{_MARKS}])*")


@dataclass(frozen=True, slots=True)
class Word:
    """A word where it stands.

    Attributes:
        norm: case and accents aside.
        stem: inflection aside too, as its language inflects.
        start, end: code points, end exclusive.
    """

    norm: str
    stem: str
    start: int
    end: int


def words_of(text: str, *, language: str | None, start: int = 0, end: int | None = None) -> list[Word]:
    """The words of a text, or of a part of it, in order."""
    tag = primary(language)
    return [
        Word(norm, stem_of(norm, tag), match.start(), match.end())
        for match in _WORD.finditer(text, start, len(text) if end is None else end)
        if (norm := norm_of(match[0][:MAX_WORD]))
    ]


def spelled(text: str) -> Iterator[str]:
    """The words of a text, as spelled."""
    return (match[0] for match in _WORD.finditer(text))


_LETTERS: Final = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})
"""Letters that no Unicode decomposition takes apart. Turkish "SIKINTI" and "sıkıntı" are one word so."""


def cuts_word(text: str, start: int, end: int) -> bool:
    """Whether a stretch cuts a word of a script without spaces, as far as the script shows.

    A run of katakana is one word, and one ideograph beside another is part of one: "盲" is blind, "盲腸" the appendix.
    """
    before, after = text[start - 1 : start], text[end : end + 1]
    if _KATAKANA.match(text[start]) and _KATAKANA.match(before):
        return True
    if _KATAKANA.match(text[end - 1]) and _KATAKANA.match(after):
        return True
    return end - start == 1 and bool(
        _IDEOGRAPH.match(text[start]) and (_IDEOGRAPH.match(before) or _IDEOGRAPH.match(after))
    )


@lru_cache(maxsize=1 << 16)
def norm_of(word: str) -> str:
    """A word without case and accents: "Œdème" is "oedeme"."""
    folded = word.casefold()
    if folded.isascii():
        return folded
    plain = unicodedata.normalize("NFKD", folded.translate(_LETTERS))
    return "".join(c for c in plain if not unicodedata.combining(c))


@lru_cache(maxsize=1 << 16)
def stem_of(norm: str, language: str) -> str:
    """A normalized word without its number, gender or case ending: "nierstenen" is "nierst", as "niersteen" is not.

    Light on purpose, after Savoy's UniNE stemmers: words that mean different things should not fall together. A
    language not known here loses a plural s. Source: Savoy 2006, *Light stemming approaches for the French, Portuguese,
    German and Hungarian languages*; differs: shorter.
    """
    if len(norm) < _SHORTEST or not norm.isalpha():
        return norm
    match language:
        case "de" | "nl":
            return _german(norm)
        case "fr":
            return _without(norm.removesuffix("x"), ("es", "s", "e"))
        case "es" | "pt" | "it":
            return _without(norm.removesuffix("s"), ("a", "e", "i", "o"))
        case "tr":
            return _without(_without(norm, _ENDINGS["tr"]), ("a", "e", "i", "u"))
        case _:
            endings = _ENDINGS.get(language)
            return _english(norm) if endings is None else _without(norm, endings)


_SHORTEST: Final = 4

# Case, number, possession and the article of nouns and adjectives, the longest first, accents aside.
# fmt: off
_ENDINGS: Final[dict[str, tuple[str, ...]]] = {
    "cs": (
        "ymi", "imi", "ami", "emi", "ich", "ych", "ech", "ach", "eho", "emu", "ove", "mi", "ou", "em", "um", "ym", "im",
        "am", "a", "e", "i", "o", "u", "y",
    ),
    "pl": (
        "ymi", "imi", "ami", "ach", "ich", "ych", "ego", "emu", "iem", "ow", "om", "em", "im", "ym", "ie", "a", "e",
        "i", "o", "u", "y",
    ),
    "ru": (
        "ыми", "ими", "ами", "ями", "ого", "его", "ому", "ему", "ах", "ях", "ов", "ев", "еи", "ых", "их", "ая", "яя",
        "ое", "ее", "ые", "иеи", "ия", "ию", "ие", "ыи", "ии", "ои", "ом", "ем", "ам", "ям", "ую", "юю", "а", "я",
        "о", "е", "ы", "и", "у", "ю", "ь",
    ),
    "sv": ("arna", "erna", "orna", "ar", "er", "or", "en", "et", "an", "a", "e", "n", "t"),
    "tr": (
        "larinda", "lerinde", "larinin", "lerinin", "lari", "leri", "sinda", "sinde", "sinin", "lar", "ler", "inda",
        "inde", "dan", "den", "nin", "nun", "da", "de", "ta", "te", "si", "su",
    ),
}
# fmt: on


def _english(norm: str) -> str:
    """Singular and American: "fistulae" is "fistula", "anaemias" is "anemia", "tumours" is "tumor"."""
    norm = norm[:-1] if norm.endswith("ae") else norm
    single = _singular(norm.replace("ae", "e").replace("oe", "e"))
    return f"{single[:-3]}or" if single.endswith("our") and len(single) > _SHORTEST else single


def _singular(norm: str) -> str:
    if norm.endswith("ies") and len(norm) > _SHORTEST:
        return norm[:-3] + "y"
    if norm.endswith(("sses", "xes", "ches", "shes")):
        return norm[:-2]
    return norm[:-1] if norm.endswith("s") and not norm.endswith(("ss", "us", "is")) else norm


def _german(norm: str) -> str:
    return _without(norm, ("ern", "en", "er", "em", "es", "e", "n", "s"))


def _without(norm: str, endings: tuple[str, ...]) -> str:
    for ending in endings:
        if norm.endswith(ending) and len(norm) - len(ending) >= _SHORTEST - 1:
            return norm[: -len(ending)]
    return norm
