"""Re-rankers as they are served, for benchmarks/quality/medical_reranker.py: after a new build, and on whole documents.

Documents fall into two halves; each is answered by what the other half taught, confidence included.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.common import cpu_seconds
from benchmarks.quality.medical import CHUNK, ROUNDS, Document, Kept, by_document, interval
from models.calibration.platt import PlattCalibrator
from models.rerankers.cross_encoder import CrossEncoder
from pipelines import registry
from pipelines.build import Build
from pipelines.deciding import CalibratedDecider, Decider
from pipelines.medical.corpora import AnnotatedDocument, Annotation
from pipelines.medical.crossing import train_cross
from pipelines.medical.material import Examples, annotated, with_unmarked
from pipelines.medical.reranking import reranker
from pipelines.medical.train import TrainConfig, Trial, calibrated, read_examples
from pipelines.reranking import Reranking
from pipelines.results import Decision, Options, Request
from pipelines.scoring import expected_calibration_error
from pipelines.space import space_of

HALVES = 2


def learned(built: Build, examples: Examples, config: TrainConfig) -> Reranking:
    """What `cognomen train medical` would keep, were all examples its data."""
    trial = Trial(built, examples, None, config)
    return replace(trial.reranking(), calibration=calibrated(built, trial))


def decider(built: Build, reranking: Reranking | None) -> Decider:
    if reranking is None:
        return built.parts.decider
    found = reranking.calibration
    named = None if found["named"] is None else PlattCalibrator.from_json(found["named"])
    return CalibratedDecider(
        built.terminology, PlattCalibrator.from_json(found["calibrator"]), found["threshold"], named
    )


def decisions(built: Build, reranking: Reranking | None, examples: Examples) -> list[Decision]:
    """What a build answers to mentions whose candidates are at hand."""
    candidates = reranker(reranking, built.terminology).rerank(examples.mentions, examples.queries, examples.candidates)
    options = [Options(top_k=1)] * len(examples)
    return decider(built, reranking).decide(examples.mentions, candidates, options)


def rebuilt(before: Build, after: Build, documents: Sequence[AnnotatedDocument], language: str) -> dict[str, object]:
    """Taught over one build of a terminology and asked over the next: R@1 and calibration beside being taught anew."""
    config = TrainConfig(terminology=after.terminology.name)
    spec = registry.spec("medical")
    old, new = (annotated(spec, built, documents, language=language) for built in (before, after))
    halves = new.folds(HALVES)
    first: dict[str, np.ndarray] = {}
    sure: dict[str, np.ndarray] = {}
    for half in range(HALVES):
        asked, taught = halves == half, halves != half
        kept = learned(before, old.where(taught), config)
        carried = replace(kept, space=space_of(after.artifact, after.encoder))
        anew = learned(after, new.where(taught), config)
        for name, built, reranking, examples in (
            ("retrieval", after, None, new),
            ("before", before, kept, old),
            ("carried over", after, carried, new),
            ("taught anew", after, anew, new),
        ):
            some = examples.where(asked)
            found = decisions(built, reranking, some)
            hits = [
                bool(d.candidates) and d.candidates[0].concept_id in r for d, r in zip(found, some.right, strict=True)
            ]
            first.setdefault(name, np.zeros(len(new)))[asked] = hits
            sure.setdefault(name, np.zeros(len(new)))[asked] = [d.confidence for d in found]
    gain = first["carried over"] - first["taught anew"]
    report: dict[str, object] = {
        "mentions": len(new),
        "rows_before": before.terminology.rows,
        "rows_after": after.terminology.rows,
        "carried_minus_anew_R@1": interval(*by_document(gain, new.documents)),
    }
    for name, hits in first.items():
        ece = expected_calibration_error(sure[name], hits.astype(bool))
        report[name] = {"R@1": interval(*by_document(hits, new.documents)), "ECE": round(ece, 4)}
    return report


def whole(built: Build, encoder: Kept, documents: Sequence[Document]) -> dict[str, object]:
    """End to end without a re-ranker, taught by what people marked, and taught by what is found beside that as well."""
    config = TrainConfig(terminology=built.terminology.name)
    spec = registry.spec("medical")
    read = [
        AnnotatedDocument(
            d.name, d.text, tuple(Annotation(a, b, frozenset(ids)) for (a, b), ids in d.gold.items()), d.language
        )
        for d in documents
    ]
    ways: dict[str, Examples | None] = {"without": None}
    ways["marked"] = annotated(spec, built, read, language=None)
    ways["marked and unmarked"] = annotated(spec, built, with_unmarked(read, built, language=None), language=None)
    report: dict[str, object] = {"documents": len(documents)}
    for way, examples in ways.items():
        report[way] = _answered(built, encoder, documents, examples, config)
        print(way, report[way], flush=True)
    return report


def _answered(
    built: Build, encoder: Kept, documents: Sequence[Document], examples: Examples | None, config: TrainConfig
) -> dict[str, object]:
    half_of = dict(zip(examples.documents, examples.folds(HALVES).tolist(), strict=True)) if examples else {}
    seconds = 0.0
    tallies = []
    for half in range(HALVES):
        # A document in which nothing is marked teaches nothing; the first half's re-ranker answers it.
        some = [d for d in documents if half_of.get(d.name, 0) == half]
        if not some:
            continue
        pipeline = built.pipeline
        if examples is not None:
            reranking = learned(built, examples.where(examples.folds(HALVES) != half), config)
            parts = replace(built.parts, reranking=reranking, decider=decider(built, reranking))
            pipeline = registry.spec("medical").pipeline(built.config, parts, built.query_encoder)
        encoder.forgetful = True
        pipeline.run([Request("warm up")])
        with cpu_seconds() as spent:
            for start in range(0, len(some), CHUNK):
                chunk = some[start : start + CHUNK]
                results = pipeline.run([Request(d.text, d.language, options=Options(top_k=1)) for d in chunk])
                tallies += [_Tally(d, [(m.mention.start, m.mention.end, m.decision) for m in r.mentions])
                            for d, r in zip(chunk, results, strict=True)]  # fmt: skip
        seconds += spent()
        encoder.forgetful = False
    characters = sum(len(d.text) for d in documents)
    return {**_scores(tallies), "cpu_ms_per_2000_characters": round(1000 * seconds / characters * 2000, 1)}


class _Tally:
    """One document's found mentions against its gold."""

    def __init__(self, document: Document, found: list[tuple[int, int, Decision]]) -> None:
        gold = document.gold
        self.gold = len(gold)
        answered = [(d, d.concept_id in gold.get((a, b), ())) for a, b, d in found if not d.nil]
        self.right = sum(right for _, right in answered)
        self.answered = len(answered)
        self.sure = [d.confidence for d, _ in answered]
        self.was_right = [right for _, right in answered]
        # A found span that nobody marked names nothing that counts.
        self.nothing = sum((a, b) not in gold for a, b, _ in found)
        self.nil = sum(d.nil for _, _, d in found)
        self.nil_right = sum(d.nil and (a, b) not in gold for a, b, d in found)


def _scores(tallies: Sequence[_Tally]) -> dict[str, object]:
    counts = np.array([(t.right, t.answered, t.gold) for t in tallies])
    drawn = counts[np.random.default_rng(0).integers(0, len(counts), (ROUNDS, len(counts)))].sum(axis=1)
    f1 = 2 * drawn[:, 0] / np.maximum(drawn[:, 1] + drawn[:, 2], 1)
    right, answered, gold = (int(x) for x in counts.sum(axis=0))
    nil, nil_right, nothing = (sum(getattr(t, name) for t in tallies) for name in ("nil", "nil_right", "nothing"))
    sure = np.array([p for t in tallies for p in t.sure])
    was_right = np.array([r for t in tallies for r in t.was_right], bool)
    return {
        "gold": gold,
        "precision": round(right / max(answered, 1), 4),
        "recall": round(right / gold, 4),
        "F1": [round(float(x), 4) for x in (2 * right / (answered + gold), *np.percentile(f1, [2.5, 97.5]))],
        "ECE": round(expected_calibration_error(sure, was_right), 4),
        "nil_precision": round(nil_right / max(nil, 1), 4),
        "nil_recall": round(nil_right / max(nothing, 1), 4),
    }


def unannotated(built: Build, asked: Examples, config: TrainConfig) -> dict[str, object]:
    """Taught by aliases alone, nobody having annotated anything: R@1 beside retrieval's."""
    weak, _ = read_examples(config, built)
    with cpu_seconds() as spent:
        trial = Trial(built, weak, None, config, remembers=False)
        ranker = trial.learned()
    logits = ranker.logits(trial.evidence(None).of(asked.mentions, asked.queries, asked.candidates))
    right = asked.hits(limit=config.evidence.candidates)
    verdict = trial.verdict()
    after = right[np.arange(len(right)), logits[:, : right.shape[1]].argmax(axis=1)]
    return {
        "aliases": len(weak),
        "mentions": len(asked),
        "kept": verdict.wins,
        "on aliases held out": verdict.to_json(),
        "retrieval_R@1": interval(*by_document(right[:, 0].astype(float), asked.documents)),
        "re-ranked_R@1": interval(*by_document(after.astype(float), asked.documents)),
        "gain_R@1": interval(*by_document(after.astype(float) - right[:, 0], asked.documents)),
        "training_cpu_s": round(spent(), 1),
    }


def crossed(built: Build, taught: Examples, asked: Examples, config: TrainConfig, work: Path) -> dict[str, object]:
    """A cross-encoder on top of weighed evidence, as served: R@1 on documents that taught nothing, with and without."""
    assert config.cross is not None
    trial = Trial(built, taught, None, config)
    folds = trial.folds
    with cpu_seconds() as spent:
        made = train_cross(
            config.cross,
            built.terminology,
            taught,
            trial.logits,
            teaching=folds > 1,
            stopping=folds == 0,
            judging=folds == 1,
            seed=config.seed,
            work=work,
            resume=True,
            on_progress=lambda stage, done, total: None if done % 50 else print(stage, done, total, flush=True),
        )
    cross = CrossEncoder(made.folder)
    kept = trial.reranking(reading=made.reading)
    first: dict[str, np.ndarray] = {}
    for name, some in (("evidence", replace(kept, cross=None)), ("evidence and pairs", replace(kept, cross=cross))):
        with cpu_seconds() as reading:
            ranked = reranker(some, built.terminology).rerank(asked.mentions, asked.queries, asked.candidates)
        hits = [bool(cs) and cs[0].concept_id in right for cs, right in zip(ranked, asked.right, strict=True)]
        first[name] = np.array(hits, float)
        print(name, first[name].mean(), reading(), flush=True)
    gain = first["evidence and pairs"] - first["evidence"]
    return {
        "mentions": len(asked),
        "kept": made.verdict.wins,
        "on a fold held out": made.report,
        "R@1": {name: interval(*by_document(hits, asked.documents)) for name, hits in first.items()},
        "gain_R@1": interval(*by_document(gain, asked.documents)),
        "training_cpu_s": round(spent(), 1),
        "cpu_ms_a_mention": round(1000 * reading() / len(asked), 2),
    }
