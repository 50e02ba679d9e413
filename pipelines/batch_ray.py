"""The same lines on many machines: Ray spreads the chunks, and each becomes the part that it would be on one box.

    FOLDER/spans.jsonl               where each chunk of the input begins: the manifest of the shards
    FOLDER/00000000.2048.0.jsonl …   parts, as pipelines/lines.py writes them

The folder and the input are on a file system that all machines share. A chunk whose machine is lost is done again
elsewhere; a part that is there is not. `pipelines.lines.joined` gives the same bytes as a run on one box.

Needs the extra `ray`, and this package on every machine.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from models.errors import MissingExtra
from pipelines.errors import ClusterUnavailable, SourceError
from pipelines.lines import (
    CHUNK_LINES,
    MAX_LINE_BYTES,
    Answer,
    Line,
    Tally,
    chunks_of,
    is_table,
    line_of,
    numbered_parts,
    tally_of,
    write_part,
)
from pipelines.sources.files import bounded_lines, is_packed

SPANS: Final = "spans.jsonl"
LOCAL: Final = "local"
"""In place of an address: a cluster of this machine alone, for as long as it is needed."""
_REACHED_S: Final = 10.0
_LOCAL_STORE_BYTES: Final = 200 << 20
"""Of shared memory; spans and tallies need little of it."""


@dataclass(frozen=True, slots=True)
class Span:
    """A chunk of the input: its number, where it begins, and its lines, counted from 1."""

    number: int
    offset: int
    first: int
    lines: int


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """This process connected to a cluster.

    Args:
        address: LOCAL, "auto" for the cluster that this machine belongs to, or HOST:PORT of its head.

    Raises: MissingExtra; ClusterUnavailable.
    """
    ray = _ray()
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address == LOCAL:
            ray.init(address=LOCAL, include_dashboard=False, object_store_memory=_LOCAL_STORE_BYTES, **quiet)
        else:
            _reachable(address)
            ray.init(address=address, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        raise ClusterUnavailable(f"no Ray cluster answers at {address}; `ray start --head` makes one") from error
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield
    finally:
        ray.shutdown()


def cluster_cpus() -> int:
    """Processors of the cluster that this process is connected to; at least one."""
    return max(int(_ray().cluster_resources().get("CPU", 1)), 1)


def run_lines_on_ray(
    make_answer: Callable[[], Answer],
    source: Path,
    folder: Path,
    *,
    workers: int | tuple[int, int],
    cpus: float = 1.0,
    gpus: float = 0.0,
    chunk_lines: int = CHUNK_LINES,
    on_progress: Callable[[Tally, int], None] = lambda tally, total: None,
) -> Tally:
    """Answer every line of a file into parts, on the cluster that this process is connected to.

    Args:
        make_answer: called once in each worker process; opens the build there. Has to be importable there.
        source: JSONL, not packed: machines begin in the middle.
        workers: how many processes, or the least and the most of them.
        cpus, gpus: what each takes.

    Raises: SourceError; MissingExtra.
    """
    ray = _ray()
    folder.mkdir(parents=True, exist_ok=True)
    spans = _spans(source, folder, chunk_lines)
    there = numbered_parts(folder)
    done = sum((tally_of(part) for part in there.values()), Tally())
    total = sum(span.lines for span in spans)
    on_progress(done, total)
    missing = [asdict(span) for span in spans if span.number not in there]
    if missing:
        answered = ray.data.from_items(missing, override_num_blocks=len(missing)).map_batches(
            _Answerer,
            fn_constructor_args=(make_answer, str(source), str(folder)),
            batch_size=1,
            num_cpus=cpus,
            num_gpus=gpus or None,
            compute=ray.data.ActorPoolStrategy(**dict(zip(("min_size", "max_size"), _range(workers), strict=True))),
        )
        for row in answered.iter_rows():
            done += Tally(int(row["ok"]), int(row["failed"]))
            on_progress(done, total)
    return sum((tally_of(part) for part in numbered_parts(folder).values()), Tally())


class _Answerer:
    """In a worker process: chunks in, parts out."""

    def __init__(self, make_answer: Callable[[], Answer], source: str, folder: str) -> None:
        self._answer = make_answer()
        self._source = Path(source)
        self._folder = Path(folder)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        tallies = []
        for columns in zip(*(batch[name] for name in ("number", "offset", "first", "lines")), strict=True):
            span = Span(*map(int, columns))
            tallies.append(write_part(self._folder, span.number, list(_lines(self._source, span)), self._answer))
        return {"ok": [tally.ok for tally in tallies], "failed": [tally.failed for tally in tallies]}


def _reachable(address: str) -> None:
    """Ask first: Ray itself tries for minutes, and then ends the process. Raises: OSError, ValueError."""
    host, colon, port = address.rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACHED_S).close()


def _ray() -> Any:  # noqa: ANN401 - a module
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtra("running on many machines needs the extra 'ray': pip install 'cognomen[ray]'") from None
    return ray


def _spans(source: Path, folder: Path, chunk_lines: int) -> Sequence[Span]:
    """The chunks of the input, found once and kept: one pass over the file."""
    path = folder / SPANS
    if not path.exists():
        if is_packed(source):
            raise SourceError(f"{source.name} is packed; unpack it, since machines begin in the middle")
        if is_table(source):
            raise SourceError(f"{source.name} is a table; a cluster takes plain JSON Lines")
        part = path.with_suffix(".part")
        with part.open("wb") as stream:
            stream.writelines(orjson.dumps(asdict(span)) + b"\n" for span in _found(source, chunk_lines))
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    return [Span(**orjson.loads(line)) for line in path.read_bytes().splitlines()]


def _found(source: Path, chunk_lines: int) -> Iterator[Span]:
    ends = [0]

    def told() -> Iterator[Line]:
        with source.open("rb") as stream:
            for number, content in enumerate(bounded_lines(stream, limit=MAX_LINE_BYTES), 1):
                ends[0] = stream.tell()
                yield line_of(number, content)

    offset, first = 0, 1
    for number, chunk in enumerate(chunks_of(told(), chunk_lines=chunk_lines)):
        yield Span(number, offset, first, len(chunk))
        offset, first = ends[0], first + len(chunk)


def _lines(source: Path, span: Span) -> Iterator[Line]:
    with source.open("rb") as stream:
        stream.seek(span.offset)
        contents = bounded_lines(stream, limit=MAX_LINE_BYTES)
        for number in range(span.first, span.first + span.lines):
            yield line_of(number, next(contents))


def _range(workers: int | tuple[int, int]) -> tuple[int, int]:
    return workers if isinstance(workers, tuple) else (workers, workers)
