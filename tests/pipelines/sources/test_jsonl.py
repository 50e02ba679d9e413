import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.sources import files, jsonl
from pipelines.terminology import Concept, Term, Terminology

BAKER = {
    "id": "X:1",
    "name": "baker",
    "terms": [
        {"text": "baker", "language": "en", "kind": "preferred"},
        {"text": "Bäcker", "language": "de"},
        "boulanger",
    ],
    "definition": "Bakes.",
    "parents": ["X:0"],
    "codes": {"isco-08": "7512"},
    "semantic_types": ["occupation"],
    "skills": ["kneading", "kneading", "baking"],
    "abstract": False,
    "colour": "unknown fields are ignored",
}


def written(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "concepts.jsonl"
    encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(encoded))
    return path


def test_read_takes_every_field(tmp_path: Path):
    (concept,) = jsonl.read(written(tmp_path, BAKER))
    assert concept == Concept(
        id="X:1",
        name="baker",
        terms=(Term("baker", "en", "preferred"), Term("Bäcker", "de"), Term("boulanger")),
        definition="Bakes.",
        parents=("X:0",),
        codes={"isco-08": "7512"},
        semantic_types=("occupation",),
        skills=("kneading", "baking"),
    )


def test_read_needs_only_id_and_name(tmp_path: Path):
    (concept,) = jsonl.read(written(tmp_path, {"id": "1", "name": "cook", "terms": [], "definition": None}))
    assert concept.terms == (Term("cook", None, "preferred"),)


def test_language_is_of_terms_that_do_not_say(tmp_path: Path):
    (concept,) = jsonl.read(written(tmp_path, {"id": "1", "name": "Koch", "terms": ["Köchin"]}), language="de")
    assert concept.terms == (Term("Koch", "de", "preferred"), Term("Köchin", "de"))


def test_what_a_terminology_writes_is_read_as_it_was(tmp_path: Path):
    group = {"id": "X:0", "name": "food trades", "abstract": True}
    concepts = list(jsonl.read(written(tmp_path, BAKER, group)))
    lines = Terminology("t", version="1", concepts=concepts).to_lines()
    assert list(jsonl.read(written(tmp_path, *lines))) == concepts


def test_blank_lines_and_a_byte_order_mark_are_skipped(tmp_path: Path):
    path = written(tmp_path, b"\xef\xbb\xbf" + json.dumps(BAKER).encode(), b"", b"  ", {"id": "2", "name": "cook"})
    assert [concept.id for concept in jsonl.read(path)] == ["X:1", "2"]


def test_gzip_and_zstd_are_told_by_their_bytes(tmp_path: Path):
    content = json.dumps(BAKER).encode()
    (tmp_path / "zipped").write_bytes(gzip.compress(content))
    (tmp_path / "zstd").write_bytes(pa.compress(content, codec="zstd", asbytes=True))
    for name in ("zipped", "zstd"):
        assert [concept.id for concept in jsonl.read(tmp_path / name)] == ["X:1"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "not JSON at column 1"),
        (b"[1, 2]", "found a list of 2; expected a JSON object"),
        (b'{"id": "1", "name": "caf\xe9"}', "found byte 0xe9 at position 25; expected UTF-8"),
        (b'{"id": "1", "name": "\\ud800"}', "not JSON"),
        ({"name": "x"}, 'found no "id"'),
        ({"id": "1"}, 'found no "name"'),
        ({"id": 1, "name": "x"}, "found the number 1 for the id"),
        ({"id": "1", "name": ""}, "the name is empty"),
        ({"id": "1" * 501, "name": "x"}, "the id has 501 characters"),
        ({"id": "1", "name": "x\u0007"}, "the name holds the control character U+0007"),
        ({"id": "1", "name": "x", "terms": "y"}, """found 'y' for "terms"; expected a list"""),
        ({"id": "1", "name": "x", "terms": [""]}, "a term is empty"),
        ({"id": "1", "name": "x", "terms": [None]}, "found null for a term"),
        ({"id": "1", "name": "x", "terms": [{"language": "en"}]}, 'a term without "text"'),
        ({"id": "1", "name": "x", "terms": [{"text": "y" * 1001}]}, "a term has 1,001 characters"),
        ({"id": "1", "name": "x", "terms": [{"text": "y", "language": "german"}]}, "BCP 47"),
        ({"id": "1", "name": "x", "terms": [{"text": "y", "language": 7}]}, "for a language; expected a text"),
        ({"id": "1", "name": "x", "terms": [{"text": "y", "kind": "best"}]}, "found 'best' for a kind"),
        ({"id": "1", "name": "x", "terms": [{"text": "y", "kind": ["a"]}]}, "found a list of 1 for a kind"),
        ({"id": "1", "name": "x", "terms": ["y"] * 20_001}, "found 20,001 terms"),
        ({"id": "1", "name": "x", "skills": [str(i) for i in range(5001)]}, "at most 5,000"),
        ({"id": "1", "name": "x", "definition": "y" * 100_001}, "the definition has 100,001 characters"),
        ({"id": "1", "name": "x", "definition": 7}, "for the definition; expected a text"),
        ({"id": "1", "name": "x", "codes": ["7512"]}, 'for "codes"; expected an object'),
        ({"id": "1", "name": "x", "codes": {"isco-08": 7512}}, "found the number 7512 for a code"),
        ({"id": "1", "name": "x", "parents": "0"}, 'for "parents"; expected a list'),
        ({"id": "1", "name": "x", "abstract": "yes"}, 'for "abstract"; expected true or false'),
        ({"id": "0", "name": "x"}, "the id '0' stands in line 1 already"),
    ],
)
def test_a_fault_says_line_and_reason_and_stays_short(tmp_path: Path, line: object, message: str):
    path = written(tmp_path, {"id": "0", "name": "first"}, b"", line, {"id": "9", "name": "last"})
    with pytest.raises(SourceError, match=r"^line 3: ") as caught:
        list(jsonl.read(path))
    assert message in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x".encode("utf-16"), "the file is UTF-16"),
        (gzip.compress(b'{"id": "1", "name": "x"}' * 99)[:-9], "damaged or cut short"),
        (b"\x1f\x8bno gzip", "is damaged or cut short"),
        (b"\x28\xb5\x2f\xfdno zstd", "is damaged or cut short"),
        (b"PK\x03\x04", "a zip archive"),
    ],
)
def test_a_file_that_is_no_jsonl_says_so(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        list(jsonl.read(path))


def test_a_missing_file_and_a_folder_are_named_without_their_path(tmp_path: Path):
    for path in (tmp_path / "absent.jsonl", tmp_path):
        with pytest.raises(SourceError, match="cannot be read") as caught:
            list(jsonl.read(path))
        assert str(tmp_path.parent) not in str(caught.value)


def test_a_line_without_end_and_a_bomb_stop_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = written(tmp_path, {"id": "1", "name": "x"}, b"\n" * 500, b" " * 200)
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 100)
    with pytest.raises(SourceError, match="line of more than 100 bytes"):
        list(jsonl.read(path))
    monkeypatch.setattr(files, "MAX_BYTES", 300)
    with pytest.raises(SourceError, match="unpacks to more than 300 bytes"):
        list(jsonl.read(path))


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "language", "kind", "a"]), inner, max_size=3)
    ),
    max_leaves=5,
)
_content = st.dictionaries(
    st.sampled_from(["id", "name", "terms", "definition", "codes", "parents", "skills", "abstract"]), _json
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=40) | _content.map(lambda content: json.dumps(content).encode()), max_size=4))
def test_anything_is_read_or_refused_with_source_error(tmp_path: Path, lines: list[bytes]):
    path = written(tmp_path, *lines)
    try:
        concepts = list(jsonl.read(path))
    except SourceError:
        return
    assert all(concept.id and concept.name and concept.terms for concept in concepts)
