"""Linked mentions as BioC-JSON: a collection with one document of one passage per text.

Source: Comeau et al. 2019, *PMC text mining subset in BioC*; infons hold what BioC has no field for.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pipelines.results import LinkedMention, Result

_SEPARATOR: Final = "; "
"""Between several values of an infon, which is one string."""


def collection(origins: Sequence[Mapping[str, Any]], documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The whole answer; `documents` are what `document` made, in order; `origins` are of every terminology asked."""
    names, versions = zip(*((o["terminology"]["name"], o["terminology"]["version"]) for o in origins), strict=True)
    return {
        "source": "cognomen",
        "date": datetime.now(UTC).date().isoformat(),
        "key": "https://bioc.sourceforge.net",
        "version": "1.0",
        "infons": {
            "terminology": _SEPARATOR.join(names),
            "terminology_version": _SEPARATOR.join(versions),
            "encoder": _SEPARATOR.join(o["encoder"] for o in origins),
            "generation": _SEPARATOR.join(o["generation"] for o in origins),
            "offsets": "code points",
        },
        "documents": list(documents),
    }


def document(number: int, text: str, annotations: object) -> dict[str, Any]:
    """One text; `annotations` are what `bioc_annotations` made of it."""
    passage = {
        "offset": 0,
        "infons": {},
        "text": text,
        "sentences": [],
        "annotations": annotations,
        "relations": [],
    }
    return {"id": str(number), "infons": {}, "passages": [passage], "annotations": [], "relations": []}


def bioc_annotations(result: Result) -> list[dict[str, Any]]:
    """One annotation per mention, in order; the identifier of a NIL is "-", as PubTator has it."""
    return [_annotation(number, linked, result.language) for number, linked in enumerate(result.mentions)]


def _annotation(number: int, linked: LinkedMention, language: str | None) -> dict[str, Any]:
    mention, decision = linked.mention, linked.decision
    chosen = decision.chosen
    infons = {
        "type": _SEPARATOR.join(chosen.semantic_types) if chosen is not None else "",
        "identifier": decision.concept_id or "-",
        "name": decision.name or "",
        "terminology": decision.source or "",
        "confidence": str(decision.confidence),
        "negated": str(bool(mention.facts.get("negated", False))).lower(),
        "experiencer": str(mention.facts.get("experiencer", "patient")),
        "hypothetical": str(bool(mention.facts.get("hypothetical", False))).lower(),
        "language": language or "",
        **({f"code:{system}": code for system, code in chosen.codes.items()} if chosen is not None else {}),
    }
    return {
        "id": str(number),
        "infons": infons,
        "text": mention.text,
        "locations": [{"offset": mention.start, "length": mention.end - mention.start}],
    }
