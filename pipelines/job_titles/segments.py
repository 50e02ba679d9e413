"""The segments of a title: told apart, trimmed, settled with regard to each other and joined again."""

import re
from collections.abc import Sequence
from typing import Final

from pipelines.job_titles.lexicon import WORD, Lexicon, Reason, Where, lexicon
from pipelines.job_titles.trimming import EDGES, LEARNING, Ledger, Segment, trim

GAP: Final = " \x01 "
"""Parts segments where something was cut: the Berlin of "Koch (m/w/d) Berlin" stands alone."""

_SEPARATOR: Final = re.compile(
    r"( ?[()\[\]{}] ?| ?\x01 ?"
    r"| [-|/*~+:=]+ | ?[|;•*] ?|, ?(?!\d)|: | -(?=\S)| ?@ ?|[!?]+ ?"
    r"|(?<=\w)- (?!(?:und|u|oder|bzw|en|of|och|og|et|y)\b|[&/,]))"
)
_OPEN: Final = frozenset("([{")
_CLOSE: Final = frozenset(")]}")
_NO_SIGN: Final = _OPEN | _CLOSE | {GAP.strip()}
_STATE: Final = re.compile(r"([A-Z]{2})(?: \d{5})?")


def without_noise(text: str, ledger: Ledger) -> str:
    """The text without noise segments and without noise at the edges of the others."""
    pieces = _SEPARATOR.split(text)
    separators = pieces[1::2]
    raw = pieces[::2]
    words = lexicon()
    segments = [trim(body, words) for body in raw]
    if len(segments) > 1:
        _settle_places(segments, separators, words)
        _settle_companies(segments, separators)
        _settle_repeats(segments, separators)
        _settle_links(segments, words)
    if all(segment.noise or not segment.text for segment in segments):
        _revive(segments, raw)
    for segment in segments:
        ledger.add(segment.found)
    kept = ["" if segment.noise else segment.text for segment in segments]
    if kept != raw or not all(kept) or GAP.strip() in text:
        text = _join(kept, separators)
    return _strip(text, ledger)


def _settle_places(segments: Sequence[Segment], separators: Sequence[str], words: Lexicon) -> None:
    """Drop state abbreviations behind a comma, and the unknown city before one."""
    for index in range(1, len(segments)):
        segment, before = segments[index], segments[index - 1]
        match = _STATE.fullmatch(segment.text)
        if segment.noise or not match or separators[index - 1].strip() != ",":
            continue
        known = before.noise and any(removed.reason == "place" for removed in before.found.removed)
        if known or match[1] in words.states:
            _drop(segment, "place")
            if not known and index > 1 and len(before.text.split()) <= 3 and before.text.istitle():
                _drop(before, "place")


def _settle_companies(segments: Sequence[Segment], separators: Sequence[str]) -> None:
    """Drop what stands behind an @, and company names with their legal form, unless they come first."""
    forms = lexicon()
    for index in range(1, len(segments)):
        segment = segments[index]
        if segment.noise or not segment.text:
            continue
        if separators[index - 1].strip() == "@":
            _drop(segment, "company")
        else:
            lower = [word.lower() for word in WORD.findall(segment.text)]
            matches = forms.matches(lower)
            if matches and matches[-1][2].where is Where.LEGAL_FORM and matches[-1][0] > 0:
                _drop(segment, "company")


def _settle_repeats(segments: Sequence[Segment], separators: Sequence[str]) -> None:
    """Drop a segment that says what an earlier one said: 'Architect / Senior Architect'."""
    seen: set[str] = set()
    for segment, separator in zip(segments, ("", *separators), strict=True):
        if segment.noise or not segment.text or separator.strip() in _OPEN:
            continue
        key = segment.text.lower()
        if key in seen:
            _drop(segment, "boilerplate")
        seen.add(key)


def _settle_links(segments: Sequence[Segment], words: Lexicon) -> None:
    """Drop the joining words behind an opening that was dropped: 'Praktikum (m/w/d) im Marketing'."""
    opened = False
    for segment in segments:
        if segment.noise:
            reasons = {removed.reason for removed in segment.found.removed}
            opened = opened or "boilerplate" in reasons or not LEARNING.isdisjoint(segment.found.levels)
        elif segment.text:
            spans = [match.span() for match in WORD.finditer(segment.text)]
            first = 0
            while opened and first < len(spans) - 1 and _word(segment, spans[first]) in words.links:
                first += 1
            if first:
                segment.found.remove(segment.text[: spans[first][0]], "boilerplate")
                segment.text = segment.text[spans[first][0] :]
            return


def _word(segment: Segment, span: tuple[int, int]) -> str:
    return segment.text[span[0] : span[1]].lower()


def _drop(segment: Segment, reason: Reason) -> None:
    segment.noise = True
    segment.found.remove(segment.text, reason)


def _revive(segments: Sequence[Segment], raw: Sequence[str]) -> None:
    """Give back a segment, if all were noise: one that names a level ('Praktikum'), else the first."""
    named = [index for index, segment in enumerate(segments) if segment.found.levels]
    shown = [index for index, body in enumerate(raw) if WORD.search(body)]
    for index in (named or shown)[:1]:
        segments[index].noise = False
        segments[index].text = raw[index]
        segments[index].found.removed.clear()


def _join(kept: Sequence[str], separators: Sequence[str]) -> str:
    """The segments that are left, with one separator between two and no empty brackets."""
    text, pending = "", [""]
    for index, body in enumerate(kept):
        if index:
            pending.append(separators[index - 1])
        if body:
            if GAP in pending or GAP.strip() in pending:
                text = text.rstrip("-")
            text += _separator(pending, first=not text) + body
            pending = []
    closing = [sign.strip() for sign in _reduced(pending) if sign.strip() in _CLOSE]
    opened = sum(map(text.count, _OPEN)) - sum(map(text.count, _CLOSE))
    return text + "".join(closing[: max(opened, 0)])


def _separator(pending: Sequence[str], *, first: bool) -> str:
    """What stands between two segments: one separator as it was, or the sum of several."""
    if len(pending) == 1 and not first and pending[0].strip() != GAP.strip():
        return pending[0]
    signs = _reduced(pending)
    closing = "".join(sign.strip() for sign in signs if sign.strip() in _CLOSE)
    opening = "".join(sign.strip() for sign in signs if sign.strip() in _OPEN)
    plain = " "
    if not opening:
        plain = next((sign for sign in signs if sign.strip() not in _NO_SIGN), " ")
    if first:
        return opening
    return closing + plain + opening


def _reduced(pending: Sequence[str]) -> list[str]:
    """The separators without brackets that close on nothing."""
    signs: list[str] = []
    opened: list[int] = []
    for sign in pending:
        mark = sign.strip()
        if mark in _OPEN:
            opened.append(len(signs))
        if mark in _CLOSE and opened:
            del signs[opened.pop() :]
        elif mark:
            signs.append(sign)
    return signs


def _strip(text: str, ledger: Ledger) -> str:
    """The text without signs at its ends that belong to no word, or brackets round all of it."""
    left = text.lstrip(EDGES + "#")
    if left[:1] == "." and not left[1:2].isalnum():
        left = left.lstrip(EDGES + ".")
    # "-SAV-" and "C++" keep their last sign.
    end = left.rstrip(EDGES.replace("+", "").replace("-", ""))
    if end[-2:] in (" -", " +") or (end[-1:] == "-" and end[-2:-1] in EDGES):
        end = end.rstrip(EDGES)
    if end[-1:] == "." and len(end.rsplit(maxsplit=1)[-1]) > 5:
        end = end.rstrip(".")
    if end[:1] == "(" and end[-1:] == ")" and end.count("(") == end.count(")") == 1:
        end = end[1:-1].strip()
    if end != text:
        ledger.remove(text.replace(end, "", 1), "punctuation")
    return end
