"""What a service holds in memory while a large file comes in and goes out again.

    python -m benchmarks.speed.upload [--megabytes 1024]

Starts a service that hosts nothing, uploads a file to /v1/files (a small one first), reads it back, and watches the
process tree's resident memory every 20 ms. Bounded means: as much for a gigabyte as for ten megabytes. Writes
benchmarks/results/upload.json.
"""

import argparse
import hashlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console

from benchmarks.common import save
from benchmarks.speed.serving import TICKS, Server

SMALL: Final = 10
PIECE: Final = 1 << 20
console = Console()


def service(scratch: Path) -> Server:
    env = {
        "COGNOMEN_ARTIFACTS": str(scratch / "artifacts"),
        "COGNOMEN_DATA": str(scratch / "data"),
        "COGNOMEN_PIPELINES_FILE": str(scratch / "none.toml"),
        "COGNOMEN_PORT": "PORT",
        "COGNOMEN_DRAIN_S": "0",
    }
    return Server("ours", [sys.executable, "-m", "service"], path="/", ready="/healthz", env=env)


@contextmanager
def watched(server: Server) -> Iterator[dict[str, Any]]:
    """What the server held and spent in the block."""
    seen: dict[str, Any] = {"rss_before_mb": server.rss_mb(), "rss_peak_mb": 0}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            seen["rss_peak_mb"] = max(seen["rss_peak_mb"], server.rss_mb())

    thread = threading.Thread(target=watch)
    thread.start()
    ticks, started = server.cpu_ticks(), time.monotonic()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
    seen["wall_s"] = round(time.monotonic() - started, 1)
    seen["cpu_s"] = round((server.cpu_ticks() - ticks) / TICKS, 2)


def through(server: Server, path: Path, sha256: str) -> dict[str, Any]:
    """Up and down once."""
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=600) as client:
        with watched(server) as up, path.open("rb") as stream:
            asked = client.post("/v1/files", files={"file": (path.name, stream)}, data={"purpose": "batch"})
        file = asked.raise_for_status().json()
        if (file["bytes"], file["sha256"]) != (path.stat().st_size, sha256):
            raise RuntimeError("the service has another file than was sent")
        with watched(server) as down, client.stream("GET", f"/v1/files/{file['id']}/content") as answer:
            taken = sum(map(len, answer.raise_for_status().iter_raw(PIECE)))
        if taken != path.stat().st_size:
            raise RuntimeError("the service gave another file than it has")
        client.delete(f"/v1/files/{file['id']}").raise_for_status()
    return {"up": up, "down": down}


def written(path: Path, megabytes: int) -> str:
    """A file of that size, of bytes that do not repeat; its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as stream:
        for _ in range(megabytes):
            piece = os.urandom(PIECE)
            digest.update(piece)
            stream.write(piece)
    return digest.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1024)
    sizes = (SMALL, parser.parse_args().megabytes)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        with service(scratch).running(scratch) as server:
            for size in sizes:
                path = scratch / f"{size}.bin"
                results[f"{size} MB"] = through(server, path, written(path, size))
                path.unlink()
                console.print(size, results[f"{size} MB"])
    console.print(save("upload", {"sizes": results}))


if __name__ == "__main__":
    main()
