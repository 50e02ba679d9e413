"""OBO ontologies (HPO, MONDO, DOID): terms and synonyms, cross-references, what replaces the obsolete.

A folder or zip may hold Babelon tables beside the ontology: their translations become terms too.
Only what a terminology needs is read, from the clauses of [Term] stanzas.
Source: OBO Flat File Format 1.4, https://owlcollab.github.io/oboformat/doc/GO.format.obo-1_4.html
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipelines.errors import SourceError
from pipelines.sources import babelon, fields
from pipelines.sources.codes import codes_of
from pipelines.sources.files import Bundle
from pipelines.terminology import Concept, Term

ONTOLOGY: Final = re.compile(r".+\.obo(?:\.gz|\.zst)?", re.IGNORECASE)

_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(.*)')
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n", "W": " ", "t": "\t"}
_SCOPES: Final = {"EXACT": "alternative", "NARROW": "alternative"}
_VERSION: Final = re.compile(r"(?:.*/)?(?:releases/)?v?(\d[\w.-]*)(?:/.*)?")
_TYPE_LEVELS: Final = 2
"""Levels below a root whose names are semantic types: "Phenotypic abnormality", "Abnormality of the nervous system"."""


@dataclass(slots=True)
class _Stanza:
    """The clauses of one [Term] that are read, and the line it starts on."""

    line: int
    clauses: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def one(self, tag: str) -> str:
        return self.clauses[tag][0] if tag in self.clauses else ""


_READ: Final = {"id", "name", "def", "synonym", "xref", "is_a", "alt_id", "is_obsolete", "replaced_by"}


def read(path: Path, *, languages: Sequence[str] | None = None, language: str | None = None) -> Iterator[Concept]:
    """The terms that are not obsolete, in the ontology's order.

    Ids that were merged (`alt_id`) or replaced (`replaced_by`) stand in `replaces` of what answers for them. Semantic
    types of a concept are the names of its ancestors on the first two levels below the root.

    Args:
        path: an .obo file, or a folder or zip of one with Babelon tables beside it.
        languages: keep terms of these languages; None keeps all.
        language: of the ontology's own names; English unless said otherwise.

    Raises: SourceError at the first fault, with its line.
    """
    language = language or "en"
    bundle = Bundle.at(path)
    member = _ontology(bundle)
    with bundle.opened(member) as lines:
        stanzas = list(_stanzas(lines))
    kept = {s.one("id"): s for s in stanzas if s.one("is_obsolete") != "true"}
    replaced = _replaced(stanzas, kept)
    types = _types(kept)
    said = babelon.translations(bundle) if len(bundle.members) > 1 else {}
    for concept_id, stanza in kept.items():
        translated = said.get(concept_id, babelon.Translated())
        yield fields.concept_of(
            concept_id,
            _name(stanza),
            [*_terms(stanza, language), *translated.terms],
            language=language,
            languages=languages,
            line=stanza.line,
            definition=_definition(stanza),
            parents=tuple(parent for parent in _targets(stanza.clauses["is_a"]) if parent in kept),
            codes=codes_of(_targets(stanza.clauses["xref"])),
            semantic_types=types[concept_id],
            replaces=replaced.get(concept_id, ()),
        )


def release(path: Path) -> str | None:
    """What the ontology says of its version: "2025-01-16" of `data-version: hp/releases/2025-01-16`."""
    bundle = Bundle.at(path)
    with bundle.opened(_ontology(bundle)) as lines:
        for text in lines:
            if text.startswith("["):
                return None
            tag, _, value = text.partition(":")
            if tag == "data-version" and (match := _VERSION.fullmatch(value.strip())):
                return match[1]
    return None


def _ontology(bundle: Bundle) -> str:
    # A single file may have been uploaded under any name.
    members = list(bundle.matching(ONTOLOGY)) if len(bundle.members) > 1 else list(bundle.members)
    if len(members) != 1:
        raise SourceError(f"{bundle.name} holds {len(members)} .obo files; expected one")
    return members[0]


def _stanzas(lines: Iterable[str]) -> Iterator[_Stanza]:
    stanza: _Stanza | None = None
    seen: dict[str, int] = {}
    header = False
    for number, raw in enumerate(lines, 1):
        text = raw.strip()
        header = header or text.startswith("format-version:")
        if text.startswith("["):
            if not header:
                raise SourceError('found no "format-version:" before the first stanza; expected OBO', line=number)
            if stanza is not None:
                yield _checked(stanza, seen)
            stanza = _Stanza(number) if text == "[Term]" else None
        elif stanza is not None and text and not text.startswith("!"):
            tag, colon, value = text.partition(":")
            if not colon:
                raise SourceError("found a line without a tag; expected tag: value", line=number)
            if tag in _READ:
                stanza.clauses[tag].append(value.strip())
    if stanza is not None:
        yield _checked(stanza, seen)


def _checked(stanza: _Stanza, seen: dict[str, int]) -> _Stanza:
    if len(stanza.clauses["id"]) != 1:
        raise SourceError(f"found {len(stanza.clauses['id'])} ids in a [Term]; expected one", line=stanza.line)
    concept_id = fields.clean(
        _plain(stanza.clauses["id"][0]), what="the id", line=stanza.line, limit=fields.MAX_ID_CHARS
    )
    stanza.clauses["id"] = [concept_id]
    if seen.setdefault(concept_id, stanza.line) != stanza.line:
        raise SourceError(
            f"the id {fields.shown(concept_id)} stands in line {seen[concept_id]} already", line=stanza.line
        )
    return stanza


def _name(stanza: _Stanza) -> str:
    return fields.clean(_unescaped(stanza.one("name")), what="the name", line=stanza.line)


def _terms(stanza: _Stanza, language: str) -> Iterator[Term]:
    yield Term(_name(stanza), language, "preferred")
    for synonym in stanza.clauses["synonym"]:
        text, rest = _quoted(synonym, stanza.line)
        scope = rest.split(maxsplit=1)[0] if rest else "RELATED"
        yield Term(fields.clean(text, what="a synonym", line=stanza.line), language, _SCOPES.get(scope, "hidden"))


def _definition(stanza: _Stanza) -> str | None:
    if not stanza.one("def"):
        return None
    text, _ = _quoted(stanza.one("def"), stanza.line)
    return fields.clean(text, what="the def", line=stanza.line, limit=fields.MAX_DEFINITION_CHARS) if text else None


def _quoted(value: str, line: int) -> tuple[str, str]:
    match = _QUOTED.match(value)
    if match is None:
        raise SourceError('found no text in double quotes; expected "text" SCOPE [xrefs]', line=line)
    return _unescaped(match[1]), match[2]


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda m: _ESCAPES.get(m[1], m[1]), text)


def _plain(value: str) -> str:
    """A value without its trailing comment and modifiers: `HP:0000002 {source="x"} ! Abnormality`."""
    return value.split(" ! ")[0].split(" {")[0].strip()


def _targets(values: Iterable[str]) -> list[str]:
    """The ids that clauses such as `is_a: HP:1 ! name` and `xref: UMLS:C1 "text"` point at."""
    return [plain.split(' "')[0].split()[0] for value in values if (plain := _plain(value))]


def _replaced(stanzas: Iterable[_Stanza], kept: Mapping[str, _Stanza]) -> dict[str, tuple[str, ...]]:
    """Concept id → ids that it answers for; chains of replacements are followed to what still stands."""
    by = {s.one("id"): target for s in stanzas for target in _targets(s.clauses["replaced_by"])[:1]}
    by |= {old: s.one("id") for s in kept.values() for old in _targets(s.clauses["alt_id"]) if old not in kept}
    found: dict[str, list[str]] = defaultdict(list)
    for old in by:
        seen, new = {old}, by[old]
        while new not in kept and new in by and new not in seen:
            seen.add(new)
            new = by[new]
        if new in kept and old not in kept:
            found[new].append(old)
    return {new: tuple(olds) for new, olds in found.items()}


def _types(kept: Mapping[str, _Stanza]) -> dict[str, tuple[str, ...]]:
    """Concept id → names of its ancestors, itself included, on the first levels below a root."""
    parents = {c: [p for p in _targets(s.clauses["is_a"]) if p in kept] for c, s in kept.items()}
    children: dict[str, list[str]] = defaultdict(list)
    for child, above in parents.items():
        for parent in above:
            children[parent].append(child)
    level = [c for c, above in parents.items() if not above and children[c]]
    found: dict[str, dict[str, None]] = {c: {} for c in kept}
    for _ in range(_TYPE_LEVELS):
        level = list(dict.fromkeys(child for c in level for child in children[c]))
        for typed in level:
            name = _name(kept[typed])
            for below in _descendants(typed, children):
                found[below][name] = None
    return {c: tuple(names) for c, names in found.items()}


def _descendants(concept_id: str, children: Mapping[str, Sequence[str]]) -> set[str]:
    """The concept and all below it."""
    found, stack = {concept_id}, [concept_id]
    while stack:
        for child in children.get(stack.pop(), ()):
            if child not in found:
                found.add(child)
                stack.append(child)
    return found
