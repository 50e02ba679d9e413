"""Weak supervision by machine translation: sentences are translated by a language model with their mentions marked.

Each mention goes out as `<m1>fever</m1>`. What comes back is taken only if every mark stands there once, opened before
it is closed, around some text and around no other mark; else the sentence is asked for again, and dropped in the end.
Ids are kept with the marks, so that nothing the model says can change which concept is meant.
"""

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.chat import Chat, Usage
from pipelines.medical.corpora import AnnotatedDocument, Annotation
from pipelines.medical.dictionary import sentences
from pipelines.medical.substitution import NESTED, outermost
from pipelines.medical.words import words_of

TRANSLATED: Final = "translated"
DROPPED: Final = "dropped"
MARKED: Final = "marked already"
"""What becomes of a sentence; an annotation of one that is not translated is gone."""

MAX_SENTENCE: Final = 4000
"""Characters asked about at once; a longer sentence is dropped."""

_MARK: Final = re.compile(r"<(/?)m(\d+)>")
_BLANKS: Final = re.compile(r"\s+")
_SCHEMA: Final = {"type": "object", "required": ["translation"], "properties": {"translation": {"type": "string"}}}
_TASK: Final = (
    "Translate the clinical sentence into the language with the BCP 47 code {language}, as a clinician would write it. "
    "Some phrases stand between marks such as <m1> and </m1>. Keep every mark exactly once, around the translation of "
    'its phrase; add none. Answer with JSON: {{"translation": "..."}}.'
)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A stretch of a text and the annotations in it, places counted from its start."""

    text: str
    annotations: Sequence[Annotation]

    def marked(self) -> str:
        """The text with marks around its annotations, numbered from 1."""
        parts, done = [], 0
        for number, a in enumerate(self.annotations, 1):
            parts += [self.text[done : a.start], f"<m{number}>", self.text[a.start : a.end], f"</m{number}>"]
            done = a.end
        return "".join([*parts, self.text[done:]])


class Translator:
    """Translates annotated documents, mentions and all.

    Args:
        chat: the model.
        language: BCP 47, of the translation.
        retries: further questions for a sentence whose answer is not taken.
    """

    def __init__(self, chat: Chat, *, language: str, retries: int = 2) -> None:
        self._chat = chat
        self._language = language
        self._retries = retries
        self.usage = Usage()
        self.counts: Counter[str] = Counter()

    def translate(self, document: AnnotatedDocument) -> AnnotatedDocument | None:
        """The document's sentences that could be translated, with their annotations; None if none with any could.

        Raises: ChatFailed where the model cannot be reached; what was translated before is the caller's to keep.
        """
        parts: list[str] = []
        annotations: list[Annotation] = []
        length = 0
        for sentence in self._sentences(document):
            done = self._one(sentence)
            if done is None:
                continue
            text, places = done
            parts.append(text)
            for (start, end), annotation in zip(places, sentence.annotations, strict=True):
                annotations.append(Annotation(length + start, length + end, annotation.concept_ids))
            length += len(text) + 1
        if not annotations:
            return None
        name = f"{document.id}-{self._language}"
        return AnnotatedDocument(name, "\n".join(parts), tuple(annotations), self._language)

    def _sentences(self, document: AnnotatedDocument) -> Iterator[_Sentence]:
        """The sentences, two that an annotation joins as one."""
        kept = []
        for annotation, clear in outermost(document.annotations):
            if clear:
                kept.append(annotation)
            else:
                self.counts[NESTED] += 1
        words = words_of(document.text, language=document.language)
        inside = [(a.start, a.end) for a in kept]
        cuts = [words[first].start for first, _ in sentences(words, document.text) if first]
        cuts = [cut for cut in cuts if not _within(cut, inside)]
        for start, end in zip([0, *cuts], [*cuts, len(document.text)], strict=True):
            if text := document.text[start:end].rstrip():
                own = [a for a in kept if start <= a.start < end]
                moved = [Annotation(a.start - start, a.end - start, a.concept_ids) for a in own]
                yield _Sentence(text if all(a.end <= len(text) for a in moved) else document.text[start:end], moved)

    def _one(self, sentence: _Sentence) -> tuple[str, list[tuple[int, int]]] | None:
        """The translation and where its mentions stand; None where nothing that came back was taken."""
        if _MARK.search(sentence.text) or len(sentence.text) > MAX_SENTENCE:
            self.counts[MARKED if _MARK.search(sentence.text) else DROPPED] += 1
            return None
        messages = [
            {"role": "system", "content": _TASK.format(language=self._language)},
            {"role": "user", "content": sentence.marked()},
        ]
        for _ in range(self._retries + 1):
            said = _translation(self._chat.ask(messages, schema=_SCHEMA, usage=self.usage))
            found = None if said is None else projected(said, len(sentence.annotations))
            if found is not None:
                self.counts[TRANSLATED] += 1
                return found
            self.usage.rejected += 1
        self.counts[DROPPED] += 1
        return None


def projected(text: str, marks: int) -> tuple[str, list[tuple[int, int]]] | None:
    """A marked text without its marks, and what stood between each; None unless each of 1..`marks` is there once."""
    parts: list[str] = []
    places: dict[int, tuple[int, int]] = {}
    opened: tuple[int, int] | None = None
    done = length = 0
    for match in _MARK.finditer(text):
        parts.append(text[done : match.start()])
        length += match.start() - done
        done = match.end()
        closes, number = bool(match[1]), int(match[2])
        if closes:
            if opened is None or opened[0] != number or not text[opened[1] : match.start()].strip():
                return None
            places[number] = (length - (match.start() - opened[1]), length)
            opened = None
        elif opened is not None or number in places or not 1 <= number <= marks:
            return None
        else:
            opened = (number, match.end())
    plain = "".join([*parts, text[done:]])
    if opened is not None or len(places) != marks or not plain.strip():
        return None
    return plain, [_trimmed(plain, *places[number]) for number in range(1, marks + 1)]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The place without blanks at its ends."""
    inside = text[start:end]
    return start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())


def _translation(answer: str) -> str | None:
    """What a model answered, on one line; None where that is not what was asked for."""
    try:
        said = json.loads(answer)["translation"]
    except (ValueError, KeyError, TypeError):
        return None
    return _BLANKS.sub(" ", said).strip() if isinstance(said, str) else None


def _within(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a place lies inside one of the spans, which are in order and do not overlap."""
    number = bisect_right(spans, (place, -1)) - 1
    return number >= 0 and spans[number][0] < place < spans[number][1]
