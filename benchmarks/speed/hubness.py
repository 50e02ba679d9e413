"""What corrected search costs beside plain search at equal recall, and what fitting costs.

    OMP_NUM_THREADS=1 python -m benchmarks.speed.hubness --encoder DIR [--cache DIR] [--items 100000] [--bank 20000]
        [--only fit exact hnsw ivf million]

Rows are e5 vectors of 34,000 English titles and phenotypes, each moved by 0.4 of the difference of two others until
there are enough; queries and bank are German titles (texts and cache of benchmarks/quality/hubness.py). Latencies are
CPU-milliseconds of one query at a time, one thread, all indexes in turn and each on queries the others have not just
warmed. HNSW's efSearch and the nprobe of inverted lists are the lowest at which recall@10 reaches .95, for plain and
corrected search each against its own exact answers. `--only million` is plain and corrected search (is) at 1,000,000 rows
(`--million N`: fewer, for a trial that is not kept) in inverted lists, as rows and as codes of a byte a dimension:
what a process that does nothing but build takes, what one that does nothing but serve the memory-mapped file holds,
latency and recall. Codes are judged against the exact answers of the rows.
Writes benchmarks/results/hubness_speed.json. Twelve CPU-minutes, and twenty for the million, in 16 GB of memory.
"""

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from rich.console import Console

from benchmarks.common import cpu_seconds, save_part
from benchmarks.quality.hubness import encode, tasks
from models.arrays import Neighbours, Queries, RowIds, Scores, Vectors, unit
from models.encoders.registry import open_encoder
from models.hubness import registry
from models.hubness.fitted import Additive
from models.hubness.folding import fold, foldings
from models.hubness.normalizers import Bank, LogPartition, blocks, scan
from models.indexes.base import Index
from models.indexes.faiss import FaissIndex
from models.indexes.folded import FoldedIndex, Folding
from models.indexes.overfetch import OverfetchingIndex

D, K, RECALL = 384, 10, 0.95
METHODS = ("is", "dual_is", "nnn", "csls", "dis", "dual_dis")
console = Console()


def random(n: int, *, seed: int) -> Vectors:
    """n unit vectors of no meaning: what fitting costs does not depend on it."""
    return unit(np.random.default_rng(seed).standard_normal((n, D), dtype=np.float32))


def world(items: int, *, encoder: Path, cache: Path) -> tuple[Vectors, Bank, Bank, Vectors]:
    """Items, query bank, gallery bank, queries."""
    opened = open_encoder(encoder)
    by_name = {task.name: task for task in tasks()}
    titles, phenotypes, vacancies = (by_name[name] for name in ("esco en→en", "hpo es→en", "vacancies→esco"))
    texts = [*titles.items, *phenotypes.items, *titles.queries, *vacancies.queries]
    german = encode(opened, by_name["esco de→en, any term"].queries, cache)
    real = encode(opened, texts, cache)
    rng = np.random.default_rng(0)
    rows = np.empty((items, D), np.float32)
    for part in blocks(items, 10_000):
        a, b, c = rng.integers(0, len(real), (3, part.stop - part.start))
        rows[part] = unit(real[a] + 0.4 * (real[b] - real[c]))
    return rows, Bank(german[:3000]), Bank(encode(opened, titles.gallery, cache)), german[3000:]


def fit_cost(method: str, items: int, bank: int) -> dict[str, float]:
    """CPU-seconds and the peak memory of a process that does nothing else."""
    return alone(_fit_alone, method, items, bank)


def _fit_alone(method: str, items: int, bank: int) -> dict[str, float]:
    rows, asked = random(items, seed=2), Bank(random(bank, seed=3))
    gallery = Bank(random(bank, seed=4)) if method in {"dual_is", "all at once"} else None
    with cpu_seconds() as spent:
        if method == "all at once":
            registry.fit_all(rows, asked, gallery=gallery, encoder="made up")
        else:
            registry.fit(method, rows, asked, gallery=gallery, encoder="made up")
        seconds = spent()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_s": round(seconds, 1), "peak_rss_mb": round(peak)}


def grow_cost(items: int, more: int) -> dict[str, float]:
    """CPU-seconds to add `more` queries to a bank."""
    rows, asked = random(items, seed=2), Bank(random(more, seed=5))
    sums = LogPartition(items, beta=20.0)
    with cpu_seconds() as spent:
        scan(rows, asked, [sums])
        return {"queries": more, "cpu_s": round(spent(), 2)}


def latencies(indexes: Mapping[str, Index], queries: Vectors, *, rounds: int) -> dict[str, dict[str, float]]:
    """CPU-milliseconds of one query at a time, every index asked in turn."""
    times: dict[str, list[float]] = {name: [] for name in indexes}
    order = np.random.default_rng(0)
    for _ in range(rounds):
        # Each another query: several may share a graph, and the second would find its rows in the processor's cache.
        for (name, index), i in zip(indexes.items(), order.permutation(len(queries)), strict=False):
            one = Queries.of_vectors(queries[i][None])
            start = time.thread_time()
            index.search(one, k=K)
            times[name].append(1000 * (time.thread_time() - start))
    base = statistics.median(times["plain"])
    return {
        name: {
            "p50_ms": round(statistics.median(spent), 3),
            "p99_ms": round(float(np.percentile(spent, 99)), 3),
            "ratio": round(statistics.median(spent) / base, 3),
        }
        for name, spent in times.items()
    }


def recall(found: RowIds, exact: RowIds) -> float:
    return float(np.mean([len(np.intersect1d(a, b)) / K for a, b in zip(found, exact, strict=True)]))


def tune(engine: FaissIndex, search: Callable[[], RowIds], exact: RowIds) -> int:
    """The lowest efSearch or nprobe at which recall reaches RECALL, by bisection; 2,048 if none does."""
    low, high = (K - 1 if engine.method == "hnsw" else 0), 2048
    while high - low > 1:
        middle = (low + high) // 2
        engine.effort = middle
        low, high = (low, middle) if recall(search(), exact) >= RECALL else (middle, high)
    engine.effort = high
    return high


def exact_part(rows: Vectors, fitted: list[Additive], queries: Vectors) -> dict[str, Any]:
    """Flat scans: plain rows, rows with one correction, rows with all, over-fetching."""
    plain = FaissIndex.build(rows, method="exact")
    one = FaissIndex.build(fold(rows, fitted[:1]), method="exact")
    every = FaissIndex.build(fold(rows, fitted), method="exact")
    views = foldings(D, fitted)
    indexes: dict[str, Index] = {
        "plain": plain,
        "is, one column": FoldedIndex(one, foldings(D, fitted[:1])["is"]),
        **{f"{name}, of all": FoldedIndex(every, views[name]) for name in ("none", *METHODS)},
        "is, over-fetched 1,000": OverfetchingIndex(plain, fitted[0].rescore),
    }
    return latencies(indexes, queries, rounds=60)


def approximate_part(method: str, rows: Vectors, fitted: list[Additive], queries: Vectors) -> dict[str, Any]:
    """Graphs or lists over plain and over folded rows, each at the effort that reaches the recall."""
    asked = Queries.of_vectors(queries)
    built: dict[str, Any] = {}
    indexes: dict[str, Index] = {}
    matrices = {"plain": rows, "is": fold(rows, fitted[:1]), "of all": fold(rows, fitted)}
    for name, matrix in matrices.items():
        with cpu_seconds() as spent:
            engine = FaissIndex.build(matrix, method=method, recall=0)
            built[name] = {"build_cpu_s": round(spent(), 1), "width": matrix.shape[1]}
        console.print(name, built[name])
        if name == "plain":
            views: dict[str, Any] = {"plain": None}
        else:
            these = fitted[:1] if name == "is" else fitted
            views = {m if name == "is" else f"{m}, of all": f for m, f in foldings(D, these).items() if m != "none"}
        for label, folding in views.items():
            index: Index = engine if folding is None else FoldedIndex(engine, folding)
            flat = FaissIndex.build(matrix, method="exact")
            exact = (flat if folding is None else FoldedIndex(flat, folding)).search(asked, k=K).ids
            effort = tune(engine, lambda index=index: index.search(asked, k=K).ids, exact)
            reached = recall(index.search(asked, k=K).ids, exact)
            indexes[label] = _AtEffort(index, engine, effort)
            built[name][label] = {_EFFORTS[method]: effort, "recall": round(reached, 4)}
            console.print(label, built[name][label])
    return {"built": built, "latency": latencies(indexes, queries, rounds=1000)}


_EFFORTS = {"hnsw": "ef_search", "ivf": "nprobe", "ivf_sq8": "nprobe"}


class _AtEffort:
    """An index asked at its own effort, though it shares its graph or lists."""

    def __init__(self, index: Index, engine: FaissIndex, effort: int) -> None:
        self._index, self._engine, self._effort = index, engine, effort
        self.size = index.size

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        self._engine.effort = self._effort
        return self._index.search(queries, k=k)

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        return self._index.score(queries, rows)


def million_part(rows: Vectors, fitted: Additive, queries: Vectors, scratch: Path) -> dict[str, Any]:
    """Plain and corrected search over a million rows in lists, as rows and as codes."""
    asked = Queries.of_vectors(queries)
    views = foldings(D, [fitted])
    matrix, folding = scratch / "rows.npy", views["is"]
    kinds: dict[str, Any] = {"plain, ivf": rows, "is, ivf": fold(rows, [fitted]), "is, ivf_sq8": None}
    measured: dict[str, Any] = {}
    for name, folded in kinds.items():
        method = name.split(", ")[1]
        view = folding if name.startswith("is") else None
        if folded is not None:
            exact = _viewed(FaissIndex.build(folded, method="exact"), view).search(asked, k=K).ids
            np.save(matrix, folded)
            kinds[name] = None
            del folded
        built = alone(_build_alone, matrix, method, scratch / name)
        engine = FaissIndex.from_file(scratch / name, size=len(rows), dimension=built["width"])
        index = _viewed(engine, view)
        effort = tune(engine, lambda index=index: index.search(asked, k=K).ids, exact)
        reached = recall(index.search(asked, k=K).ids, exact)
        del engine, index
        # As they are asked: "is" opens its gate whatever is found.
        vectors = queries if view is None else view.extend(queries, lambda extended: np.zeros(len(extended), np.int64))
        served = alone(_serve_alone, scratch / name, len(rows), vectors, effort)
        measured[name] = {**built, "nprobe": effort, "recall": round(reached, 4), **served}
        console.print(name, measured[name])
    base = measured["plain, ivf"]["p50_ms"]
    for one in measured.values():
        one["ratio"] = round(one["p50_ms"] / base, 3)
    return measured


def _viewed(engine: FaissIndex, view: Folding | None) -> Index:
    return engine if view is None else FoldedIndex(engine, view)


def alone(work: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """What a process that does nothing else says of its work."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def _build_alone(matrix: Path, method: str, target: Path) -> dict[str, float]:
    rows = np.load(matrix)
    wall = time.monotonic()
    with cpu_seconds() as spent:
        content = FaissIndex.build(rows, method=method, recall=0).to_bytes()
        seconds = spent()
    took = time.monotonic() - wall
    target.write_bytes(content)
    return {
        "width": rows.shape[1],
        "build_cpu_s": round(seconds, 1),
        "build_wall_s": round(took, 1),
        "build_peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "bytes_per_vector": round(target.stat().st_size / len(rows), 1),
    }


def _serve_alone(path: Path, size: int, vectors: Vectors, effort: int) -> dict[str, float]:
    engine = FaissIndex.from_file(path, size=size, dimension=vectors.shape[1])
    engine.effort = effort
    times = []
    for query in np.concatenate([vectors, vectors]):
        start = time.thread_time()
        engine.search(Queries.of_vectors(query[None]), k=K)
        times.append(1000 * (time.thread_time() - start))
    warm = times[len(vectors) :]
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith("Rss")}
    return {
        "p50_ms": round(statistics.median(warm), 3),
        "p99_ms": round(float(np.percentile(warm, 99)), 3),
        "own_memory_mb": round(kilobytes["RssAnon"] / 1024),
        "mapped_memory_mb": round(kilobytes["RssFile"] / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "cognomen-hubness")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--bank", type=int, default=20_000)
    parser.add_argument("--million", type=int, default=1_000_000, help="Rows of that part.")
    parser.add_argument("--only", nargs="*", default=["fit", "exact", "hnsw", "ivf"])
    options = parser.parse_args()
    faiss.omp_set_num_threads(1)
    config = {"items": options.items, "bank": options.bank, "width": D, "k": K, "recall": RECALL}

    def keep(part: str, content: dict[str, Any]) -> None:
        console.print(part, content)
        save_part("hubness_speed", part, content, config=config)

    if "fit" in options.only:
        costs = {m: fit_cost(m, options.items, options.bank) for m in ("is", "dis", "nnn", "dual_is", "all at once")}
        keep("fit", {**costs, "grow is": grow_cost(options.items, 1000)})
    where = {"encoder": options.encoder, "cache": options.cache}
    if {"exact", "hnsw", "ivf"} & set(options.only):
        rows, bank, gallery, queries = world(options.items, **where)
        fitted: list[Any] = [registry.fit(m, rows, bank, gallery=gallery, encoder="e5") for m in METHODS]
        if "exact" in options.only:
            keep("exact", exact_part(rows, fitted, queries))
        for method in {"hnsw", "ivf"} & set(options.only):
            keep(method, approximate_part(method, rows, fitted, queries[:1000]))
    if "million" in options.only:
        rows, bank, _, queries = world(options.million, **where)
        with cpu_seconds() as spent:
            one: Any = registry.fit("is", rows, bank, encoder="e5")
            cost = round(spent(), 1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        with tempfile.TemporaryDirectory() as scratch:
            measured = million_part(rows, one, queries[:500], Path(scratch))
        content = {"rows": len(rows), "fit on 3,000 cpu_s": cost, "peak_rss_mb after fit": round(peak), **measured}
        console.print(content)
        if options.million == 1_000_000:
            keep("million", content)


if __name__ == "__main__":
    main()
