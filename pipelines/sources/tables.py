"""Delimited tables, record by record, each with the physical line it starts on."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from pipelines.errors import SourceError

Quoting = Literal[0, 3]
"""csv.QUOTE_MINIMAL or csv.QUOTE_NONE."""


def records(
    lines: Iterable[str], *, delimiter: str = ",", quoting: Quoting = csv.QUOTE_MINIMAL
) -> Iterator[tuple[int, list[str]]]:
    """The records that are not blank, each with its first line, 1-based. Raises: SourceError."""
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise SourceError(f"not a CSV record: {error}", line=start) from None
        if any(field.strip() for field in record):
            yield start, record


def table(
    lines: Iterable[str],
    *,
    required: Sequence[str],
    delimiter: str = ",",
    quoting: Quoting = csv.QUOTE_MINIMAL,
) -> Iterator[tuple[int, dict[str, str]]]:
    """The records below a header, by column. Raises: SourceError if a required column or field is missing."""
    rows = records(lines, delimiter=delimiter, quoting=quoting)
    line, header = next(rows, (1, []))
    missing = [column for column in required if column not in header]
    if missing:
        raise SourceError(f"found no column {missing[0]!r}; expected {', '.join(required)}", line=line)
    for line, row in rows:
        check_width(row, header, line=line)
        yield line, dict(zip(header, row, strict=True))


def check_width(row: Sequence[str], header: Sequence[str], *, line: int) -> None:
    """Raises: SourceError unless the row has one field per column."""
    if len(row) != len(header):
        raise SourceError(
            f"found {len(row)} fields; expected {len(header)}, one for each column of the header", line=line
        )
