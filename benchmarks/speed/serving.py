"""CPU time, throughput and latency of a request: ours beside infinity_emb and a naive `SentenceTransformer.encode`.

    python -m benchmarks.speed.serving --artifacts artifacts --infinity ../infinity/bin/infinity_emb

Needs wrk (apt), prepared artifacts (`cognomen setup`), the extra `encoders` for the naive endpoint, and infinity_emb in a
venv of its own (without it that peer is left out, and the table says so). Starts every server itself, on loopback, with
one thread in every pool; all embed by MiniLM in fp32. First it checks that all answer 200 and that vectors agree with
SentenceTransformer's. Then, for every load, the servers take turns in rounds, so that a busy machine is busy for all.
Writes benchmarks/results/serving.json. About 20 minutes. Last, 1, 2 and 4 processes of ours answer from one artifacts
folder, and what they hold together is read from the kernel: RSS counts a page once for each process that has it mapped, PSS
shares it out. Indexes and vectors are mapped files, so their pages are there once; `--only memory` measures this alone.

CPU-ms per request is user and system time of the server's process tree over the window, by the requests answered in it:
it decides what a core can serve and is hardly moved by what else the machine does. Throughput and latency are.
Nobody caches answers: the titles come round again, and every server computes them anew. The peers embed the English
titles; ours normalizes them in one line with the language given, and in one line takes titles in four languages without
being told which. MiniLM reads English only, so with `--e5` infinity also embeds the four languages by the multilingual
model that ours runs for them (multilingual-e5-small, 12 layers; without its prompt, which ours puts first).
"""

import argparse
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common import ROOT, save
from models.encoders.packages import find_weights

HERE: Final = Path(__file__).parent
THREADS: Final = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
MIXED: Final = "en,de,fr,es"
TICKS: Final = os.sysconf("SC_CLK_TCK")
START_S: Final = 240
PROCESSES: Final = (1, 2, 4)
AGREE: Final = 0.9999
"""The least cosine to SentenceTransformer's vectors that counts as the same model."""

console = Console(width=150)


@dataclass(frozen=True)
class Load:
    """Connections that each send one request after the other, and titles in a request."""

    connections: int
    texts: int

    @property
    def name(self) -> str:
        return f"c={self.connections}" + (f", {self.texts} texts" if self.texts > 1 else "")


LOADS: Final = (Load(1, 1), Load(16, 1), Load(64, 1), Load(1, 32), Load(4, 32))


class Server:
    """A server under test, in a process of its own."""

    def __init__(self, name: str, command: Sequence[str], *, path: str, ready: str, env: dict[str, str]) -> None:
        self.name, self.path, self.ready = name, path, ready
        self.port = free_port()
        self._command = [part.replace("PORT", str(self.port)) for part in command]
        self._env = {**os.environ, **THREADS, **{k: v.replace("PORT", str(self.port)) for k, v in env.items()}}

    @contextmanager
    def running(self, logs: Path) -> Iterator["Server"]:
        """Start, wait until it is ready, stop."""
        log = logs / f"{self.name}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(self._command, cwd=ROOT, env=self._env, stdout=stream, stderr=stream)
        self.pid = process.pid
        try:
            self._wait(process, log)
            yield self
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _wait(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        deadline = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if self.ask("GET", self.ready)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.5)
        raise SystemExit(f"{self.name} did not start; its last words:\n{log.read_text(errors='replace')[-2000:]}")

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"content-type": "application/json"})
        answer = connection.getresponse()
        read = answer.read()
        connection.close()
        return answer.status, json.loads(read) if read.startswith((b"{", b"[")) else read

    def cpu_ticks(self) -> int:
        """User and system time of the process tree so far, ended children included."""
        return sum(sum(map(int, stat(pid)[11:15])) for pid in tree(self.pid))

    def rss_mb(self) -> int:
        """Resident memory of the process tree."""
        return sum(int(stat(pid)[21]) for pid in tree(self.pid)) * os.sysconf("SC_PAGE_SIZE") // 2**20

    def memory_mb(self, artifacts: Path) -> dict[str, float]:
        """What the process tree holds: RSS, PSS, what is its own alone, and what of it are mapped files of artifacts."""
        read = [rollup(pid) for pid in tree(self.pid)]
        mapped = [pages for pid in tree(self.pid) for pages in mappings(pid, artifacts.resolve())]
        return {
            "mapped_rss": round(sum(rss for rss, _ in mapped) / 1024, 1),
            "mapped_pss": round(sum(pss for _, pss in mapped) / 1024, 1),
            "rss": round(sum(r["Rss"] for r in read) / 1024, 1),
            "pss": round(sum(r["Pss"] for r in read) / 1024, 1),
            "private": round(sum(r["Private_Clean"] + r["Private_Dirty"] for r in read) / 1024, 1),
        }


@dataclass(frozen=True)
class Contender:
    """One line of the tables: a server, asked one kind of thing."""

    name: str
    server: Server
    kind: str
    languages: str = "en"
    model: str = "minilm"


def naive(folder: Path) -> Server:
    command = [sys.executable, "-m", "benchmarks.speed.serving", "--serve-naive", str(folder), "--port", "PORT"]
    return Server("naive", command, path="/embeddings", ready="/health", env={})


def infinity(program: Path, folder: Path, model: str) -> Server:
    command = [str(program.parent / "infinity_emb"), "v2", "--engine", "torch", "--device", "cpu"]
    command += ["--no-bettertransformer", "--host", "127.0.0.1", "--port", "PORT"]
    command += ["--model-id", str(folder), "--served-model-name", model]
    env = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0"}
    return Server(f"infinity {model}", command, path="/embeddings", ready="/health", env=env)


def ours(artifacts: Path, pipelines: Path, workers: int, data: Path | None = None) -> Server:
    pipelines.write_text('[job-titles]\nterminologies = ["isco08"]\n')
    env = {
        "COGNOMEN_ARTIFACTS": str(artifacts.resolve()),
        "COGNOMEN_PIPELINES_FILE": str(pipelines),
        "COGNOMEN_PORT": "PORT",
        "COGNOMEN_WORKERS": str(workers),
        "COGNOMEN_DRAIN_S": "0",
        # Without workers of jobs: what is measured answers requests.
        "COGNOMEN_JOB_WORKERS": "0",
        # A refusal would end the benchmark, and a busy machine is slow.
        "COGNOMEN_REQUEST_TIMEOUT_S": "300",
        **({"COGNOMEN_DATA": str(data)} if data is not None else {}),
    }
    command = [sys.executable, "-m", "service"]
    return Server("ours", command, path="/v1/embeddings", ready="/readyz", env=env)


def serve_naive(folder: str, port: int) -> None:
    """What one writes first: load the model, encode what a request brings, return the vectors."""
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel
    from sentence_transformers import SentenceTransformer

    class Body(BaseModel):
        input: list[str]
        model: str = ""

    app = FastAPI()
    model = SentenceTransformer(folder, device="cpu")

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/embeddings")
    def embeddings(body: Body) -> dict[str, Any]:
        vectors = model.encode(body.input).tolist()
        return {"object": "list", "data": [{"index": i, "embedding": v} for i, v in enumerate(vectors)]}

    uvicorn.run(app, host="127.0.0.1", port=port)


# -- processes -------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the command's name: field n of the manual is [n − 3]."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def rollup(pid: int) -> dict[str, int]:
    """The kilobytes of /proc/PID/smaps_rollup by name; empty of what the kernel does not tell."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}


def mappings(pid: int, folder: Path) -> list[tuple[int, int]]:
    """RSS and PSS in kilobytes of each file below a folder that a process has mapped: indexes and vectors."""
    found: list[dict[str, int]] = []
    inside = False
    for line in Path(f"/proc/{pid}/smaps").read_text(errors="replace").splitlines():
        name, _, value = line.partition(":")
        if "-" in line.split()[0]:
            inside = str(folder) in line
            if inside:
                found.append({})
        elif inside and name in {"Rss", "Pss"}:
            found[-1][name] = int(value.split()[0])
    return [(one["Rss"], one["Pss"]) for one in found]


# -- measuring -------------------------------------------------------------------------------------


def measure(contender: Contender, load: Load, seconds: float) -> dict[str, Any]:
    """One window of one load on one server."""
    server = contender.server
    path = "/v1/job-titles/normalize" if contender.kind == "normalize" else server.path
    command = ["wrk", "-t1", f"-c{load.connections}", f"-d{seconds:g}s", "--timeout", "30s", "-s"]
    command += [str(HERE / "serving.lua"), f"http://127.0.0.1:{server.port}{path}", "--"]
    command += [str(HERE), contender.kind, str(load.texts), contender.languages, contender.model]
    settle(server)
    start = server.cpu_ticks()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # At once: what is still being computed belongs to no answer of this window.
    ticks = server.cpu_ticks() - start
    seen = json.loads(done.stdout.rpartition("JSON ")[2])
    if seen["refused"] or seen["broken"]:
        raise SystemExit(f"{contender.name} at {load.name}: {seen['refused']} not 200, {seen['broken']} broken")
    return {
        "requests": seen["requests"],
        "cpu_ms": round(1000 * ticks / TICKS / max(seen["requests"], 1), 3),
        "per_second": round(seen["requests"] / seen["seconds"], 1),
        "p50_ms": seen["p50_ms"],
        "p99_ms": seen["p99_ms"],
        "rss_mb": server.rss_mb(),
    }


def shared_memory(artifacts: Path, scratch: Path) -> list[dict[str, Any]]:
    """What 1, 2 and 4 processes of ours hold that answer from the same artifacts, each after the same requests."""
    found = []
    for processes in PROCESSES:
        with ExitStack() as running:
            servers = [
                ours(artifacts, scratch / f"memory-{i}.toml", 1, scratch / f"data-{i}") for i in range(processes)
            ]
            for i, server in enumerate(servers):
                server.name = f"memory-{processes}-{i}"
                running.enter_context(server.running(scratch))
            for server in servers:
                answered(server)
                embedded(server, titles())
                settle(server)
            each = [server.memory_mb(artifacts) for server in servers]
        total = {f"{name}_mb": round(sum(one[name] for one in each), 1) for name in each[0]}
        found.append({"processes": processes, **total, "pss_mb_each": round(total["pss_mb"] / processes, 1)})
        console.log(str(found[-1]))
    return found


def settle(server: Server) -> None:
    """Wait until what the last window left behind is computed."""
    for _ in range(100):
        before = server.cpu_ticks()
        time.sleep(0.2)
        if server.cpu_ticks() - before <= 1:
            return


def take_turns(contenders: Sequence[Contender], loads: Sequence[Load], rounds: int, seconds: float) -> dict[str, Any]:
    """Load → contender → its windows, one per round."""
    windows: dict[str, Any] = {}
    for load in loads:
        windows[load.name] = {c.name: [] for c in contenders}
        for contender in contenders:
            measure(contender, load, 2)
        for turn in range(rounds):
            for contender in [*contenders[turn:], *contenders[:turn]]:
                seen = measure(contender, load, seconds)
                windows[load.name][contender.name].append(seen)
                console.log(f"{load.name} · {turn + 1}/{rounds} · {contender.name}: {seen}")
    return windows


# -- checking --------------------------------------------------------------------------------------


def titles() -> list[str]:
    """Every title of titles.lua."""
    lines = (HERE / "titles.lua").read_text(encoding="utf-8").splitlines()
    return [line.strip()[1:-2] for line in lines if line.startswith('    "')]


def embedded(server: Server, texts: Sequence[str]) -> NDArray[np.float64]:
    status, answer = server.ask("POST", server.path, {"model": "minilm", "input": list(texts)})
    if status != 200:
        raise SystemExit(f"{server.name} answers {status}: {str(answer)[:500]}")
    vectors = np.array([row["embedding"] for row in sorted(answer["data"], key=lambda row: row["index"])])
    scaled: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def agreement(servers: Sequence[Server], reference: Server) -> dict[str, float]:
    """The least cosine of each server's vectors, alone and in company, to SentenceTransformer's."""
    texts, least = titles(), {}
    expected = np.concatenate([embedded(reference, texts[i : i + 25]) for i in range(0, len(texts), 25)])
    for server in servers:
        together = np.concatenate([embedded(server, texts[i : i + 25]) for i in range(0, len(texts), 25)])
        alone = np.concatenate([embedded(server, [text]) for text in texts])
        least[server.name] = round(float(np.minimum((together * expected).sum(1), (alone * expected).sum(1)).min()), 7)
        if least[server.name] < AGREE:
            raise SystemExit(f"{server.name}: cosine {least[server.name]} to SentenceTransformer; expected ≥ {AGREE}")
    return least


def answered(server: Server) -> float:
    """The share of titles that get an occupation."""
    items = [{"title": title} for title in titles()]
    status, answer = server.ask("POST", "/v1/job-titles/normalize", {"items": items})
    if status != 200 or len(answer["results"]) != len(items):
        raise SystemExit(f"normalize answers {status}: {str(answer)[:500]}")
    return round(sum(not r["decision"]["nil"] for r in answer["results"]) / len(items), 3)


# -- telling ---------------------------------------------------------------------------------------


def middle(windows: Sequence[dict[str, Any]], key: str) -> float:
    return float(statistics.median(w[key] for w in windows))


def ratios(windows: dict[str, Any]) -> dict[str, Any]:
    """How many times the CPU-ms of ours each peer needs, by load: the median over rounds, and the least."""
    found: dict[str, Any] = {}
    for load, lines in windows.items():
        for mine in (name for name in lines if name.startswith("ours")):
            for peer in (name for name in lines if not name.startswith("ours")):
                by_round = [p["cpu_ms"] / m["cpu_ms"] for p, m in zip(lines[peer], lines[mine], strict=True)]
                found.setdefault(mine, {}).setdefault(peer, {})[load] = {
                    "median": round(statistics.median(by_round), 2),
                    "least": round(min(by_round), 2),
                }
    return found


def show_memory(memory: Sequence[dict[str, Any]]) -> None:
    heads = ("processes", "RSS", "PSS", "private", "mapped artifacts, RSS", "their PSS", "PSS a process")
    table = Table(*heads, title="Memory of processes over one artifacts, MB")
    for line in memory:
        cells = (
            line[key] for key in ("rss_mb", "pss_mb", "private_mb", "mapped_rss_mb", "mapped_pss_mb", "pss_mb_each")
        )
        table.add_row(str(line["processes"]), *(f"{cell:.0f}" for cell in cells))
    console.print(table)


def show(windows: dict[str, Any], over: dict[str, Any]) -> None:
    names = list(next(iter(windows.values())))
    cells: dict[str, Callable[[Sequence[dict[str, Any]]], str]] = {
        "CPU-ms a request (median of rounds)": lambda w: f"{middle(w, 'cpu_ms'):.2f}",
        "requests a second": lambda w: f"{middle(w, 'per_second'):.1f}",
        "p50 / p99, ms": lambda w: f"{middle(w, 'p50_ms'):.0f} / {middle(w, 'p99_ms'):.0f}",
        "RSS, MB": lambda w: f"{middle(w, 'rss_mb'):.0f}",
    }
    for title, cell in cells.items():
        table = Table("", *windows, title=title)
        for name in names:
            table.add_row(name, *(cell(lines[name]) for lines in windows.values()))
        console.print(table)
    table = Table("", "of", *windows, title="CPU-ms of a peer ÷ ours: median (least) of rounds")
    for mine, peers in over.items():
        for peer, by_load in peers.items():
            table.add_row(mine, peer, *(f"{r['median']:.2f} ({r['least']:.2f})" for r in by_load.values()))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--infinity", type=Path, help="infinity_emb, or the python of its venv")
    parser.add_argument("--e5", type=Path, help="sentence-transformers folder of e5-small, for infinity beside ours")
    parser.add_argument("--minilm", type=Path, help="the same of MiniLM, for the peers; default: the package's")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--workers", type=int, default=1, help="ours: batches computed at the same time")
    parser.add_argument("--only", nargs="*", help="contenders by their first word; for a quick look: nothing is saved")
    parser.add_argument("--serve-naive", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve_naive:
        serve_naive(arguments.serve_naive, arguments.port)
        return
    if shutil.which("wrk") is None:
        raise SystemExit("needs wrk: apt-get install wrk")
    with tempfile.TemporaryDirectory() as scratch:
        report = {} if arguments.only == ["memory"] else compare(arguments, Path(scratch))
        report["memory"] = shared_memory(arguments.artifacts, Path(scratch))
    if "windows" in report:
        show(report["windows"], report["ratios"])
    show_memory(report["memory"])
    if not arguments.only:
        print(save("serving", report))


def compare(arguments: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    folder = arguments.minilm or find_weights("minilm").folder
    mine, plain = ours(arguments.artifacts, scratch / "pipelines.toml", arguments.workers), naive(folder)
    contenders = [Contender("naive, embeddings", plain, "embeddings")]
    notes = ["CPU-ms: user + system time of the server's process tree ÷ requests; medians over rounds in the tables"]
    if arguments.infinity and (arguments.infinity.parent / "infinity_emb").is_file():
        small = infinity(arguments.infinity, folder, "minilm")
        contenders.append(Contender("infinity, embeddings", small, "embeddings"))
        if arguments.e5:
            large = infinity(arguments.infinity, arguments.e5, "e5-small")
            contenders.append(
                Contender("infinity, embeddings, e5-small, 4 languages", large, "embeddings", MIXED, "e5-small")
            )
    else:
        notes.append("infinity_emb was not there (--infinity) and is left out")
        console.print(f"[bold red]{notes[-1]}[/]")
    contenders += [
        Contender("ours, embeddings", mine, "embeddings"),
        Contender("ours, normalize, language given", mine, "normalize"),
        Contender("ours, normalize, 4 languages, none given", mine, "normalize", MIXED),
    ]
    if arguments.only:
        contenders = [c for c in contenders if c.name.split(",")[0] in arguments.only]
    with ExitStack() as running:
        for server in {id(s): s for s in (plain, *(c.server for c in contenders))}.values():
            running.enter_context(server.running(scratch))
        like_for_like = [c.server for c in contenders if c.kind == "embeddings" and c.model == "minilm"]
        checked = {
            "least cosine to SentenceTransformer": agreement(like_for_like, plain),
            "share of titles answered": answered(mine) if any(c.server is mine for c in contenders) else None,
        }
        console.print(checked)
        windows = take_turns(contenders, LOADS, arguments.rounds, arguments.seconds)
    return {
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "workers": arguments.workers,
        "threads": THREADS,
        "titles": len(titles()),
        "notes": notes,
        "checked": checked,
        "windows": windows,
        "ratios": ratios(windows),
    }


if __name__ == "__main__":
    main()
