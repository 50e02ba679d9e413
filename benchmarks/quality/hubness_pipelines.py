"""Corrections inside the job titles pipeline, as a build serves them: dense and lexical fused, 1,000 rows re-scored.

    OMP_NUM_THREADS=1 python -m benchmarks.quality.hubness_pipelines --artifacts DIR [--terminology esco-en]

DIR holds a build of job titles over English ESCO 1.2.0 and its encoders. Titles of jobbert_val in three parts: 1,000
unlabelled as traffic, 1,000 labelled to choose `auto` by, 1,500 to test. Two query banks: the traffic, and the default
of a build, 1,000 of the terms. Writes benchmarks/results/hubness_pipelines.json. Three CPU-minutes.
"""

import argparse
import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.common import SHARED, first_hits, paired, recall, save, summary
from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from models.hubness.base import NoCorrection
from models.indexes.faiss import FaissIndex
from pipelines import registry
from pipelines.aggregation import KernelVote, Naming
from pipelines.build import open_build
from pipelines.correcting import NEIGHBOURS, skewness_of
from pipelines.deciding import TakeBest
from pipelines.flow import FETCHED
from pipelines.hubs import fit_hubs
from pipelines.results import Options, Request
from pipelines.spec import CalibrationSet

console = Console()


def titles() -> list[tuple[str, str]]:
    with (SHARED / "titles" / "dev" / "jobbert_val.csv").open(encoding="utf-8") as stream:
        rows = [(row["vacancyTitle"], row["conceptUri"]) for row in csv.DictReader(stream)]
    return [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:3500]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=Path, required=True)
    parser.add_argument("--terminology", default="esco-en")
    options = parser.parse_args()
    spec = registry.spec("job-titles")
    store = ArtifactStore(options.artifacts)
    built = open_build(spec, options.terminology, store=store, encoder_of=EncoderLibrary(store, device="cpu").get)
    size, width = built.terminology.rows, built.encoder.dimension
    dense = FaissIndex.from_file(built.artifact.path("dense.faiss"), size=size, dimension=width)
    vectors = np.array(dense.vectors)  # the view ends with the index
    every = titles()
    traffic, developed, tested = every[:1000], every[1000:2000], every[2000:]
    requests = [Request(title, "en") for title, _ in tested]
    queries = built.pipeline.encoded(requests)
    found = built.parts.index.search(queries, k=FETCHED)
    config = built.config
    naming = Naming(built.terminology, aggregation=KernelVote(config.temperature, config.length_penalty), limit=10)
    gold = [{concept} for _, concept in tested]
    texts, concepts = [t for t, _ in developed], [c for _, c in developed]
    labelled = CalibrationSet(texts, ["en"] * len(texts), concepts, [-1] * len(texts))
    measured: dict[str, Any] = {}
    for bank, asked in {"traffic": [Request(t, "en") for t, _ in traffic], "terms": []}.items():
        hubs = fit_hubs(
            lambda some: spec.pipeline(config, some, built.query_encoder),
            replace(built.parts, decider=TakeBest()),
            vectors,
            encoder=built.encoder.fingerprint,
            options=config.hubness,
            queries=asked,
            labelled=labelled,
        )
        hits: dict[str, np.ndarray] = {}
        about: dict[str, Any] = {}
        for method, correction in {"none": NoCorrection(), **hubs.corrections}.items():
            corrected = correction.correct(queries, found)
            candidates = naming.candidates(corrected, options=[Options(top_k=10)] * len(queries))
            hits[method] = first_hits([[c.concept_id for c in some] for some in candidates], gold)
            skewness = skewness_of(corrected.ids[:, :NEIGHBOURS], size=size)
            against = paired(recall(hits[method], 1), recall(hits["none"], 1))
            about[method] = {**summary(hits[method]), "skewness": round(skewness, 4), "R@1 against none": against}
            console.print(bank, method, about[method]["R@1"], about[method]["skewness"], against)
        measured[bank] = {"methods": about, "auto": hubs.report.method, "reason": hubs.report.reason}
        console.print(hubs.report.reason)
    counts = {"rows": size, "traffic": len(traffic), "development": len(developed), "test": len(tested)}
    save("hubness_pipelines", {"n": counts, "sets": measured})


if __name__ == "__main__":
    main()
