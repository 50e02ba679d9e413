"""Dense indexes over a medical build's rows: what they cost to build, what they find of the exact rows, how fast.

    python -m benchmarks.speed.indexes --artifacts artifacts --terminology hpo [--only codes hnsw]

Needs a build of the medical pipeline and its encoder. The queries are the distinct mentions of QUAERO and GSC+, as they are
encoded when they are asked. CPU-seconds and CPU-milliseconds of one thread; recall@128 against an exact scan.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.common import save_part
from benchmarks.quality.medical import mentions_of
from models.arrays import Queries, Vectors
from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from models.indexes.faiss import FaissIndex
from pipelines import registry
from pipelines.build import Build, open_build
from pipelines.medical.pipeline import row_text

K = 128
"""Rows that the medical pipeline asks for."""
BATCHES = (1, 16, 64)
ASKED = 640
METHODS = ("exact", "codes", "hnsw", "ivf")


def asked_of(built: Build) -> Vectors:
    texts = dict.fromkeys(row_text(text) for name in ("gsc", "quaero") for text in mentions_of(name).texts)
    drawn = np.random.default_rng(0).permutation(list(texts))[:ASKED]
    return built.query_encoder.encode_query(drawn.tolist())


def milliseconds(index: FaissIndex, asked: Vectors, batch: int) -> float:
    index.search(Queries.of_vectors(asked[:batch]), k=K)
    begun = time.process_time()
    for start in range(0, len(asked), batch):
        index.search(Queries.of_vectors(asked[start : start + batch]), k=K)
    return round(1000 * (time.process_time() - begun) / len(asked), 3)


def measured(method: str, rows: Vectors, asked: Vectors, exact: np.ndarray) -> dict[str, object]:
    begun = time.process_time()
    index = FaissIndex.build(rows, method=method)
    spent = time.process_time() - begun
    found = index.search(Queries.of_vectors(asked), k=K).ids
    report: dict[str, object] = {
        "build_cpu_s": round(spent, 1),
        "effort": index.effort,
        "recall@128": round(
            float(np.mean([len(np.intersect1d(a, b)) / K for a, b in zip(exact, found, strict=True)])), 4
        ),
        "cpu_ms_a_query": {f"{batch} at once": milliseconds(index, asked, batch) for batch in BATCHES},
        "mb": round(len(index.to_bytes()) / 1e6, 1),
    }
    print(method, report, flush=True)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--terminology", default="hpo")
    parser.add_argument("--only", nargs="*", default=list(METHODS))
    chosen = parser.parse_args()
    store = ArtifactStore(chosen.artifacts)
    library = EncoderLibrary(store, device="cpu", threads=1)
    built = open_build(registry.spec("medical"), chosen.terminology, store=store, encoder_of=library.get)
    vectors = built.parts.vectors
    if vectors is None:
        raise SystemExit("that build keeps no rows to index")
    rows, asked = np.array(vectors), asked_of(built)
    exact = FaissIndex.build(rows, method="exact").search(Queries.of_vectors(asked), k=K).ids
    for method in chosen.only:
        save_part("indexes", method, measured(method, rows, asked, exact), config={"k": K, "rows": list(rows.shape)})


if __name__ == "__main__":
    main()
