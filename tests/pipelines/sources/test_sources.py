from pathlib import Path

import pytest

from pipelines.errors import SourceError
from pipelines.sources import detect_format, read_terminology

TITLES = Path(__file__).parents[4] / "shared" / "titles"
real = pytest.mark.skipif(not TITLES.is_dir(), reason="the shared titles are not here")


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, "utf-8")
    return path


@pytest.fixture
def concepts(tmp_path: Path) -> Path:
    return write(tmp_path / "c.csv", "id,name,terms_de\n" + "".join(f"{i},name {i},Wort {i}\n" for i in range(2500)))


def test_read_terminology_names_what_it_read(concepts: Path):
    terminology = read_terminology(concepts, format="csv", name="mine", version="7", title="Mine")
    assert (terminology.name, terminology.version, terminology.title) == ("mine", "7", "Mine")
    assert (len(terminology), terminology.rows, terminology.languages) == (2500, 5000, ["de"])


def test_progress_is_told_every_thousand_and_at_the_end(concepts: Path):
    told: list[int] = []
    read_terminology(concepts, format="csv", name="mine", on_progress=told.append)
    assert told == [1000, 2000, 2500]


def test_languages_are_kept_in_any_case(concepts: Path):
    assert read_terminology(concepts, format="csv", name="mine", languages=["DE"]).languages == ["de"]
    with pytest.raises(SourceError, match="BCP 47"):
        read_terminology(concepts, format="csv", name="mine", languages=["german"])


def test_the_version_is_the_sources_own_or_a_fingerprint(concepts: Path, tmp_path: Path):
    first = read_terminology(concepts, format="csv", name="mine").version
    assert first.startswith("sha256-")
    assert len(first) == 19
    write(concepts, "id,name\n1,x\n")
    assert read_terminology(concepts, format="csv", name="mine").version != first
    esco = write(tmp_path / "esco_v1.2.3" / "occupations_en.csv", "conceptUri,preferredLabel\nuri:1,cook\n").parent
    assert read_terminology(esco, format="esco", name="esco").version == "1.2.3"
    table = "O*NET-SOC Code\tTitle\tDescription\n35-2014.00\tCooks\tCook.\n"
    onet = write(tmp_path / "onet" / "Occupation Data.txt", table)
    write(tmp_path / "onet" / "Read Me.txt", "O*NET 28.1 Database\n")
    assert read_terminology(onet.parent, format="onet", name="onet").version == "28.1"


def test_an_unknown_format_lists_the_known(concepts: Path):
    with pytest.raises(
        SourceError, match="found the format 'obo2'; expected one of babelon, csv, ctd, esco, icd10, jsonl"
    ):
        read_terminology(concepts, format="obo2", name="mine")


def test_a_source_without_concepts_is_refused(tmp_path: Path):
    for format_, content in (("csv", "id,name\n"), ("jsonl", "\n")):
        with pytest.raises(SourceError, match="found no concept"):
            read_terminology(write(tmp_path / "empty", content), format=format_, name="mine")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("a.jsonl", "jsonl"),
        ("a.jsonl.gz", "jsonl"),
        ("a.ndjson.zst", "jsonl"),
        ("a.CSV", "csv"),
        ("a.tsv.gz", "csv"),
        ("occupations_de.csv", "esco"),
    ],
)
def test_detect_format_of_a_file(tmp_path: Path, file: str, expected: str):
    assert detect_format(write(tmp_path / file, "")) == expected


def test_detect_format_of_a_folder(tmp_path: Path):
    assert detect_format(write(tmp_path / "e" / "occupations_en.csv", "").parent) == "esco"
    assert detect_format(write(tmp_path / "o" / "Occupation Data.txt", "").parent) == "onet"


def test_detect_format_says_when_it_cannot_tell(tmp_path: Path):
    for path in (tmp_path, write(tmp_path / "a.pdf", "")):
        with pytest.raises(SourceError, match="looks like no known format"):
            detect_format(path)
    with pytest.raises(SourceError, match="cannot be read"):
        detect_format(tmp_path / "absent")


@real
def test_twenty_six_languages_are_read():
    terminology = read_terminology(TITLES / "esco_1.0.8_26_languages.jsonl.gz", format="jsonl", name="esco")
    assert len(terminology) == 2_942
    assert len(terminology.languages) == 26
    # 370,266 in the file; 4,817 stand twice in one language of one occupation.
    assert sum(len(concept.terms) for concept in terminology.concepts) == 365_449


@real
def test_every_format_is_detected_on_the_real_thing():
    assert {detect_format(TITLES / name) for name in ("esco_1.2.0", "onet_27")} == {"esco", "onet"}
    assert detect_format(TITLES / "esco_1.0.8_26_languages.jsonl.gz") == "jsonl"
