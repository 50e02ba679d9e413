"""Tables of any length, read and written a row at a time: CSV, TSV, JSONL (each .gz if you like) and Parquet.

A row that cannot be read is a fact in its place, not the end of the file. What is written appears under its name when
it is whole: bytes go to a neighbour, are fsynced and renamed.
"""

import codecs
import csv
import gzip
import io
import json
import os
import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import SourceError

FORMATS: Final = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_DELIMITERS: Final = {"csv": ",", "tsv": "\t"}
_PARQUET_ROWS: Final = 4096


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        line: 1-based physical line where it begins (Parquet: the row's number).
        values: column → value; empty where the row is faulty.
        fault: why it cannot be read, without its content; None where it can.
    """

    line: int
    values: Mapping[str, Any]
    fault: str | None = None


class Writer(Protocol):
    """Rows out, in order."""

    def write(self, row: Row, added: Mapping[str, Any]) -> None:
        """A row as it was read, and what is added to it. A faulty row carries `added["error"]`."""
        ...


def format_of(path: Path) -> str:
    """csv, tsv, jsonl or parquet, by extension; `.gz` around the first three. Raises: SourceError."""
    name = path.name.lower().removesuffix(".gz")
    for extension, format in FORMATS.items():
        if name.endswith(extension):
            if format == "parquet" and path.name.lower().endswith(".gz"):
                break
            return format
    raise SourceError(f"{path.name}: expected one of {', '.join(FORMATS)}, the text ones with .gz if need be")


def columns_of(path: Path) -> list[str]:
    """The columns of a table in order; of JSONL, the keys of all its objects, for which it is read once.

    Raises: SourceError; also where a column stands twice, since its values could not be told apart.
    """
    columns = _columns(path)
    if twice := sorted({c for c in columns if columns.count(c) > 1}):
        raise SourceError(f"{path.name}: column {', '.join(twice)} stands twice")
    return columns


def schema_of(path: Path) -> pa.Schema | None:
    """The types of a Parquet file's columns; None for formats that have none."""
    return _parquet(path).schema_arrow if format_of(path) == "parquet" else None


def _columns(path: Path) -> list[str]:
    match format_of(path):
        case "parquet":
            return list(_parquet(path).schema_arrow.names)
        case "jsonl":
            return list(dict.fromkeys(key for row in read_rows(path) for key in row.values))
        case format:
            with _text(path) as stream:
                return _header(csv.reader(stream, delimiter=_DELIMITERS[format]), path)


def count_rows(path: Path) -> int:
    """How many rows there are, about: physical lines for text. Reads the file once, for the progress bar."""
    format = format_of(path)
    if format == "parquet":
        return int(_parquet(path).metadata.num_rows)
    with _bytes(path) as stream:
        lines = sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b""))
    return max(lines - (format != "jsonl"), 0)


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a table, in order. Raises: SourceError for a file that is no table at all."""
    match format_of(path):
        case "parquet":
            yield from _read_parquet(path)
        case "jsonl":
            yield from _read_jsonl(path)
        case format:
            yield from _read_csv(path, _DELIMITERS[format])


@contextmanager
def open_writer(
    path: Path, *, columns: Sequence[str], added: Mapping[str, pa.DataType], schema: pa.Schema | None = None
) -> Iterator[Writer]:
    """Write a table in the format of its extension; it appears under its name when the block ends well.

    Args:
        columns: of the rows as read (CSV and Parquet have to know).
        added: column → type of what is added.
        schema: the columns' types, for Parquet; without it they are text.
    """
    format = format_of(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        if format == "parquet":
            writer = _ParquetWriter(part, columns=columns, added=added, schema=schema)
            yield writer
            writer.close()
        else:
            with part.open("wb") as raw:
                packed = gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) if path.name.lower().endswith(".gz") else raw
                yield (
                    _JsonlWriter(packed)
                    if format == "jsonl"
                    else _CsvWriter(packed, columns=columns, added=list(added), delimiter=_DELIMITERS[format])
                )
                if packed is not raw:
                    packed.close()
                raw.flush()
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


class _JsonlWriter:
    def __init__(self, stream: IO[bytes] | gzip.GzipFile) -> None:
        self._stream = stream

    def write(self, row: Row, added: Mapping[str, Any]) -> None:
        error = added.get("error", added.get("cognomen_error"))
        content = {**row.values, **added} if error is None else {"line": row.line, "error": error}
        try:
            line = orjson.dumps(content, default=str)
        except TypeError:  # nested deeper than orjson writes, though not than it reads
            line = json.dumps(content, default=str, ensure_ascii=False).encode()
        self._stream.write(line + b"\n")


class _CsvWriter:
    def __init__(
        self, stream: IO[bytes] | gzip.GzipFile, *, columns: Sequence[str], added: Sequence[str], delimiter: str
    ) -> None:
        self._stream = stream
        self._columns = columns
        self._added = added
        self._delimiter = delimiter
        self._put([*columns, *added])

    def write(self, row: Row, added: Mapping[str, Any]) -> None:
        self._put([*(_cell(row.values.get(c)) for c in self._columns), *(_cell(added.get(c)) for c in self._added)])

    def _put(self, cells: Sequence[Any]) -> None:
        line = _Line()
        csv.writer(line, delimiter=self._delimiter, lineterminator="\n").writerow(cells)
        # Bytes that were no UTF-8 go out as they came.
        self._stream.write(line.text.encode("utf-8", errors="surrogateescape"))


class _Line:
    text = ""

    def write(self, text: str) -> None:
        self.text += text


class _ParquetWriter:
    """Row groups of a few thousand rows. Without a schema, columns as read are text, which fits any later row."""

    def __init__(
        self, path: Path, *, columns: Sequence[str], added: Mapping[str, pa.DataType], schema: pa.Schema | None
    ) -> None:
        self._path = path
        self._known = schema
        self._columns = [c for c in columns if c not in added]
        self._added = added
        self._rows: list[dict[str, Any]] = []
        self._writer: pq.ParquetWriter | None = None

    def write(self, row: Row, added: Mapping[str, Any]) -> None:
        self._rows.append({**{c: row.values.get(c) for c in self._columns}, **{c: added.get(c) for c in self._added}})
        if len(self._rows) >= _PARQUET_ROWS:
            self._flush()

    def close(self) -> None:
        if self._rows or self._writer is None:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        arrays = {c: [row[c] for row in self._rows] for c in [*self._columns, *self._added]}
        if self._writer is None:
            known = self._known
            fields = [known.field(c) if known is not None else pa.field(c, pa.string()) for c in self._columns]
            fields += [pa.field(c, kind) for c, kind in self._added.items()]
            self._writer = pq.ParquetWriter(self._path, pa.schema(fields))
        schema = self._writer.schema
        columns = [_array(arrays[c], schema.field(c).type) for c in arrays]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        self._rows = []


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column's values in its type; text takes any value."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        values = [v if v is None else _written(v if isinstance(v, str) else str(_cell(v))) for v in values]
    return pa.array(values, kind)


def _written(text: str) -> str:
    """Arrow's text is UTF-8: what is not becomes "?"."""
    return text if text.isascii() else text.encode("utf-8", errors="replace").decode()


def _cell(value: Any) -> Any:  # noqa: ANN401 - a cell is what it is
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str, ensure_ascii=False)
    return value


def _read_jsonl(path: Path) -> Iterator[Row]:
    with _bytes(path) as stream:
        for line, content in enumerate(stream, start=1):
            if line == 1:
                content = content.removeprefix(codecs.BOM_UTF8)
            if not content.strip():
                continue
            try:
                values = orjson.loads(content)
            except orjson.JSONDecodeError:
                yield Row(line, {}, "not a JSON value in UTF-8")
                continue
            if isinstance(values, dict):
                yield Row(line, values)
            else:
                yield Row(line, {}, "not a JSON object")


def _read_csv(path: Path, delimiter: str) -> Iterator[Row]:
    with _text(path) as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        header = _header(reader, path)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, {}, f"not a row of cells: {error}")
                continue
            if not cells:
                continue
            values = dict(zip(header, cells, strict=False))
            if len(cells) != len(header):
                yield Row(line, values, f"{len(cells)} cells, expected {len(header)}")
            elif broken := [column for column, cell in values.items() if _undecoded(cell)]:
                yield Row(line, values, f"column {', '.join(broken)}: not UTF-8; was the file saved as Latin-1?")
            else:
                yield Row(line, values)


def _header(reader: Iterator[list[str]], path: Path) -> list[str]:
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise SourceError(f"{path.name}: no header line with column names: {error}") from None
    if not header:
        raise SourceError(f"{path.name}: expected a header line with column names")
    if any(map(_undecoded, header)):
        raise SourceError(f"{path.name}: the column names are not UTF-8; save the file as UTF-8")
    return header


def _undecoded(text: str) -> bool:
    """Whether it holds a byte that is no UTF-8, kept as half of a surrogate pair (PEP 383)."""
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _read_parquet(path: Path) -> Iterator[Row]:
    number = 0
    batches = _parquet(path).iter_batches(batch_size=_PARQUET_ROWS)
    while True:
        try:
            batch = next(batches, None)
            rows = [] if batch is None else batch.to_pylist()
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SourceError(f"{path.name} is damaged after row {number}") from error
        if batch is None:
            return
        for values in rows:
            number += 1
            yield Row(number, values)


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise SourceError(f"{path.name} is not a Parquet file") from error


@contextmanager
def _bytes(path: Path) -> Iterator[IO[bytes]]:
    try:
        with gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb") as stream:
            yield stream  # type: ignore[misc]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(f"{path.name} is not a whole gzip file") from error


@contextmanager
def _text(path: Path) -> Iterator[IO[str]]:
    """Text with a byte order mark taken off; bytes that are no UTF-8 stay what they are (PEP 383)."""
    with (
        _bytes(path) as stream,
        io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="") as text,
    ):
        yield text
