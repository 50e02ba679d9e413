import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.sources import esco
from pipelines.sources.esco import ISCO, halves
from pipelines.terminology import Concept, Term

RELEASE = Path(__file__).parents[4] / "shared" / "titles" / "esco_1.2.0"
real = pytest.mark.skipif(not RELEASE.is_dir(), reason="ESCO is not here")

HEADER = "conceptType,conceptUri,iscoGroup,preferredLabel,altLabels,hiddenLabels,status,description,code\n"
ENGLISH = (
    HEADER
    + 'Occupation,uri:baker,7512,baker,"bread baker\nhead  baker\n\nbread baker",bkaer,released,Bakes.,7512.1\n'
    + "Occupation,uri:pastry,7512,pastry maker,,,released,Makes pastry.,7512.1.3\n"
    + "Occupation,uri:officer,110,officer,,,released,,0110.2\n"
    + "Occupation,uri:gone,7512,lamplighter,,,obsolete,,7512.9\n"
)
GERMAN = HEADER + "Occupation,uri:baker,7512,Bäcker/Bäckerin,Bäcker,,released,Backt.,7512.1\n"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "esco_1.9.9"
    folder.mkdir()
    (folder / "occupations_en.csv").write_text(ENGLISH, "utf-8")
    (folder / "occupations_de.csv").write_text("\ufeff" + GERMAN, "utf-8")
    return folder


def by_id(path: Path, **options: object) -> dict[str, Concept]:
    return {concept.id: concept for concept in esco.read(path, **options)}  # type: ignore[arg-type]


def test_languages_are_merged_by_uri(release: Path):
    baker = by_id(release)["uri:baker"]
    assert baker.name == "baker"
    assert baker.definition == "Bakes."
    assert baker.codes == {"esco": "7512.1", "isco-08": "7512"}
    assert baker.terms == (
        Term("baker", "en", "preferred"),
        Term("bread baker", "en"),
        Term("head baker", "en"),
        Term("bkaer", "en", "hidden"),
        Term("Bäcker/Bäckerin", "de", "preferred"),
        Term("Bäcker", "de"),
        Term("Bäckerin", "de"),
    )


def test_the_first_language_asked_for_names_the_concept(release: Path):
    assert by_id(release, languages=["de", "en"])["uri:baker"].name == "Bäcker/Bäckerin"
    assert {t.language for t in by_id(release, languages=["de"])["uri:baker"].terms} == {"de"}


def test_obsolete_occupations_are_left_out(release: Path):
    assert "uri:gone" not in by_id(release)


def test_a_code_says_the_parents_down_from_the_major_group(release: Path):
    concepts = by_id(release, isco_names={"7512": "Bakers, pastry-cooks and confectionery makers"})
    assert concepts["uri:pastry"].parents == ("uri:baker",)
    assert concepts["uri:baker"].parents == (ISCO + "7512",)
    assert [concepts[ISCO + code].parents for code in ("7512", "751", "75", "7")] == [
        (ISCO + "751",),
        (ISCO + "75",),
        (ISCO + "7",),
        (),
    ]
    assert concepts[ISCO + "7512"].name == "Bakers, pastry-cooks and confectionery makers"
    assert concepts[ISCO + "751"].name == "ISCO-08 minor group 751"
    assert concepts[ISCO + "751"].abstract
    assert concepts[ISCO + "751"].codes == {"isco-08": "751"}


def test_the_armed_forces_keep_their_leading_zero(release: Path):
    concepts = by_id(release)
    assert concepts["uri:officer"].codes["isco-08"] == "0110"
    assert concepts["uri:officer"].parents == (ISCO + "0110",)
    assert {ISCO + "011", ISCO + "01", ISCO + "0"} <= set(concepts)


def test_published_relations_groups_and_skills_are_used(release: Path):
    (release / "broaderRelationsOccPillar_en.csv").write_text(
        f"conceptType,conceptUri,broaderType,broaderUri\nOccupation,uri:pastry,ISCOGroup,{ISCO}7511\n"
    )
    (release / "ISCOGroups_en.csv").write_text(
        f"conceptType,conceptUri,code,preferredLabel\nISCOGroup,{ISCO}7511,7511,Butchers\n"
    )
    (release / "ISCOGroups_de.csv").write_text(
        f"conceptType,conceptUri,code,preferredLabel\nISCOGroup,{ISCO}7511,7511,Fleischer\n"
    )
    many = "".join(f"s:{i},skill {i}\n" for i in range(60))
    (release / "skills_en.csv").write_text("conceptUri,preferredLabel\n" + many)
    optional = "".join(f"uri:baker,optional,s:{i}\n" for i in range(59))
    (release / "occupationSkillRelations_en.csv").write_text(
        f"occupationUri,relationType,skillUri\n{optional}uri:baker,essential,s:59\nuri:baker,essential,s:none\n"
    )
    concepts = by_id(release)
    assert concepts["uri:pastry"].parents == (ISCO + "7511",)
    assert concepts["uri:baker"].parents == (ISCO + "7512",)
    assert concepts[ISCO + "7511"].terms == (Term("Butchers", "en", "preferred"), Term("Fleischer", "de", "preferred"))
    assert concepts["uri:baker"].skills[:2] == ("skill 59", "skill 0")
    assert len(concepts["uri:baker"].skills) == 50


def test_a_zip_and_a_single_file_are_read_alike(release: Path, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "upload", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in release.iterdir():
            archive.write(file, f"ESCO dataset/{file.name}")
    assert by_id(tmp_path / "upload") == by_id(release)
    assert by_id(release / "occupations_de.csv")["uri:baker"].name == "Bäcker/Bäckerin"
    (tmp_path / "single").write_text(GERMAN, "utf-8")
    assert by_id(tmp_path / "single", language="de") == by_id(release, languages=["de"])
    with pytest.raises(SourceError, match="does not say its language"):
        by_id(tmp_path / "single")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Occupation,uri:baker,7512,again,,,released,,7512.1", "line 7: this conceptUri stands in line 2"),
        ("Occupation,,7512,x,,,released,,7512.1", "line 7: conceptUri is empty"),
        ("Occupation,uri:x,7512,,,,released,,7512.1", "line 7: preferredLabel is empty"),
        ("Occupation,uri:x,C75129,y,,,released,,7512.1", "line 7: iscoGroup is no ISCO-08 unit group"),
        ("Occupation,uri:x", "line 7: found 2 fields; expected 9"),
    ],
)
def test_a_fault_says_file_line_and_reason(release: Path, row: str, message: str):
    text = ENGLISH.replace("\n\n", "\n").removesuffix(ENGLISH.splitlines()[-1] + "\n")
    (release / "occupations_en.csv").write_text(text + row + "\n", "utf-8")
    with pytest.raises(SourceError) as caught:
        by_id(release)
    assert str(caught.value).startswith(f"occupations_en.csv: {message}")
    assert caught.value.line == 7


def test_what_is_no_release_says_so(tmp_path: Path, release: Path):
    with pytest.raises(SourceError, match=r"holds no occupations_XX.csv"):
        by_id(tmp_path)
    with pytest.raises(SourceError, match=r"holds no occupations_fr.csv; its languages: de, en"):
        by_id(release, languages=["fr"])
    (release / "occupations_en.csv").write_text("uri,label\n")
    with pytest.raises(SourceError, match=r"occupations_en.csv: line 1: found no column 'conceptUri'"):
        by_id(release)
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04broken")
    with pytest.raises(SourceError, match="damaged"):
        by_id(tmp_path / "broken.zip")


@pytest.mark.parametrize(
    ("label", "language", "expected"),
    [
        ("Bäcker/Bäckerin", "de", ["Bäcker", "Bäckerin"]),
        ("Tierpfleger /Tierpflegerin ", "de", ["Tierpfleger", "Tierpflegerin"]),
        ("soudeur laser/soudeuse laser", "fr", ["soudeur laser", "soudeuse laser"]),
        ("Import-/Exporthändler/Import-/Exporthändlerin", "de", ["Import-/Exporthändler", "Import-/Exporthändlerin"]),
        ("Import-/Exporthändler", "de", []),
        ("operatur/operatriċi tal-magni", "mt", ["operatur tal-magni", "operatriċi tal-magni"]),
        ("Lehrer/in für Computertechnik", "de", ["Lehrer für Computertechnik", "Lehrerin für Computertechnik"]),
        ("Lehrer/in", "de", ["Lehrer", "Lehrerin"]),
        ("stage/production manager", "en", []),
        ("24/7 agent", "en", []),
        ("IT/OT", "en", []),
        ("directora de prendas/", "es", []),
        ("pastry cook", "en", []),
        ("/", "en", []),
    ],
)
def test_halves(label: str, language: str, expected: list[str]):
    assert halves(label, language) == expected


@given(st.text(max_size=60), st.sampled_from(["de", "en"]))
def test_halves_are_never_empty_nor_alone(label: str, language: str):
    found = halves(label, language)
    assert all(half.strip() for half in found)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text('abc1,"\n\x00/', max_size=80).map(lambda text: (HEADER + text).encode()))
def test_anything_is_read_or_refused_with_source_error(tmp_path: Path, content: bytes):
    (tmp_path / "occupations_en.csv").write_bytes(content)
    try:
        list(esco.read(tmp_path))
    except SourceError:
        return


@real
@pytest.mark.parametrize(
    ("language", "terms", "with_halves"), [("en", 33_412, 33_445), ("de", 19_624, 20_295), ("es", 16_766, 17_312)]
)
def test_the_published_release_has_its_occupations_and_labels(language: str, terms: int, with_halves: int):
    """3,039 preferred labels; aliases en 30,373, de 15,726, es 13,764; hidden 92, 921, 8; less those repeated."""
    published = [c for c in esco.read(RELEASE, languages=[language], split_pairs=False) if not c.abstract]
    assert len(published) == 3_039
    assert sum(len(concept.terms) for concept in published) == terms
    split = [c for c in esco.read(RELEASE, languages=[language]) if not c.abstract]
    assert sum(len(concept.terms) for concept in split) == with_halves


@real
def test_every_published_occupation_reaches_its_major_group():
    concepts = by_id(RELEASE)
    assert sum(c.abstract for c in concepts.values()) == 603
    for concept in concepts.values():
        above = concept
        while above.parents:
            above = concepts[above.parents[0]]
        assert above.codes["isco-08"] == concept.codes["isco-08"][0]
