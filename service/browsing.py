"""Looking concepts up by what they are called: for people who browse, not for naming things."""

import base64
import binascii
import hashlib
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from threading import Lock
from typing import Final
from weakref import WeakKeyDictionary

import orjson

from pipelines.terminology import Concept, Terminology
from service.problems import Fault, Invalid

MAX_QUERY: Final = 200


class TermBrowser:
    """The concepts whose id or some term contains a query, case and accents aside.

    Order: the term itself, then terms that start with the query, then terms with a word that does, then the rest; ties
    by the terminology's order. Several words match in any order if each starts or is part of a word of one term.
    """

    def __init__(self, terminology: Terminology) -> None:
        concepts = terminology.concepts
        rows = [
            (i, folded)
            for i, concept in enumerate(concepts)
            for folded in dict.fromkeys(map(fold, (concept.id, concept.name, *(t.text for t in concept.terms))))
        ]
        self._concepts = [i for i, _ in rows]
        self._terms = [folded for _, folded in rows]
        # One string, so that a search is one scan in C.
        self._haystack = "\n".join(self._terms)
        self._starts = [0, *accumulate(len(term) + 1 for term in self._terms)]
        self._all = range(len(concepts))

    def search(self, query: str) -> list[int] | range:
        """Indexes of the concepts that match, best first; every concept for an empty query."""
        folded = fold(query).strip()
        if not folded:
            return self._all
        best: dict[int, int] = {}
        words = folded.split()
        for row in self._rows_with(max(words, key=len)):
            term = self._terms[row]
            if all(word in term for word in words):
                concept, rank = self._concepts[row], _rank(term, folded)
                best[concept] = min(rank, best.get(concept, rank))
        return sorted(best, key=lambda concept: (best[concept], concept))

    def _rows_with(self, word: str) -> Iterator[int]:
        at = self._haystack.find(word)
        while at >= 0:
            row = bisect_right(self._starts, at) - 1
            yield row
            at = self._haystack.find(word, self._starts[row + 1])


class Browsers:
    """A browser for each terminology, made when it is first asked for. Safe to call from several threads."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[Terminology, TermBrowser] = WeakKeyDictionary()
        self._lock = Lock()

    def of(self, terminology: Terminology) -> TermBrowser:
        """The browser of this terminology."""
        with self._lock:
            if terminology not in self._made:
                self._made[terminology] = TermBrowser(terminology)
            return self._made[terminology]

    def page(
        self, terminology: Terminology, *, query: str, token: str | None, size: int
    ) -> tuple[list[Concept], int, str | None]:
        """A page of concepts, how many match in all, and the token of the next page or None.

        Raises: Invalid if the token belongs to another terminology, version or query.
        """
        found = self.of(terminology).search(query)
        mark = hashlib.sha256(orjson.dumps([terminology.name, terminology.version, fold(query)])).hexdigest()[:12]
        start = _read_token(token, mark) if token else 0
        shown = [terminology.concepts[i] for i in found[start : start + size]]
        end = start + size
        return shown, len(found), _write_token(end, mark) if end < len(found) else None


def fold(text: str) -> str:
    """The text without case and accents, on one line."""
    if text.isascii():
        return text.lower().replace("\n", " ")
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).replace("\n", " ")


def _rank(term: str, folded: str) -> int:
    if term == folded:
        return 0
    if term.startswith(folded):
        return 1
    at = term.find(folded)
    return 2 if at > 0 and not term[at - 1].isalnum() else 3


def _write_token(start: int, mark: str) -> str:
    return base64.urlsafe_b64encode(f"{start}.{mark}".encode()).decode().rstrip("=")


def _read_token(token: str, mark: str) -> int:
    try:
        start, _, found = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii").partition(".")
    except (ValueError, binascii.Error):
        start, found = "", ""
    if found != mark or not start.isascii() or not start.isdigit() or len(start) > 9:
        fault = Fault("/query/page_token", "Not a page token of this terminology and query.", "query")
        raise Invalid("The page token cannot be used; begin without one.", faults=[fault])
    return int(start)
