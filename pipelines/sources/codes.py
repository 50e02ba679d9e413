"""Cross-references as `codes`: one spelling for each system, several codes of one system joined."""

from collections.abc import Iterable
from typing import Final

SEPARATOR: Final = "|"
"""Between several codes of one system."""

_SYSTEMS: Final = {
    "msh": "mesh",
    "mesh": "mesh",
    "snomedct": "snomedct",
    "snomedct_us": "snomedct",
    "sctid": "snomedct",
    "icd10": "icd-10",
    "icd10cm": "icd-10-cm",
    "icd10who": "icd-10",
    "icd9": "icd-9",
    "icd9cm": "icd-9-cm",
    "icd11": "icd-11",
    "icdo": "icd-o",
    "orphanet": "orpha",
    "ordo": "orpha",
    "hp": "hpo",
    "hpo": "hpo",
    "umls_cui": "umls",
    "nci": "ncit",
    "mdr": "meddra",
}


def system_of(prefix: str) -> str:
    """What a system is called in `codes`: "SNOMEDCT_US_2023_09_01" and "SCTID" are "snomedct"."""
    plain = prefix.strip().lower().replace("-", "")
    # Releases of DOID date SNOMED CT.
    if plain.startswith("snomedct"):
        return "snomedct"
    return _SYSTEMS.get(plain, prefix.strip().lower())


def codes_of(references: Iterable[str]) -> dict[str, str]:
    """System → code of CURIEs such as "UMLS:C0000001"; what has no prefix, and web addresses, are left out."""
    found: dict[str, dict[str, None]] = {}
    for reference in references:
        prefix, colon, code = reference.partition(":")
        if colon and prefix and code.strip() and "/" not in prefix and not code.startswith("//"):
            found.setdefault(system_of(prefix), {})[code.strip()] = None
    return {system: SEPARATOR.join(codes) for system, codes in found.items()}
