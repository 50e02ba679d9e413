"""Medical linking language by language: names held out, and findings in short notes, with aliases of the language and without.

    python -m benchmarks.quality.medical_languages --artifacts artifacts --cache FOLDER

HPO in eleven languages without some aliases of each, which are then asked for (n-grams, xMEN's method, beside ours), and
HPO in English alone, asked the same: a language that nobody has translated to. The notes are our own, the same in up to
fourteen languages (tests/data/medical_notes.tsv): a finding counts as found where place and concept are right.
The parts that read words (pipelines/medical/words.py, context.py) were mended while looking at these notes.
Data: ../shared/medical. `--report` writes the table of pipelines/medical/README.md from the results, and nothing else.
"""

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, ROOT, save_part
from benchmarks.quality.medical import INDEXED, KS, Document, Kept, Mentions, kept_out, ngrams, ours, published, ranks
from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import Build, build, builds, open_build
from pipelines.medical.pipeline import row_text
from pipelines.results import Options, Request
from pipelines.terminology import Terminology

NOTES = ROOT / "tests/data/medical_notes.tsv"
LANGUAGES = ["en", "de", "es", "fr", "it", "nl", "pt", "cs", "ja", "tr", "zh"]
HELD_OUT = 200
"""Aliases of each language; fewer where it has few that no other row is spelled as."""
BUILDS = {"with": "hpo-eleven", "without": "hpo-en"}
BEGIN, END = "<!-- languages -->", "<!-- /languages -->"
_FINDING = re.compile(r"([^\[]*)(?:\[([^|\]]+)\|([^\]]+)\])?")


def notes(terminology: Terminology) -> dict[str, list[Document]]:
    """Language → its notes, with the ids of what they find."""
    ids = {concept.name: concept.id for concept in terminology.concepts}
    found: dict[str, list[Document]] = defaultdict(list)
    for line in NOTES.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        language, _, marked = line.partition("\t")
        text, gold = "", {}
        for before, finding, name in _FINDING.findall(marked):
            text += before
            if finding:
                gold[len(text), len(text) + len(finding)] = {ids[name]}
                text += finding
        found[language].append(Document(f"{language}-{len(found[language])}", text, gold, language))
    return dict(found)


def held_out(terminology: Terminology, kept: set[str]) -> dict[str, list[tuple[str, str]]]:
    """Language → aliases to hold out with their concepts: one a concept, spelled as no other row, of none in `kept`.

    They are of concepts of whose names the encoder was taught none.
    """
    unseen = kept_out(registry.spec("medical").config().encoder)
    spellings: dict[str, int] = defaultdict(int)
    for term in terminology.row_terms:
        spellings[row_text(term.text)] += 1
    rng = np.random.default_rng(0)
    drawn: dict[str, list[tuple[str, str]]] = {language: [] for language in LANGUAGES}
    taken: set[tuple[str, str]] = set()
    for row in rng.permutation(terminology.rows):
        term, concept = terminology.row_terms[row], terminology.concepts[terminology.row_concepts[row]]
        some = drawn.get(term.language or "")
        if some is None or len(some) >= HELD_OUT or concept.id in kept or spellings[row_text(term.text)] > 1:
            continue
        if not unseen(concept.id) or (concept.id, term.language or "") in taken:
            continue
        taken.add((concept.id, term.language or ""))
        some.append((term.text, concept.id))
    return drawn


def without(terminology: Terminology, some: dict[str, list[tuple[str, str]]], name: str) -> Terminology:
    """A terminology without these aliases; concepts without any other are left out."""
    gone = {(text, language, concept) for language, pairs in some.items() for text, concept in pairs}
    concepts = [
        replace(c, terms=terms)
        for c in terminology.concepts
        if (terms := [t for t in c.terms if (t.text, t.language, c.id) not in gone])
    ]
    return Terminology(name, version=f"{terminology.version}-{HELD_OUT}", concepts=concepts)


def built(terminology: Terminology, store: ArtifactStore, encoder: Kept) -> Build:
    """The build of a terminology, made unless the store has it under today's options."""
    spec = registry.spec("medical")
    config = spec.config()
    if terminology.name in builds(spec, store=store):
        opened = open_build(spec, terminology.name, store=store, encoder_of=lambda _: encoder)
        written, wanted = opened.artifact.read_json("config.json"), config.model_dump()
        if opened.terminology.version == terminology.version and all(written.get(o) == wanted[o] for o in INDEXED):
            return replace(opened, pipeline=spec.pipeline(config, opened.parts, opened.query_encoder), config=config)
    print(f"{terminology.name}: building", flush=True)
    return build(spec, terminology, encoder=encoder, store=store, config=config)


def names(build: Build, pairs: Sequence[tuple[str, str]], language: str) -> dict[str, list[float]]:
    """R@1, R@5, R@64 of names that the terminology has not, by n-grams and by ours."""
    mentions = Mentions([text for text, _ in pairs], [{c} for _, c in pairs], [c for _, c in pairs], language)
    found = {"n-gram": ngrams(build.terminology, mentions), "ours": ours(build, mentions)}
    places = {method: ranks(lists, mentions.gold) for method, lists in found.items()}
    return {method: [round(float((p < k).mean()), 4) for k in KS] for method, p in places.items()}


def findings(build: Build, documents: Sequence[Document], *, said: bool, verbose: bool) -> dict[str, float]:
    """How many findings of the notes are answered rightly, at their place and anywhere on it; and wrongly.

    Args:
        said: the request says the language.
    """
    requests = [Request(d.text, d.language if said else None, options=Options(top_k=1)) for d in documents]
    strict = partial = answered = gold = 0
    for document, result in zip(documents, build.pipeline.run(requests), strict=True):
        given = [(m.mention.start, m.mention.end, m.decision.concept_id) for m in result.mentions if not m.decision.nil]
        answered += len(given)
        gold += len(document.gold)
        for (start, end), ids in document.gold.items():
            there = [(s, e, c) for s, e, c in given if s < end and start < e]
            strict += any(c in ids and (s, e) == (start, end) for s, e, c in there)
            partial += any(c in ids for _, _, c in there)
            if verbose and not any(c in ids for _, _, c in there):
                offered = [(document.text[s:e], build.terminology.concept(str(c)).name) for s, e, c in there]
                print(f"    {document.language} missed {document.text[start:end]!r}: {offered}")
        if verbose:
            spurious = [document.text[s:e] for s, e, _ in given if not any(a < e and s < b for a, b in document.gold)]
            if spurious:
                print(f"    {document.language} beside: {spurious}")
    return {
        "findings": gold,
        "recall": round(strict / gold, 4),
        "recall_overlapping": round(partial / gold, 4),
        "precision": round(strict / max(answered, 1), 4),
    }


def report() -> None:
    """The table of the README, so that no number is typed by hand."""
    path = ROOT / "pipelines/medical/README.md"
    content = json.loads((RESULTS / "medical_languages.json").read_text(encoding="utf-8"))
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    table = _table(content["sets"], f"{content['machine']['cpu']}, {content['date'][:10]}.")
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def _table(sets: dict[str, dict[str, Any]], machine: str) -> str:
    rows = [
        "Left: R@1 / R@5 / R@64 of aliases held out (`benchmarks/quality/medical_languages.py`), where the terminology has other",
        "names of that language, and where it has English ones only. Right: findings of short notes of our own, found at their",
        "place with the right concept: recall and precision, language not said.",
        "",
        "| language | names | n-gram | ours | English only: n-gram | ours | findings | found | English only |",
        "| --- |" + " --- |" * 8,
    ]
    for tag in dict.fromkeys(tag for part in BUILDS for tag in sets[part]):
        cells = [str(sets["with"].get(tag, {}).get("names", ""))]
        for part in BUILDS:
            recall = sets[part].get(tag, {}).get("recall", {})
            cells += ["/".join(f"{x:.3f}".removeprefix("0") for x in recall.get(m, [])) for m in ("n-gram", "ours")]
        cells.append(str(sets["with"].get(tag, {}).get("notes", {}).get("findings", "")))
        for part in BUILDS:
            found = sets[part].get(tag, {}).get("notes")
            cells.append(f"{found['recall']:.2f} / {found['precision']:.2f}" if found else "")
        rows.append(f"| {tag} | {' | '.join(cells)} |")
    return "\n".join([*rows, "", machine])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--cache", type=Path, default=Path("artifacts/vectors"))
    parser.add_argument("--only", nargs="*", default=list(BUILDS), choices=list(BUILDS))
    parser.add_argument("--no-names", action="store_true", help="only the notes; saves nothing")
    parser.add_argument("--verbose", action="store_true", help="say what was missed in the notes")
    parser.add_argument("--report", action="store_true", help="only write the table of pipelines/medical/README.md")
    chosen = parser.parse_args()
    if chosen.report:
        report()
        return
    store = ArtifactStore(chosen.artifacts)
    encoder = Kept(
        EncoderLibrary(store, device="cpu", threads=1).get(registry.spec("medical").config().encoder), chosen.cache
    )
    whole = published("hpo", LANGUAGES, name=BUILDS["with"])
    documents = notes(whole)
    asked_about = {c for some in documents.values() for d in some for ids in d.gold.values() for c in ids}
    some = held_out(whole, asked_about)
    config = registry.spec("medical").config().model_dump()
    terminologies = {
        "with": lambda: without(whole, some, BUILDS["with"]),
        "without": lambda: without(published("hpo", ["en"], name=BUILDS["without"]), some, BUILDS["without"]),
    }
    for part in chosen.only:
        made = built(terminologies[part](), store, encoder)
        results: dict[str, Any] = {}
        for tag in dict.fromkeys([*LANGUAGES, *documents]):
            row: dict[str, Any] = {}
            if tag in some and not chosen.no_names and (part == "with" or tag != "en"):
                pairs = [(text, c) for text, c in some[tag] if c in made.terminology.by_id]
                row |= {"names": len(pairs), "recall": names(made, pairs, tag)}
            if tag in documents:
                row["notes"] = findings(made, documents[tag], said=False, verbose=chosen.verbose)
                row["notes_said"] = findings(made, documents[tag], said=True, verbose=False)
            results[tag] = row
            print(part, tag, row, flush=True)
        if not chosen.no_names:
            save_part("medical_languages", part, {tag: row for tag, row in results.items() if row}, config=config)


if __name__ == "__main__":
    main()
