"""A text → its mentions: those given, or those found; each with what the text says about it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Final

from pipelines.encoding import primary
from pipelines.errors import InputInvalid
from pipelines.flow import Prepared
from pipelines.language import LanguageGuesser
from pipelines.medical.abbreviations import definitions
from pipelines.medical.chunks import NounChunks
from pipelines.medical.context import Said, context_of
from pipelines.medical.dictionary import EXACT, GUESSED, MAX_WORDS, Dictionary, Span
from pipelines.medical.guesses import Guesser
from pipelines.medical.reranking import around
from pipelines.medical.words import Word, words_of
from pipelines.results import Mention, Request

LANGUAGE_CHARS: Final = 2000
"""Characters that a text's language is told by."""

TELLING_WORDS: Final = 8
"""Words below which a guess at the language is not relied on: aliases of every language are looked for. A guess."""

MAX_GUESSES: Final = 500
"""Of one text: two CPU-seconds of linking. Longer texts get the best of them."""

FEW_CHARS: Final = 500
"""A shorter text gets as many guesses as one of this length."""

MAX_QUERY: Final = 512
"""Characters of a mention that are searched with: beyond, an encoder's window is full."""

_SCRIPTS: Final = (
    ("ja", re.compile("[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")),
    ("ko", re.compile("[\u1100-\u11ff\uac00-\ud7a3]")),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")),
    ("el", re.compile("[\u0370-\u03ff\u1f00-\u1fff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
"""Scripts by the language that clinical texts in them are in nearly always. Kana tell Japanese among ideographs."""

_TRACE: Final = 0.05
_MOSTLY: Final = 0.5
"""Shares of a text's letters from which a script decides: "β-thalassemia" is no Greek."""

_BLANKS: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Place:
    """A mention to be: where it stands, how it was found, what is searched for.

    Attributes:
        span: the words it covers.
        query: what it stands for, where the text explains an abbreviation; None takes the text itself.
    """

    start: int
    end: int
    span: Span
    query: str | None = None


class MedicalPreparer:
    """Mentions as given, or found by dictionary and by likeness to aliases.

    Args:
        dictionary, guesser: of the terminology that is linked to.
        guesses, foreign_guesses: spans per 1,000 characters that are tried although they are no alias, in languages
            that the terminology has and in others.
        window: characters around a mention that go with it, for a re-ranker that reads them.
        chunks: noun chunks are tried as well; None does without.
    """

    def __init__(
        self,
        dictionary: Dictionary,
        guesser: Guesser,
        *,
        guesses: int,
        foreign_guesses: int,
        window: int = 0,
        chunks: NounChunks | None = None,
    ) -> None:
        self._dictionary = dictionary
        self._guesser = guesser
        self._guesses = guesses
        self._foreign_guesses = foreign_guesses
        self._window = window
        self._chunks = chunks

    def prepare(self, requests: Sequence[Request]) -> list[Prepared]:
        """One Prepared per request, in order. Raises: InputInvalid for a mention that is not in its text."""
        return [self._one(request, number) for number, request in enumerate(requests)]

    def _one(self, request: Request, number: int) -> Prepared:
        language, words = self._read(request)
        explained = definitions(request.text)
        if request.mentions is None:
            places = self._found(request.text, words, explained, language, given=request.language is not None)
        else:
            places = [
                _given(request.text, words, explained, offsets, f"/items/{number}/mentions/{i}")
                for i, offsets in enumerate(request.mentions)
            ]
        stretches = [(place.span.first, place.span.last) for place in places]
        names = self._names(request.text, words, places, language, given=request.mentions is not None)
        said = context_of(words, request.text, stretches, language=language, names=names)
        given, foreign = request.mentions is not None, not self._guesser.speaks(language)
        mentions = [
            _mention(request.text, place, language, about, given=given, foreign=foreign)
            for place, about in zip(places, said, strict=True)
        ]
        if self._window:
            near = [around(request.text, m.start, m.end, self._window) for m in mentions]
            mentions = [replace(m, context=context) for m, context in zip(mentions, near, strict=True)]
        return Prepared(mentions, language)

    def _read(self, request: Request) -> tuple[str | None, list[Word]]:
        """The language of a text and its words. What a short text names says more than how its letters look."""
        language = request.language or language_of(request.text)
        words = words_of(request.text, language=language)
        if request.language is not None or len(words) >= TELLING_WORDS or _is_mention(request):
            return language, words
        votes: Counter[str] = Counter()
        for span in self._dictionary.find(words, request.text, language=None):
            if span.kind == EXACT:
                for tag in self._dictionary.languages(words[span.first : span.last]):
                    votes[tag] += span.last - span.first
        best = [tag for tag, most in votes.items() if most == max(votes.values())]
        if len(best) != 1 or best[0] == primary(language):
            return language, words
        return best[0], words_of(request.text, language=best[0])

    def _names(
        self, text: str, words: Sequence[Word], places: Sequence[_Place], language: str | None, *, given: bool
    ) -> list[tuple[int, int]]:
        """Stretches that are an alias as a whole: "absent speech" says nothing of what follows it."""
        if not given:
            return [(p.span.first, p.span.last) for p in places if p.span.kind > GUESSED]
        most = min(MAX_WORDS, len(words) - 1)
        stretches = {(p.span.first, p.span.last) for p in places if 1 < p.span.last - p.span.first <= most}
        return [
            (first, last)
            for first, last in stretches
            if any(
                span.first == 0 and span.last == last - first
                for span in self._dictionary.find(words[first:last], text, language=language)
            )
        ]

    def _found(
        self, text: str, words: Sequence[Word], explained: dict[str, str], language: str | None, *, given: bool
    ) -> list[_Place]:
        spoken = language if given or len(words) >= TELLING_WORDS else None
        known = self._dictionary.find(words, text, language=spoken)
        rate = self._guesses if self._guesser.speaks(language) else self._foreign_guesses
        most = min(-(-rate * max(len(text), FEW_CHARS) // 1000), MAX_GUESSES)
        spans = [
            *self._noun_chunks(text, words, language),
            *self._guesser.guess(words, text, known, language=language, most=most),
            *known,
        ]
        places = {(s.first, s.last): _Place(words[s.first].start, words[s.last - 1].end, s, s.alias) for s in spans}
        explained_here = self._abbreviated(text, words, explained, spoken)
        for first, last in [key for key in places if key[1] - key[0] == 1 and key not in explained_here]:
            # "BO" is no body odour in a text that says it is the branchio-oto syndrome.
            if text[words[first].start : words[first].end] in explained:
                del places[first, last]
        places |= explained_here
        return [places[key] for key in sorted(places, key=lambda key: (key[0], -key[1]))]

    def _noun_chunks(self, text: str, words: Sequence[Word], language: str | None) -> list[Span]:
        """Noun chunks from their first content word to their last, those of modifiers alone left out."""
        if self._chunks is None:
            return []
        modifiers = self._dictionary.modifiers(language)
        found = {}
        for first, last in self._chunks.spans(text, words, language=language):
            content = [i for i in range(first, last) if not self._dictionary.is_function(words[i])]
            if any(words[i].stem not in modifiers for i in content):
                span = Span(content[0], content[-1] + 1, GUESSED, 0.0)
                found[span.first, span.last] = span
        return list(found.values())[:MAX_GUESSES]

    def _abbreviated(
        self, text: str, words: Sequence[Word], explained: dict[str, str], language: str | None
    ) -> dict[tuple[int, int], _Place]:
        """Where abbreviations stand that the text explains by an alias; they are searched for by their long forms."""
        meant = {}
        for short, long in explained.items():
            if len(inside := words_of(short, language=language)) == 1:
                spelled = words_of(long, language=language)
                found = self._dictionary.find(spelled, long, language=language)
                whole = max((s.kind for s in found if s.last - s.first == len(spelled)), default=GUESSED)
                if whole > GUESSED:
                    meant[short[inside[0].start : inside[0].end]] = (long, whole)
        places = {}
        for i, word in enumerate(words):
            if meant and (known := meant.get(text[word.start : word.end])):
                places[i, i + 1] = _Place(word.start, word.end, Span(i, i + 1, known[1], 1.0), known[0])
        return places


def _is_mention(request: Request) -> bool:
    """Whether the whole text is a given mention: nothing around it is to be understood."""
    return request.mentions is not None and (0, len(request.text)) in request.mentions


def _given(
    text: str, words: Sequence[Word], explained: dict[str, str], offsets: tuple[int, int], pointer: str
) -> _Place:
    start, end = offsets
    if not 0 <= start < len(text):
        raise InputInvalid(f"starts outside the text, which has {len(text)} code points", pointer=f"{pointer}/start")
    if not start < end <= len(text):
        raise InputInvalid(
            f"ends before it starts or outside the text, which has {len(text)} code points", pointer=f"{pointer}/end"
        )
    first = next((i for i, word in enumerate(words) if word.end > start), len(words))
    last = next((i for i in range(first, len(words)) if words[i].start >= end), len(words))
    return _Place(start, end, Span(first, last, EXACT, 0.0), explained.get(text[start:end].strip()))


def _mention(text: str, place: _Place, language: str | None, said: Said, *, given: bool, foreign: bool) -> Mention:
    own = text[place.start : place.end]
    return Mention(
        text=own,
        query=query_of(place.query or own),
        spelled=query_of(own) if place.span.alias else "",
        start=place.start,
        end=place.end,
        language=language,
        facts={
            "negated": said.negated,
            "experiencer": "family" if said.family else "patient",
            "hypothetical": said.hypothetical,
            "given": given,
            "found": place.span.kind,
            "words": place.span.content,
            "foreign": foreign,
            "likeness": 0.0,
        },
    )


def query_of(text: str) -> str:
    """A mention as it is searched for: on one line, without control characters, not longer than an encoder reads."""
    read = text[:MAX_QUERY]
    cleaned = read if read.isprintable() else "".join(c if c.isprintable() or c.isspace() else " " for c in read)
    return _BLANKS.sub(" ", cleaned).strip()


def language_of(text: str) -> str | None:
    """The language of a text by its beginning; None where nothing can be told. Some scripts write one language only."""
    beginning = text[:LANGUAGE_CHARS]
    letters = sum(map(str.isalpha, beginning))
    for language, script in _SCRIPTS:
        found = len(script.findall(beginning))
        if found > letters * (_TRACE if language == "ja" else _MOSTLY):
            return language
    return guesser().guess([beginning])[0]


@cache
def guesser() -> LanguageGuesser:
    """A guesser fitted on clinical sentences of our own in 20 languages; once a process."""
    texts, languages = [], []
    content = resources.files("pipelines.medical").joinpath("sentences.tsv").read_text(encoding="utf-8")
    for line in content.splitlines():
        if line and not line.startswith("#"):
            language, _, sentence = line.partition("\t")
            texts.append(sentence)
            languages.append(primary(language))
    return LanguageGuesser(texts, languages)
