"""OBO, Babelon, ICD-10-CM, CTD, MeSH, xMEN and UMLS: tiny synthetic files, and the real ones where they are."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from pipelines.errors import SourceError
from pipelines.sources import detect_format, read_terminology
from pipelines.sources.codes import codes_of
from pipelines.sources.installed import source_at
from pipelines.terminology import Terminology

OBO = """format-version: 1.2
data-version: t/releases/2031-05-06
ontology: t

[Term]
id: T:1
name: All

[Term]
id: T:2
name: Finding
is_a: T:1 ! All

[Term]
id: T:3
name: Finding of gait
def: "How one \\"walks\\"." [me:1]
synonym: "Gait finding" EXACT layperson []
synonym: "walk" BROAD []
xref: UMLS:C0000001
xref: UMLS:C0000002 {source="x"}
xref: SNOMEDCT_US:77 "text"
xref: https://example.org/x
alt_id: T:30
is_a: T:2 {source="x"} ! Finding

[Term]
id: T:4
name: Shuffle
is_a: T:3

[Term]
id: T:5
name: obsolete Shuffling
is_obsolete: true
replaced_by: T:6

[Term]
id: T:6
name: obsolete Shuffles
is_obsolete: true
replaced_by: T:4

[Typedef]
id: part_of
name: part of
"""
BABELON = (
    "source_language\tsource_value\tsubject_id\tpredicate_id\ttranslation_language\ttranslation_value\ttranslation_status\n"
    "en\tShuffle\tT:4\trdfs:label\tde\tSchlurfen\tOFFICIAL\n"
    "en\tA walk.\tT:4\tIAO:0000115\tde\tEin Gang.\tOFFICIAL\n"
    "en\tFinding\tT:2\trdfs:label\tde\tBefund\tNOT_TRANSLATED\n"
)
SYNONYMS = "subject_id\ttranslation_value\tStatus\nID\tAL oboInOwl:hasExactSynonym@de\t\nT:4\tSchlurfgang\tOFFICIAL\n"
ICD = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.tabular>
  <version>2031</version>
  <chapter><name>1</name><desc>Woes of walking (A00-B99)</desc>
    <section id="A00-A09"><desc>Shuffles (A00-A09)</desc>
      <diag><name>A00</name><desc>Shuffle</desc>
        <diag><name>A00.0</name><desc>Left shuffle</desc>
          <inclusionTerm><note>Sinistral shuffle</note></inclusionTerm></diag>
      </diag>
    </section>
  </chapter>
</ICD10CM.tabular>
"""
CTD = (
    "# Made up.\n#\n# Fields:\n"
    "# DiseaseName\tDiseaseID\tAltDiseaseIDs\tDefinition\tParentIDs\tTreeNumbers\tParentTreeNumbers\tSynonyms"
    "\tSlimMappings\n"
    "#\n"
    "Shuffles\tMESH:D1\t\tA walk.\t\tC1\t\tShuffling|Shuffle disease\tWalks\n"
    "Left shuffle\tMESH:D2\tOMIM:9|DO:DOID:8\t\tMESH:D1\tC1.2\tC1\t\tWalks\n"
)
MESH = """*NEWRECORD
RECTYPE = D
MH = Walks
MN = C01
UI = D000001

*NEWRECORD
RECTYPE = D
MH = Shuffles
ENTRY = Shuffling|T047|EQV|NRW
PRINT ENTRY = Shuffle Disease|T047
MN = C01.200
MS = A walk.
UI = D000002
"""
XMEN = [
    {"concept_id": "X1", "canonical_name": "Shuffle", "aliases": ["Shuffling"], "types": ["T047"], "definition": "W."},
    {"concept_id": "X2", "aliases": [{"text": "Hinken", "lang": "de", "preferred": True}, {"text": "limp"}]},
]


def rrf(*fields: object) -> str:
    return "|".join(map(str, fields)) + "|\n"


def name_row(cui: str, lat: str, text: str, *, ts="P", sab="AAA", code="1", suppress="N") -> str:
    return rrf(cui, lat, ts, "L1", "PF", "S1", "Y", "A1", "", "", "", sab, "PT", code, text, "0", suppress, "")


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
    return path


def read(path: Path, **options) -> Terminology:
    return read_terminology(path, format=detect_format(path), name="t", **options)


def terms(terminology: Terminology, concept_id: str) -> set[tuple[str, str | None]]:
    return {(term.text, term.language) for term in terminology.concept(concept_id).terms}


def test_obo_terms_references_and_types(tmp_path: Path):
    terminology = read(write(tmp_path / "t.obo", OBO))
    assert (terminology.version, [c.id for c in terminology.concepts]) == ("2031-05-06", ["T:1", "T:2", "T:3", "T:4"])
    gait = terminology.concept("T:3")
    assert gait.definition == 'How one "walks".'
    assert gait.parents == ("T:2",)
    assert gait.codes == {"umls": "C0000001|C0000002", "snomedct": "77"}
    assert [(t.text, t.kind) for t in gait.terms] == [
        ("Finding of gait", "preferred"),
        ("Gait finding", "alternative"),
        ("walk", "hidden"),
    ]
    assert terminology.concept("T:4").semantic_types == ("Finding", "Finding of gait")


def test_obsolete_and_merged_ids_are_redirected(tmp_path: Path):
    terminology = read(write(tmp_path / "t.obo", OBO))
    assert terminology.redirects == {"T:30": "T:3", "T:5": "T:4", "T:6": "T:4"}
    assert terminology.concept("T:5").name == "Shuffle"
    again = Terminology.from_lines("t", version="1", lines=list(terminology.to_lines()))
    assert again.concept("T:6").id == "T:4"


def test_translations_beside_an_ontology_become_terms(tmp_path: Path):
    folder = write(tmp_path / "hp" / "t.obo", OBO).parent
    write(folder / "t-de.babelon.tsv", BABELON)
    write(folder / "t-de.synonyms.tsv", SYNONYMS)
    assert detect_format(folder) == "obo"
    terminology = read(folder)
    assert terms(terminology, "T:4") == {("Shuffle", "en"), ("Schlurfen", "de"), ("Schlurfgang", "de")}
    assert terms(terminology, "T:2") == {("Finding", "en")}
    assert terms(read(folder, languages=["de"]), "T:4") == {("Schlurfen", "de"), ("Schlurfgang", "de")}


def test_translations_alone_are_a_terminology(tmp_path: Path):
    terminology = read(write(tmp_path / "t-de.babelon.tsv", BABELON))
    assert terms(terminology, "T:4") == {("Shuffle", "en"), ("Schlurfen", "de")}
    assert terminology.concept("T:4").definition == "A walk."


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("[Term]\nid: T:1\nname: x\n", "format-version"),
        (OBO + "\n[Term]\nname: x\n", "found 0 ids"),
        (OBO + "\n[Term]\nid: T:1\nname: x\n", "stands in line 5 already"),
        (OBO + "\n[Term]\nid: T:9\n", "the name is empty"),
        (OBO + "\n[Term]\nid: T:9\nname: x\nsynonym: x EXACT []\n", "double quotes"),
        (OBO + "\n[Term]\nid: T:9\nname: x\nstray\n", "without a tag"),
    ],
)
def test_obo_faults_are_told_with_their_line(tmp_path: Path, content: str, fault: str):
    with pytest.raises(SourceError, match=fault):
        read_terminology(write(tmp_path / "t.obo", content), format="obo", name="t")


def test_icd10_chapters_and_blocks_group_what_codes_answer(tmp_path: Path):
    terminology = read(write(tmp_path / "tabular.xml", ICD))
    assert terminology.version == "2031"
    assert [(c.id, c.abstract) for c in terminology.concepts] == [
        ("chapter-1", True),
        ("A00-A09", True),
        ("A00", False),
        ("A00.0", False),
    ]
    left = terminology.concept("A00.0")
    assert left.codes == {"icd-10-cm": "A00.0"}
    assert left.semantic_types == ("Woes of walking",)
    assert terms(terminology, "A00.0") == {("Left shuffle", "en"), ("Sinistral shuffle", "en")}
    assert terminology.ancestors("A00.0") == ["A00", "A00-A09", "chapter-1"]


def test_icd10_refuses_entities_and_other_xml(tmp_path: Path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><ICD10CM.tabular>&a;</ICD10CM.tabular>'
    for content, fault in ((bomb, "document type"), ("<html/>", "expected ICD10CM"), ("<a", "not XML")):
        with pytest.raises(SourceError, match=fault):
            read_terminology(write(tmp_path / "x.xml", content), format="icd10", name="t")


def test_ctd_reads_its_commented_header(tmp_path: Path):
    terminology = read(write(tmp_path / "CTD_diseases.tsv", CTD))
    assert terms(terminology, "MESH:D1") == {("Shuffles", "en"), ("Shuffling", "en"), ("Shuffle disease", "en")}
    left = terminology.concept("MESH:D2")
    assert left.parents == ("MESH:D1",)
    assert left.codes == {"mesh": "D2", "omim": "9", "do": "DOID:8"}
    with pytest.raises(SourceError, match="line 7: found 2 fields"):
        read(write(tmp_path / "x.tsv", CTD.replace("Left shuffle\tMESH:D2", "Left").rsplit("\tOMIM", 1)[0] + "\tx\n"))


def test_mesh_reads_entries_and_the_tree(tmp_path: Path):
    terminology = read(write(tmp_path / "d2031.bin", MESH))
    assert terms(terminology, "MESH:D000002") == {("Shuffles", "en"), ("Shuffling", "en"), ("Shuffle Disease", "en")}
    assert terminology.concept("MESH:D000002").parents == ("MESH:D000001",)
    assert terminology.concept("MESH:D000002").semantic_types == ("C",)


def test_xmen_aliases_are_texts_or_objects(tmp_path: Path):
    path = tmp_path / "kb.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, XMEN)).encode()))
    terminology = read(path)
    assert terms(terminology, "X1") == {("Shuffle", None), ("Shuffling", None)}
    assert terminology.concept("X1").semantic_types == ("T047",)
    assert terminology.concept("X2").name == "Hinken"
    assert terms(read(path, language="en"), "X2") == {("Hinken", "de"), ("limp", "en")}
    for line, fault in (('{"concept_id": "X"}', "neither"), ('{"aliases": []}', "no .concept_id"), ("[1]", "object")):
        with pytest.raises(SourceError, match=fault):
            read_terminology(write(tmp_path / "x.jsonl", line), format="xmen", name="t")


def umls(folder: Path) -> Path:
    rows = [
        name_row("C0000001", "ENG", "Shuffle"),
        name_row("C0000001", "GER", "Schlurfen", sab="BBB", code="b"),
        name_row("C0000001", "ENG", "Old shuffle", ts="S", suppress="O"),
        name_row("C0000002", "ENG", "Gone", suppress="Y"),
        name_row("C0000003", "SPA", "Cojera"),
    ]
    write(folder / "MRCONSO.RRF", "".join(rows))
    write(folder / "MRSTY.RRF", rrf("C0000001", "T047", "B2.2", "Disease or Syndrome", "AT1", ""))
    write(folder / "MRDEF.RRF", rrf("C0000001", "A1", "AT1", "", "AAA", "A walk.", "N", ""))
    write(folder / "MRCUI.RRF", rrf("C0000009", "2030AA", "SY", "", "", "C0000001", "Y"))
    parent = ["C0000001", "A1", "CUI", "PAR", "C0000003", "A2", "CUI", "", "R1", "", "AAA", "AAA", "", "", "N", ""]
    write(folder / "MRREL.RRF", rrf(*parent))
    return folder


def test_umls_rows_become_concepts(tmp_path: Path):
    terminology = read(umls(tmp_path / "META"))
    assert [c.id for c in terminology.concepts] == ["UMLS:C0000001", "UMLS:C0000003"]
    shuffle = terminology.concept("UMLS:C0000009")
    assert terms(terminology, shuffle.id) == {("Shuffle", "en"), ("Schlurfen", "de")}
    assert shuffle.codes == {"umls": "C0000001", "aaa": "1", "bbb": "b"}
    assert (shuffle.definition, shuffle.parents) == ("A walk.", ("UMLS:C0000003",))
    assert shuffle.semantic_types == ("T047", "Disease or Syndrome")


def test_umls_is_read_from_a_zip_and_faults_name_the_file(tmp_path: Path):
    folder = umls(tmp_path / "META")
    archive = tmp_path / "umls.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in folder.iterdir():
            packed.write(file, f"2031AA/META/{file.name}")
    assert len(read(archive)) == 2
    write(folder / "MRSTY.RRF", "C0000001|T047\n")
    with pytest.raises(SourceError, match=r"MRSTY.RRF: line 1: found 2 fields; expected 6"):
        read(folder)


def test_references_without_a_system_are_no_codes():
    assert codes_of(["x", "http://example.org/1", "MSH:D1", "MESH:D2", "ICD10CM:A00"]) == {
        "mesh": "D1|D2",
        "icd-10-cm": "A00",
    }


def test_a_path_is_itself_and_a_package_that_is_absent_says_so(tmp_path: Path, monkeypatch):
    assert source_at(tmp_path) == tmp_path
    monkeypatch.setattr("pipelines.sources.installed.PACKAGES", {"no-such": ("no_such_package.data", None)})
    with pytest.raises(SourceError, match="not installed"):
        source_at(Path("no-such"))


def test_the_real_ontology_and_its_translations(shared: Path):
    medical = shared / "medical"
    terminology = read(medical / "hp.obo.gz")
    assert (len(terminology), terminology.version) == (19_034, "2025-01-16")
    assert terminology.concept("HP:0004715").id == "HP:0000003"
    assert read(medical / "hpo_translations").languages == ["de", "en", "es", "fr"]
    assert len(read(medical / "medic2012_kb.jsonl.gz")) == 11_915
