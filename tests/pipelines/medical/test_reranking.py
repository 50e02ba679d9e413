import json

import numpy as np
import pytest

from models.arrays import Queries
from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from models.errors import TrainingError
from pipelines import registry
from pipelines.build import build, open_build, snapshot
from pipelines.errors import ConfigInvalid, SourceError
from pipelines.medical.evidence import EVIDENCE, Evidence, Memory, Vocabulary
from pipelines.medical.judging import judge
from pipelines.results import Candidate, Mention, Options, Request
from pipelines.terminology import Concept, Term, Terminology

NAMES = ["fever", "cough", "headache", "rash", "asthma", "seizure", "anaemia", "oedema", "nausea", "vertigo"]


def terminology():
    """Ten findings, each with a chronic form under it, in two languages."""
    concepts = []
    for i, name in enumerate(NAMES):
        code = f"r{i:02}"
        concepts.append(Concept(code, name, [Term(name, "en", "preferred"), Term(f"{name}a", "es")]))
        own = f"chronic {name}"
        concepts.append(Concept(f"{code}.9", own, [Term(own, "en", "preferred"), Term(f"lasting {name}", "en")]))
    return Terminology("findings-10", version="1", concepts=concepts)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    found = ArtifactStore(tmp_path_factory.mktemp("reranking"))
    built_again(found)
    return found


def built_again(store, known=None, **options):
    spec = registry.spec("medical")
    plain = {"encoder": "hashing", "centred": [], "aligned": [], "hubness": {"bank": 0, "methods": []}}
    config = spec.config(**{**plain, **options})
    build(spec, known or terminology(), encoder=HashingEncoder(), store=store, config=config).artifact.close()


def trained(store, path):
    from pipelines.medical.train import train

    return train(
        annotated(path),
        terminology="findings-10",
        store=store,
        encoder_of=lambda _: HashingEncoder(),
        options={"language": "en", "folds": 3, "evidence": {"steps": 60, "learning_rate": 0.05}},
    )


def answer(built, text):
    return built.pipeline.run([Request(text, "en", mentions=[(0, len(text))])])[0].mentions[0].decision


def with_others(known, *concepts, without=()):
    kept = [c for c in known.concepts if c.id not in without]
    return Terminology(known.name, version="2", concepts=[*kept, *concepts])


def opened(store):
    return open_build(registry.spec("medical"), "findings-10", store=store, encoder_of=lambda _: HashingEncoder())


def annotated(path, *, documents=30, chronic=True):
    """People code the chronic form, where retrieval prefers the plain one."""
    rng = np.random.default_rng(0)
    lines = []
    for number in range(documents):
        some = rng.choice(len(NAMES), 3, replace=False).tolist()
        text = " ".join(f"Patient with {NAMES[i]}." for i in some)
        mentions = [
            {"start": (at := text.index(NAMES[i])), "end": at + len(NAMES[i]),
             "concept_ids": [f"r{i:02}.9" if chronic else f"r{i:02}"]}
            for i in some
        ]  # fmt: skip
        lines.append(json.dumps({"id": f"d{number}", "text": text, "language": "en", "mentions": mentions}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def mention(text, language="en"):
    return Mention(text, text, 0, len(text), language)


def candidate(concept, known, score, *, term=None):
    own = known.concepts[concept]
    return Candidate(concept, own.id, own.name, term or own.name, "en", score, {"dense": score, "lexical": 0.5})


def test_evidence_says_what_each_candidate_is():
    known = terminology()
    evidence = Evidence(known, None, vocabulary=Vocabulary.of(known), limit=2)
    candidates = [candidate(0, known, 0.9), candidate(1, known, 0.8), candidate(2, known, 0.1)]
    queries = Queries(["fever"], np.zeros((1, 4), np.float32), ["en"])
    listed = evidence.of([mention("fever")], queries, [candidates])
    assert listed.filled.shape == (1, 2)
    first, second = (dict(zip(EVIDENCE, row, strict=True)) for row in listed.evidence[0])
    assert first["exact"] == 1
    assert second["exact"] == 0
    assert second["has_broader"] == 1
    assert second["best_broader"] == pytest.approx(0.1)
    assert first["narrower"] == pytest.approx(np.log(2))
    assert first["best_narrower"] == pytest.approx(-0.1)
    assert first["term_covered"] == pytest.approx(1)
    assert second["term_covered"] < 1
    vocabulary = Vocabulary.of(known)
    told = {vocabulary.telling[w] for w in listed.words[0, 1] if w >= 0}
    assert told == {"chronic", "=chronic"}
    assert (listed.words[0, 0] < 0).all()


def test_an_asker_does_not_see_annotations_of_its_own_fold():
    known = terminology()
    vectors = np.eye(2, 4, dtype=np.float32)
    memory = Memory(vectors, np.array([0, 1]), np.array([0, 1]), np.array([0, 1]))
    evidence = Evidence(known, memory, vocabulary=Vocabulary.of(known), limit=8)
    candidates = [[candidate(0, known, 0.9), candidate(1, known, 0.8)]] * 2
    queries = Queries(["fever", "fever"], vectors[[0, 0]], ["en", "en"])
    listed = evidence.of([mention("fever")] * 2, queries, candidates, folds=np.array([0, 1]))
    spelled = listed.evidence[:, :, EVIDENCE.index("spelled")]
    annotated_ = listed.evidence[:, :, EVIDENCE.index("annotated")]
    assert spelled[0].tolist() == [0, 0]
    assert annotated_[0].tolist() == pytest.approx([0, np.log(2)])
    assert spelled[1].tolist() == pytest.approx([np.log(2), 0])
    assert annotated_[1].tolist() == pytest.approx([np.log(2), 0])


def test_judge_draws_documents_as_wholes():
    before = np.zeros(8, bool)
    after = np.array([True] * 4 + [False] * 4)
    alone = judge(before, after, list("abcdefgh"))
    together = judge(before, after, list("aaaabbbb"))
    assert alone.after - alone.before == 0.5
    assert alone.wins
    assert together.error > alone.error
    assert not judge(before, before, list("abcdefgh")).wins
    few = np.ones(3, bool)
    assert not judge(~few, few, list("aab")).wins


def test_no_document_falls_into_two_folds(store, tmp_path):
    pytest.importorskip("torch")
    from pipelines.medical.train import DataConfig, TrainConfig, read_examples

    path = annotated(tmp_path / "a.jsonl")
    config = TrainConfig(terminology="findings-10", data=[DataConfig(path=path, name="a", licence="ours")])
    examples, weak = read_examples(config, opened(store))
    assert weak is None
    assert len(examples) == 90
    folds = examples.folds(5)
    assert len(set(folds.tolist())) > 1
    for name in set(examples.documents):
        assert len({f for f, d in zip(folds, examples.documents, strict=True) if d == name}) == 1


def test_spans_that_nobody_marked_teach_nil_where_that_is_asked_for(store, tmp_path):
    pytest.importorskip("torch")
    from pipelines.medical.train import DataConfig, TrainConfig, read_examples

    text = "Patient with chronic fever and cough."
    marked = [{"start": 21, "end": 26, "concept_ids": ["r00.9"]}]
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": "d", "text": text, "language": "en", "mentions": marked}))
    data = [DataConfig(path=path, name="a", licence="ours")]
    asked = (TrainConfig(terminology="findings-10", data=data, unmarked=unmarked) for unmarked in (False, True))
    plainly, further = (read_examples(config, opened(store))[0] for config in asked)
    assert [(m.text, set(right)) for m, right in zip(plainly.mentions, plainly.right, strict=True)] == [
        ("fever", {"r00.9"})
    ]
    # "chronic fever" is found too, and holds what was marked: who knows.
    assert [(m.text, set(right)) for m, right in zip(further.mentions, further.right, strict=True)] == [
        ("fever", {"r00.9"}),
        ("cough", set()),
    ]


def test_an_alias_is_not_found_by_itself(store):
    from pipelines.medical.material import aliases

    found = aliases(registry.spec("medical"), opened(store), size=10, cross_lingual=1.0, seed=0)
    assert len(found) == 10
    for m, candidates, right in zip(found.mentions, found.candidates, found.right, strict=True):
        own = [c for c in candidates if c.concept_id in right]
        assert all(c.term.casefold() != m.text.casefold() for c in own)
        assert all(c.term_language != m.language for c in own if len(m.text.split()) == 1)


def test_what_people_code_is_learned_kept_and_answered(store, tmp_path):
    pytest.importorskip("torch")
    before = answer(opened(store), "fever")
    assert before.candidates[0].concept_id == "r00"
    made = trained(store, tmp_path / "a.jsonl")
    assert made["card"]["evidence"]["kept"]
    assert "fever" not in json.dumps(made["card"])
    assert made["generation"] == snapshot(registry.spec("medical"), "findings-10", store=store)[made["artifact"]]
    built = opened(store)
    after = built.pipeline.run([Request("No fever.", "en", mentions=[(3, 8)], options=Options(top_k=3))])
    decision = after[0].mentions[0].decision
    assert decision.concept_id == "r00.9"
    assert decision.candidates[0].scores["rerank"] > decision.candidates[1].scores["rerank"]
    assert "rerank" in decision.candidates[0].explanation
    built_again(store, rerank=False)
    plain = answer(opened(store), "fever")
    assert (plain.concept_id, plain.confidence) == (before.concept_id, before.confidence)
    built_again(store)
    assert opened(store).parts.reranking is not None


@pytest.fixture
def taught(tmp_path):
    """A build whose vectors lose their mean, and a re-ranker trained over it."""
    pytest.importorskip("torch")
    found = ArtifactStore(tmp_path / "taught")
    built_again(found, centred=["hashing"])
    assert trained(found, tmp_path / "a.jsonl")["card"]["kept"]
    return found


def test_what_was_learned_outlives_a_new_build(taught):
    before = opened(taught)
    words = [f"dermal thing {i}" for i in range(30)]
    more = [Concept(f"s{i:02}", word, [Term(word, "en", "preferred")]) for i, word in enumerate(words)]
    built_again(taught, with_others(terminology(), *more), centred=["hashing"])
    after = opened(taught)
    assert not np.allclose(*(b.artifact.read_tensors("means.safetensors")["hashing"] for b in (before, after)))
    assert [answer(b, "fever").candidates[0].concept_id for b in (before, after)] == ["r00.9"] * 2
    # What was annotated lies where the new build's queries lie.
    memory = after.pipeline._reranker._evidence._memory
    near = memory.vectors @ after.query_encoder.encode_query(NAMES).T
    assert near.max(axis=1).min() > 0.995


def test_annotations_follow_concepts_that_were_replaced_and_forget_those_that_are_gone(taught):
    terms = [Term("chronic fever", "en", "preferred"), Term("lasting fever", "en")]
    other = Concept("q00", "chronic fever", terms, replaces=["r00.9"])
    built_again(taught, with_others(terminology(), other, without={"r00.9", "r01.9"}), centred=["hashing"])
    built = opened(taught)
    assert answer(built, "fever").candidates[0].concept_id == "q00"
    memory = built.pipeline._reranker._evidence._memory
    known = {built.terminology.concepts[c].id for c in memory.concepts}
    assert known == {"q00", *(f"r{i:02}.9" for i in range(2, len(NAMES)))}


def test_another_encoder_or_other_fittings_are_said_and_not_used(taught, caplog):
    built_again(taught, centred=[])
    assert opened(taught).parts.reranking is None
    assert "since fitted changed" in caplog.text
    built_again(taught, centred=["hashing"])
    assert opened(taught).parts.reranking is not None


def test_another_terminology_of_that_name_is_said_and_not_used(taught, caplog):
    known = [Concept(f"x{i}", name, [Term(name, "en", "preferred")]) for i, name in enumerate(NAMES)]
    built_again(taught, Terminology("findings-10", version="3", concepts=known), centred=["hashing"])
    assert opened(taught).parts.reranking is None
    assert "since the terminology changed" in caplog.text


def test_other_evidence_is_said_and_not_used(taught, caplog, monkeypatch):
    monkeypatch.setattr("pipelines.medical.reranking.EVIDENCE", (*EVIDENCE, "more"))
    assert opened(taught).parts.reranking is None
    assert "since the evidence that is weighed changed" in caplog.text


def test_what_was_kept_for_one_build_alone_is_used_on_that_build_alone(taught, caplog):
    build_now = opened(taught)
    with taught.open("reranking/medical/findings-10", kind="reranking") as made:
        settings, calibration = made.read_json("settings.json"), made.read_json("calibration.json")
        tensors = dict(made.read_tensors("ranker.safetensors"))
    memory = build_now.pipeline._reranker._evidence._memory
    tensors["memory.vectors"] = memory.vectors.astype(np.float16)
    del tensors["memory.raw"]
    manifest = build_now.artifact.manifest
    space = f"{manifest.parents['encoder']}+{manifest.files['means.safetensors'].sha256}"
    with taught.write(
        "reranking/medical/findings-10", kind="reranking", parents={"space": space, "terminology": "findings-10@1"}
    ) as writer:
        writer.add_json("settings.json", settings)
        writer.add_tensors("ranker.safetensors", tensors)
        writer.add_json("calibration.json", calibration)
    again = opened(taught)
    assert answer(again, "fever").candidates[0].concept_id == "r00.9"
    again_memory = again.pipeline._reranker._evidence._memory
    np.testing.assert_allclose(again_memory.vectors, memory.vectors, atol=1e-3)
    more = Concept("s00", "dermal thing", [Term("dermal thing", "en", "preferred")])
    built_again(taught, with_others(terminology(), more), centred=["hashing"])
    assert opened(taught).parts.reranking is None
    assert "since the build changed" in caplog.text


def test_annotations_of_concepts_that_are_not_there_teach_nothing(store, tmp_path):
    pytest.importorskip("torch")
    from pipelines.medical.train import train

    path = annotated(tmp_path / "a.jsonl")
    path.write_text(path.read_text().replace('"r0', '"other:'))
    with pytest.raises(TrainingError):
        train(
            path,
            terminology="findings-10",
            store=store,
            encoder_of=lambda _: HashingEncoder(),
            options={"language": "en", "folds": 2, "evidence": {"steps": 2}},
        )


@pytest.mark.parametrize(
    "wrong", [{"language": 7}, {"mentions": [{"start": 0, "end": 5, "concept_ids": [5, "r00"]}]}, {"text": 3}]
)
def test_documents_at_fault_are_named_by_line(tmp_path, wrong):
    from pipelines.medical.corpora import read_documents

    line = {"id": "\ud800", "text": "fever", "mentions": [{"start": 0, "end": 5, "concept_ids": ["r00"]}]}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(line) + "\n" + json.dumps({**line, **wrong}))
    with pytest.raises(SourceError, match="line 2"):
        read_documents(path, format="jsonl")


def test_what_does_not_win_changes_nothing(store, tmp_path):
    pytest.importorskip("torch")
    from pipelines.medical.train import train

    at = snapshot(registry.spec("medical"), "findings-10", store=store)
    made = train(
        annotated(tmp_path / "a.jsonl", chronic=False),
        terminology="findings-10",
        store=store,
        encoder_of=lambda _: HashingEncoder(),
        options={"language": "en", "folds": 2, "evidence": {"steps": 20}},
    )
    assert made["generation"] is None
    assert snapshot(registry.spec("medical"), "findings-10", store=store) == at


@pytest.mark.parametrize(
    ("options", "said"),
    [({"folds": 1}, "folds"), ({"evidence": {"hidden": 0}}, "evidence.hidden"), ({"other": 1}, "other")],
)
def test_options_that_mean_nothing_are_refused(store, tmp_path, options, said):
    pytest.importorskip("torch")
    from pipelines.medical.train import train

    with pytest.raises(ConfigInvalid, match=said):
        train(
            tmp_path / "a.jsonl",
            terminology="findings-10",
            store=store,
            encoder_of=lambda _: HashingEncoder(),
            options=options,
        )
