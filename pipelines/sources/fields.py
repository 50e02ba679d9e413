"""What a field of a concept may hold, and the one way a concept is put together from them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from pipelines.errors import SourceError
from pipelines.terminology import KINDS, Concept, Term

MAX_TERM_CHARS: Final = 1000
MAX_ID_CHARS: Final = 500
MAX_DEFINITION_CHARS: Final = 100_000
MAX_TERMS: Final = 20_000
"""Of one concept; the richest of ESCO in 26 languages has some 500."""
MAX_VALUES: Final = 5000
"""Of one concept's parents, codes, semantic types or skills."""
MAX_CONCEPTS: Final = 10_000_000
"""UMLS has some 4 million."""

# Tab, line feed and the like are whitespace and collapse; the rest is damage, such as cp1252 read as Latin-1.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_INVISIBLE: Final = " \u200b\u200c\u200d\u2060\ufeff"
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,7}")


def shown(value: object) -> str:
    """A value in a few words, for a message: never long, never more than was sent."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value!r:.40}"
        case str():
            return repr(value) if len(value) <= 40 else f"a text of {len(value):,} characters"
        case list():
            return f"a list of {len(value):,}"
        case _:
            return "an object"


def clean(value: object, *, what: str, line: int | None = None, limit: int = MAX_TERM_CHARS) -> str:
    """The text with surrounding whitespace stripped and inner whitespace collapsed.

    Raises: SourceError unless it is a text of 1 to `limit` characters without control characters.
    """
    if not isinstance(value, str):
        raise SourceError(f"found {shown(value)} for {what}; expected a text", line=line)
    if len(value) > limit:
        raise SourceError(f"{what} has {len(value):,} characters; at most {limit:,} are taken", line=line)
    if control := _CONTROL.search(value):
        raise SourceError(f"{what} holds the control character U+{ord(control[0]):04X}; expected plain text", line=line)
    text = " ".join(value.split())
    if not text.strip(_INVISIBLE):
        raise SourceError(f"{what} is empty", line=line)
    return text


def clean_all(values: Iterable[object], *, what: str, line: int | None = None) -> tuple[str, ...]:
    """Every text cleaned, each once, in order. Raises: SourceError as `clean`, or for too many."""
    found = dict.fromkeys(clean(value, what=what, line=line) for value in values)
    if len(found) > MAX_VALUES:
        raise SourceError(f"found {len(found):,} times {what}; at most {MAX_VALUES:,} are taken", line=line)
    return tuple(found)


@lru_cache(maxsize=4096)
def language_tag(tag: str) -> str:
    """The BCP 47 tag in its usual case: "pt_br" → "pt-BR". Raises: SourceError."""
    tag = tag.strip().replace("_", "-")
    if not _TAG.fullmatch(tag):
        raise SourceError(f'found {shown(tag)} for a language; expected a BCP 47 tag such as "de" or "pt-BR"')
    primary, *rest = tag.split("-")
    return "-".join([primary.lower(), *map(_cased_subtag, rest)])


def _cased_subtag(subtag: str) -> str:
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag.lower()


def language_at(value: object, *, line: int | None) -> str | None:
    """A field's language, None where it says nothing. Raises: SourceError naming the line."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise SourceError(f"found {shown(value)} for a language; expected a text", line=line)
    try:
        return language_tag(value)
    except SourceError as error:
        raise SourceError(str(error), line=line) from None


def kind_at(value: object, *, line: int | None) -> str:
    """A field's kind of term. Raises: SourceError."""
    if isinstance(value, str) and value in KINDS:
        return value
    raise SourceError(f"found {shown(value)} for a kind of term; expected {', '.join(KINDS)}", line=line)


def concept_of(
    concept_id: str,
    name: str,
    terms: Iterable[Term],
    *,
    language: str | None = None,
    languages: Sequence[str] | None = None,
    line: int | None = None,
    definition: str | None = None,
    parents: Sequence[str] = (),
    codes: Mapping[str, str] | None = None,
    semantic_types: Sequence[str] = (),
    skills: Sequence[str] = (),
    abstract: bool = False,
    replaces: Sequence[str] = (),
) -> Concept:
    """A concept of cleaned fields, whose name is one of its terms.

    Args:
        concept_id: as the source has it.
        name: becomes a preferred term if no term reads so; if one does and none is preferred, that one is.
        terms: in the source's order; a text repeated in one language counts once.
        language: of the name, where it becomes a term.
        languages: keep terms of these languages and those that say none; None keeps all. A concept that would
            lose every term keeps its name as one.
        line: for messages.
        definition: None where absent.
        parents: ids.
        codes: system → code.
        semantic_types: texts.
        skills: texts.
        abstract, replaces: see `Concept`.
    """
    complete = _with_name(list(_distinct(terms)), name, language)
    if len(complete) > MAX_TERMS:
        raise SourceError(f"found {len(complete):,} terms; at most {MAX_TERMS:,} are taken", line=line)
    kept = complete if languages is None else [t for t in complete if wanted(t.language, languages)]
    return Concept(
        id=concept_id,
        name=name,
        terms=tuple(kept or [Term(name, language, "preferred")]),
        definition=definition,
        parents=parents,
        codes=codes or {},
        semantic_types=semantic_types,
        skills=skills,
        abstract=abstract,
        replaces=replaces,
    )


def wanted(language: str | None, languages: Sequence[str]) -> bool:
    """Whether a term of this language is kept: "de" keeps "de-AT"; no language is always kept."""
    return language is None or any(language == w or language.startswith(f"{w}-") for w in languages)


def _distinct(terms: Iterable[Term]) -> Iterator[Term]:
    seen: set[tuple[str, str | None]] = set()
    for term in terms:
        key = (term.text, term.language)
        if key not in seen:
            seen.add(key)
            yield term


def _with_name(terms: list[Term], name: str, language: str | None) -> list[Term]:
    at = next((i for i, term in enumerate(terms) if term.text == name), None)
    if at is None:
        return [Term(name, language, "preferred"), *terms]
    if not any(term.kind == "preferred" for term in terms):
        named = terms.pop(at)
        return [Term(named.text, named.language, "preferred"), *terms]
    return terms
