"""Linked mentions as FHIR R4 `Parameters`: one parameter `result` per text, one part `mention` per mention.

FHIR knows no empty strings and no control characters: what would be one is left out. Offsets count code points.
Source: https://hl7.org/fhir/R4/parameters.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipelines.results import Candidate, Decision, LinkedMention, Result

MEDIA_TYPE: Final = "application/fhir+json"

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_OWN: Final = "urn:cognomen:terminology:"
_SYSTEMS: Final = {
    "hp": "http://human-phenotype-ontology.org",
    "hpo": "http://human-phenotype-ontology.org",
    "mondo": "http://purl.obolibrary.org/obo/mondo.owl",
    "doid": "http://purl.obolibrary.org/obo/doid.owl",
    "icd-10": "http://hl7.org/fhir/sid/icd-10",
    "icd-10-cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "icd-9-cm": "http://hl7.org/fhir/sid/icd-9-cm",
    "icd-11": "http://id.who.int/icd/release/11/mms",
    "icd-o": "http://terminology.hl7.org/CodeSystem/icd-o-3",
    "snomedct": "http://snomed.info/sct",
    "umls": "http://www.nlm.nih.gov/research/umls",
    "mesh": "https://www.nlm.nih.gov/mesh",
    "orpha": "http://www.orpha.net",
    "omim": "http://www.omim.org",
    "ncit": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "loinc": "http://loinc.org",
    "meddra": "https://www.meddra.org",
}
"""Names in `codes` and prefixes of CURIEs → the URIs that FHIR servers know these systems by."""

_SEPARATOR: Final = "|"


def parameters(origins: Sequence[Mapping[str, Any]], results: Sequence[object]) -> dict[str, Any]:
    """The whole answer; `results` are what `fhir_result` made, in order; an origin per terminology."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            *(
                {
                    "name": "terminology",
                    "part": [
                        {"name": "name", "valueString": origin["terminology"]["name"]},
                        {"name": "version", "valueString": origin["terminology"]["version"]},
                    ],
                }
                for origin in origins
            ),
            *({"name": name, "valueString": origin[name]} for name in ("encoder", "generation") for origin in origins),
            *results,
        ],
    }


def fhir_result(result: Result) -> dict[str, Any]:
    """One text's mentions as a parameter."""
    parts = [{"name": "mention", "part": _mention(linked)} for linked in result.mentions]
    if result.language:
        parts.insert(0, {"name": "language", "valueCode": result.language})
    # A parameter without a value or a part is none.
    count = {"name": "mentions", "valueInteger": len(result.mentions)}
    return {"name": "result", "part": [count, *parts]}


def _mention(linked: LinkedMention) -> list[dict[str, Any]]:
    mention, decision = linked.mention, linked.decision
    return [
        {"name": "start", "valueInteger": mention.start},
        {"name": "end", "valueInteger": mention.end},
        *_string("text", mention.text),
        {"name": "negated", "valueBoolean": bool(mention.facts.get("negated", False))},
        {"name": "experiencer", "valueCode": str(mention.facts.get("experiencer", "patient"))},
        {"name": "hypothetical", "valueBoolean": bool(mention.facts.get("hypothetical", False))},
        {"name": "nil", "valueBoolean": decision.nil},
        {"name": "confidence", "valueDecimal": decision.confidence},
        *_concept(decision),
        *({"name": "candidate", "part": _candidate(c)} for c in decision.candidates),
        *(part for note in decision.notes for part in _string("note", note)),
    ]


def _concept(decision: Decision) -> list[dict[str, Any]]:
    if decision.concept_id is None:
        return []
    chosen = decision.chosen
    codes = chosen.codes if chosen is not None else {}
    return [
        {
            "name": "concept",
            "valueCodeableConcept": {
                "coding": codings(decision.concept_id, decision.name, codes, decision.source or ""),
                **({"text": shown} if (shown := _plain(decision.name or "")) else {}),
            },
        }
    ]


def _candidate(candidate: Candidate) -> list[dict[str, Any]]:
    return [
        {"name": "coding", "valueCoding": codings(candidate.concept_id, candidate.name, {}, candidate.terminology)[0]},
        {"name": "score", "valueDecimal": candidate.score},
        {"name": "confidence", "valueDecimal": candidate.confidence},
        *_string("term", candidate.term),
        *_string("terminology", candidate.terminology),
    ]


def codings(concept_id: str, name: str | None, codes: Mapping[str, str], terminology: str) -> list[dict[str, str]]:
    """A concept's own coding, then other systems': "HP:0001" is a code of HPO as it is, "MESH:D1" is "D1" in MeSH."""
    prefix, _, local = concept_id.partition(":")
    known = _SYSTEMS.get(prefix.lower()) if local else None
    own_code = concept_id if known is None or prefix.lower() in {"hp", "mondo", "doid"} else local
    found = {(known or _OWN + terminology, own_code): _plain(name or "")}
    for system, joined in codes.items():
        for code in joined.split(_SEPARATOR):
            found.setdefault((_SYSTEMS.get(system, _OWN + system), code), "")
    return [
        {"system": system, "code": code, **({"display": display} if display else {})}
        for (system, code), display in found.items()
    ]


def _string(name: str, value: str) -> list[dict[str, str]]:
    plain = _plain(value)
    return [{"name": name, "valueString": plain}] if plain.strip() else []


def _plain(value: str) -> str:
    return _CONTROL.sub("", value)
