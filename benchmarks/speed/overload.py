"""More than can be served: what is accepted stays fast, the rest is refused early, and nothing is left over afterwards.

    python -m benchmarks.speed.overload --artifacts artifacts

Starts the service itself, on loopback, with one thread and one worker, COGNOMEN_QUEUE_S being half of what a caller may
wait (`--slo-s`), as docs/operating.md says. First the peak: closed loop, 16 connections. Then open loop: requests leave at the times of a Poisson process, whatever has become of those
before, at half, twice and five times the peak; each rate in every round, a closed-loop peak between them, since the machine
is shared and its peak moves. Latency counts from when a request was due. Recovery: after each flood, the time until a single
caller is again answered as fast as the slowest of a hundred before it (at most; asked every 20 ms).

The same floods then go to the same queue before a device that is none: computing a batch sleeps for what a batch and each of
its tokens cost, so that what is measured is admission and batching alone, however busy the machine is ("simulated").

Every text is another one, so that nothing is answered from a cache. Writes benchmarks/results/overload.json. About 5 minutes.
The generator is one process beside the service: at five times the peak it takes CPU from it, which counts against us.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.common import save
from benchmarks.speed.serving import Server, titles
from service.admission import Admission
from service.batching import Batcher, Lane
from service.problems import Unavailable
from service.telemetry import Metrics

Ask = Callable[["Seen", float], Awaitable[None]]
BATCH_S: Final = 0.010
TOKEN_S: Final = 0.0005
"""What a batch and a token cost the simulated device."""
TEXTS: Final = 4
"""Titles in a request."""
CONNECTIONS: Final = 16
FACTORS: Final = (0.5, 2.0, 5.0)
console = Console(width=150)


@dataclass
class Seen:
    """What became of requests: seconds by status; 0 is a connection that broke."""

    seconds: dict[int, list[float]] = field(default_factory=dict)

    def note(self, status: int, seconds: float) -> None:
        self.seconds.setdefault(status, []).append(seconds)

    def count(self, status: int) -> int:
        return len(self.seconds.get(status, ()))

    def quantile_ms(self, status: int, q: float) -> float | None:
        found = sorted(self.seconds.get(status, ()))
        return round(1000 * found[min(len(found) - 1, int(q * len(found)))], 1) if found else None


class Client:
    """HTTP over kept connections, as little of it as is needed: the generator must cost less than what it measures."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._titles = titles()
        self._turn = 0

    async def ask(self, seen: Seen, due: float) -> None:
        """One request, noted with the time since it was due."""
        status = 0
        with suppress(OSError, asyncio.IncompleteReadError, ValueError):
            status = await self._exchange()
        seen.note(status, time.perf_counter() - due)

    async def _exchange(self) -> int:
        body = self._body()
        reader, writer = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self._port)
        head = f"POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answered = await reader.readuntil(b"\r\n\r\n")
        length = int(answered.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        self._free.append((reader, writer))
        return int(answered[9:12])

    def _body(self) -> bytes:
        self._turn += 1
        texts = [f"{self._titles[(self._turn + i) % len(self._titles)]} no. {self._turn}" for i in range(TEXTS)]
        return json.dumps({"model": "minilm", "input": texts, "encoding_format": "base64"}).encode()

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()
        self._free.clear()


async def closed(ask: Ask, *, connections: int, seconds: float) -> Seen:
    """Each connection asks again as soon as it is answered."""
    seen, end = Seen(), time.perf_counter() + seconds

    async def loop() -> None:
        while (now := time.perf_counter()) < end:
            await ask(seen, now)

    await asyncio.gather(*(loop() for _ in range(connections)))
    return seen


async def flood(ask: Ask, *, per_second: float, seconds: float, rng: random.Random) -> tuple[Seen, float]:
    """Requests at the times of a Poisson process; and how late the latest one left."""
    seen, start, late = Seen(), time.perf_counter(), 0.0
    due, asked = start, []
    while due < start + seconds:
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        late = max(late, time.perf_counter() - due)
        asked.append(asyncio.create_task(ask(seen, due)))
        due += rng.expovariate(per_second)
    await asyncio.gather(*asked)
    return seen, late


async def recovery_s(client: Client, calm_s: float) -> float:
    """Seconds until one caller is answered as fast as before."""
    start = time.perf_counter()
    while (now := time.perf_counter()) < start + 30:
        seen = Seen()
        await client.ask(seen, now)
        if seen.count(200) and seen.seconds[200][0] <= calm_s:
            return round(time.perf_counter() - start, 2)
        await asyncio.sleep(0.02)
    return float("inf")


@contextmanager
def served(artifacts: Path, scratch: Path, **settings: object) -> Iterator[Server]:
    (scratch / "pipelines.toml").write_text('[job-titles]\nterminologies = ["isco08"]\n')
    env = {
        "COGNOMEN_ARTIFACTS": str(artifacts.resolve()),
        "COGNOMEN_PIPELINES_FILE": str(scratch / "pipelines.toml"),
        "COGNOMEN_DATA": str(scratch / "data"),
        "COGNOMEN_PORT": "PORT",
        "COGNOMEN_DRAIN_S": "0",
        "COGNOMEN_LOG_LEVEL": "warning",
        **{f"COGNOMEN_{name.upper()}": str(value) for name, value in settings.items()},
    }
    server = Server("ours", [sys.executable, "-m", "service"], path="/v1/embeddings", ready="/readyz", env=env)
    with server.running(scratch):
        yield server


def speed(server: Server) -> float:
    """Estimated tokens a second, as the service has measured itself."""
    text = server.ask("GET", "/metrics")[1].decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("cognomen_tokens_per_second "))


async def measure_peak(server: Server, seconds: float) -> tuple[float, float]:
    client = Client(server.port)
    await closed(client.ask, connections=CONNECTIONS, seconds=3)
    seen = await closed(client.ask, connections=CONNECTIONS, seconds=seconds)
    client.close()
    return seen.count(200) / seconds, speed(server)


async def measure(server: Server, *, peak: float, rounds: int, seconds: float, slo_s: float) -> list[dict[str, Any]]:
    rng, found = random.Random(7), []
    for turn in range(rounds):
        for factor in FACTORS:
            client = Client(server.port)
            before = await closed(client.ask, connections=CONNECTIONS, seconds=seconds / 2)
            calm = await closed(client.ask, connections=1, seconds=2)
            calm_s = max(calm.seconds[200])
            rss = server.rss_mb()
            ticks = server.cpu_ticks()
            seen, late = await flood(client.ask, per_second=factor * peak, seconds=seconds, rng=rng)
            ticks = server.cpu_ticks() - ticks
            back = await recovery_s(client, calm_s)
            after = await closed(client.ask, connections=CONNECTIONS, seconds=seconds / 2)
            client.close()
            own_peak = (before.count(200) + after.count(200)) / seconds
            asked = sum(map(len, seen.seconds.values()))
            found.append(
                {
                    "round": turn + 1,
                    "factor": factor,
                    "asked_per_second": round(asked / seconds, 1),
                    "peak_around_it": round(own_peak, 1),
                    "goodput_per_second": round(seen.count(200) / seconds, 1),
                    "goodput_of_peak": round(seen.count(200) / seconds / own_peak, 3),
                    "accepted_p50_ms": seen.quantile_ms(200, 0.5),
                    "accepted_p99_ms": seen.quantile_ms(200, 0.99),
                    "refused": round(seen.count(503) / max(asked, 1), 3),
                    "refused_p50_ms": seen.quantile_ms(503, 0.5),
                    "refused_p99_ms": seen.quantile_ms(503, 0.99),
                    "neither": asked - seen.count(200) - seen.count(503),
                    "left_late_by_ms": round(1000 * late, 1),
                    "cpu_share": round(ticks / os.sysconf("SC_CLK_TCK") / seconds, 2),
                    "rss_before_mb": rss,
                    "rss_after_mb": server.rss_mb(),
                    "recovery_s": back,
                    "slo_kept": (seen.quantile_ms(200, 0.99) or 0) <= 1000 * slo_s,
                }
            )
            console.log(found[-1])
    return found


def compute_nothing(costs: Sequence[int]) -> list[int]:
    """A batch on a device that is none."""
    time.sleep(BATCH_S + TOKEN_S * sum(costs))
    return list(costs)


async def simulate(*, seconds: float, slo_s: float) -> list[dict[str, Any]]:
    """The floods against admission and batching alone."""
    admission = Admission(capacity=32_768, answer_s=slo_s / 2)
    batcher = Batcher(admission=admission, metrics=Metrics(), workers=1, max_tokens=2048, max_items=256)
    lane = Lane("simulated", compute_nothing)
    costs = [10] * TEXTS

    async def ask(seen: Seen, due: float) -> None:
        status = 200
        try:
            await batcher.submit(lane, costs, costs=costs, timeout_s=30)
        except Unavailable as error:
            status = error.status
        seen.note(status, time.perf_counter() - due)

    peak = (await closed(ask, connections=CONNECTIONS, seconds=seconds)).count(200) / seconds
    found, rng = [], random.Random(7)
    for factor in FACTORS:
        seen, _ = await flood(ask, per_second=factor * peak, seconds=seconds, rng=rng)
        asked = sum(map(len, seen.seconds.values()))
        found.append(
            {
                "factor": factor,
                "asked_per_second": round(asked / seconds, 1),
                "peak_per_second": round(peak, 1),
                "goodput_of_peak": round(seen.count(200) / seconds / peak, 3),
                "accepted_p50_ms": seen.quantile_ms(200, 0.5),
                "accepted_p99_ms": seen.quantile_ms(200, 0.99),
                "refused": round(seen.count(503) / asked, 3),
            }
        )
        console.log(found[-1])
    await batcher.close(grace_s=1)
    return found


def show(found: Sequence[dict[str, Any]]) -> None:
    table = Table("of peak", "asked/s", "goodput", "of peak", "p50", "p99", "refused", "refused p99", "RSS", "recovery")
    for factor in FACTORS:
        rows = [row for row in found if row["factor"] == factor]

        def middle(key: str, rows: Sequence[dict[str, Any]] = rows) -> float:
            return statistics.median(row[key] or 0 for row in rows)

        table.add_row(
            f"{factor:g} ×",
            f"{middle('asked_per_second'):.0f}",
            f"{middle('goodput_per_second'):.0f}",
            f"{middle('goodput_of_peak'):.2f}",
            f"{middle('accepted_p50_ms'):.0f} ms",
            f"{middle('accepted_p99_ms'):.0f} ms",
            f"{middle('refused'):.0%}",
            f"{middle('refused_p99_ms'):.0f} ms",
            f"{middle('rss_before_mb'):.0f} → {middle('rss_after_mb'):.0f}",
            f"{middle('recovery_s'):.2f} s",
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--slo-s", type=float, default=1.0, help="longest an accepted request should take, at p99")
    parser.add_argument("--quick", action="store_true", help="a look: nothing is saved")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        with served(arguments.artifacts, scratch, queue_s=arguments.slo_s / 2) as server:
            peak, tokens = asyncio.run(measure_peak(server, arguments.seconds))
            console.log(f"peak {peak:.1f} requests/s, {tokens:.0f} tokens/s")
            found = asyncio.run(
                measure(
                    server,
                    peak=peak,
                    rounds=arguments.rounds,
                    seconds=arguments.seconds,
                    slo_s=arguments.slo_s,
                )
            )
    simulated = asyncio.run(simulate(seconds=arguments.seconds, slo_s=arguments.slo_s))
    show(found)
    report = {
        "texts_per_request": TEXTS,
        "connections_at_peak": CONNECTIONS,
        "peak_per_second": round(peak, 1),
        "tokens_per_second": round(tokens),
        "slo_s": arguments.slo_s,
        "seconds": arguments.seconds,
        "windows": found,
        "simulated": {"batch_s": BATCH_S, "token_s": TOKEN_S, "windows": simulated},
    }
    if not arguments.quick:
        print(save("overload", report))


if __name__ == "__main__":
    main()
