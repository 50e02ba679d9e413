"""Skills named in a description, found by matching a terminology's own skills."""

import re
from collections.abc import Iterable
from typing import Final

MAX_FOUND: Final = 20
"""Skills kept of one description, first come first. A guess."""
MIN_CHARS: Final = 3
"""Shorter skills ("R", "C") are letters in most texts; C++ and C# are long enough."""

_WORD: Final = re.compile(r"\w+(?:[+#]+|(?:[.\-'’]\w+)+)?")


class SkillFinder:
    """Longest matches of known skills, word by word, whatever their case.

    Args:
        skills: texts; those shorter than MIN_CHARS, or of more than eight words, are left out.
    """

    def __init__(self, skills: Iterable[str]) -> None:
        self._known: dict[tuple[str, ...], str] = {}
        for skill in skills:
            words = _words(skill)
            if len(skill.strip()) >= MIN_CHARS and 0 < len(words) <= 8:
                self._known.setdefault(words, skill.strip())
        self._longest = max(map(len, self._known), default=0)

    def __len__(self) -> int:
        """How many skills are known."""
        return len(self._known)

    def find(self, text: str) -> list[str]:
        """The skills that the text names, in order of appearance, each once, MAX_FOUND at most."""
        words = _words(text) if self._known else ()
        found: dict[str, None] = {}
        at = 0
        while at < len(words) and len(found) < MAX_FOUND:
            length = next((n for n in range(self._longest, 0, -1) if words[at : at + n] in self._known), 0)
            if length:
                found[self._known[words[at : at + length]]] = None
            at += length or 1
        return list(found)


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower()))
