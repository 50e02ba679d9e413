"""Job titles, zero-shot: exact, BM25, char TF-IDF, MiniLM alone and ours, on every development set, in one run.

    python -m benchmarks.quality.job_titles --artifacts artifacts [--only talentclef jobbert melo]

Needs ../shared/titles and the prepared encoders of the job titles pipeline (`cognomen setup`). Writes
benchmarks/results/job_titles.json. About 20 CPU-minutes.

Rankings are of concepts: every method ranks a concept by its best term, ours by its pipeline. Weights were chosen on
these same development sets (a handful of numbers, `pipelines/job_titles/config.py`); nothing was trained on them.
"""

import argparse
import csv
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.common import (
    KS,
    average_precision,
    bootstrap,
    first_hits,
    paired,
    recall,
    reciprocal,
    save_part,
    summary,
)
from benchmarks.quality.titles_data import MELO, TALENTCLEF, TITLES, TitleSet, esco_english, jobbert, melo, talentclef
from models.arrays import EMPTY, Neighbours, Queries, top_rows
from models.artifacts import ArtifactStore
from models.calibration.platt import PlattCalibrator
from models.encoders.base import Encoder
from models.encoders.cached import CachedEncoder
from models.encoders.library import EncoderLibrary
from models.hubness.base import NoCorrection
from models.indexes.faiss import FaissIndex
from models.indexes.lexical import LexicalIndex, NgramConfig
from pipelines import registry
from pipelines.aggregation import BestTerm, Naming
from pipelines.build import Build, build, calibrate
from pipelines.config import PipelineConfig
from pipelines.deciding import CalibratedDecider, TakeBest
from pipelines.encoding import TextEncoding, centred, encode_rows
from pipelines.flow import Parts
from pipelines.fusing import LearnedFusion
from pipelines.job_titles.pipeline import row_text
from pipelines.job_titles.prepare import held_back, not_titles
from pipelines.results import Options, Request
from pipelines.scoring import expected_calibration_error
from pipelines.spec import CalibrationSet
from pipelines.terminology import Terminology


class RememberingLibrary(EncoderLibrary):
    """Encoders that remember: sets share their terms, and baselines share encoders with ours."""

    def _open(self, name: str) -> Encoder:
        return CachedEncoder(super()._open(name), max_bytes=1 << 30)


SPEC = registry.spec("job-titles")
NOT_TITLES = Path(__file__).with_name("not_titles.txt")
DEPTH = 50
ROWS = 600
console = Console()


class Method(ABC):
    """Queries in, ranked concept ids out."""

    name: str

    @abstractmethod
    def rows(self, texts: Sequence[str], k: int) -> Neighbours:
        """The k best rows of each text."""

    def rank(self, data: TitleSet, *, depth: int = DEPTH, rows: int = ROWS) -> list[list[str]]:
        naming = Naming(data.terminology, aggregation=BestTerm(), limit=depth)
        ranked = []
        for start in range(0, len(data.queries), 1024):
            texts = data.queries[start : start + 1024]
            found = self.rows(texts, rows)
            named = naming.candidates(found, options=[Options(top_k=1)] * len(texts))
            ranked += [[c.concept_id for c in some] for some in named]
        return ranked


class Exact(Method):
    name = "exact"

    def __init__(self, terminology: Terminology) -> None:
        self._rows: dict[str, list[int]] = {}
        for row, term in enumerate(terminology.row_terms):
            self._rows.setdefault(row_text(term.text), []).append(row)

    def rows(self, texts: Sequence[str], k: int) -> Neighbours:
        hits = [self._rows.get(row_text(text), []) for text in texts]
        ids = np.full((len(texts), max(1, *map(len, hits))), EMPTY, np.int64)
        for i, some in enumerate(hits):
            ids[i, : len(some)] = some
        return Neighbours(np.where(ids == EMPTY, -np.inf, 1).astype(np.float32), ids)


class BM25(Method):
    name = "BM25"

    def __init__(self, terminology: Terminology) -> None:
        self._index = bm25s.BM25()
        texts = [row_text(t.text) for t in terminology.row_terms]
        self._index.index(bm25s.tokenize(texts, stopwords=None, show_progress=False), show_progress=False)
        self._size = len(texts)

    def rows(self, texts: Sequence[str], k: int) -> Neighbours:
        tokens = bm25s.tokenize([row_text(t) for t in texts], stopwords=None, show_progress=False)
        ids, scores = self._index.retrieve(tokens, k=min(k, self._size), show_progress=False)
        found = scores > 0
        return Neighbours(
            np.where(found, scores, -np.inf).astype(np.float32), np.where(found, ids, EMPTY).astype(np.int64)
        ).sorted()


class CharTfIdf(Method):
    name = "char TF-IDF"

    def __init__(self, terminology: Terminology) -> None:
        self._index = LexicalIndex.build([row_text(t.text) for t in terminology.row_terms])

    def rows(self, texts: Sequence[str], k: int) -> Neighbours:
        return self._index.search(Queries.of_texts([row_text(t) for t in texts]), k=k)


class MiniLM(Method):
    name = "MiniLM"

    def __init__(self, terminology: Terminology, library: EncoderLibrary) -> None:
        self._encoder = library.get("minilm")
        vectors = self._encoder.encode_passage([row_text(t.text) for t in terminology.row_terms])
        self._index = FaissIndex.build(vectors, method="exact")

    def rows(self, texts: Sequence[str], k: int) -> Neighbours:
        vectors = self._encoder.encode_query([row_text(t) for t in texts])
        return self._index.search(Queries.of_vectors(vectors), k=k)


def baselines(terminology: Terminology, library: EncoderLibrary) -> list[Method]:
    return [Exact(terminology), BM25(terminology), CharTfIdf(terminology), MiniLM(terminology, library)]


def run(built: Build, texts: Sequence[str], *, language: str | None, top_k: int = DEPTH) -> list:
    options = Options(top_k=top_k)
    results = []
    for start in track(range(0, len(texts), 512), description=built.terminology.name, console=console, transient=True):
        batch = [Request(t, language=language, options=options) for t in texts[start : start + 512]]
        results += built.pipeline.run(batch)
    return results


def ranked(results: Sequence) -> list[list[str]]:
    return [[c.concept_id for c in r.mentions[0].decision.candidates] for r in results]


def measure(data: TitleSet, built: Build, library: EncoderLibrary, *, blind: bool = False) -> dict:
    """Every method on one set; ours with the language given and, where `blind`, also with it guessed."""
    hits = {m.name: first_hits(m.rank(data), data.gold) for m in baselines(data.terminology, library)}
    ways = {"ours": data.language} | ({"ours, language guessed": None} if blind else {})
    for name, language in ways.items():
        hits[name] = first_hits(ranked(run(built, data.queries, language=language)), data.gold)
    against = {}
    for k in [*KS, "MRR"]:
        score = reciprocal if k == "MRR" else (lambda h, k=k: recall(h, k))
        best = max((n for n in hits if not n.startswith("ours")), key=lambda n: score(hits[n]).mean())
        label = k if k == "MRR" else f"R@{k}"
        against[label] = {"best baseline": best, **paired(score(hits["ours"]), score(hits[best]))}
    return {
        "n": len(data.queries),
        "concepts": len(data.terminology),
        "terms": data.terminology.rows,
        "methods": {n: summary(h) for n, h in hits.items()},
        "ours against the best baseline": against,
    }


def measure_talentclef(data: TitleSet, library: EncoderLibrary) -> dict:
    """MAP over full rankings; ours is the pipeline's encoding and fusion, since no concept has terms to vote."""
    config = SPEC.config()
    texts = [row_text(t.text) for t in data.terminology.row_terms]
    queries = [row_text(t) for t in data.queries]
    n = len(texts)
    every = np.broadcast_to(np.arange(n, dtype=np.int64), (len(queries), n))
    encoder = library.get(config.encoder)
    vectors, means = encode_rows(texts, encoder=encoder, config=config)
    encoding = TextEncoding(centred(encoder, means), config.blocks)
    dense = encoding.encode(queries, [data.language] * len(queries)) @ vectors.T
    lexical = LexicalIndex.build(texts, config=_ngrams(config)).score(Queries.of_texts(queries), every)
    weight = LearnedFusion().weights(config.fusion, data.terminology.languages).lexical([data.language])
    rankings = {m.name: m.rank(data, depth=n, rows=n) for m in baselines(data.terminology, library)}
    found = top_rows(((1 - weight) * dense + weight * lexical).astype(np.float32), k=n)
    rankings["ours"] = [
        [data.terminology.concepts[data.terminology.row_concepts[r]].id for r in ids] for ids in found.ids
    ]
    precision = {
        name: np.array([average_precision(ids, right) for ids, right in zip(some, data.gold, strict=True)])
        for name, some in rankings.items()
    }
    best = max((m for m in precision if m != "ours"), key=lambda m: precision[m].mean())
    return {
        "n": len(queries),
        "titles": n,
        "methods": {m: {"MAP": [round(x, 4) for x in bootstrap(p)]} for m, p in precision.items()},
        "ours against the best baseline": {
            "MAP": {"best baseline": best, **paired(precision["ours"], precision[best])}
        },
    }


def _ngrams(config: PipelineConfig) -> NgramConfig:
    return NgramConfig(**config.ngrams.model_dump())


def measure_nil(data: TitleSet, built: Build) -> dict:
    """Titles mixed with 20 % texts that name no occupation: NIL precision and recall, and how honest confidence is.

    Half of the titles stay out, for the second calibration: the build's own (made from the terminology's terms) and one
    on labelled titles, both judged on the same other half. The texts that are no titles: our own list, which no
    calibration has seen, and ESCO skill labels, which are as near to titles as such texts get.
    """
    rng = np.random.default_rng(0)
    order = rng.permutation(len(data.queries))[:6000]
    labelled, tested = order[:3000], order[3000:]
    own = [t for t in NOT_TITLES.read_text(encoding="utf-8").splitlines() if t and not t.startswith("#")]
    with (TITLES / "esco_skill_labels.csv").open(encoding="utf-8", newline="") as stream:
        skills = sorted({row[-1] for row in csv.reader(stream)})
    skills = [skills[i] for i in rng.permutation(len(skills))[: len(tested) // 4 - len(own)]]
    texts = [data.queries[i] for i in tested] + own + skills
    gold = [data.gold[i] for i in tested] + [set()] * (len(own) + len(skills))
    kinds = np.array(["title"] * len(tested) + ["other"] * len(own) + ["skill"] * len(skills))
    others = [text for text in not_titles() if held_back(text)][: len(labelled) // 4]
    known = CalibrationSet(
        texts=[data.queries[i] for i in labelled] + others,
        languages=["en"] * len(labelled) + [None] * len(others),
        concepts=[next(iter(data.gold[i])) for i in labelled] + [None] * len(others),
        held_out=[-1] * (len(labelled) + len(others)),
    )
    parts = Parts(built.terminology, built.parts.index, TakeBest(), {"none": NoCorrection(), "auto": NoCorrection()})
    fitted = calibrate(SPEC, parts, known, encoder=built.query_encoder, config=built.config)
    judged = {}
    # All that `decide` sees when it serves, so that both deciders judge on the same evidence as there.
    results = run(built, texts, language=None, top_k=built.config.candidates)
    candidates = [list(r.mentions[0].decision.candidates) for r in results]
    mentions = [r.mentions[0].mention for r in results]
    on_labelled = CalibratedDecider(
        built.terminology,
        PlattCalibrator.from_json(fitted["calibrator"]),
        fitted["threshold"],
        PlattCalibrator.from_json(fitted["named"]),
    )
    for name, decider, threshold in (
        ("calibrated at build", built.parts.decider, built.artifact.manifest.details["calibration"]["threshold"]),
        ("calibrated on 3,000 labelled titles", on_labelled, fitted["threshold"]),
    ):
        decisions = decider.decide(mentions, candidates, [Options(top_k=5)] * len(texts))
        nil = np.array([d.nil for d in decisions])
        right = np.array([bool(c) and c[0].concept_id in g for c, g in zip(candidates, gold, strict=True)])
        confidence = np.array([d.candidates[0].confidence if d.candidates else 0.0 for d in decisions])
        none = kinds != "title"
        judged[name] = {
            "threshold": threshold,
            "NIL precision": round(float(none[nil].mean()), 4),
            "NIL recall": round(float(nil[none].mean()), 4),
            "NIL recall, own list": round(float(nil[kinds == "other"].mean()), 4),
            "NIL recall, skill labels": round(float(nil[kinds == "skill"].mean()), 4),
            "titles answered": round(float((~nil)[~none].mean()), 4),
            "right of those answered": round(float(right[~nil & ~none].mean()), 4),
            "right of those refused": round(float(right[nil & ~none].mean()), 4),
            "ECE, titles": round(expected_calibration_error(confidence[~none], right[~none]), 4),
            "ECE, mixed": round(expected_calibration_error(confidence, right), 4),
        }
    return {"titles": len(tested), "no titles": int((kinds != "title").sum()), "judged": judged}


def measure_starter(data: TitleSet, library: EncoderLibrary, store: ArtifactStore) -> dict:
    """The starter on the same titles: its unit groups against the ISCO-08 group of each title's ESCO occupation."""
    terminology = SPEC.starter()
    built = make(terminology, library, store)
    group = {c.id: f"ISCO08:{c.codes['isco-08']}" for c in data.terminology.concepts if not c.abstract}
    gold = [{group[next(iter(g))]} if next(iter(g)) in group else set() for g in data.gold]
    kept = [i for i, g in enumerate(gold) if g]
    queries = [data.queries[i] for i in kept]
    hits = first_hits(ranked(run(built, queries, language="en")), [gold[i] for i in kept])
    return {"n": len(kept), "concepts": 436, "methods": {"starter, ours": summary(hits)}}


def make(terminology: Terminology, library: EncoderLibrary, store: ArtifactStore) -> Build:
    config = SPEC.config()
    encoder = library.get(config.encoder)
    console.print(f"building {terminology.name}: {len(terminology)} concepts, {terminology.rows} terms")
    return build(SPEC, terminology, encoder=encoder, store=store, config=config)


def show(name: str, result: dict) -> None:
    columns = list(next(iter(result["methods"].values())))
    table = Table("method", *columns, title=f"{name} (n = {result['n']})")
    for method, scores in result["methods"].items():
        table.add_row(
            method,
            *(f"{s[0]:.3f} [{s[1]:.3f}, {s[2]:.3f}]" if isinstance(s, list) else str(s) for s in scores.values()),
        )
    console.print(table)
    for metric, row in result["ours against the best baseline"].items():
        console.print(f"  {metric}: {row}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--only", nargs="*", default=["talentclef", "jobbert", "melo"], help="or nil: that alone")
    parser.add_argument("--sets", nargs="*", default=list(MELO), help="which MELO sets")
    parser.add_argument("--sample", type=int, default=0, help="queries per set, for a quick look; nothing is saved")
    arguments = parser.parse_args()
    library = RememberingLibrary(ArtifactStore(arguments.artifacts), device="cpu")
    results: dict[str, dict] = {}

    def take(data: TitleSet) -> TitleSet:
        if not arguments.sample or len(data.queries) <= arguments.sample:
            return data
        rows = np.random.default_rng(0).choice(len(data.queries), arguments.sample, replace=False)
        return TitleSet(
            data.name, data.language, [data.queries[r] for r in rows], [data.gold[r] for r in rows], data.terminology
        )

    def keep(name: str, result: dict) -> None:
        results[name] = result
        if not arguments.sample:
            save_part("job_titles", name, result, config=SPEC.config().model_dump())

    with tempfile.TemporaryDirectory() as folder:
        store = ArtifactStore(Path(folder))
        if "talentclef" in arguments.only:
            for name in TALENTCLEF:
                keep(f"talentclef_{name}", measure_talentclef(talentclef(name), library))
                show(name, results[f"talentclef_{name}"])
        if {"jobbert", "nil"} & set(arguments.only):
            esco = esco_english()
            built = make(esco, library, store)
            if "jobbert" in arguments.only:
                keep("jobbert_val", measure(take(jobbert(esco)), built, library, blind=True))
                show("jobbert_val", results["jobbert_val"])
            keep("nil", measure_nil(jobbert(esco), built))
            table = Table("", *results["nil"]["judged"], title="NIL and confidence")
            for row in next(iter(results["nil"]["judged"].values())):
                table.add_row(row, *(str(judged[row]) for judged in results["nil"]["judged"].values()))
            console.print(table)
            if "jobbert" in arguments.only:
                keep("starter", measure_starter(take(jobbert(esco)), library, store))
                console.print(results["starter"])
        if "melo" in arguments.only:
            for name in arguments.sets:
                data = take(melo(name))
                keep(name, measure(data, make(data.terminology, library, store), library, blind=True))
                show(name, results[name])


if __name__ == "__main__":
    main()
