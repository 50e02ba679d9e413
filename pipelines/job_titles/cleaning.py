"""A vacancy's title with everything but the occupation taken out, and what that said.

Three steps, repeated until nothing changes, so that cleaning twice is cleaning once:

    normalize   Unicode (NFKC), HTML, emoji, white space
    patterns    what has a shape: (m/w/d), pay, ids, hours, dates          (regular expressions)
    segments    what is made of words, between brackets, dashes and commas (lexicon.toml)

A segment made of noise alone is dropped; in another one, noise goes from its edges, or from anywhere
where the lexicon says that the words are unmistakable. What the lexicon keeps is never touched:
"night shift" goes from "Nurse (night shift)" and stays in "night shift manager".
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import unicodedata2

from pipelines.job_titles import shapes
from pipelines.job_titles.lexicon import WORD, EmploymentKind, Reason, Seniority
from pipelines.job_titles.segments import GAP, without_noise
from pipelines.job_titles.trimming import LEARNING, Ledger, Removed

__all__ = ["CleanTitle", "EmploymentKind", "Reason", "Removed", "Seniority", "clean_title", "clean_titles"]

MAX_CHARS: Final = 1000
"""As long as a title may be; the rest is not read. NFKC can expand 18×, so it holds after it, too."""
MAX_PASSES: Final = 8
"""Real titles settle in two; one that does not settle is given back normalized."""

_RANK: Final = {level: rank for rank, level in enumerate(Seniority)}


@dataclass(frozen=True, slots=True)
class CleanTitle:
    """A title ready to be encoded.

    Attributes:
        text: the occupation as the advert writes it. Never empty unless the title shows nothing.
        seniority: the highest level named; an internship or apprenticeship wins over others. None where
            no level is named, or junior together with a higher one ("Junior/Senior Developer").
        employment: kinds of contract in order of appearance.
        removed: what was taken out, step by step.
    """

    text: str
    seniority: Seniority | None
    employment: tuple[EmploymentKind, ...]
    removed: tuple[Removed, ...]


def clean_titles(titles: Sequence[str]) -> list[CleanTitle]:
    """The titles cleaned, same length, same order. Never raises, whatever the text."""
    return [clean_title(title) for title in titles]


def clean_title(title: str) -> CleanTitle:
    """The title cleaned; if nothing would be left of it, normalized only."""
    ledger = Ledger()
    start = text = _normalize(title, ledger)
    if not WORD.search(text):
        return CleanTitle(" ".join(_CONTROL.sub(" ", title[:MAX_CHARS]).split()), None, (), ())
    html_and_emoji = list(ledger.removed)
    for _ in range(MAX_PASSES):
        found = Ledger()
        cleaner = without_noise(_patterns(text, found), found)
        cleaner = cleaner if cleaner == text else _normalize(cleaner, found)
        if not WORD.search(cleaner):
            break
        ledger.add(found)
        if cleaner == text:
            break
        text = cleaner
    else:
        text, ledger.removed = start, html_and_emoji
    kinds = tuple(dict.fromkeys(ledger.kinds))
    return CleanTitle(text, _seniority(ledger.levels), kinds, tuple(ledger.removed))


def _seniority(levels: Sequence[Seniority]) -> Seniority | None:
    if not levels:
        return None
    lowest = min(levels, key=_RANK.__getitem__)
    highest = max(levels, key=_RANK.__getitem__)
    if lowest in LEARNING:
        return lowest
    return None if lowest is Seniority.JUNIOR and highest is not lowest else highest


# ---- Normalize -----------------------------------------------------------------------------------

_CONTROL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff0-\uffff\ud800-\udfff\U000e0000-\U0010ffff]+"
)
_EMOJI: Final = re.compile(
    "[\u20e3\u2190-\u21ff\u2300-\u23ff\u2460-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d"
    "\ue000-\uf8ff\U0001f000-\U0001faff\U0001fb00-\U0001fbff©®™]+"
)
_LOOKALIKES: Final[dict[int, str | None]] = {
    **dict.fromkeys(map(ord, "\u00ad\u061c\u180e\u2060\ufeff\u200b\u200c\u200d\u200e\u200f")),
    **dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")),
    **dict.fromkeys(map(ord, "\u2019\u2018\u201b`\u00b4\u2032\u02bc"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2212"), "-"),
    **dict.fromkeys(map(ord, "\u2027\u22c5"), "\u00b7"),
}
_TAG: Final = re.compile(r"<[a-zA-Z/!][^<>]*>")
_DASH: Final = re.compile("(?<![0-9]) ?[\u2013-\u2015] ?| ?[\u2013-\u2015] ?(?![0-9])")
_RANGE_DASH: Final = re.compile("[\u2013-\u2015]")


def _normalize(title: str, ledger: Ledger) -> str:
    """One line of NFKC text without tags, entities, emoji or anything invisible."""
    text = title[:MAX_CHARS]
    while True:  # ends: every round but the last consumes an entity or a tag
        before = text
        if not text.isascii():
            text = _plain_unicode(text, ledger)
        if not text.isprintable():
            text = _CONTROL.sub(" ", text)
        text = " ".join(text.split())
        if "&" in text:
            text = html.unescape(text)
        if "<" in text:
            text = _cut(_TAG, "html", text, ledger)
        if "( " in text or " )" in text:
            text = text.replace("( ", "(").replace(" )", ")")
        if text == before:
            return text


def _plain_unicode(text: str, ledger: Ledger) -> str:
    text = text.translate(_LOOKALIKES)
    text = _cut(_EMOJI, "emoji", text, ledger)
    text = _CONTROL.sub(" ", text)
    text = unicodedata2.normalize("NFKC", text)[:MAX_CHARS]
    return _RANGE_DASH.sub("-", _DASH.sub(" - ", text.translate(_LOOKALIKES)))


def _cut(pattern: re.Pattern[str], reason: Reason, text: str, ledger: Ledger, *, leave: str = " ") -> str:
    """The text without what the pattern matches; `leave` stands in its place."""

    def note(match: re.Match[str]) -> str:
        ledger.remove(match.group(), reason)
        return leave

    return pattern.sub(note, text)


# ---- Patterns --------------------------------------------------------------------------------------


def _patterns(text: str, ledger: Ledger) -> str:
    """The text without what has a shape of its own."""
    if "@" in text or "://" in text or "www." in text:
        text = shapes.AT_SIGN.sub("o", _cut(shapes.CONTACT, "url_email_phone", text, ledger, leave=GAP))
    if not shapes.GENDER_SIGNS.isdisjoint(text):
        text = _cut(shapes.GENDER, "gender", text, ledger, leave=GAP)
        text = _cut(shapes.FEMININE, "gender", text, ledger, leave="")
        text = _cut(shapes.PLURAL, "punctuation", text, ledger, leave="")
    text = _cut(shapes.INNER_I, "gender", text, ledger, leave="")
    digits = shapes.DIGIT.search(text)
    if digits and shapes.MANY_DIGITS.search(text):
        text = _cut(shapes.CONTACT, "url_email_phone", text, ledger, leave=GAP)
    if digits or "#" in text:
        text = _cut(shapes.IDENTIFIER, "requisition_id", text, ledger, leave=GAP)
    if digits:
        if shapes.MINI_JOB.search(text):
            ledger.kinds.append(EmploymentKind.MINI_JOB)
            text = _cut(shapes.MINI_JOB, "contract", text, ledger, leave=GAP)
        for pattern, reason in shapes.WITH_DIGITS:
            text = _cut(pattern, reason, text, ledger, leave=GAP)
    return " ".join(text.split()) if "  " in text else text
