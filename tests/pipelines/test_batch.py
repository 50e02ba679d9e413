import csv

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.artifacts import ArtifactStore
from pipelines import registry
from pipelines.batch import Columns, normalize_file
from pipelines.build import build
from pipelines.errors import SourceError
from pipelines.results import Options
from pipelines.tables import Row, open_writer, read_rows

SPEC = registry.spec("job-titles")


@pytest.fixture(scope="module")
def built(tmp_path_factory, encoder, terminology):
    store = ArtifactStore(tmp_path_factory.mktemp("artifacts"))
    return build(SPEC, terminology, encoder=encoder, store=store, config=SPEC.config(encoder="hashing"))


def run(built, source, target, *, columns=None, **kwargs):
    kwargs.setdefault("options", Options(top_k=1, min_confidence=0.2))
    return normalize_file(
        built.pipeline, source, target, terminology=built.terminology, columns=columns or Columns("title"), **kwargs
    )


def test_rows_keep_their_order_and_bad_ones_their_place(built, tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    lines = [
        b'{"id": 1, "title": "Senior line cook"}', b"{broken", b'{"id": 3, "title": ""}', b'{"id": 4, "title": 5}',
        orjson.dumps({"id": 5, "title": "x" * 1001}),
        b'{"id": 6, "title": "HGV driver"}', b'{"id": 7, "title": "zzqx"}',
    ]  # fmt: skip
    source.write_bytes(b"\n".join(lines))
    counts = run(built, source, target)
    out = [orjson.loads(line) for line in target.read_bytes().splitlines()]
    assert [o.get("id") or o["line"] for o in out] == [1, 2, 3, 4, 5, 6, 7]
    assert ["error" in o for o in out] == [False, True, True, True, True, False, False]
    assert (out[0]["concept_id"], out[0]["code_isco-08"], out[0]["seniority"]) == ("T:5120", "5120", "senior")
    assert out[6]["concept_id"] is None
    assert (counts.ok, counts.nil, counts.failed) == (3, 1, 4)


def test_batches_of_any_size_give_the_same_file(built, tmp_path):
    source = tmp_path / "in.csv"
    titles = ["nurse", "cook", "nurse", "Lkw-Fahrer", "waiter", "plumber", "cook"]
    source.write_text("title\n" + "\n".join(titles) + "\n", encoding="utf-8")
    written = set()
    for size in (1, 2, 100):
        run(built, source, tmp_path / f"out{size}.csv", batch_size=size)
        written.add((tmp_path / f"out{size}.csv").read_bytes())
    assert len(written) == 1


def test_equal_rows_of_a_batch_are_computed_once(built, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("title\n" + "nurse\n" * 50, encoding="utf-8")
    seen = []
    built.pipeline.observer = lambda stage, seconds, n: seen.append((stage, n))
    run(built, source, tmp_path / "out.csv")
    built.pipeline.observer = lambda stage, seconds, n: None
    assert ("encode", 1) in seen


def test_candidates_come_as_json_when_more_than_one_is_asked_for(built, tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("title\nnurse\n", encoding="utf-8")
    run(built, source, target, options=Options(top_k=3))
    (row,) = csv.DictReader(target.read_text(encoding="utf-8").splitlines())
    candidates = orjson.loads(row["candidates"])
    assert len(candidates) == 3
    assert candidates[0]["concept_id"] == "T:2221"


@pytest.mark.parametrize("skills", ["plumber; pipe fitter", "plumber|pipe fitter"])
def test_skills_and_language_columns_take_part(built, tmp_path, skills):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(f"title,lang,skills\nintern,en,{skills}\n", encoding="utf-8")
    run(built, source, target, columns=Columns("title", "lang", "skills"), options=Options(top_k=1, min_confidence=0))
    (row,) = csv.DictReader(target.read_text(encoding="utf-8").splitlines())
    assert row["concept_id"] == "T:7126"


def test_parquet_in_parquet_out_with_a_list_of_skills(built, tmp_path):
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table({"title": ["intern", "cook"], "skills": [["plumber"], None], "n": [1, 2]}), source)
    run(built, source, target, columns=Columns("title", skills="skills"), options=Options(top_k=1, min_confidence=0))
    rows = pq.read_table(target).to_pylist()
    assert [r["concept_id"] for r in rows] == ["T:7126", "T:5120"]
    assert [r["n"] for r in rows] == [1, 2]
    assert rows[0]["skills"] == ["plumber"]


def test_a_missing_column_names_those_there_are(built, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("name,place\nnurse,Berlin\n", encoding="utf-8")
    with pytest.raises(SourceError, match="no column title; it has: name, place"):
        run(built, source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_progress_ends_at_the_number_of_rows(built, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("title\n" + "nurse\n" * 25, encoding="utf-8")
    told = []
    run(built, source, tmp_path / "out.csv", batch_size=10, on_progress=lambda *step: told.append(step))
    assert told[0] == (10, 25)
    assert told[-1] == (25, 25)


@pytest.mark.parametrize("extension", ["csv", "jsonl", "parquet"])
def test_a_column_of_an_added_name_is_kept_and_the_added_one_renamed(built, tmp_path, extension):
    source, target = tmp_path / f"in.{extension}", tmp_path / f"out.{extension}"
    with open_writer(source, columns=["title", "name"], added={}) as writer:
        writer.write(Row(1, {"title": "nurse", "name": "mine"}), {})
    run(built, source, target)
    (row,) = read_rows(target)
    assert (row.values["name"], row.values["cognomen_name"]) == ("mine", "Nursing professionals")


def test_jsonl_objects_may_lack_what_others_have(built, tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.csv"
    source.write_text(
        '{"title": "nurse"}\n{"title": "intern", "skills": ["plumber"]}\n{"skills": []}\n', encoding="utf-8"
    )
    counts = run(built, source, target, columns=Columns("title", skills="skills"), options=Options(min_confidence=0))
    assert (counts.ok, counts.failed) == (2, 1)
    assert [row.values["skills"] for row in read_rows(target)] == ["", '["plumber"]', "[]"]
