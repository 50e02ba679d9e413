"""What a text says about its mentions: negated, a relative's, or only supposed.

Source: Harkema et al. 2009, *ConText*: cues with a direction, a scope that ends with the sentence, at a terminating
word or at another cue of the same kind, and phrases that hold a cue but say nothing. Differs: cue lists of our own,
over words without accents; a scope is at most `SCOPE` words; a cue with nothing behind it in its clause looks back
("fever: no, cough: yes"); a relative's scope ends where another subject begins ("her father had …, and she has …");
words of a mention that is an alias are no cue ("absent speech").
"""

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, Final

from pipelines.encoding import primary
from pipelines.medical.dictionary import JOINING, sentences
from pipelines.medical.words import Word, norm_of, spelled, stem_of

KINDS: Final = ("negated", "family", "hypothetical")
SCOPE: Final = 12
"""Words that a cue reaches. A guess: ConText ends a scope with the sentence only; lists in notes have no full stop."""

# fmt: off
_PLURAL: Final = frozenset([
    "are", "were", "have", "werden", "wurden", "bestehen", "fehlen", "waren", "sont", "ont", "son", "fueron", "han",
    "worden", "ontbreken", "sind", "estan", "sono", "sao", "foram", "jsou", "byly", "etaient", "zijn",
])
# fmt: on
"""What a cue has for a verb where it speaks of several things."""

_BEFORE: Final = 1
_AFTER: Final = 2
_NOTHING: Final = 3
_END: Final = 4

_COMMA: Final = re.compile(r"[,\u060c\u3001\uff0c]")
_CLAUSE: Final = re.compile(r"\s*([,;.)\]\u060c\u3001\u3002\uff0c\uff1b])")
_POINT: Final = re.compile(r"\.\s?")
_WHOLE_CLAUSE: Final = "\uff0c"
"""Chinese has one comma between the items of a list, and this one between clauses."""


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
    """What a phrase says, and where it looks; the kind of an end is the scopes that it ends, "" for all."""

    kind: str
    way: int


_Found = tuple[int, int, _Cue]
"""First and last (exclusive) word of a cue."""


@dataclass
class _Cues:
    """One language's cues by their words.

    Attributes:
        phrases: cues, ends, and what holds a cue and says nothing.
        short: abbreviations whose points end no sentence.
        subjects: words that end a relative's scope, and the relatives that they may stand for.
        small: function words.
        scope: words that a cue reaches.
        lists: a cue after a list speaks of all of it.
    """

    phrases: dict[tuple[str, ...], list[_Cue]] = field(default_factory=dict)
    short: set[tuple[str, ...]] = field(default_factory=set)
    subjects: dict[str, frozenset[str]] = field(default_factory=dict)
    small: frozenset[str] = frozenset()
    scope: int = SCOPE
    lists: bool = False
    longest: int = 1


def context_of(
    words: Sequence[Word],
    text: str,
    mentions: Sequence[tuple[int, int]],
    *,
    language: str | None,
    names: Iterable[tuple[int, int]] = (),
) -> list[Said]:
    """What is said about each mention, in order.

    Args:
        words: of the text.
        mentions: first and last (exclusive) word of each.
        language: whose cues are looked for; those of English where it has none.
        names: stretches of words that are an alias as a whole.
    """
    cues = _cues().get(primary(language)) or _cues()["en"]
    points = _points(words, text, cues)
    reader = _Reader(words, text, cues, mentions, names, points)
    for start, end in sentences(words, text, past_colons=True, joined=points):
        reader.read(start, end)
    return [Said(**{kind: any(reader.marked[kind][first:last]) for kind in KINDS}) for first, last in mentions]


class _Reader:
    """Marks the words of a text that its cues reach, sentence by sentence."""

    def __init__(
        self,
        words: Sequence[Word],
        text: str,
        cues: _Cues,
        mentions: Iterable[tuple[int, int]],
        names: Iterable[tuple[int, int]],
        points: Collection[int],
    ) -> None:
        self.marked = {kind: [False] * len(words) for kind in KINDS}
        self._words = words
        self._cues = cues
        self._points = points
        self._gaps = ["", *(text[a.end : b.start] for a, b in pairwise(words)), text[words[-1].end :] if words else ""]
        self._commas = [i for i, gap in enumerate(self._gaps[:-1]) if _COMMA.search(gap)]
        self._taken = [False] * len(words)
        for first, last in mentions:
            self._taken[first:last] = [True] * (last - first)
        self._names: dict[int, tuple[int, int]] = {}
        for name in sorted(names, key=lambda name: name[1] - name[0]):
            self._names.update(dict.fromkeys(range(*name), name))

    def read(self, start: int, end: int) -> None:
        """Mark what the cues of one sentence reach."""
        found = list(self._found(start, end))
        places = {kind: sorted(first for first, _, cue in found if _opens(cue, kind)) for kind in KINDS}
        # Once a sentence, not once a cue: a text without points is a sentence of as many cues as words.
        ends_of = {kind: {i for a, b, cue in found if _ends(cue, kind) for i in range(a, b)} for kind in KINDS}
        for first, last, cue in found:
            if cue.way == _END:
                continue
            ends = ends_of[cue.kind]
            closes = cue.way == _BEFORE and self._closes(last, cue.kind, end)
            if closes and cue.kind == "hypothetical":
                continue
            if cue.way == _BEFORE and not closes:
                # The next cue of the kind begins a scope of its own.
                later = bisect_left(places[cue.kind], last)
                stop = places[cue.kind][later] if later < len(places[cue.kind]) else end
                self._forward(first, last, stop, cue.kind, ends)
            else:
                self._back(first, last, start, cue.kind, ends)

    def _closes(self, last: int, kind: str, end: int) -> bool:
        """Whether nothing follows a cue in its clause; of a relative only within brackets: "diabetes (mother)"."""
        gap = "" if last in self._points else self._gaps[last] if last < end else "."
        return gap.lstrip()[:1] in {")", "]"} if kind == "family" else bool(_CLAUSE.match(gap))

    def _forward(self, first: int, last: int, stop: int, kind: str, ends: set[int]) -> None:
        depth = 0
        relatives = {word.norm for word in self._words[first:last]} if kind == "family" else None
        for i in range(last, min(stop, last + self._cues.scope)):
            gap = self._gaps[i]
            depth += gap.count("(") - gap.count(")")
            if depth < 0 or (i > last and _WHOLE_CLAUSE in gap) or (i in ends and not self._taken[i]):
                break
            if relatives is not None and self._turns(i, last, relatives):
                break
            self.marked[kind][i] = True

    def _back(self, first: int, last: int, start: int, kind: str, ends: set[int]) -> None:
        # "Headache, fever is denied" denies one of them, "headache, fever are denied" both.
        many = self._cues.lists or any(word.norm in _PLURAL for word in self._words[first:last])
        nearest = 0 if many else bisect_right(self._commas, first - 1)
        comma = self._commas[nearest - 1] if nearest else start
        for i in range(first - 1, max(start, comma, first - self._cues.scope) - 1, -1):
            if (i in ends and not self._taken[i]) or _WHOLE_CLAUSE in self._gaps[i + 1]:
                break
            self.marked[kind][i] = True

    def _turns(self, i: int, last: int, relatives: set[str]) -> bool:
        """Whether a clause begins here whose subject is none of these relatives."""
        stands_for = self._cues.subjects.get(self._words[i].norm)
        if stands_for is None or stands_for & relatives or i == last:
            return False
        begin = i - 1 if i - 1 > last and self._words[i - 1].norm in self._cues.small - JOINING else i
        return bool(_COMMA.search(self._gaps[begin])) or self._words[begin - 1].norm in JOINING

    def _found(self, start: int, end: int) -> Iterator[_Found]:
        """The cues of a sentence, longest first at each word; phrases that say nothing take their words with them."""
        words, cues = self._words, self._cues
        i = start
        while i < end:
            for length in range(min(cues.longest, end - i), 0, -1):
                known = cues.phrases.get(tuple(word.norm for word in words[i : i + length]))
                if known and not self._named(i, i + length):
                    yield from ((i, i + length, cue) for cue in known if cue.way != _NOTHING)
                    i += length - 1
                    break
            i += 1

    def _named(self, first: int, last: int) -> bool:
        """Whether these words are part of an alias that has more."""
        name = self._names.get(first)
        return name is not None and name[1] >= last and name[1] - name[0] > last - first


def _opens(cue: _Cue, kind: str) -> bool:
    return cue.kind == kind and cue.way != _END


def _ends(cue: _Cue, kind: str) -> bool:
    return cue.kind in ("", kind) and cue.way == _END


def _points(words: Sequence[Word], text: str, cues: _Cues) -> set[int]:
    """Numbers of words before which a point stands that ends no sentence: after "V. a.", "Dr."."""
    longest = max(map(len, cues.short), default=0)
    found: set[int] = set()
    for i in range(len(words) if longest else 0):
        for length in range(1, min(longest, len(words) - i - 1) + 1):
            inside = words[i : i + length + 1]
            if tuple(word.norm for word in inside[:-1]) in cues.short and all(
                _POINT.fullmatch(text[a.end : b.start]) for a, b in pairwise(inside)
            ):
                found.update(range(i + 1, i + length + 1))
    return found


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


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(resources.files("pipelines.medical").joinpath("cues.toml").read_text(encoding="utf-8"))


@cache
def _cues() -> dict[str, _Cues]:
    return {tag: _cues_of(table) for tag, table in _tables().items()}


def _cues_of(table: Mapping[str, Any]) -> _Cues:
    cues = _Cues(
        short={_key(phrase) for phrase in table.get("short", [])},
        subjects={word: frozenset(who.split()) for word, who in table["family"].get("subjects", {}).items()},
        small=frozenset(table["functions"].split()),
        scope=table.get("scope", SCOPE),
        lists=table.get("lists", False),
    )
    verbs: list[tuple[str, ...]] = [(), *((verb,) for verb in table.get("copulas", "").split())]
    for phrase in table["ends"]:
        _add(cues, _key(phrase), _Cue("", _END))
    for kind in KINDS:
        for phrase in table[kind].get("ends", []):
            _add(cues, _key(phrase), _Cue(kind, _END))
        for phrase in table[kind]["after"]:
            # "Is absent" looks back only, whatever "absent" alone does.
            for verb in verbs:
                _add(cues, (*verb, *_key(phrase)), _Cue(kind, _AFTER))
        for phrase in table[kind]["before"]:
            for verb in verbs if " " in phrase else [()]:
                _add(cues, (*verb, *_key(phrase)), _Cue(kind, _BEFORE))
        for phrase in table[kind]["not"]:
            _add(cues, _key(phrase), _Cue(kind, _NOTHING))
    return cues


def _key(phrase: str) -> tuple[str, ...]:
    return tuple(norm_of(word) for word in spelled(phrase))


def _add(cues: _Cues, key: tuple[str, ...], cue: _Cue) -> None:
    cues.phrases.setdefault(key, []).append(cue)
    cues.longest = max(cues.longest, len(key))
