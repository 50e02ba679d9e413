"""Lexical weights learned, beside those of the options: does what a terminology's names teach hold for mentions?

    python -m benchmarks.quality.medical_fusion --artifacts artifacts --cache FOLDER [--only …] [--without nl it pt] [--candidates]

Per set, R@1, R@5, R@64 and MRR of gold mentions under the weight of the options; under what `pipelines/fusing.py` learns from
the terminology's own names, as the build holds them out; and from the mentions of the set's training part, where it has one
(QUAERO: its training part teaches, and its development part alone is measured). Gains are paired, 95 % intervals over documents.
`--candidates` says what else the 64 could be picked by: more rows, the best alias, concepts' mean vectors, several lists in turn.
Builds are those of `benchmarks.quality.medical`, which makes them. Nothing here is a test set.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.common import cpu_seconds, save_part
from benchmarks.quality.medical import (
    DATA,
    KS,
    LANGUAGES,
    SETS,
    UNNAMED,
    Kept,
    Mentions,
    built_for,
    by_document,
    interval,
    mentions_of,
    ours,
    published,
    ranks,
)
from models.arrays import EMPTY, unit
from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.aggregation import BestTerm, KernelVote
from pipelines.build import Build
from pipelines.fusing import LearnedFusion, learn_fusion
from pipelines.medical.pipeline import row_text
from pipelines.results import Request
from pipelines.spec import CalibrationSet

TRAINING = {
    "quaero": "hpo_fr_quaero_train.jsonl",
    "codiesp": "icd10cm_es_codiesp_train.jsonl",
    "ncbi": "medic_en_ncbi_train.jsonl",
}
TEXTS = 1500
SPEC = registry.spec("medical")
ROWS = (128, 512, 1024)
CHUNK = 128


def names(built: Build) -> CalibrationSet:
    return SPEC.calibration(built.terminology, TEXTS, 0)


def annotated(name: str) -> CalibrationSet:
    lines = [json.loads(line) for line in (DATA / "dev" / TRAINING[name]).open(encoding="utf-8")]
    lines = [lines[i] for i in sorted(np.random.default_rng(0).permutation(len(lines))[:TEXTS])]
    language = SETS[name][2]
    concepts = [line["gold"][0] for line in lines]
    return CalibrationSet([x["text"] for x in lines], [language] * len(lines), concepts, [EMPTY] * len(lines))


def learned(built: Build, examples: CalibrationSet) -> tuple[LearnedFusion, float]:
    with cpu_seconds() as spent:
        fusion = learn_fusion(
            examples,
            encode=built.pipeline.encoded,
            index=built.parts.index,
            terminology=built.terminology,
            config=built.config,
        )
    return fusion, spent()


def under(built: Build, fusion: LearnedFusion) -> Build:
    weights = fusion.weights(built.config.fusion, built.terminology.languages)
    parts = replace(built.parts, index=built.parts.index.weighted(weights))  # type: ignore[attr-defined]
    return replace(built, parts=parts, pipeline=SPEC.pipeline(built.config, parts, built.query_encoder))


def measured(
    name: str, built: Build, mentions: Mentions, taught: Sequence[tuple[str, CalibrationSet]]
) -> dict[str, object]:
    before = ranks(found(built, mentions), mentions.gold)
    report: dict[str, object] = {"mentions": len(mentions.texts), "options": {"recall": recall(before)}}
    print(f"{name}: options {recall(before)}", flush=True)
    for how, examples in taught:
        fusion, seconds = learned(built, examples)
        print(f"  {how}: {fusion.to_json()}", flush=True)
        # Nothing kept, nothing changed.
        kept = any(trial.kept for trial in fusion.trials.values())
        after = ranks(found(under(built, fusion), mentions), mentions.gold) if kept else before
        gains = {
            f"R@{k}": interval(*by_document((after < k).astype(float) - (before < k), mentions.documents)) for k in KS
        }
        gains["MRR"] = interval(*by_document(1 / (1 + after) - 1 / (1 + before), mentions.documents))
        report[how] = {"trials": fusion.to_json(), "cpu_s": round(seconds, 1), "recall": recall(after), "gain": gains}
        print(f"  {how}: {recall(after)} {gains}", flush=True)
    return report


def found(built: Build, mentions: Mentions) -> list[list[str]]:
    """Concepts of each mention, equal texts asked once."""
    texts = list(dict.fromkeys(mentions.texts))
    lists = dict(zip(texts, ours(built, replace(mentions, texts=texts)), strict=True))
    return [lists[text] for text in mentions.texts]


def recall(places: np.ndarray) -> dict[str, float]:
    shares = {f"R@{k}": round(float((places < k).mean()), 4) for k in KS}
    return {**shares, "MRR": round(float((1 / (1 + places)).mean()), 4)}


def of_set(name: str, built: Build) -> dict[str, object]:
    mentions = mentions_of(name)
    taught = [("names", names(built))]
    if name in TRAINING:
        taught.append(("annotations", annotated(name)))
    if name == "quaero":
        kept = [i for i, document in enumerate(mentions.documents) if "/corpus/train/" not in document]
        mentions = Mentions(
            [mentions.texts[i] for i in kept],
            [mentions.gold[i] for i in kept],
            [mentions.documents[i] for i in kept],
            mentions.language,
        )
    return measured(name, built, mentions, taught)


def unnamed(language: str, store: ArtifactStore, encoder: Kept) -> dict[str, object]:
    """HPO built without a language, whose aliases are the mentions."""
    built = built_for("hpo", store, encoder, languages=[tag for tag in LANGUAGES if tag != language])
    there = {row_text(term.text) for term in built.terminology.row_terms}
    drawn = [
        (term.text, concept.id)
        for concept in published("hpo", [language]).concepts
        for term in concept.terms
        if row_text(term.text) not in there and concept.id in built.terminology.by_id
    ]
    drawn = [drawn[i] for i in np.random.default_rng(0).permutation(len(drawn))[:UNNAMED]]
    mentions = Mentions([text for text, _ in drawn], [{c} for _, c in drawn], [c for _, c in drawn], language)
    return measured(f"hpo without {language}", built, mentions, [("names", names(built))])


def candidates(name: str, built: Build) -> dict[str, object]:
    """R@64 and the CPU time a mention of other ways to pick 64 concepts."""
    mentions = mentions_of(name)
    distinct = list(dict.fromkeys(mentions.texts))
    owners = built.terminology.row_concepts
    means = np.zeros((len(built.terminology), built.encoder.dimension), np.float32)
    np.add.at(means, owners, np.asarray(built.parts.vectors))
    means = unit(means)
    vote, best = KernelVote(built.config.temperature, built.config.length_penalty), BestTerm()
    picked: dict[str, dict[str, list[int]]] = {}
    spent_on: dict[str, float] = {}
    for start in range(0, len(distinct), CHUNK):
        texts = distinct[start : start + CHUNK]
        queries = built.pipeline.encoded([Request(t, mentions.language, mentions=((0, len(t)),)) for t in texts])
        for rows in ROWS:
            with cpu_seconds() as spent:
                near = built.parts.index.search(queries, k=rows)
            spent_on[f"{rows} rows"] = spent_on.get(f"{rows} rows", 0.0) + spent()
            for i, text in enumerate(texts):
                ids = near.ids[i][near.ids[i] != EMPTY]
                concepts, member = np.unique(owners[ids], return_inverse=True)
                counts = built.terminology.row_counts[concepts]
                lists = {
                    "vote": concepts[np.argsort(-vote.concept_scores(near.scores[i, : len(ids)], member, counts))],
                    "best alias": concepts[
                        np.argsort(-best.concept_scores(near.scores[i, : len(ids)], member, counts))
                    ],
                }
                if rows == ROWS[1]:
                    lists["mean vector"] = np.argsort(-(means @ queries.vectors[i]))[: max(KS)]
                    spelled = best.concept_scores(near.parts["lexical"][i, : len(ids)], member, counts)
                    for other, order in (
                        ("best alias", lists["best alias"]),
                        ("mean vector", lists["mean vector"]),
                        ("spelling", concepts[np.argsort(-spelled)]),
                    ):
                        lists[f"16 by vote, then in turn with {other}"] = _in_turn(lists["vote"], order, first=16)
                for how, order in lists.items():
                    picked.setdefault(f"{rows} rows, {how}", {})[text] = order[: max(KS)].tolist()
    report: dict[str, object] = {
        f"CPU-ms a mention to search {rows}": round(1000 * s / len(distinct), 2) for rows, s in spent_on.items()
    }
    for how, lists_of in picked.items():
        named = [[built.terminology.concepts[c].id for c in lists_of[text]] for text in mentions.texts]
        report[how] = recall(ranks(named, mentions.gold))
        print(f"  {how:60s} {report[how]}", flush=True)
    return report


def _in_turn(order: np.ndarray, other: np.ndarray, *, first: int) -> np.ndarray:
    pairs = zip(order[first:].tolist(), other.tolist(), strict=False)
    return np.array(list(dict.fromkeys([*order[:first].tolist(), *(c for pair in pairs for c in pair)])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--cache", type=Path, default=Path("artifacts/vectors"))
    parser.add_argument("--only", nargs="*", default=list(SETS))
    parser.add_argument("--without", nargs="*", default=[], help="languages of HPO to hold out, such as nl it pt")
    parser.add_argument("--candidates", action="store_true", help="also other ways to pick 64 concepts")
    chosen = parser.parse_args()
    store = ArtifactStore(chosen.artifacts)
    encoder = Kept(
        EncoderLibrary(store, device="cpu", threads=1).get(registry.spec("medical").config().encoder), chosen.cache
    )
    config = SPEC.config().model_dump()
    for name in chosen.only:
        built = built_for(SETS[name][0], store, encoder)
        save_part("medical_fusion", name, of_set(name, built), config=config)
        if chosen.candidates:
            save_part("medical_fusion", f"{name} candidates", candidates(name, built), config=config)
    for language in chosen.without:
        save_part("medical_fusion", f"hpo without {language}", unnamed(language, store, encoder), config=config)


if __name__ == "__main__":
    main()
