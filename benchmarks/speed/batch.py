"""What a line costs in a batch, in what memory, and what a running job does to those who wait for an answer.

    nice python -m benchmarks.speed.batch --artifacts artifacts --lines 20000

Needs prepared artifacts (`cognomen setup`). Three parts, each a sub-command of its own with `--part`:

* `lines`: the same invented titles, language not given, normalised by `cognomen run`'s engine, by a plain loop over the library (one title a
  call) and by a plain loop over HTTP (one title a request), each in processes of its own: CPU-seconds of user and system
  time, peak resident memory. The loops get fewer lines, since a line costs what it costs.
* `engine`: a million lines through reading, chunking, writing parts and joining, answered by a stub: what the engine adds to a line, and that
  memory does not grow with the file.
* `waiting`: one caller asks one title after the other while a `run` job is under way, and while none is, in turns; also with the job at
  the service's own priority. Latency on a busy machine is noise: trust the ratios, and the load average beside them.

Writes benchmarks/results/batch.json.
"""

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
from rich.console import Console

from benchmarks.common import ROOT, save
from benchmarks.speed.serving import TICKS, Server, stat, titles, tree

ADDED: Final = (
    "Berlin",
    "night shift",
    "Team North",
    "2nd line",
    "trainee",
    "Lyon",
    "retail",
    "Group",
    "remote",
    "Zürich",
)
PIPELINE: Final = "job-titles"
console = Console(width=150)


def lines_of(count: int) -> Iterator[bytes]:
    """So many JSON lines; each title comes once, as long as there are enough of them."""
    known = titles()
    numbers = itertools.count()
    while True:
        for first, second in itertools.product(known, ADDED):
            number = next(numbers)
            if number == count:
                return
            yield (
                orjson.dumps({"title": f"{first} {second} {number // (len(known) * len(ADDED)) or ''}".strip()}) + b"\n"
            )


def measured(*arguments: str, env: dict[str, str]) -> dict[str, Any]:
    """This module's child: what it prints as JSON, with its CPU-seconds and peak memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.speed.batch", "--child", *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    total = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s_whole_process": round(total, 2), "wall_s": round(time.monotonic() - started, 1), **said}


def child(kind: str, source: Path, artifacts: Path) -> dict[str, Any]:
    """In a process of its own: answer the file's lines, with what only the answering cost."""
    from models.artifacts import ArtifactStore
    from models.encoders.library import EncoderLibrary
    from pipelines import registry
    from pipelines.build import open_build
    from pipelines.lines import Answered, joined, read_lines, run_lines
    from service.jobs.wire_lines import LINE_FORMATS, WireLines

    folder = source.parent / f"{kind}-parts"
    if kind == "engine":
        start = time.process_time()
        tally = run_lines(lambda lines: [Answered(b'{"decision": null}') for _ in lines], source, folder)
        with (source.parent / "joined").open("wb") as stream:
            stream.writelines(joined(folder))
    else:
        spec = registry.spec(PIPELINE)
        library = EncoderLibrary(ArtifactStore(artifacts), device="cpu")
        built = open_build(spec, "isco08", store=ArtifactStore(artifacts), encoder_of=library.get)
        answer = WireLines(built.pipeline, LINE_FORMATS[spec.slug], options={})
        answer(list(itertools.islice(read_lines(source), 8)))
        start = time.process_time()
        if kind == "batch":
            tally = run_lines(answer, source, folder)
        else:
            with (source.parent / "loop").open("wb") as stream:
                for line in read_lines(source):
                    stream.write(answer([line])[0].content)
            tally = None
    return {
        "cpu_s": round(time.process_time() - start, 2),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **({"failed": tally.failed} if tally else {}),
    }


def write(path: Path, count: int) -> Path:
    with path.open("wb") as stream:
        stream.writelines(lines_of(count))
    return path


def per_line(seen: dict[str, Any], count: int) -> dict[str, Any]:
    return {"lines": count, "cpu_ms_per_line": round(1000 * seen["cpu_s"] / count, 3),
            "lines_per_cpu_s": round(count / seen["cpu_s"], 1), **seen}  # fmt: skip


def part_lines(artifacts: Path, count: int, scratch: Path) -> dict[str, Any]:
    few = max(count // 10, 200)
    results = {}
    for size in (count // 4, count):
        source = write(scratch / f"{size}.jsonl", size)
        name = "batch" if size == count else "batch, a quarter"
        results[name] = per_line(measured("batch", str(source), str(artifacts), env={}), size)
        subprocess.run(["rm", "-rf", str(scratch / "batch-parts")], check=True)
        console.log(name, results[name])
    source = write(scratch / "few.jsonl", few)
    results["library, one by one"] = per_line(measured("loop", str(source), str(artifacts), env={}), few)
    console.log("library", results["library, one by one"])
    with service(artifacts, scratch, nice=10).running(scratch) as server:
        client = httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60)
        asked = [json.loads(line)["title"] for line in lines_of(few)]
        for title in asked[:8]:
            ask(client, title)
        ours, theirs = time.process_time(), server.cpu_ticks()
        for title in asked:
            ask(client, title)
        cpu = (server.cpu_ticks() - theirs) / TICKS
        seen = {"cpu_s": round(cpu, 2), "client_cpu_s": round(time.process_time() - ours, 2), "rss_mb": server.rss_mb()}
        results["HTTP, one by one"] = per_line(seen, few)
    console.log("HTTP", results["HTTP, one by one"])
    return results


def part_engine(scratch: Path) -> dict[str, Any]:
    results = {}
    for size in (100_000, 1_000_000):
        source = write(scratch / f"engine-{size}.jsonl", size)
        results[f"{size:,} lines"] = per_line(measured("engine", str(source), ".", env={}), size)
        subprocess.run(["rm", "-rf", str(scratch / "engine-parts")], check=True)
        console.log(size, results[f"{size:,} lines"])
    return results


# -- waiting ---------------------------------------------------------------------------------------


def service(artifacts: Path, scratch: Path, *, nice: int) -> Server:
    pipelines = scratch / "pipelines.toml"
    pipelines.write_text(f'[{PIPELINE}]\nterminologies = ["isco08"]\n')
    env = {
        "COGNOMEN_ARTIFACTS": str(artifacts.resolve()),
        "COGNOMEN_DATA": str(scratch / f"data-{nice}"),
        "COGNOMEN_PIPELINES_FILE": str(pipelines),
        "COGNOMEN_PORT": "PORT",
        "COGNOMEN_DRAIN_S": "0",
        "COGNOMEN_JOB_NICE": str(nice),
    }
    return Server(f"ours-{nice}", [sys.executable, "-m", "service"], path="/", ready="/readyz", env=env)


def ask(client: httpx.Client, title: str) -> float:
    start = time.perf_counter()
    answer = client.post(f"/v1/{PIPELINE}/normalize", json={"items": [{"title": title}]})
    answer.raise_for_status()
    return time.perf_counter() - start


def window(client: httpx.Client, seconds: float, asked: Iterator[str]) -> dict[str, Any]:
    """One caller for so long, with a pause between requests as a person has."""
    waits = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        waits.append(1000 * ask(client, next(asked)))
        time.sleep(0.02)
    waits.sort()
    return {
        "requests": len(waits),
        "p50_ms": round(waits[len(waits) // 2], 2),
        "p99_ms": round(waits[int(len(waits) * 0.99)], 2),
        "load": round(os.getloadavg()[0], 1),
    }


def job_begins(client: httpx.Client, file_id: str) -> str:
    body = {"kind": "run", "pipeline": PIPELINE, "input_file_id": file_id}
    job_id = str(client.post("/v1/jobs", json=body).raise_for_status().json()["id"])
    while client.get(f"/v1/jobs/{job_id}").json()["progress"]["total"] is None:
        time.sleep(0.1)
    return job_id


def workers_cpu(server: Server) -> float:
    """CPU-seconds that the service's workers had so far."""
    return sum(sum(map(int, stat(pid)[11:13])) for pid in tree(server.pid) if pid != server.pid) / TICKS


def part_waiting(artifacts: Path, scratch: Path, *, rounds: int, seconds: float) -> dict[str, Any]:
    results = {}
    source = write(scratch / "job.jsonl", 300_000)
    for nice in (10, 0):
        seen: dict[str, list[dict[str, Any]]] = {"alone": [], "beside a job": []}
        with service(artifacts, scratch, nice=nice).running(scratch) as server:
            client = httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=120)
            with source.open("rb") as stream:
                files = {"file": ("a.jsonl", stream)}
                file_id = (
                    client.post("/v1/files", files=files, data={"purpose": "batch"}).raise_for_status().json()["id"]
                )
            asked = itertools.cycle([json.loads(line)["title"] for line in lines_of(5000)])
            window(client, 2, asked)
            for _ in range(rounds):
                seen["alone"].append(window(client, seconds, asked))
                job_id = job_begins(client, file_id)
                before = workers_cpu(server)
                seen["beside a job"].append(window(client, seconds, asked))
                seen["beside a job"][-1]["job_cpu_s"] = round(workers_cpu(server) - before, 2)
                client.post(f"/v1/jobs/{job_id}/cancel").raise_for_status()
                time.sleep(2.5)
                console.log(nice, seen["alone"][-1], seen["beside a job"][-1])
        ratios = {
            f"{p}_ratio": round(statistics.median(b[p] / a[p] for a, b in zip(*seen.values(), strict=True)), 2)
            for p in ("p50_ms", "p99_ms")
        }
        results[f"nice {nice}"] = {**ratios, "rounds": seen}
        console.log(nice, ratios)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--part", choices=["lines", "engine", "waiting"])
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        kind, source, artifacts = arguments.child
        print(json.dumps(child(kind, Path(source), Path(artifacts))))
        return
    known = ROOT / "benchmarks" / "results" / "batch.json"
    results: dict[str, Any] = json.loads(known.read_text(encoding="utf-8"))["parts"] if known.exists() else {}
    artifacts = arguments.artifacts.resolve()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if arguments.part in {None, "engine"}:
            results["engine"] = part_engine(scratch)
        if arguments.part in {None, "lines"}:
            results["lines"] = part_lines(artifacts, arguments.lines, scratch)
        if arguments.part in {None, "waiting"}:
            results["waiting"] = part_waiting(artifacts, scratch, rounds=arguments.rounds, seconds=arguments.seconds)
    console.log(save("batch", {"parts": results}))


if __name__ == "__main__":
    main()
