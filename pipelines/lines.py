"""One line in, one line out, over a file of any length: in order, in bounded memory, and resumed where it was killed.

    FOLDER/00000000.2048.0.jsonl     answers to the first chunk of lines; its number, how many are good, how many errors
    FOLDER/00000001.2047.1.jsonl …   each appears whole, synced, by rename

A chunk depends on the input alone, never on when it is computed. So whoever goes on after a kill, skips what is there
and ends with the same bytes as if nothing had happened.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Final

import orjson

from pipelines.errors import SourceError
from pipelines.sources.files import lines_within, without_mark
from pipelines.tables import count_rows, format_of, read_rows

CHUNK_LINES: Final = 2048
"""Lines of a part (guess: some seconds of work, some megabytes of answers)."""
CHUNK_BYTES: Final = 8 << 20
"""Of input in a part; a chunk of long lines is shorter."""
MAX_LINE_BYTES: Final = 1 << 20

_PART: Final = re.compile(r"(\d{8})\.(\d+)\.(\d+)\.jsonl")
_SUFFIXES: Final = re.compile(r"(\.(?:jsonl|ndjson|csv|tsv|parquet|pq))?(\.(?:gz|zst))?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the input.

    Attributes:
        number: from 1; of a Parquet file or a table, the row's.
        value: the JSON value, None where there is a fault.
        size: of the line in bytes, about.
        fault: why it cannot be read, without its content.
    """

    number: int
    value: Any
    size: int
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A line of the output, and whether it is an answer or an error in its place."""

    content: bytes
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the lines."""

    ok: int = 0
    failed: int = 0

    @property
    def lines(self) -> int:
        """All of them."""
        return self.ok + self.failed

    def __add__(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(self.ok + other.ok, self.failed + other.failed)


Answer = Callable[[Sequence[Line]], Sequence[Answered]]
"""Lines in, one answer each out, in order; equal lines in, equal bytes out."""


def suffix_of(filename: str) -> str:
    """What a file's name says of how to read it: ".jsonl", ".csv.gz", or nothing."""
    match = _SUFFIXES.search(filename)
    return match[0].lower() if match else ""


def run_lines(
    answer: Answer,
    source: Path,
    folder: Path,
    *,
    on_progress: Callable[[Tally, int], None] = lambda tally, total: None,
    chunk_lines: int = CHUNK_LINES,
) -> Tally:
    """Answer every line of a file into parts, going on after those that are there.

    Args:
        source: JSONL (plain, .gz, .zst), or CSV, TSV or Parquet, whose rows are then the lines.
        folder: where the parts go; of one input, one `chunk_lines` and one way of answering.
        on_progress: told what is done and how many lines there are, after each part.

    Raises: SourceError if the file cannot be read on; parts made by then stay. Whatever `answer` raises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = count_lines(source)
    done, number = _done(folder)
    on_progress(done, total)
    for chunk in chunks_of(islice(read_lines(source), done.lines, None), chunk_lines=chunk_lines):
        done += write_part(folder, number, chunk, answer)
        number += 1
        on_progress(done, max(total, done.lines))
    return done


def chunks_of(lines: Iterable[Line], *, chunk_lines: int = CHUNK_LINES) -> Iterator[list[Line]]:
    """The lines, cut into what becomes a part each."""
    chunk: list[Line] = []
    size = 0
    for line in lines:
        chunk.append(line)
        size += line.size
        if len(chunk) == chunk_lines or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def write_part(folder: Path, number: int, chunk: Sequence[Line], answer: Answer) -> Tally:
    """Answer a chunk and make it a part; what became of its lines."""
    answers = answer(chunk)
    if len(answers) != len(chunk):
        raise RuntimeError(f"{len(answers)} answers for {len(chunk)} lines")
    ok = sum(a.ok for a in answers)
    tally = Tally(ok, len(answers) - ok)
    _write(folder / f"{number:08d}.{tally.ok}.{tally.failed}.jsonl", [a.content for a in answers])
    return tally


def tally_of(part: Path) -> Tally:
    """What became of the lines of a part."""
    _, ok, failed, _ = part.name.split(".")
    return Tally(int(ok), int(failed))


def numbered_parts(folder: Path) -> dict[int, Path]:
    """The parts that are there, by number."""
    return {int(match[1]): path for path in folder.iterdir() if (match := _PART.fullmatch(path.name))}


def parts(folder: Path) -> list[Path]:
    """The parts that are there, in order, up to the first that is missing."""
    found = numbered_parts(folder)
    return [found[number] for number in takewhile(found.__contains__, range(len(found)))]


def joined(folder: Path, *, size: int = 1 << 20) -> Iterator[bytes]:
    """The bytes of all parts, one after the other."""
    for part in parts(folder):
        with part.open("rb") as stream:
            while piece := stream.read(size):
                yield piece


def read_lines(source: Path) -> Iterator[Line]:
    """The lines of a file, in order; what cannot be read is a fault in its place. Raises: SourceError."""
    if is_table(source):
        for number, row in enumerate(read_rows(source), 1):
            # A cell without text says nothing; no client means the empty string.
            values = {key: value for key, value in row.values.items() if value is not None and value != ""}
            yield Line(number, None if row.fault else values, _size(values), row.fault)
        return
    for number, content in enumerate(lines_within(source, limit=MAX_LINE_BYTES), 1):
        yield line_of(number, content)


def count_lines(source: Path) -> int:
    """About how many lines there are. Reads the file once."""
    if is_table(source):
        return count_rows(source)
    return sum(1 for _ in lines_within(source, limit=MAX_LINE_BYTES))


def line_of(number: int, content: bytes | None) -> Line:
    """The line of that number from its bytes; None stands for too many. Raises: SourceError for UTF-16."""
    if content is None:
        return Line(number, None, MAX_LINE_BYTES, f"longer than {MAX_LINE_BYTES:,} bytes")
    if number == 1:
        content = without_mark(content)
    if not content.strip():
        return Line(number, None, len(content), "empty")
    try:
        return Line(number, orjson.loads(content), len(content))
    except orjson.JSONDecodeError:
        return Line(number, None, len(content), "not a JSON value in UTF-8")


def is_table(source: Path) -> bool:
    """Whether rows are read from it, and not lines."""
    suffix = suffix_of(source.name)
    return bool(suffix) and not suffix.startswith((".jsonl", ".ndjson", ".gz", ".zst")) and _readable_table(source)


def _readable_table(source: Path) -> bool:
    if source.name.lower().endswith(".zst"):
        raise SourceError("found a table packed with zstd; expected it plain, or with gzip")
    return format_of(source) != "jsonl"


def _size(values: Mapping[str, Any]) -> int:
    return sum(len(value) if isinstance(value, str) else 8 for value in values.values())


def _done(folder: Path) -> tuple[Tally, int]:
    """What the parts hold that are there, and the number of the next."""
    tally, there = Tally(), parts(folder)
    for part in there:
        tally += tally_of(part)
    return tally, len(there)


def _write(path: Path, lines: Sequence[bytes]) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("wb") as stream:
        for line in lines:
            stream.write(line)
            stream.write(b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
