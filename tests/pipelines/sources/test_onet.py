import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.sources import onet
from pipelines.terminology import Concept, Term

DATABASE = Path(__file__).parents[4] / "shared" / "titles" / "onet_27"
real = pytest.mark.skipif(not DATABASE.is_dir(), reason="O*NET is not here")

FILES = {
    "Read Me.txt": "O*NET 99.1 Database\nRelease\n",
    "Occupation Data.txt": 'O*NET-SOC Code\tTitle\tDescription\n15-1252.00\tSoftware Developers\tWrite "code".\n',
    "Alternate Titles.txt": "O*NET-SOC Code\tAlternate Title\tShort Title\tSource(s)\n"
    "15-1252.00\tApplication Development Director\tn/a\t08\n15-1252.00\tDeveloper (Dev)\tDev\t08\n",
    "Sample of Reported Titles.txt": "O*NET-SOC Code\tReported Job Title\tShown in My Next Move\n"
    "15-1252.00\tSoftware Engineer\tY\n",
    "Technology Skills.txt": "O*NET-SOC Code\tExample\tCommodity Code\tCommodity Title\tHot Technology\n"
    "15-1252.00\tApache Ant\t1\tx\tN\n15-1252.00\tPython\t1\tx\tY\n",
    "Tools Used.txt": "O*NET-SOC Code\tExample\tCommodity Code\tCommodity Title\n15-1252.00\tLaptop computers\t1\tx\n",
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "db"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_text(content, "utf-8")
    return folder


def by_id(path: Path, **options: object) -> dict[str, Concept]:
    return {concept.id: concept for concept in onet.read(path, **options)}  # type: ignore[arg-type]


def test_tables_are_merged_by_code(database: Path):
    assert by_id(database)["ONET:15-1252.00"] == Concept(
        id="ONET:15-1252.00",
        name="Software Developers",
        terms=(
            Term("Software Developers", "en", "preferred"),
            Term("Application Development Director", "en"),
            Term("Developer (Dev)", "en"),
            Term("Dev", "en"),
            Term("Software Engineer", "en"),
        ),
        definition='Write "code".',
        parents=("SOC:15-1250",),
        codes={"onet-soc": "15-1252.00"},
        skills=("Python", "Apache Ant", "Laptop computers"),
    )


def test_only_the_occupations_are_needed(tmp_path: Path):
    (tmp_path / onet.OCCUPATIONS).write_text(FILES[onet.OCCUPATIONS])
    concept = by_id(tmp_path)["ONET:15-1252.00"]
    assert concept.skills == ()
    assert concept.terms == (Term("Software Developers", "en", "preferred"),)


def test_soc_groups_stand_above_as_abstract_concepts(database: Path):
    concepts = by_id(database, soc_names={"15-0000": "Computer and Mathematical Occupations"})
    assert concepts["SOC:15-1250"].parents == ("SOC:15-1200",)
    assert concepts["SOC:15-1200"].parents == ("SOC:15-0000",)
    assert concepts["SOC:15-0000"].parents == ()
    assert concepts["SOC:15-1250"].abstract
    assert concepts["SOC:15-1250"].name == "SOC 15-1250"
    assert concepts["SOC:15-0000"].name == "Computer and Mathematical Occupations"


@pytest.mark.parametrize(
    ("code", "groups"),
    [
        ("11-1011.00", ["11-1010", "11-1000", "11-0000"]),
        ("15-2041.01", ["15-2040", "15-2000", "15-0000"]),
        ("31-1121.00", ["31-1120", "31-1100", "31-0000"]),
        ("51-5112.00", ["51-5110", "51-5100", "51-0000"]),
        ("29-1141.00", ["29-1140", "29-1000", "29-0000"]),
    ],
)
def test_soc_groups_know_the_minor_groups_that_break_the_rule(code: str, groups: list[str]):
    assert onet.soc_groups(code) == groups


def test_a_zip_is_read_alike(database: Path, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "upload", "w") as archive:
        for file in database.iterdir():
            archive.write(file, f"db_27_0_text/{file.name}")
    assert by_id(tmp_path / "upload") == by_id(database)


def test_it_is_english(database: Path):
    assert by_id(database, languages=["de", "en"])
    with pytest.raises(SourceError, match="in English"):
        by_id(database, languages=["de"])


@pytest.mark.parametrize(
    ("file", "row", "message"),
    [
        ("Occupation Data.txt", "15-1252.00\tTwice\tx", "line 3: the code 15-1252.00 stands twice"),
        ("Occupation Data.txt", "15-1253.00\t\tx", "line 3: the Title is empty"),
        ("Occupation Data.txt", "151253\tTesters\tx", "line 3: found no O*NET-SOC code"),
        ("Alternate Titles.txt", "15-1252.00\tx", "line 4: found 2 fields; expected 4"),
        ("Tools Used.txt", "15-1252.00\t\t1\tx", "line 3: the Example is empty"),
    ],
)
def test_a_fault_says_file_line_and_reason(database: Path, file: str, row: str, message: str):
    with (database / file).open("a") as stream:
        stream.write(row + "\n")
    with pytest.raises(SourceError) as caught:
        by_id(database)
    assert str(caught.value).startswith(f"{file}: {message}")


def test_what_is_no_database_says_so(tmp_path: Path):
    with pytest.raises(SourceError, match=r'holds no "Occupation Data\.txt"'):
        by_id(tmp_path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text("15-2.0\t\nab\x00", max_size=80).map(str.encode))
def test_anything_is_read_or_refused_with_source_error(tmp_path: Path, content: bytes):
    (tmp_path / onet.OCCUPATIONS).write_bytes(b"O*NET-SOC Code\tTitle\tDescription\n" + content)
    try:
        list(onet.read(tmp_path))
    except SourceError:
        return


@real
def test_the_published_database_has_its_occupations_and_titles():
    concepts = by_id(DATABASE)
    occupations = [concept for concept in concepts.values() if not concept.abstract]
    assert len(occupations) == 1_016
    assert sum(len(concept.terms) for concept in occupations) == 55_852
    assert max(len(concept.skills) for concept in occupations) == 50
    assert len(concepts) - len(occupations) == 581
