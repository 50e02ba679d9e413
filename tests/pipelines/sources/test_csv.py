import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.sources import csv
from pipelines.terminology import Concept, Term

WIDE = """id,name,language,name_de,terms,terms_de,terms_fr,definition,parents,semantic_types,skills,code_isco-08,\
abstract,notes
X:1,baker,en,Bäcker,bread baker|confectioner,Bäckerin,,"Bakes, daily.",X:0,trade|craft,kneading|baking,7512,,n
X:0,food trades,en,,,,,,,,,75,true,
"""
LONG = """concept_id;term;language;kind;name;code_isco-08
X:1;baker;en;preferred;;7512
X:2;cook;en;;;
X:1;Bäcker;de;;;
X:2;chef;en;Hidden;cook;
"""


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_wide_takes_every_column(tmp_path: Path):
    baker, group = csv.read(written(tmp_path, WIDE))
    assert baker == Concept(
        id="X:1",
        name="baker",
        terms=(
            Term("baker", "en", "preferred"),
            Term("Bäcker", "de", "preferred"),
            Term("bread baker", "en"),
            Term("confectioner", "en"),
            Term("Bäckerin", "de"),
        ),
        definition="Bakes, daily.",
        parents=("X:0",),
        codes={"isco-08": "7512"},
        semantic_types=("trade", "craft"),
        skills=("kneading", "baking"),
    )
    assert group.abstract
    assert group.terms == (Term("food trades", "en", "preferred"),)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_separator_is_read_from_the_header(tmp_path: Path, separator: str, end: str):
    content = end.join(["ID,Name,Terms", '1,"head, or chief; of all",a|b', ""]).replace(",", separator)
    (concept,) = csv.read(written(tmp_path, "\ufeff" + content.replace(f"head{separator}", "head,")))
    assert concept.name == "head, or chief; of all"
    assert [term.text for term in concept.terms[1:]] == ["a", "b"]


def test_a_name_in_any_language_will_do(tmp_path: Path):
    (concept,) = csv.read(written(tmp_path, "id,name_de,name_fr\n1,Koch,cuisinier\n"))
    assert concept.name == "Koch"
    assert concept.terms == (Term("Koch", "de", "preferred"), Term("cuisinier", "fr", "preferred"))


def test_long_gathers_the_rows_of_a_concept(tmp_path: Path):
    baker, cook = csv.read(written(tmp_path, LONG))
    assert baker.name == "baker"
    assert baker.terms == (Term("baker", "en", "preferred"), Term("Bäcker", "de"))
    assert baker.codes == {"isco-08": "7512"}
    assert cook.terms == (Term("cook", "en", "preferred"), Term("chef", "en", "hidden"))


def test_languages_and_language(tmp_path: Path):
    (concept,) = csv.read(
        written(tmp_path, "id,name,terms,terms_de\n1,cook,chef,Koch\n"), languages=["en"], language="en"
    )
    assert concept.terms == (Term("cook", "en", "preferred"), Term("chef", "en"))


def test_gzip_is_read(tmp_path: Path):
    assert [c.id for c in csv.read(written(tmp_path, gzip.compress(WIDE.encode())))] == ["X:1", "X:0"]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("", 1, "found no header"),
        ("uri,label\n1,x\n", 1, "found no header"),
        ("id|name\n1|x\n", 1, "found no header"),
        ("id,name,name\n1,x,y\n", 1, "the column 'name' stands twice"),
        ("id,name,terms_german\n1,x,y\n", 1, "found 'german' for a language"),
        ('id,name\n1,"a\nb"\n2\n', 4, "found 1 fields; expected 2"),
        ("id,name\n1,x,y\n", 2, "found 3 fields; expected 2"),
        ('id,name\n1,x\n2,"open\n3,y\n', 3, "not a CSV record"),
        ('id,name\n1,"x"y\n', 2, "not a CSV record"),
        ("id,name\n\n1,x\n,y\n", 4, "the id is empty"),
        ("id,name\n1,\n", 2, "the name is empty"),
        ("id,name\n1,x\n1,y\n", 3, "the id '1' stands in line 2 already"),
        ("id,name,abstract\n1,x,maybe\n", 2, "found 'maybe' for abstract"),
        ("id,name,language\n1,x,english\n", 2, "BCP 47"),
        ("id,name,terms\n1,x,a|" + "y" * 1001 + "\n", 2, "1,001 characters"),
        ("id,name\n1," + "y" * 200_000 + "\n", 2, "field larger than field limit"),
        ("id,name,skills\n1,x,a\x00b\n", 2, "U+0000"),
        (b"id,name\n1,x\n2,caf\xe9\n", 3, "found byte 0xe9"),
        ("id,name\n1,x\n".encode("utf-16"), 1, "UTF-16"),
        ("id,term,kind\n1,x,best\n", 2, "found 'best' for a kind"),
        ("id,term\n1,\n", 2, "neither name nor term"),
        ("id,term,name\n1,x,a\n1,y,b\n", 3, "name is not what an earlier row"),
        ("id,term\n,x\n", 2, "the id is empty"),
    ],
)
def test_a_fault_says_line_and_reason(tmp_path: Path, content: str | bytes, line: int, message: str):
    with pytest.raises(SourceError) as caught:
        list(csv.read(written(tmp_path, content)))
    assert caught.value.line == line
    assert message in str(caught.value)
    assert len(str(caught.value)) < 200


_cell = st.sampled_from(["id", "name", "term", "terms_de", "1", "2", "x", "", '"', "a|b", "\x00", "é"])
_table = st.lists(st.lists(_cell, max_size=4).map(",".join), max_size=5).map("\n".join)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=60)
    | _table.map(str.encode)
    | st.tuples(
        st.sampled_from(["id,name,terms_de\n", "id\tterm\n"]), st.binary(max_size=40) | _table.map(str.encode)
    ).map(lambda parts: parts[0].encode() + parts[1])
)
def test_anything_is_read_or_refused_with_source_error(tmp_path: Path, content: bytes):
    try:
        concepts = list(csv.read(written(tmp_path, content)))
    except SourceError:
        return
    assert all(concept.id and concept.name and concept.terms for concept in concepts)
