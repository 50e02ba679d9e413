"""The title development sets of ../shared/titles, as terminologies and labelled queries."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import SHARED
from pipelines.sources import read_terminology
from pipelines.terminology import Concept, Term, Terminology

TITLES = SHARED / "titles"
MELO = {
    "deu_q_de_c_de": ("de", "de"),
    "deu_q_de_c_en": ("de", "en"),
    "fra_q_fr_c_fr": ("fr", "fr"),
    "esp_q_es_c_es": ("es", "es"),
    "ita_q_it_c_en": ("it", "en"),
    "nld_q_nl_c_en": ("nl", "en"),
    "usa_q_en_c_en": ("en", "en"),
}
TALENTCLEF = {"english": "en", "spanish": "es", "german": "de"}


@dataclass(frozen=True)
class TitleSet:
    """Queries with their right concepts over a terminology."""

    name: str
    language: str
    queries: list[str]
    gold: list[set[str]]
    terminology: Terminology


def esco_english() -> Terminology:
    """All ESCO 1.2.0 English aliases."""
    return read_terminology(TITLES / "esco_1.2.0", format="esco", name="esco", languages=["en"])


def jobbert(terminology: Terminology) -> TitleSet:
    """15,463 raw vacancy titles of a Malaysian job board."""
    with (TITLES / "dev/jobbert_val.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return TitleSet(
        "jobbert_val", "en", [r["vacancyTitle"] for r in rows], [{r["conceptUri"]} for r in rows], terminology
    )


def melo(name: str) -> TitleSet:
    """A MELO set: national class names → ESCO, corpus elements grouped by concept."""
    folder = TITLES / "dev/melo" / name
    language, corpus_language = MELO[name]
    concept_of = {row[0]: row[1] for row in _tsv(folder / "concept_mapping.tsv")}
    terms: dict[str, list[Term]] = defaultdict(list)
    for element, text in _tsv(folder / "corpus_elements.tsv"):
        terms[concept_of[element]].append(Term(text, corpus_language))
    relevant: dict[str, set[str]] = defaultdict(set)
    for query, _, element, grade in _tsv(folder / "annotations.tsv"):
        if int(grade) > 0:
            relevant[query].add(concept_of[element])
    queries = [(q, text) for q, text in _tsv(folder / "queries.tsv") if relevant[q]]
    concepts = [Concept(uri, some[0].text, some) for uri, some in terms.items()]
    return TitleSet(
        name,
        language,
        [text for _, text in queries],
        [relevant[q] for q, _ in queries],
        Terminology(name.replace("_", "-"), version="melo", concepts=concepts),
    )


def talentclef(name: str) -> TitleSet:
    """A TalentCLEF 2025 task A validation set: every corpus title is a concept of its own."""
    folder = TITLES / "dev/talentclef2025_taskA/validation" / name
    language = TALENTCLEF[name]
    corpus = _tsv(folder / "corpus_elements")[1:]
    relevant: dict[str, set[str]] = defaultdict(set)
    for query, _, element, grade in _tsv(folder / "qrels.tsv"):
        if int(grade) > 0:
            relevant[query].add(element)
    queries = [(q, text) for q, text in _tsv(folder / "queries")[1:] if relevant[q]]
    concepts = [Concept(c, text, [Term(text, language)]) for c, text in corpus]
    return TitleSet(
        f"talentclef_{name}",
        language,
        [text for _, text in queries],
        [relevant[q] for q, _ in queries],
        Terminology(f"talentclef-{name}", version="2025", concepts=concepts),
    )


def _tsv(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line]
