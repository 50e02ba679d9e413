"""What a classification's names are called in a text: "Fever, unspecified" is "fever" to whoever writes a note.

Names of a classification say where they stand in it: that nothing more is said ("unspecified", "sin otra
especificación"), that a word may be left out ("(primary)") or said otherwise ("[Hansen's disease]"). Texts say none of
it. `searched` gives a terminology the names without, as terms of kind "hidden": searched for, never shown as names.

Rules are of languages, not of one terminology; what no rule finds stays as it is.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from pipelines.encoding import primary
from pipelines.terminology import Concept, Term, Terminology

UNSAID: Final[Mapping[str, str]] = {
    "de": r"nicht näher bezeichnete?[mnrs]?|ohne nähere angaben?|n\.\s?n\.\s?bez\.|o\.\s?n\.\s?a\.|"
    r"anderenorts nicht klassifiziert(?:e[mnrs]?)?|a\.\s?n\.\s?k\.",
    "en": r"unspecified(?: as to [\w ]+)?|(?:(?:of|at|in|by|to|with) )?unspecified (?:site|type|cause|location|agent)|"
    r"(?:type |site |cause )?not (?:otherwise )?specified|nos|not elsewhere classified|nec",
    "es": r"(?:(?:de )?(?:tipo|sitio|parte|causa|localización) )?no especificad[oa]s?|sin otra especificación|"
    r"sin especificar|sai|neom|ncoc|no clasificad[oa]s? (?:en|bajo) otra parte",
    "fr": r"(?:de (?:type|siège|cause) )?non précisée?s?|sans (?:autre )?précision|sai|nca|"
    r"non classée?s? ailleurs",
    "it": r"(?:di (?:tipo|sede|causa) )?non specificat[aeio]|sai|nas|non classificat[aeio] altrove",
    "nl": r"niet gespecificeerde?|niet nader omschreven|n\.?n\.?o\.?|niet elders geclassificeerde?|neg",
    "pt": r"(?:de (?:tipo|local|causa) )?não especificad[oa]s?|soe|sem outra especificação|"
    r"não classificad[oa]s? em outra parte|ncop",
}
"""What says that nothing more is said, by language."""

_BRACKETS: Final = re.compile(r"\s*\[([^][]*)\]")
_OTHERWISE: Final = re.compile(r"\s\[([^][]*)\]$")
_PARENTHESES: Final = re.compile(r"\s*\([^()]*\)")
_CODE: Final = re.compile(r"[A-Z]\d[\d.A-Z*†+–-]*")
_SPACES: Final = re.compile(r"\s+")
_ICD: Final = re.compile(r"[A-Za-z]\d[0-9A-Za-z](?:\.[0-9A-Za-z]{1,4})?")
_CODED: Final = 0.9
"""Share of ids that look like ICD codes, from which a terminology's ids are taken for codes of one. A guess."""
_LEAST: Final = 3
"""Characters that a name must keep."""


def searched(terminology: Terminology) -> Terminology:
    """The terminology with what its names are called in texts among its terms.

    A concept gets the plain forms of its own terms. One that says only that nothing more is said about the concept
    above it ("Dysphagia, unspecified" below "Dysphagia") gets that one's terms too: whoever writes no more than the
    broader name means it, and where a translation names only the broader concept it is what both are called.
    """
    above = parents_of(terminology)
    own = [_plain_terms(concept) for concept in terminology.concepts]
    default = _defaults(terminology, above)
    concepts = []
    for i, concept in enumerate(terminology.concepts):
        terms = [*own[i]]
        at: int | None = i
        seen = {i}  # parents may lead in a circle
        while (at := default.get(at)) is not None and at not in seen:
            seen.add(at)
            broader = terminology.concepts[at]
            terms += [replace(t, kind="hidden") for t in broader.terms]
            terms += own[at]
        concepts.append(_with(concept, terms))
    return Terminology(terminology.name, version=terminology.version, title=terminology.title, concepts=concepts)


def plain(text: str, language: str | None) -> list[str]:
    """What a name is called besides; empty where no rule finds anything.

    "Hemorrhage, not elsewhere classified" → "Hemorrhage"; "Lepra [enfermedad de Hansen]" → "Lepra", "enfermedad de
    Hansen"; "Unspecified abdominal pain" → "abdominal pain". Words stay in their order: to character n-grams inside
    words an inverted name ("Lupus, discoid") is the same text as the other, and to an encoder nearly.
    """
    bare = _PARENTHESES.sub("", _BRACKETS.sub("", text))
    unsaid = _UNSAID.get(primary(language))
    found = [bare] if unsaid is None else [_said(bare, unsaid)]
    found += [inside for inside in _OTHERWISE.findall(text) if not _CODE.fullmatch(inside)]
    known = {text.casefold(), ""}
    kept = []
    for one in found:
        tidy = _SPACES.sub(" ", one).strip(" ,;:.-")
        if tidy.casefold() not in known and len(tidy) >= _LEAST:
            known.add(tidy.casefold())
            kept.append(tidy)
    return kept


def says_nothing_more(text: str, language: str | None) -> bool:
    """Whether a name is one of those that only say so."""
    unsaid = _UNSAID.get(primary(language))
    return unsaid is not None and unsaid.search(text) is not None


def parents_of(terminology: Terminology) -> list[int | None]:
    """For each concept the first broader one that is there; by the code where a classification's table has codes only.

    ICD's codes are their own hierarchy: R13 is above R13.1, which is above R13.10.
    """
    known = terminology.by_id
    stated = [next((known[p] for p in concept.parents if p in known), None) for concept in terminology.concepts]
    ids = [concept.id for concept in terminology.concepts]
    if any(parent is not None for parent in stated) or sum(bool(_ICD.fullmatch(i)) for i in ids) < _CODED * len(ids):
        return stated
    return [next((known[a] for a in _shorter(i) if a in known), None) for i in ids]


def _shorter(code: str) -> Iterator[str]:
    return (code[:n].rstrip(".") for n in range(len(code) - 1, _LEAST - 1, -1))


def _defaults(terminology: Terminology, above: Sequence[int | None]) -> dict[int | None, int]:
    """Concept → the broader one that it stands for where nothing more is said; at most one below each."""
    below: dict[int, list[int]] = defaultdict(list)
    for i, parent in enumerate(above):
        if parent is not None:
            below[parent].append(i)
    found: dict[int | None, int] = {}
    for parent, children in below.items():
        names = {_key(t.text) for t in terminology.concepts[parent].terms}
        names |= {_key(p) for t in terminology.concepts[parent].terms for p in plain(t.text, t.language)}
        silent = [c for c in children if _is_silent(terminology.concepts[c])]
        same = [c for c in silent if any(_key(t.text) in names for t in _plain_terms(terminology.concepts[c]))]
        if same or len(silent) == 1:
            found[(same or silent)[0]] = parent
    return found


def _is_silent(concept: Concept) -> bool:
    language = next((t.language for t in concept.terms if t.text == concept.name), None)
    return says_nothing_more(concept.name, language)


def _plain_terms(concept: Concept) -> list[Term]:
    return [Term(p, t.language, "hidden") for t in concept.terms for p in plain(t.text, t.language)]


def _with(concept: Concept, more: Sequence[Term]) -> Concept:
    known = {(_key(t.text)) for t in concept.terms}
    added = []
    for term in more:
        if _key(term.text) not in known:
            known.add(_key(term.text))
            added.append(term)
    return replace(concept, terms=[*concept.terms, *added]) if added else concept


def _key(text: str) -> str:
    return _SPACES.sub(" ", text).strip().casefold()


def _said(text: str, unsaid: re.Pattern[str]) -> str:
    """The first part of a name without words that say nothing, and those of the others that have no such word."""
    first, *others = text.split(",")
    if not (bare := unsaid.sub(" ", first)).strip(" ,;:"):
        return ""
    return ",".join([bare, *(part for part in others if unsaid.search(part) is None)])


_UNSAID: Final = {tag: re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE) for tag, pattern in UNSAID.items()}
