import csv
import gzip

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.tables import Row, columns_of, count_rows, format_of, open_writer, read_rows, schema_of

ADDED = {"concept_id": pa.string(), "confidence": pa.float64(), "error": pa.string()}


def write(path, rows, **kwargs):
    with open_writer(path, columns=["id", "title"], added=ADDED, **kwargs) as writer:
        for row, added in rows:
            writer.write(row, added)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.csv.gz", "a.jsonl.gz", "a.parquet"])
def test_every_format_round_trips_and_gains_columns(tmp_path, name):
    source, target = tmp_path / name, tmp_path / f"out-{name}"
    with open_writer(source, columns=["id", "title"], added={}) as writer:
        for i, title in enumerate(["nurse", 'said "cook", twice', "Bäcker\nzwei", ""]):
            writer.write(Row(i, {"id": str(i), "title": title}), {})
    rows = list(read_rows(source))
    assert [r.values["title"] for r in rows] == ["nurse", 'said "cook", twice', "Bäcker\nzwei", ""]
    assert columns_of(source) == ["id", "title"]
    assert count_rows(source) >= 4
    write(target, [(row, {"concept_id": f"T:{i}", "confidence": i / 10}) for i, row in enumerate(rows)])
    again = list(read_rows(target))
    assert [r.values["concept_id"] for r in again] == ["T:0", "T:1", "T:2", "T:3"]
    assert [float(r.values["confidence"]) for r in again] == [0.0, 0.1, 0.2, 0.3]
    assert [r.values["title"] for r in again] == [r.values["title"] for r in rows]


def test_faulty_jsonl_lines_are_facts_in_their_place(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"title": "a"}\n\n{"title": \n[1]\n"x"\n\xff\xfe\n{"title": "b"}\n')
    rows = list(read_rows(path))
    assert [r.line for r in rows] == [1, 3, 4, 5, 6, 7]
    assert [r.fault is None for r in rows] == [True, False, False, False, False, True]
    assert columns_of(path) == ["title"]


def test_a_csv_row_of_another_width_is_a_fact_in_its_place(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,title\n1,a\n2\n3,b,c\n\n4,d\n", encoding="utf-8")
    rows = list(read_rows(path))
    assert [(r.line, r.fault) for r in rows] == [
        (2, None), (3, "1 cells, expected 2"), (4, "3 cells, expected 2"), (6, None),
    ]  # fmt: skip


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("\ufefftitle\nnurse\n".encode())
    assert columns_of(path) == ["title"]


def test_errors_go_where_each_format_keeps_them(tmp_path):
    source = tmp_path / "a.csv"
    source.write_text("id,title\n1,a\n", encoding="utf-8")
    (row,) = read_rows(source)
    error = {"title": "Row cannot be answered", "detail": "too long"}
    for name in ("out.jsonl", "out.csv", "out.parquet"):
        write(tmp_path / name, [(row, {"error": error})])
    assert orjson.loads((tmp_path / "out.jsonl").read_bytes()) == {"line": 2, "error": error}
    (cells,) = csv.DictReader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines())
    assert orjson.loads(cells["error"]) == error
    assert orjson.loads(pq.read_table(tmp_path / "out.parquet").to_pylist()[0]["error"]) == error


def test_half_a_file_is_never_seen(tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("before")

    def interrupted():
        with open_writer(target, columns=["id"], added=ADDED):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert target.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.parquet.gz"])
def test_an_unknown_format_is_named(tmp_path, name):
    with pytest.raises(SourceError, match="expected one of"):
        format_of(tmp_path / name)


def test_what_is_not_what_it_says_is_a_source_error(tmp_path):
    parquet, packed, empty = tmp_path / "a.parquet", tmp_path / "a.csv.gz", tmp_path / "a.csv"
    parquet.write_bytes(b"not parquet")
    packed.write_bytes(gzip.compress(b"a,b\n1,2\n")[:-6])
    empty.write_bytes(b"")
    for path in (parquet, packed, empty):
        with pytest.raises(SourceError):
            list(read_rows(path))


def test_parquet_columns_that_change_their_kind_do_not_stop_the_file(tmp_path):
    target = tmp_path / "out.parquet"
    rows = [(Row(i, {"id": i if i < 5000 else "x", "title": None}), {}) for i in range(6000)]
    write(target, rows)
    assert pq.read_table(target).column("id").to_pylist()[4998:5001] == ["4998", "4999", "x"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), name=st.sampled_from(["a.csv", "a.jsonl", "a.tsv", "a.parquet", "a.csv.gz"]))
def test_no_bytes_raise_anything_but_a_source_error(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)
    try:
        list(read_rows(path))
        columns_of(path)
        count_rows(path)
    except SourceError:
        pass


def test_a_column_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,x\n1,2\n", encoding="utf-8")
    with pytest.raises(SourceError, match="x stands twice"):
        columns_of(path)


def test_a_jsonl_byte_order_mark_is_no_fault_and_all_keys_are_columns(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes('\ufeff{"a": 1}\n{"b": 2}\n'.encode())
    assert [r.fault for r in read_rows(path)] == [None, None]
    assert columns_of(path) == ["a", "b"]


@pytest.mark.parametrize("values", [["x", 5], [None, 5], [{"a": {}}, None], [["a"], {"b": 1}], ["x", 1.5]])
def test_mixed_columns_become_text_in_parquet(tmp_path, values):
    target = tmp_path / "out.parquet"
    write(target, [(Row(i, {"id": i, "title": value}), {}) for i, value in enumerate(values)])
    assert pq.read_table(target).num_rows == 2


def test_parquet_types_are_kept(tmp_path):
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    table = pa.table({"id": pa.array([1, 2], pa.int32()), "title": ["a", "b"], "n": pa.array([None, None], pa.int64())})
    pq.write_table(table, source)
    with open_writer(target, columns=columns_of(source), added=ADDED, schema=schema_of(source)) as writer:
        for row in read_rows(source):
            writer.write(row, {"concept_id": "T:1"})
    assert pq.read_table(target).schema.field("id").type == pa.int32()
    assert pq.read_table(target).schema.field("n").type == pa.int64()


def test_damaged_bodies_are_source_errors(tmp_path):
    packed, parquet = tmp_path / "a.jsonl.gz", tmp_path / "a.parquet"
    content = bytearray(gzip.compress(b'{"a": 1}\n' * 5000))
    content[len(content) // 2] ^= 0xFF
    packed.write_bytes(content)
    pq.write_table(pa.table({"a": [str(i) for i in range(5000)]}), parquet, compression="gzip")
    body = bytearray(parquet.read_bytes())
    body[200:400] = b"\x00" * 200
    parquet.write_bytes(body)
    for path in (packed, parquet):
        with pytest.raises(SourceError):
            list(read_rows(path))


def test_deep_values_and_lists_are_written_as_they_came(tmp_path):
    deep = orjson.loads("[" * 400 + "]" * 400)
    write(tmp_path / "out.jsonl", [(Row(1, {"id": deep}), {})])
    write(tmp_path / "out.csv", [(Row(1, {"id": ["a", "b"]}), {})])
    assert (tmp_path / "out.jsonl").read_bytes().count(b"[") == 400
    assert '["a", "b"]' in next(csv.reader((tmp_path / "out.csv").read_text().splitlines()[1:]))


def test_bytes_that_are_no_utf8_are_a_fault_and_go_out_as_they_came(tmp_path):
    source = tmp_path / "a.csv"
    source.write_bytes("id,title\n1,Verkäufer\n2,nurse\n".encode("latin-1"))
    rows = list(read_rows(source))
    assert ["UTF-8" in (row.fault or "") for row in rows] == [True, False]
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        write(tmp_path / name, [(row, {"error": row.fault}) for row in rows])
    assert b"1,Verk\xe4ufer," in (tmp_path / "out.csv").read_bytes()
    assert pq.read_table(tmp_path / "out.parquet").column("title").to_pylist() == ["Verk?ufer", "nurse"]


@pytest.mark.parametrize("header", [b"id,t\xeftle\n1,a\n", b"x" * 200_000 + b",title\n1,a\n"])
def test_a_header_that_cannot_be_read_is_a_source_error(tmp_path, header):
    path = tmp_path / "a.csv"
    path.write_bytes(header)
    for read in (columns_of, lambda path: list(read_rows(path))):
        with pytest.raises(SourceError, match="column names"):
            read(path)
