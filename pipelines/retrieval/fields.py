"""Metadata one may filter by: declared fields in columns, and conditions on them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.arrays import RowIds
from pipelines.errors import InputInvalid, SourceError

KINDS: Final[Mapping[str, pa.DataType]] = {
    "text": pa.string(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "tags": pa.list_(pa.string()),
}
OPERATORS: Final = ("eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "exists")
MAX_CONDITIONS: Final = 32
MAX_VALUES: Final = 1000

_ORDERED: Final = {"gt": pc.greater, "gte": pc.greater_equal, "lt": pc.less, "lte": pc.less_equal}
_NAME: Final = re.compile(r"[^\x00-\x1f]{1,100}")
_SHOWN: Final = 64

Value = str | float | bool


@dataclass(frozen=True, slots=True)
class Condition:
    """A document passes if its field is so.

    Attributes:
        operator: one of OPERATORS.
        values: what it is compared with; one of them is enough for `in`.
    """

    field: str
    operator: str
    values: tuple[Value, ...]


Filter = tuple[Condition, ...]
"""Every condition must hold; none lets every document pass."""


class Fields:
    """The declared fields of a collection, as columns of one row a document.

    Args:
        columns: field → its values, null where a document has none.
    """

    def __init__(self, columns: pa.Table) -> None:
        self._columns = columns
        self.kinds: dict[str, str] = {
            column.name: next(kind for kind, of in KINDS.items() if of == column.type) for column in columns.schema
        }

    @classmethod
    def of(cls, metadata: Sequence[Mapping[str, Any]], *, declared: Sequence[str] | None = None) -> "Fields":
        """Columns of the fields declared; by default of every field whose values are of one kind.

        Raises: SourceError for a declared field that no document has, or whose values are of several kinds.
        """
        names = declared if declared is not None else sorted({name for one in metadata for name in one})
        columns: dict[str, pa.Array] = {}
        for name in dict.fromkeys(names):
            values = [one.get(name) for one in metadata]
            kind = _kind(values)
            if kind is not None and _NAME.fullmatch(name):
                # Arrow refuses whole numbers that a double cannot hold exactly.
                plain = [v if v is None else float(v) for v in values] if kind == "number" else values
                columns[name] = pa.array(plain, KINDS[kind])
            elif declared is not None:
                raise SourceError(
                    f"field {name[:_SHOWN]!r} is declared, but no document has it, or its values are not all texts, "
                    "numbers, booleans or lists of texts"
                )
        # A table without a column has no length, which nothing here asks for.
        return cls(pa.table(columns))

    @classmethod
    def from_bytes(cls, content: bytes) -> "Fields":
        """The inverse of `to_bytes`."""
        with pa.ipc.open_file(pa.BufferReader(content)) as reader:
            return cls(reader.read_all())

    def to_bytes(self) -> bytes:
        """The columns as an Arrow file."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, self._columns.schema) as writer:
            writer.write_table(self._columns)
        return bytes(sink.getvalue().to_pybytes())

    def filter(self, content: Mapping[str, Any] | None) -> Filter:
        """What a request's `filter` says: field → value, list of values (any of them), or operator → value.

        Raises: InputInvalid, with a pointer, for a field that is not declared or a value it cannot have.
        """
        conditions: list[Condition] = []
        for name, wanted in (content or {}).items():
            if name not in self.kinds:
                raise InputInvalid(
                    f"Not a declared field of this collection; it has: {', '.join(self.kinds) or 'none'}.",
                    pointer=_pointer(name),
                )
            conditions += self._conditions(name, wanted)
        if len(conditions) > MAX_CONDITIONS:
            raise InputInvalid(f"Should have at most {MAX_CONDITIONS} conditions.", pointer="/filter")
        return tuple(conditions)

    def rows(self, conditions: Filter) -> RowIds:
        """The rows that pass every condition, rising."""
        passing: NDArray[np.bool_] = np.ones(self._columns.num_rows, bool)
        for condition in conditions:
            passing &= self._passing(condition)
        return np.flatnonzero(passing).astype(np.int64)

    def _conditions(self, name: str, wanted: object) -> list[Condition]:
        if isinstance(wanted, Mapping):
            if not wanted:
                raise InputInvalid("Should name an operator.", pointer=_pointer(name))
            return [self._condition(name, str(operator), value, str(operator)) for operator, value in wanted.items()]
        return [self._condition(name, "in" if isinstance(wanted, list) else "eq", wanted, None)]

    def _condition(self, name: str, operator: str, value: object, below: str | None) -> Condition:
        pointer = _pointer(name, *([below] if below is not None else []))
        kind = self.kinds[name]
        if operator not in OPERATORS:
            raise InputInvalid(f"Not an operator; there are: {', '.join(OPERATORS)}.", pointer=pointer)
        if operator == "exists":
            if not isinstance(value, bool):
                raise InputInvalid("Should be true or false.", pointer=pointer)
            return Condition(name, operator, (value,))
        if operator in {"in", "not_in"}:
            if not isinstance(value, list) or not 1 <= len(value) <= MAX_VALUES:
                raise InputInvalid(f"Should be a list of 1 to {MAX_VALUES:,} values.", pointer=pointer)
            return Condition(name, operator, tuple(_value(one, kind, pointer) for one in value))
        if operator in _ORDERED and kind not in {"number", "text"}:
            raise InputInvalid(f"A field of kind {kind} has no order.", pointer=pointer)
        return Condition(name, operator, (_value(value, kind, pointer),))

    def _passing(self, condition: Condition) -> NDArray[np.bool_]:
        column = self._columns.column(condition.field).combine_chunks()
        operator, values = condition.operator, condition.values
        if operator == "exists":
            there: NDArray[np.bool_] = np.asarray(column.is_valid())
            return there if values[0] else ~there
        if operator in _ORDERED:
            return _filled(_ORDERED[operator](column, pa.scalar(values[0], column.type)))
        has = _has_any(column, values)
        return ~has if operator in {"ne", "not_in"} else has


def _has_any(column: pa.Array, values: tuple[Value, ...]) -> NDArray[np.bool_]:
    """Which rows have one of the values, or hold it in their list."""
    if not pa.types.is_list(column.type):
        return _filled(pc.is_in(column, value_set=pa.array(values, column.type)))
    inside = _filled(pc.is_in(column.flatten(), value_set=pa.array(values, column.type.value_type)))
    has = np.zeros(len(column), bool)
    has[np.asarray(pc.list_parent_indices(column))[inside]] = True
    return has


def _filled(mask: pa.Array) -> NDArray[np.bool_]:
    filled: NDArray[np.bool_] = np.asarray(mask.fill_null(False))
    return filled


def _kind(values: Sequence[object]) -> str | None:
    """What all values but the absent ones are, or None if they differ or there are none."""
    kinds = {_kind_of(value) for value in values if value is not None}
    return kinds.pop() if len(kinds) == 1 else None


def _kind_of(value: object) -> str | None:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list() if all(isinstance(one, str) for one in value):
            return "tags"
    return None


def _value(value: object, kind: str, pointer: str) -> Value:
    wanted = "text" if kind == "tags" else kind
    if isinstance(value, str | int | float) and _kind_of(value) == wanted:
        return float(value) if wanted == "number" else value
    raise InputInvalid(f"Should be a {wanted}, as the field is of kind {kind}.", pointer=pointer)


def _pointer(*names: str) -> str:
    """A JSON pointer into `filter`; names are cut, for they are the caller's."""
    return "/filter" + "".join("/" + name[:_SHOWN].replace("~", "~0").replace("/", "~1") for name in names)
