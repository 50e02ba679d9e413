"""What people bring to search in and to search with: documents and queries, JSONL or Parquet, one by one, checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.errors import SourceError
from pipelines.sources.fields import MAX_ID_CHARS, shown
from pipelines.sources.files import byte_lines, first_bytes, without_mark

FORMATS: Final = ("jsonl", "parquet")
MAX_TEXT_CHARS: Final = 100_000
MAX_DIMENSION: Final = 8192
MAX_NUMBER: Final = 1e12
"""Of a vector: products of larger ones leave single precision."""
MAX_FIELDS: Final = 64
MAX_METADATA_BYTES: Final = 65_536
MAX_RELEVANT: Final = 10_000

_PARQUET: Final = b"PAR1"
_PARQUET_ROWS: Final = 2048

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One thing to be found.

    Attributes:
        line: where it stands in its file, from 1.
        text: None if it has only a vector.
        vector: (d,) as brought, not scaled; None if its text is to be encoded.
        metadata: JSON values.
    """

    line: int
    id: str
    text: str | None
    vector: Vector | None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class KnownQuery:
    """Something that is asked.

    Attributes:
        relevant: ids of the documents that answer it, where that is known.
    """

    line: int
    text: str | None
    vector: Vector | None
    relevant: Sequence[str] = ()


def read_documents(path: Path, *, format: str | None = None) -> Iterator[Document]:
    """The documents of a file, in its order: `{"id", "text"? | "vector"?, "metadata"?}`.

    Args:
        format: "jsonl" (plain, gzip, zstd) or "parquet"; by default what the file's first bytes say.

    Raises: SourceError naming the line.
    """
    for line, row in _rows(path, format):
        text, vector = _text(row, line), _vector(row, line)
        if text is None and vector is None:
            raise SourceError('found neither "text" nor "vector"', line=line)
        yield Document(line, _id(row.get("id"), line), text, vector, _metadata(row, line))


def read_queries(path: Path, *, format: str | None = None) -> Iterator[KnownQuery]:
    """The queries of a file, in its order: `{"text"? | "vector"?, "relevant"?: [document ids]}`.

    Raises: SourceError naming the line.
    """
    for line, row in _rows(path, format):
        text, vector = _text(row, line), _vector(row, line)
        if (text is None) == (vector is None):
            raise SourceError('expected one of "text" and "vector"', line=line)
        yield KnownQuery(line, text, vector, _relevant(row, line))


def as_vector(values: Sequence[Any], *, line: int | None = None) -> Vector:
    """Numbers as (d,) float32. Raises: SourceError for anything that is no finite number of that precision."""
    if not 1 <= len(values) <= MAX_DIMENSION:
        raise SourceError(f"the vector has {len(values):,} numbers; expected 1 to {MAX_DIMENSION:,}", line=line)
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        raise SourceError("the vector holds something that is no number", line=line)
    vector = np.array(values, np.float64)
    if not (np.abs(vector) <= MAX_NUMBER).all():
        raise SourceError(f"the vector holds NaN or a number beyond {MAX_NUMBER:g}", line=line)
    return vector.astype(np.float32)


def _rows(path: Path, format: str | None) -> Iterator[tuple[int, Mapping[str, Any]]]:
    format = format or ("parquet" if first_bytes(path) == _PARQUET else "jsonl")
    if format not in FORMATS:
        raise SourceError(f"unknown format {format!r}; expected {' or '.join(FORMATS)}")
    yield from _parquet_rows(path) if format == "parquet" else _json_rows(path)


def _json_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, content in enumerate(byte_lines(path), 1):
        content = without_mark(content) if line == 1 else content
        if not content.strip():
            continue
        try:
            row = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise SourceError(f"not a JSON value in UTF-8 (column {error.colno})", line=line) from None
        if not isinstance(row, dict):
            raise SourceError(f"found {shown(row)}; expected an object", line=line)
        yield line, row


def _parquet_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    number = 0
    try:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=_PARQUET_ROWS):
            for row in batch.to_pylist():
                number += 1
                yield number, {name: value for name, value in row.items() if value is not None}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(f"{path.name} is no Parquet file, or damaged after row {number}") from error


def _id(value: object, line: int) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise SourceError(f"found {shown(value)} for an id; expected a text", line=line)
    if len(value) > MAX_ID_CHARS:
        raise SourceError(f"the id has {len(value):,} characters; at most {MAX_ID_CHARS} are taken", line=line)
    return value


def _text(row: Mapping[str, Any], line: int) -> str | None:
    text = row.get("text")
    if text is None:
        return None
    if not isinstance(text, str) or not text.strip():
        raise SourceError(f"found {shown(text)} for a text; expected one that is not blank", line=line)
    if len(text) > MAX_TEXT_CHARS:
        raise SourceError(f"the text has {len(text):,} characters; at most {MAX_TEXT_CHARS:,} are taken", line=line)
    return text


def _vector(row: Mapping[str, Any], line: int) -> Vector | None:
    values = row.get("vector")
    if values is None:
        return None
    if not isinstance(values, list):
        raise SourceError(f"found {shown(values)} for a vector; expected a list of numbers", line=line)
    return as_vector(values, line=line)


def _metadata(row: Mapping[str, Any], line: int) -> Mapping[str, Any]:
    value = row.get("metadata")
    if value is None:
        return {}
    if isinstance(value, list) and all(isinstance(pair, tuple) for pair in value):
        value = dict(value)  # a map column of Parquet
    if not isinstance(value, dict):
        raise SourceError(f"found {shown(value)} for metadata; expected an object", line=line)
    present = {name: inner for name, inner in value.items() if inner is not None}
    if len(present) > MAX_FIELDS:
        raise SourceError(f"metadata has {len(present)} fields; at most {MAX_FIELDS} are taken", line=line)
    try:
        content = orjson.dumps(present)
    except TypeError:
        raise SourceError("metadata holds a value that JSON has not", line=line) from None
    if len(content) > MAX_METADATA_BYTES:
        raise SourceError(f"metadata has {len(content):,} bytes; at most {MAX_METADATA_BYTES:,} are taken", line=line)
    plain: dict[str, Any] = orjson.loads(content)
    return plain


def _relevant(row: Mapping[str, Any], line: int) -> tuple[str, ...]:
    value = row.get("relevant", [])
    if not isinstance(value, list) or len(value) > MAX_RELEVANT:
        raise SourceError(f"found {shown(value)} for relevant; expected at most {MAX_RELEVANT:,} ids", line=line)
    return tuple(dict.fromkeys(_id(one, line) for one in value))
