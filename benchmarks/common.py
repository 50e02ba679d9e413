"""What every benchmark shares: where data and results are, what machine this is, how rankings are scored."""

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
RESULTS = ROOT / "benchmarks" / "results"
KS = (1, 5, 10)


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
        "load": os.getloadavg()[0],
    }


def commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def save(name: str, content: dict[str, Any]) -> Path:
    """Write benchmarks/results/NAME.json with machine, commit and date."""
    path = RESULTS / f"{name}.json"
    stamp = {"date": datetime.now(UTC).isoformat(timespec="minutes"), "commit": commit(), "machine": machine()}
    path.write_text(json.dumps({**stamp, **content}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def save_part(name: str, part: str, content: dict[str, Any], *, config: dict[str, Any]) -> None:
    """Write one part of benchmarks/results/NAME.json; parts measured under another config are dropped."""
    path = RESULTS / f"{name}.json"
    with FileLock(RESULTS / f".{name}.lock"):
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        config = json.loads(json.dumps(config))
        sets = known.get("sets", {}) if known.get("config") == config else {}
        save(name, {"config": config, "sets": {**sets, part: content}})


@contextmanager
def cpu_seconds() -> Iterator[Callable[[], float]]:
    """CPU seconds of this process since the block began."""
    start = time.process_time()
    yield lambda: time.process_time() - start


def first_hits(rankings: Sequence[Sequence[str]], gold: Sequence[set[str]]) -> np.ndarray:
    """For each query the 0-based rank of the first right answer, inf where there is none."""
    return np.array(
        [
            next((float(r) for r, c in enumerate(ids) if c in right), np.inf)
            for ids, right in zip(rankings, gold, strict=True)
        ]
    )


def recall(hits: np.ndarray, k: int) -> np.ndarray:
    """Per query, whether a right answer is among the first k."""
    return (hits < k).astype(float)


def reciprocal(hits: np.ndarray) -> np.ndarray:
    """Per query, 1 / (1 + rank), 0 where there is none."""
    return 1 / (1 + hits)


def average_precision(ids: Sequence[str], right: set[str]) -> float:
    """Average precision of one full ranking."""
    found, total = 0, 0.0
    for rank, c in enumerate(ids, start=1):
        if c in right:
            found += 1
            total += found / rank
    return total / max(len(right), 1)


def bootstrap(values: np.ndarray, *, rounds: int = 2000, seed: int = 0) -> tuple[float, float, float]:
    """Mean and its 95 % percentile interval over resampled queries."""
    rng = np.random.default_rng(seed)
    n = len(values)
    # A resample is a vector of counts; counts @ values avoids a (rounds, n) gather.
    means = np.array([np.bincount(rng.integers(0, n, n), minlength=n) @ values / n for _ in range(rounds)])
    low, high = np.percentile(means, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def paired(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float | bool]:
    """The mean difference per query with its paired bootstrap interval, and whether that excludes 0."""
    mean, low, high = bootstrap(ours - theirs)
    return {
        "difference": round(mean, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "significant": low > 0 or high < 0,
    }


def summary(hits: np.ndarray) -> dict[str, Any]:
    """R@1/5/10 and MRR with intervals."""
    scores = {f"R@{k}": recall(hits, k) for k in KS} | {"MRR": reciprocal(hits)}
    return {name: [round(x, 4) for x in bootstrap(values)] for name, values in scores.items()}
