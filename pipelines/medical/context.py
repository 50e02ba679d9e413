"""What a text says about its mentions: negated, a relative's, or only supposed.

Source: Harkema et al. 2009, *ConText*: cues with a direction, a scope that ends with the sentence, at a terminating
word or at another cue of the same kind, and phrases that hold a cue but say nothing. Differs: cue lists of our own for
five languages, over words without accents; a scope is at most `SCOPE` words.
"""

import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, Final

from pipelines.encoding import primary
from pipelines.medical.dictionary import sentences
from pipelines.medical.words import Word, norm_of, spelled, stem_of

KINDS: Final = ("negated", "family", "hypothetical")
SCOPE: Final = 12
"""Words that a cue reaches. A guess: ConText ends a scope with the sentence only; lists in notes have no full stop."""

# fmt: off
_PLURAL: Final = frozenset([
    "are", "were", "have", "werden", "wurden", "bestehen", "fehlen", "waren", "sont", "ont", "son", "fueron", "han",
    "worden", "ontbreken",
])
# fmt: on
"""What a cue has for a verb where it speaks of several things."""

_BEFORE: Final = 1
_AFTER: Final = 2
_NOTHING: Final = 3


@dataclass(frozen=True, slots=True)
class Said:
    """What is said about one mention.

    Attributes:
        negated: the text denies it.
        family: it is a relative's.
        hypothetical: it is feared, looked for, or would have to happen first.
    """

    negated: bool = False
    family: bool = False
    hypothetical: bool = False


@dataclass(frozen=True, slots=True)
class _Cue:
    kind: str
    way: int


@dataclass
class _Cues:
    """One language's cues by their words."""

    phrases: dict[tuple[str, ...], list[_Cue]] = field(default_factory=dict)
    ends: frozenset[str] = frozenset()
    longest: int = 1


def context_of(
    words: Sequence[Word], text: str, mentions: Sequence[tuple[int, int]], *, language: str | None
) -> list[Said]:
    """What is said about each mention, in order.

    Args:
        words: of the text.
        mentions: first and last (exclusive) word of each.
        language: whose cues are looked for; those of English where it has none.
    """
    cues = _cues().get(primary(language)) or _cues()["en"]
    marked: dict[str, list[bool]] = {kind: [False] * len(words) for kind in KINDS}
    taken = [False] * len(words)
    for first, last in mentions:
        taken[first:last] = [True] * (last - first)
    commas = [i for i, (a, b) in enumerate(pairwise(words), 1) if "," in text[a.end : b.start]]
    for start, end in sentences(words, text, past_colons=True):
        _mark(words, commas, start, end, cues, marked, taken)
    return [Said(**{kind: any(marked[kind][first:last]) for kind in KINDS}) for first, last in mentions]


@cache
def function_words() -> frozenset[str]:
    """Words that only join others, of every language there are cues for."""
    return frozenset(word for table in _tables().values() for word in table["functions"].split())


@cache
def modifiers() -> dict[str, frozenset[str]]:
    """Language → stems of words that name no finding by themselves."""
    content = resources.files("pipelines.medical").joinpath("modifiers.toml").read_text(encoding="utf-8")
    return {
        tag: frozenset(stem_of(word, tag) for word in words.split()) for tag, words in tomllib.loads(content).items()
    }


@cache
def variants() -> dict[str, dict[str, str]]:
    """Language → stem → what it says: the same for all words that say the same in the name of a finding."""
    content = resources.files("pipelines.medical").joinpath("variants.toml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for meaning, words in tomllib.loads(content).items():
        for tag, spellings in words.items():
            for word in spellings.split():
                found.setdefault(tag, {}).setdefault(stem_of(word, tag), f"*{meaning}")
    return found


def _mark(
    words: Sequence[Word],
    commas: Sequence[int],
    start: int,
    end: int,
    cues: _Cues,
    marked: Mapping[str, list[bool]],
    taken: Sequence[bool],
) -> None:
    """Mark the words of one sentence that its cues reach."""
    found = _found(words, start, end, cues)
    places = {kind: sorted(first for first, _, cue in found if cue.kind == kind) for kind in KINDS}
    for first, last, cue in found:
        if cue.way == _BEFORE:
            # The next cue of the kind begins a scope of its own.
            later = bisect_left(places[cue.kind], last)
            stop = places[cue.kind][later] if later < len(places[cue.kind]) else end
            for i in range(last, min(end, last + SCOPE, max(stop, last))):
                if words[i].norm in cues.ends and not taken[i]:
                    break
                marked[cue.kind][i] = True
        else:
            # "Headache, fever is denied" denies one of them, "headache, fever are denied" both.
            many = any(word.norm in _PLURAL for word in words[first:last])
            nearest = 0 if many else bisect_right(commas, first)
            comma = commas[nearest - 1] if nearest else start
            for i in range(first - 1, max(start, comma, first - SCOPE) - 1, -1):
                if words[i].norm in cues.ends and not taken[i]:
                    break
                marked[cue.kind][i] = True


def _found(words: Sequence[Word], start: int, end: int, cues: _Cues) -> list[tuple[int, int, _Cue]]:
    """The cues of a sentence, longest first at each word; phrases that say nothing take their words with them."""
    found = []
    i = start
    while i < end:
        for length in range(min(cues.longest, end - i), 0, -1):
            known = cues.phrases.get(tuple(word.norm for word in words[i : i + length]))
            if known:
                found += [(i, i + length, cue) for cue in known if cue.way != _NOTHING]
                i += length - 1
                break
        i += 1
    return found


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(resources.files("pipelines.medical").joinpath("cues.toml").read_text(encoding="utf-8"))


@cache
def _cues() -> dict[str, _Cues]:
    return {tag: _cues_of(table) for tag, table in _tables().items()}


def _cues_of(table: Mapping[str, Any]) -> _Cues:
    cues = _Cues(ends=frozenset(table["ends"].split()))
    for kind in KINDS:
        for name, way in (("before", _BEFORE), ("after", _AFTER), ("not", _NOTHING)):
            for phrase in table[kind][name]:
                key = tuple(norm_of(word) for word in spelled(phrase))
                cues.phrases.setdefault(key, []).append(_Cue(kind, way))
                cues.longest = max(cues.longest, len(key))
    return cues
