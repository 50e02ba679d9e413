"""A file of vacancy titles as long as a year of vacancies, normalised on this machine; beside plain loops.

    OMP_NUM_THREADS=1 nice python -m benchmarks.speed.titles_lines --artifacts artifacts [--lines 1000000]

Titles are of jobbert_val and ESCO's English labels (../shared/titles), drawn as vacancies repeat: the n-th most common
with a weight of 1/n. What share of the lines is distinct is said, in the whole file and in a chunk, for lines of a
chunk that ask the same are computed once. Job titles over the starter, encoded by one encoder (`use-titles`; prepared),
built anew in a scratch folder. The loops (one title a call, one title a request) get the first lines of the same file.
Writes benchmarks/results/titles_lines.json. CPU-seconds are user and system time of each whole process, opening the
build apart.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import orjson
from rich.console import Console

from benchmarks.common import save
from benchmarks.quality.titles_data import esco_english, jobbert
from benchmarks.speed.batch import ask, measured, per_line, service
from benchmarks.speed.serving import TICKS
from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import build
from pipelines.library import import_terminology
from pipelines.lines import CHUNK_LINES

SPEC: Final = registry.spec("job-titles")
LOOPED: Final = 2_000
console = Console(width=150)


def drawn(count: int) -> list[str]:
    """So many titles, common ones often."""
    terminology = esco_english()
    known = sorted(
        {*jobbert(terminology).queries, *(term.text for concept in terminology.concepts for term in concept.terms)}
    )
    rng = np.random.default_rng(0)
    weights = 1 / np.arange(1, len(known) + 1)
    rng.shuffle(known)
    return [known[i] for i in rng.choice(len(known), count, p=weights / weights.sum())]


def repetition(titles: list[str]) -> dict[str, float]:
    chunks = [titles[start : start + CHUNK_LINES] for start in range(0, len(titles), CHUNK_LINES)]
    computed = sum(len(set(chunk)) for chunk in chunks)
    return {
        "distinct": len(set(titles)),
        "distinct_share": round(len(set(titles)) / len(titles), 4),
        "computed_share": round(computed / len(titles), 4),
    }


def prepared(artifacts: Path, encoder: str, scratch: Path) -> Path:
    """A store of one encoder, the starter, and job titles built on both."""
    own = scratch / "artifacts"
    for name in encoder.split("+"):
        shutil.copytree(artifacts / "encoders" / name, own / "encoders" / name)
    store = ArtifactStore(own)
    terminology = SPEC.starter() if SPEC.starter else None
    if terminology is None:
        raise RuntimeError("job titles have no starter")
    import_terminology(terminology, store=store)
    found = EncoderLibrary(store, device="cpu").get(encoder)
    build(SPEC, terminology, encoder=found, store=store, config=SPEC.config(encoder=encoder)).artifact.close()
    return own


def over_http(artifacts: Path, scratch: Path, titles: list[str]) -> dict[str, Any]:
    with service(artifacts, scratch, nice=10).running(scratch) as server:
        client = httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60)
        for title in titles[:8]:
            ask(client, title)
        ours, theirs = time.process_time(), server.cpu_ticks()
        for title in titles:
            ask(client, title)
        cpu = (server.cpu_ticks() - theirs) / TICKS
        seen = {"cpu_s": round(cpu, 2), "client_cpu_s": round(time.process_time() - ours, 2), "rss_mb": server.rss_mb()}
        return per_line(seen, len(titles))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--encoder", default="use-titles")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--looped", type=int, default=LOOPED, help="Lines that the loops get.")
    options = parser.parse_args()
    results: dict[str, Any] = {}

    def keep(name: str, seen: dict[str, Any]) -> None:
        results[name] = seen
        console.log(name, seen)

    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        artifacts = prepared(options.artifacts.resolve(), options.encoder, scratch)
        titles = drawn(options.lines)
        keep("titles", repetition(titles))
        first = titles[: options.looped]
        for name, some in (("all", titles), ("first", first)):
            (scratch / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps({"title": t}) + b"\n" for t in some))
        for name, kind, source, count in (
            ("library, one by one", "loop", "first", len(first)),
            ("batch, the same lines", "batch", "first", len(first)),
            ("batch", "batch", "all", len(titles)),
        ):
            shutil.rmtree(scratch / "batch-parts", ignore_errors=True)
            keep(name, per_line(measured(kind, str(scratch / f"{source}.jsonl"), str(artifacts), env={}), count))
        keep("HTTP, one by one", over_http(artifacts, scratch, first))
    config = {"lines": options.lines, "encoder": options.encoder}
    console.print(save("titles_lines", {"config": config, "parts": results}))


if __name__ == "__main__":
    main()
