import json

import pytest

from pipelines.errors import SourceError
from pipelines.medical.corpora import Annotation, detect, read_documents, to_bigbio, to_brat
from pipelines.medical.scores import score_mentions
from pipelines.results import Candidate, Decision, LinkedMention, Mention, Result

TEXT = "Fever and cough.\r\nNo gout 🙂 at all."
FEVER, COUGH, GOUT = (0, 5), (10, 15), (21, 25)


def linked(place, concept_id, *others):
    start, end = place
    listed = [
        Candidate(0, i, i.lower(), i.lower(), "en", 1.0, {}) for i in ([concept_id] if concept_id else []) + [*others]
    ]
    return LinkedMention(
        Mention(TEXT[start:end], TEXT[start:end], start, end), Decision(concept_id, concept_id, 0.9, listed)
    )


FOUND = [linked(FEVER, "T:F"), linked(COUGH, "T:X", "T:C"), linked(GOUT, None, "T:G")]


@pytest.fixture
def brat(tmp_path):
    folder = tmp_path / "brat"
    folder.mkdir()
    (folder / "d.txt").write_text(TEXT, encoding="utf-8", newline="")
    (folder / "d.ann").write_text(
        "T1\tDISO 0 5\tFever\nN1\tReference T1 DB:T:F\tFever\n"
        "T2\tDISO 10 15\tcough\n#1\tAnnotatorNotes T2\tT:C T:D\n"
        "T3\tDISO 21 23;24 25\tgo t\nR1\tx Arg1:T1 Arg2:T2\n",
        encoding="utf-8",
    )
    return folder


def annotations(path, **options):
    (document,) = read_documents(path, format=detect(path), **options)
    assert document.text == TEXT
    return document.annotations


def test_brat_is_read_with_references_and_notes(brat):
    assert annotations(brat) == (
        Annotation(*FEVER, frozenset({"T:F"})),
        Annotation(*COUGH, frozenset({"T:C", "T:D"})),
        Annotation(*GOUT, frozenset()),
    )


def test_what_is_written_as_brat_is_read_again(brat):
    (brat / "d.ann").write_text(to_brat(FOUND, system="DB"), encoding="utf-8")
    assert [(a.start, a.end, set(a.concept_ids)) for a in annotations(brat)] == [
        (*FEVER, {"T:F"}),
        (*COUGH, {"T:X"}),
        (*GOUT, set()),
    ]


def test_what_is_written_as_bigbio_is_read_again(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text(json.dumps(to_bigbio("d", TEXT, FOUND, system="DB")) + "\n", encoding="utf-8")
    assert detect(path) == "bigbio"
    assert [set(a.concept_ids) for a in annotations(path)] == [{"T:F"}, {"T:X"}, set()]


def test_plain_lines_are_read(tmp_path):
    path = tmp_path / "d.jsonl"
    mentions = [{"start": 0, "end": 5, "concept_ids": ["T:F"]}, {"start": 0, "end": 5, "concept_id": "T:G"}]
    path.write_text(json.dumps({"text": TEXT, "mentions": mentions}), encoding="utf-8")
    assert annotations(path) == (Annotation(0, 5, frozenset({"T:F", "T:G"})),)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("x", "not JSON"),
        ("[]", "JSON object"),
        ('{"text": "abc"}', "expected"),
        ('{"text": "abc", "mentions": [{"start": 0, "end": 9}]}', "outside its text"),
        ('{"text": 5, "mentions": [{"start": 0, "end": 9}]}', "expected"),
        ('{"passages": 3}', "bigbio_kb"),
        ('{"id": 1, "passages": [], "entities": [{"offsets": [[0, 3]]}]}', "outside its text"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path, line, fault):
    path = tmp_path / "d.jsonl"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(SourceError, match=fault):
        read_documents(path, format=detect(path) if "JSON" not in fault else "jsonl")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no annotated document"):
        read_documents(tmp_path, format="brat")


def test_scores_tell_places_and_concepts_apart(brat):
    documents = read_documents(brat, format="brat")
    spurious = linked((6, 9), "T:Q")
    near = linked((10, 14), "T:C")
    scored = score_mentions(documents, [Result([*FOUND, spurious])])
    assert scored.counts["strict"].values.tolist() == [[1, 3, 2]]
    assert scored.counts["loose"].values.tolist() == [[1, 3, 2]]
    assert dict(scored.errors) == {"right": 2, "wrong concept, right one listed": 1, "spurious": 1}
    assert scored.recall == {1: 0.5, 5: 1.0, 16: 1.0, 64: 1.0}
    other = score_mentions(documents, [Result([FOUND[0], near])])
    assert other.counts["strict"].values.tolist() == [[1, 2, 2]]
    assert other.counts["partial"].values.tolist() == [[2, 2, 2]]
    assert other.errors["other boundaries"] == 1
    assert other.errors["missed"] == 1
    assert other.to_json()["partial"]["f1"] == [1.0, 1.0, 1.0]
