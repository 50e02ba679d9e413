"""One segment of a title, the text between two separators, with the noise in it taken out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pipelines.job_titles.lexicon import WORD, EmploymentKind, Lexicon, Phrase, Reason, Seniority, Where

EDGES: Final = " ,;:!?*|/\\&~=_\"'-+•"
"""Signs that may be left at the ends of a text when a word went."""
LEARNING: Final = frozenset({Seniority.INTERN, Seniority.TRAINEE})

_LETTER: Final = re.compile(r"[^\W\d_]")
_NUMERAL: Final = re.compile(
    r"(?:[ -](?i:level|lvl|grade|stufe|niveau|nivel|nível|livello|poziom) ?"
    r"(?:(I{1,3}|IV|V)|([1-6]))(?: ?[/&-] ?(?:I{1,3}|IV|V|[1-6]))?"
    r"|(?<=[a-zA-Z]{3}) (I{1,3}|IV|V)(?: ?[/&-] ?(?:I{1,3}|IV|V))?"
    r"|(?<=er|or|st|an|ER|OR|ST|AN) ([1-3]))$"
)
_NUMERAL_ENDS: Final = frozenset("IV123456")
_NUMERALS: Final = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5}
_ENGINEERS: Final = frozenset(
    ["engineer", "engineers", "developer", "developers", "scientist", "designer", "programmer"]
)
_STAFF: Final = Phrase(Where.START, "seniority", Seniority.PRINCIPAL)


@dataclass(frozen=True, slots=True)
class Removed:
    """A piece taken out of a title, and why."""

    text: str
    reason: Reason


@dataclass(slots=True)
class Ledger:
    """What cleaning found out so far."""

    removed: list[Removed] = field(default_factory=list)
    levels: list[Seniority] = field(default_factory=list)
    kinds: list[EmploymentKind] = field(default_factory=list)

    def remove(self, text: str, reason: Reason) -> None:
        """Write down that this was taken out."""
        if text := text.strip():
            self.removed.append(Removed(text, reason))

    def note(self, phrase: Phrase) -> None:
        """Write down what a phrase says."""
        if phrase.seniority:
            self.levels.append(phrase.seniority)
        if phrase.employment:
            self.kinds.append(phrase.employment)

    def add(self, other: "Ledger") -> None:
        """Take over another ledger's entries."""
        self.removed += other.removed
        self.levels += other.levels
        self.kinds += other.kinds


@dataclass(slots=True)
class Segment:
    """The text between two separators, and what is left of it.

    Attributes:
        noise: it says nothing about the occupation.
        found: what to write down if what was cut stays cut.
    """

    text: str
    noise: bool = False
    found: Ledger = field(default_factory=Ledger)


def trim(body: str, words: Lexicon) -> Segment:
    """A segment without the noise in it."""
    spans = [match.span() for match in WORD.finditer(body)]
    if not spans:
        return Segment(body if body.strip(EDGES + ".") else "")
    lower = [body[start:end].lower() for start, end in spans]
    if not _LETTER.search(body):
        segment = Segment(body, noise=True)
        segment.found.remove(body, "pay" if "," in body or "." in body else "requisition_id")
        return segment
    matches = words.matches(lower)
    if matches and _is_noise(lower, matches, words):
        segment = Segment(body, noise=True)
        for _, _, phrase in matches:
            segment.found.note(phrase)
        segment.found.remove(body, _main_reason(matches))
        return segment
    return _Body(body, spans, lower, matches, words).trimmed()


def _is_noise(lower: Sequence[str], matches: Sequence[tuple[int, int, Phrase]], words: Lexicon) -> bool:
    """Whether phrases that may be dropped and words that say nothing make up the whole segment."""
    covered = 0
    for start, end, phrase in matches:
        if phrase.where in (Where.KEPT, Where.LEGAL_FORM):
            return False
        if phrase.where is Where.START and phrase.reason == "seniority":
            return False
        covered += end - start
    if covered == len(lower):
        return True
    inside = {index for start, end, _ in matches for index in range(start, end)}
    small = words.fillers, words.conjunctions, words.prepositions
    return all(
        index in inside or word.isdigit() or any(word in group for group in small) for index, word in enumerate(lower)
    )


def _main_reason(matches: Sequence[tuple[int, int, Phrase]]) -> Reason:
    """Why the segment goes: what it says about a level first, since that is what may be revived."""
    reasons = [phrase.reason for _, _, phrase in matches if phrase.reason]
    return "seniority" if "seniority" in reasons else reasons[0]


class _Body:
    """A segment with an occupation in it: noise goes from its edges, or from anywhere if unmistakable."""

    def __init__(
        self,
        body: str,
        spans: Sequence[tuple[int, int]],
        lower: Sequence[str],
        matches: Sequence[tuple[int, int, Phrase]],
        words: Lexicon,
    ) -> None:
        self.body = body
        self.spans = spans
        self.lower = lower
        self.matches = matches
        self.words = words
        self.cut: list[Reason | None] = [None] * len(lower)
        self.noted: list[Phrase] = []

    def trimmed(self) -> Segment:
        """What is left, or the segment as it was if that would leave joining words only."""
        stop = len(self.lower)
        if self.matches:
            self._cut_anywhere()
            self._cut_start()
            self._cut_end()
            self._cut_place()
            self._cut_employer()
            stop = self._assisted()
        self._cut_staff()
        self._cut_recruiter()
        segment = Segment(self.body)
        if any(self.cut):
            left = [word for word, reason in zip(self.lower, self.cut, strict=True) if not reason]
            if all(word in self.words.links or word in self.words.conjunctions for word in left):
                self.cut = [None] * len(self.lower)
                self.noted.clear()
            else:
                self._write(segment)
        self._cut_numeral(segment)
        for phrase in self.noted:
            segment.found.note(phrase)
        for start, _, phrase in self.matches:
            if phrase.always and start < stop and phrase not in self.noted:
                segment.found.note(phrase)
        return segment

    def _take(self, start: int, end: int, phrase: Phrase) -> None:
        self.cut[start:end] = [phrase.reason] * (end - start)
        self.noted.append(phrase)

    def _glued(self, start: int, end: int) -> bool:
        """Whether a hyphen makes it part of a compound: the Trainee- of a Trainee-Programm."""
        after, before = self.spans[end - 1][1], self.spans[start][0]
        return (end < len(self.lower) and self.body[after : self.spans[end][0]] == "-") or (
            start > 0 and self.body[self.spans[start - 1][1] : before] == "-"
        )

    def _joined(self, left: int) -> bool:
        """Whether a sign joins this word to the next, and what is joined would lose its other half."""
        return not {"&", "/", "+"}.isdisjoint(self.body[self.spans[left][1] : self.spans[left + 1][0]])

    def _cut_anywhere(self) -> None:
        for start, end, phrase in self.matches:
            if phrase.where is not Where.ANYWHERE:
                continue
            # "Cook-Full time" is a dash without its spaces, "Senior-Berater" a space with a dash.
            at_edge = start == 0 if phrase.reason == "seniority" else end == len(self.lower)
            if at_edge or not self._glued(start, end):
                self._take(start, end, phrase)

    def _cut_start(self) -> None:
        """From the left: openings and levels, and behind an opening the words that led on from it."""
        index, links = 0, False
        by_start = {start: (end, phrase) for start, end, phrase in self.matches}
        while index < len(self.lower) - 1:
            reason = self.cut[index]
            if reason:
                links = links or reason == "boilerplate"
                index += 1
                continue
            end, phrase = by_start.get(index, (index, None))
            if phrase and self._starts(index, end, phrase):
                self._take(index, end, phrase)
                links = links or phrase.reason == "boilerplate" or phrase.seniority in LEARNING
                index = end
            elif (index and links and self.lower[index] in self.words.links) or (
                index and self.lower[index] in self.words.conjunctions and self.cut[index + 1]
            ):
                self.cut[index] = self.cut[index - 1]
                index += 1
            else:
                return

    def _starts(self, start: int, end: int, phrase: Phrase) -> bool:
        if phrase.where not in (Where.EDGE, Where.START) or end >= len(self.lower):
            return False
        if self._glued(start, end) or (self._joined(end - 1) and not self.cut[end]):
            return False
        follows = self.lower[end]
        if phrase.seniority and phrase.seniority not in LEARNING:
            return follows not in self.words.links and follows not in self.words.conjunctions
        if phrase.reason == "boilerplate":
            return True
        return follows not in self.words.conjunctions or phrase.seniority in LEARNING

    def _cut_end(self) -> None:
        """From the right."""
        index = len(self.lower)
        by_end = {end: (start, phrase) for start, end, phrase in self.matches}
        while index > 1:
            if self.cut[index - 1]:
                index -= 1
                continue
            start, phrase = by_end.get(index, (index, None))
            if phrase and start and self._ends(start, index, phrase):
                self._take(start, index, phrase)
                index = start
            elif index < len(self.lower) and self.lower[index - 1] in self.words.conjunctions and self.cut[index - 2]:
                self.cut[index - 1] = self.cut[index]
                index -= 1
            else:
                return

    def _ends(self, start: int, end: int, phrase: Phrase) -> bool:
        if phrase.where not in (Where.EDGE, Where.END):
            return False
        # "Cook-urgent" is a dash without its spaces, "Junior-Trainee" a compound.
        if self._glued(start, end) and phrase.reason == "seniority":
            return False
        if self._joined(start - 1) and not self.cut[start - 1]:
            return False
        before = self.lower[start - 1]
        return before not in self.words.links and before not in self.words.conjunctions

    def _cut_place(self) -> None:
        """'… in Berlin' at the end."""
        index, places = len(self.lower), 0
        by_end = {end: (start, phrase) for start, end, phrase in self.matches}
        while index > 1:
            start, phrase = by_end.get(index, (index, None))
            if phrase and phrase.where is Where.PLACE:
                index, places = start, places + 1
            elif self.cut[index - 1] and not places:
                index -= 1
            elif self.cut[index - 1] or (places and self.lower[index - 1] in self.words.prepositions):
                break
            elif self.lower[index - 1] in self.words.fillers or self.lower[index - 1].isdigit():
                index -= 1
            else:
                return
        if not places or index <= 1:
            return
        first = index if self.cut[index - 1] else index - 1
        while first > 1 and self.lower[first - 1] in ("based", "im", "in", "the"):
            first -= 1
        for position in range(first, len(self.lower)):
            self.cut[position] = self.cut[position] or "place"

    def _cut_employer(self) -> None:
        """'… bei der Muster GmbH' at the end."""
        start, end, phrase = self.matches[-1]
        if phrase.where is not Where.LEGAL_FORM or end != len(self.lower):
            return
        for index in range(start - 1, 0, -1):
            if self.lower[index] in self.words.employers:
                self.cut[index:] = ["company"] * (end - index)
                return

    def _cut_recruiter(self) -> None:
        """'Muster GmbH sucht …' at the start."""
        for index in range(1, len(self.lower) - 1):
            if self.cut[index] or self.lower[index] not in self.words.recruiters:
                continue
            start, end = self.spans[index]
            # "Sucht" is an addiction, "cerca de" is near.
            if self.body[start:end].islower() and self.lower[index + 1] != "de":
                end = index + 1
                while end < len(self.lower) - 1 and self.lower[end] in self.words.links:
                    end += 1
                self.cut[:end] = ["company"] * end
                return

    def _cut_staff(self) -> None:
        """Staff engineers are a level, staff nurses an occupation."""
        if self.lower[0] == "staff" and not _ENGINEERS.isdisjoint(self.lower):
            self.cut[0] = "seniority"
            self.noted.append(_STAFF)

    def _assisted(self) -> int:
        """The word from which on levels are those of somebody else: 'assistant to the director'."""
        for index, word in enumerate(self.lower):
            if word in self.words.assistants:
                for later in range(index + 1, len(self.lower)):
                    if self.lower[later] in ("to", "of", "de", "du", "des", "der", "di", "del", "van", "zu"):
                        return later
        return len(self.lower)

    def _cut_numeral(self, segment: Segment) -> None:
        """'Software Engineer II': I is junior, II mid, from III on senior (a guess)."""
        if segment.text[-1:] not in _NUMERAL_ENDS:
            return
        match = _NUMERAL.search(segment.text)
        if not match or not match.start() or not self.words.schools.isdisjoint(self.lower):
            return
        roman, digit = match[1] or match[3], match[2] or match[4]  # a bare digit, [4], is no level
        step = _NUMERALS[roman] if roman else int(digit)
        level = (Seniority.JUNIOR, Seniority.MID, Seniority.SENIOR)[min(step, 3) - 1]
        segment.found.remove(match.group(), "seniority")
        if roman or match[2]:
            segment.found.levels.append(level)
        segment.text = segment.text[: match.start()]

    def _write(self, segment: Segment) -> None:
        """The segment's text without the words that were cut."""
        kept: list[str] = []
        position, index = 0, 0
        while index < len(self.cut):
            reason, end = self.cut[index], index
            while reason and end < len(self.cut) and self.cut[end] == reason:
                end += 1
            if reason:
                start, stop = self.spans[index][0], self.spans[end - 1][1]
                kept.append(self.body[position:start])
                segment.found.remove(self.body[start:stop], reason)
                position = stop + 1 if self.body[stop : stop + 1] == "." else stop
            index = max(end, index + 1)
        kept.append(self.body[position:])
        segment.text = " ".join(" ".join(kept).split())
        if "/ " not in self.body:
            segment.text = segment.text.replace("/ ", "/")
        segment.text = segment.text.strip(EDGES) if segment.text[-2:] != "++" else segment.text.lstrip(EDGES)
