import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import InputInvalid, SourceError
from pipelines.retrieval.fields import Fields

ROWS = [
    {"name": "a", "size": 1, "new": True, "tags": ["x", "y"]},
    {"name": "b", "size": 2.5, "new": False, "tags": []},
    {"name": "c", "tags": ["y"]},
    {"name": "d", "size": 2**60, "new": True, "mixed": 1},
    {"size": -4, "mixed": "one"},
]


@pytest.fixture(scope="module")
def fields():
    return Fields.from_bytes(Fields.of(ROWS).to_bytes())


def test_fields_of_one_kind_are_declared_by_themselves(fields):
    assert fields.kinds == {"name": "text", "new": "boolean", "size": "number", "tags": "tags"}


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (None, [0, 1, 2, 3, 4]),
        ({}, [0, 1, 2, 3, 4]),
        ({"name": "b"}, [1]),
        ({"name": ["a", "d", "nobody"]}, [0, 3]),
        ({"name": {"ne": "b"}}, [0, 2, 3, 4]),
        ({"name": {"not_in": ["a", "b"]}}, [2, 3, 4]),
        ({"name": {"gte": "b", "lt": "d"}}, [1, 2]),
        ({"size": 1}, [0]),
        ({"size": {"gt": 1}}, [1, 3]),
        ({"size": {"lte": 2.5, "gt": -4}}, [0, 1]),
        ({"size": {"exists": False}}, [2]),
        ({"size": {"exists": True}, "new": True}, [0, 3]),
        ({"new": False}, [1]),
        ({"tags": "y"}, [0, 2]),
        ({"tags": ["x", "z"]}, [0]),
        ({"tags": {"ne": "y"}}, [1, 3, 4]),
        ({"name": "a", "size": 2.5}, []),
    ],
)
def test_rows_that_pass(fields, content, rows):
    assert fields.rows(fields.filter(content)).tolist() == rows


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({"mixed": 1}, "/filter/mixed"),
        ({"nothing": 1}, "/filter/nothing"),
        ({"a/b~c": 1}, "/filter/a~1b~0c"),
        ({"x" * 500: 1}, "/filter/" + "x" * 64),
        ({"name": 5}, "/filter/name"),
        ({"name": None}, "/filter/name"),
        ({"name": []}, "/filter/name"),
        ({"name": ["a", 5]}, "/filter/name"),
        ({"name": {}}, "/filter/name"),
        ({"name": {"like": "a"}}, "/filter/name/like"),
        ({"name": {"in": "a"}}, "/filter/name/in"),
        ({"name": {"exists": 1}}, "/filter/name/exists"),
        ({"name": ["a"] * 1001}, "/filter/name"),
        ({"new": {"gt": False}}, "/filter/new/gt"),
        ({"tags": {"lt": "x"}}, "/filter/tags/lt"),
        ({"size": "1"}, "/filter/size"),
        ({"size": True}, "/filter/size"),
    ],
)
def test_what_cannot_be_asked_is_refused_where_it_stands(fields, content, pointer):
    with pytest.raises(InputInvalid) as refused:
        fields.filter(content)
    assert refused.value.pointer == pointer


def test_too_many_conditions_are_refused(fields):
    many = {"size": {op: 1 for op in ("gt", "gte", "lt", "lte", "ne", "eq")}}
    wide = Fields.of([{f"f{i}": 1 for i in range(10)}])
    with pytest.raises(InputInvalid):
        wide.filter({f"f{i}": many["size"] for i in range(10)})


def test_declared_fields_are_the_only_ones():
    assert Fields.of(ROWS, declared=["name"]).kinds == {"name": "text"}
    assert Fields.of(ROWS, declared=[]).kinds == {}
    for name in ("mixed", "nobody"):
        with pytest.raises(SourceError, match=name):
            Fields.of(ROWS, declared=[name])


values = st.one_of(st.none(), st.floats(-5, 5, allow_nan=False), st.integers(-5, 5))


@given(
    st.lists(values, min_size=1, max_size=30).filter(lambda v: any(x is not None for x in v)),
    st.floats(-5, 5, allow_nan=False),
)
def test_comparisons_are_pythons(column, bound):
    fields = Fields.of([{"x": v} for v in column])
    for operator, passes in {
        "gt": lambda v: v is not None and v > bound,
        "gte": lambda v: v is not None and v >= bound,
        "lt": lambda v: v is not None and v < bound,
        "lte": lambda v: v is not None and v <= bound,
        "eq": lambda v: v is not None and v == bound,
        "ne": lambda v: v is None or v != bound,
        "exists": lambda v: v is not None,
    }.items():
        wanted = True if operator == "exists" else bound
        rows = fields.rows(fields.filter({"x": {operator: wanted}}))
        np.testing.assert_array_equal(rows, [i for i, v in enumerate(column) if passes(v)])
