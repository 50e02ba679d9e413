"""Every alias of a terminology, to be found in running text: as spelled, inflected, or in another order of words."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from pipelines.encoding import primary
from pipelines.medical.words import Word, cuts_word, spelled, words_of
from pipelines.terminology import Terminology

MAX_WORDS: Final = 10
"""Of an alias that is looked for in text; HPO has 0.4 % longer ones, which are definitions rather than names."""

EXACT: Final = 3
INFLECTED: Final = 2
REORDERED: Final = 1
GUESSED: Final = 0
"""How a span was found, the surest highest."""

_ACRONYM: Final = 4
_SHORT_STEM: Final = 4
JOINING: Final = frozenset(["and", "or", "und", "oder", "et", "ou", "y", "e", "o", "u", "en", "ed"])
_BREAK: Final = re.compile(r"[.;:!?•\x0b\x0c\u2028\u2029。；：！？]|\n\s*\n|\n\s*[-*]")
_EVERY: Final = -1


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of words that may be a mention.

    Attributes:
        first, last: numbers of its words, `last` exclusive.
        kind: EXACT, INFLECTED, REORDERED or GUESSED.
        weight: how telling its words are: the sum of their inverse document frequencies.
        content: how many of its words are no function words; not counted for guesses.
        alias: what it is a form of, as the terminology spells it; None where it is spelled so itself, and for guesses.
    """

    first: int
    last: int
    kind: int
    weight: float
    content: int = 1
    alias: str | None = None

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share a word."""
        return self.first < other.last and other.first < self.last


class Dictionary:
    """The aliases of a terminology by their words.

    They are read when the first text is looked through, seconds for a hundred thousand; given mentions need none.

    An alias is found in texts of its own language, in any text if it is English, says no language or has several words,
    and everywhere where the text's language is not known. Short aliases in capitals are found in capitals only.

    Args:
        terminology: whose aliases are looked for.
        function_words: words that an alias may hold or lack, and that no mention begins or ends with.
        modifiers: language → stems of words that are no mention by themselves.
        variants: language → stem → what it says, the same for all words that say the same.
    """

    def __init__(
        self,
        terminology: Terminology,
        *,
        function_words: Iterable[str],
        modifiers: Mapping[str, frozenset[str]] | None = None,
        variants: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._terminology = terminology
        self._function = frozenset(function_words)
        self._modifiers = modifiers or {}
        self._variants = variants or {}

    @cached_property
    def _known(self) -> "_Aliases":
        return _Aliases(self._terminology, self._function, self._variants)

    def find(self, words: Sequence[Word], text: str, *, language: str | None) -> list[Span]:
        """Every span that is an alias, by its surest kind; they may overlap."""
        allowed = self._allowed(language)
        modifiers = self.modifiers(language)
        variants = self._variants.get(primary(language) or "en", {})
        lettered = _letters([text[word.start : word.end] for word in words])
        plain = [is_plain(text[a.end : b.start]) for a, b in pairwise(words)]
        ends = self._reach(words, text)
        found = []
        for first in range(len(words)):
            if words[first].norm in self._function:
                continue
            norms = stems = ""
            bag: list[str] = []
            straight = unbroken = True
            for last in range(first + 1, ends[first] + 1):
                word = words[last - 1]
                norms = f"{norms} {word.norm}" if norms else word.norm
                unbroken = unbroken and (last - first == 1 or plain[last - 2])
                straight = unbroken and straight and word.norm not in JOINING
                if word.norm in self._function and not lettered[last - 1]:
                    # An alias may end so, "unable to", but "hepatitis a" does not before "a few".
                    if len(word.norm) > 1 and self._known.keys.get(norms, 0) & allowed:
                        found.append(Span(first, last, EXACT, self._weight(bag), len(bag)))
                    continue
                stems = f"{stems} {word.stem}" if stems else word.stem
                bag.append(word.stem)
                any_order = bag_of(bag, variants)
                kind = self._kind(norms, stems, any_order if straight else "", allowed, unbroken)
                alone = len(bag) == 1 and (bag[0] in modifiers or (kind == INFLECTED and len(bag[0]) < _SHORT_STEM))
                mistaken = alone or self._mistaken(text, words[first].start, word.end, norms)
                if kind and not mistaken:
                    alias = None if kind == EXACT else self._alias(stems if kind == INFLECTED else any_order, allowed)
                    found.append(Span(first, last, kind, self._weight(bag), len(bag), alias))
        return found

    def knows(self, word: Word) -> bool:
        """Whether a word stands in some alias, and is no function word."""
        return word.stem in self._known.counts and word.norm not in self._function

    def is_function(self, word: Word) -> bool:
        """Whether a word only joins others."""
        return word.norm in self._function

    def count(self, word: Word) -> int:
        """How many aliases hold a word."""
        return self._known.counts.get(word.stem, 0)

    def _reach(self, words: Sequence[Word], text: str) -> list[int]:
        """For each word the end of the longest span that may begin with it: no sentence ends inside."""
        ends = [0] * len(words)
        stop = len(words)
        for i in range(len(words) - 1, -1, -1):
            if i + 1 < len(words) and is_break(text[words[i].end : words[i + 1].start]):
                stop = i + 1
            ends[i] = min(stop, i + self._known.longest)
        return ends

    def modifiers(self, language: str | None) -> frozenset[str]:
        """Stems of words that are no mention by themselves; of every language where it is not known."""
        tag = primary(language)
        if tag:
            return self._modifiers.get(tag, frozenset()) | self._modifiers.get("en", frozenset())
        every: frozenset[str] = frozenset()
        return every.union(*self._modifiers.values())

    def _kind(self, norms: str, stems: str, any_order: str, allowed: int, unbroken: bool) -> int:
        if self._known.keys.get(norms, 0) & allowed:
            return EXACT
        # "Nausea, vomiting" are two, whatever "nausea and vomiting" is.
        if unbroken and self._known.stems.get(stems, 0) & allowed:
            return INFLECTED
        # In another order, only within one phrase: "meningiomas, and spinal" is no spinal meningioma.
        if any_order and self._known.bags.get(any_order, 0) & allowed:
            return REORDERED
        return 0

    def _alias(self, key: str, allowed: int) -> str | None:
        """The alias that words are a form of, of those in the text's language or English the first."""
        return next((text for bit, text in self._known.aliases.get(key, ()) if bit & allowed), None)

    def _mistaken(self, text: str, start: int, end: int, norms: str) -> bool:
        """Whether it is part of a word, or a short word that only looks like an alias in capitals: "all" is not ALL."""
        acronym = len(norms) <= _ACRONYM and norms in self._known.acronyms and not text[start:end].isupper()
        return acronym or cuts_word(text, start, end)

    def languages(self, words: Sequence[Word]) -> set[str]:
        """The languages in which all these words together are an alias; none where an alias says no language."""
        bits = self._known.keys.get(" ".join(word.norm for word in words), 0)
        return set() if bits == _EVERY else {tag for tag, bit in self._known.bits.items() if bits & bit}

    def _weight(self, bag: Sequence[str]) -> float:
        return sum(1.0 / (1 + self._known.counts.get(stem, 0)) for stem in bag)

    def _allowed(self, language: str | None) -> int:
        tag = primary(language)
        return _EVERY if not tag else self._known.bits["en"] | self._known.bits.get(tag, 0)


class _Aliases:
    """What is looked up: forms of every alias → in which languages it is one, and how often words occur."""

    def __init__(
        self, terminology: Terminology, function: frozenset[str], variants: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._function = function
        self._variants = variants
        self.bits: dict[str, int] = {"en": 1}
        self.keys: dict[str, int] = {}
        self.stems: dict[str, int] = {}
        self.bags: dict[str, int] = {}
        self.aliases: dict[str, list[tuple[int, str]]] = {}
        self.acronyms: set[str] = set()
        self.counts: dict[str, int] = {}
        self.longest = 1
        for term in terminology.row_terms:
            self._add(term.text, primary(term.language))

    def _bit(self, tag: str, words: int) -> int:
        if not tag:
            return _EVERY
        if tag not in self.bits:
            self.bits[tag] = 1 << len(self.bits)
        return self.bits[tag]

    def _add(self, text: str, tag: str) -> None:
        words = words_of(text, language=tag)
        lettered = _letters([text[word.start : word.end] for word in words])
        content = [w.stem for w, letter in zip(words, lettered, strict=True) if letter or w.norm not in self._function]
        if not content or len(words) > MAX_WORDS:
            return
        self.longest = max(self.longest, len(words))
        bit = self._bit(tag, len(words))
        norms = " ".join(w.norm for w in words)
        self.keys[norms] = self.keys.get(norms, 0) | bit
        stems = " ".join(content)
        self.stems[stems] = self.stems.get(stems, 0) | bit
        self.aliases.setdefault(stems, []).append((bit, text))
        if bag := bag_of(content, self._variants.get(tag or "en", {})):
            self.bags[bag] = self.bags.get(bag, 0) | bit
            if bag != stems:
                self.aliases.setdefault(bag, []).append((bit, text))
        for stem in set(content):
            self.counts[stem] = self.counts.get(stem, 0) + 1
        if len(norms) <= _ACRONYM and any(map(str.isupper, spelled(text))) and text.isupper():
            self.acronyms.add(norms)


def _letters(spellings: Sequence[str]) -> list[bool]:
    """Which words are a capital letter after a word that is none: the C of "brachydactyly type C" joins nothing."""
    before = ["A", *spellings]
    return [len(word) == 1 and word.isupper() and not b.isupper() for b, word in zip(before, spellings, strict=False)]


def bag_of(stems: Sequence[str], variants: Mapping[str, str]) -> str:
    """What several words say together, in whatever order; "" for one alone."""
    return " ".join(sorted(variants.get(stem, stem) for stem in stems)) if len(stems) > 1 else ""


def is_plain(gap: str) -> bool:
    """Whether only blanks or a hyphen stand between two words."""
    return not gap.strip(" \t\n-‐‑'’")


def is_break(gap: str) -> bool:
    """Whether what stands between two words parts sentences or list items."""
    return bool(_BREAK.search(gap))


def sentences(
    words: Sequence[Word], text: str, *, past_colons: bool = False, joined: Collection[int] = ()
) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) word of each sentence; "Family history: diabetes" is one only past colons.

    Args:
        joined: numbers of words that begin no sentence, whatever stands before them.
    """
    if not words:
        return
    start = 0
    for number, (before, after) in enumerate(pairwise(words), 1):
        gap = text[before.end : after.start]
        if number not in joined and is_break(gap.replace(":", "") if past_colons else gap):
            yield start, number
            start = number
    yield start, len(words)
