"""PipelineHost over real builds."""

import pytest

from models.errors import EncoderUnknown
from pipelines import registry
from pipelines.build import build
from pipelines.errors import PipelineUnknown, TerminologyUnknown
from pipelines.feedback import Feedback
from pipelines.results import Request
from pipelines.terminology import Terminology
from service.host import BuildUnavailable, PipelineHost
from service.hosting import Hosting

SPEC = registry.spec("job-titles")


def make(store, encoder, terminology, name):
    named = Terminology(name, version="1", concepts=terminology.concepts)
    return build(SPEC, named, encoder=encoder, store=store, config=SPEC.config(encoder="hashing"))


@pytest.fixture
def two(store, encoder, terminology):
    for name in ("alpha", "beta"):
        make(store, encoder, terminology, name)
    return store


def loaded(store, **kwargs):
    host = PipelineHost(store, device="cpu", **kwargs)
    host.load()
    return host


def test_every_build_is_hosted_and_the_first_by_name_answers(two):
    host = loaded(two)
    assert host.ready
    assert host.failure is None
    assert [h.name for h in host.pipelines()] == ["job-titles"]
    assert host.pipeline("job_titles").terminology.name == "alpha"
    assert host.pipeline("job-titles", terminology="beta").terminology.name == "beta"
    assert [t.name for t in host.terminologies()] == ["alpha", "beta"]
    hosted = host.pipeline("job-titles")
    assert hosted.pipeline.run([Request("line cook")])[0].mentions[0].decision.candidates
    assert hosted.count_tokens(["line cook"]) == [4]


def test_the_starter_answers_before_others(store, encoder, terminology):
    for name in ("alpha", SPEC.starter_name):
        make(store, encoder, terminology, name)
    assert loaded(store).pipeline("job-titles").terminology.name == SPEC.starter_name


def test_the_operators_choice_answers_first_and_the_rest_can_be_left_out(two):
    host = loaded(two, hosting={"job-titles": Hosting(terminology="beta")})
    assert host.pipeline("job-titles").terminology.name == "beta"
    only = loaded(two, hosting={"job-titles": Hosting(terminologies=["alpha"])})
    with pytest.raises(TerminologyUnknown, match="alpha"):
        only.pipeline("job-titles", terminology="beta")


def test_what_is_to_be_hosted_and_was_not_built_is_named_and_nothing_answers_in_its_place(two):
    host = loaded(two, hosting={"job-titles": Hosting(terminology="gamma")})
    assert "gamma" in host.failure
    assert host.failed == 1
    with pytest.raises(BuildUnavailable):
        host.pipeline("job-titles")
    assert host.pipelines() == []
    assert host.pipeline("job-titles", terminology="alpha").terminology.name == "alpha"


def test_nothing_built_is_not_ready_and_says_how_to_begin(store):
    host = loaded(store)
    assert not host.ready
    assert "cognomen setup" in host.failure


def test_a_damaged_build_is_named_and_never_served_as_an_empty_one(two):
    name = "pipelines/job_titles/beta"
    (two.root / name / two.current(name) / "concepts.jsonl").write_bytes(b"")
    host = loaded(two)
    assert host.ready
    assert "beta: ArtifactCorrupt" in host.failure
    with pytest.raises(BuildUnavailable):
        host.pipeline("job-titles", terminology="beta")
    assert host.pipeline("job-titles").terminology.name == "alpha"
    assert [t.name for t in host.terminologies()] == ["alpha"]


def test_a_build_of_another_version_takes_no_other_down(two):
    name = "pipelines/job_titles/beta"
    with two.open(name) as artifact:
        content = {f: artifact.read_bytes(f) for f in artifact.manifest.files}
        kind, details = artifact.manifest.kind, dict(artifact.manifest.details)
    with two.write(name, kind=kind) as writer:
        for file, read in content.items():
            writer.add_bytes(file, b"{}" if file == "calibration.json" else read)
        writer.details.update(details)
    host = loaded(two)
    assert host.ready
    assert "beta: KeyError" in host.failure
    assert host.pipeline("job-titles").terminology.name == "alpha"


def test_nothing_that_can_be_opened_is_not_ready(two):
    for name in ("alpha", "beta"):
        build_of = f"pipelines/job_titles/{name}"
        (two.root / build_of / two.current(build_of) / "concepts.jsonl").write_bytes(b"")
    host = loaded(two)
    assert not host.ready
    assert host.failed == 2
    assert "nothing is built" not in host.failure


def test_a_damaged_generation_gives_way_to_the_one_before(two, encoder, terminology):
    first = two.current("pipelines/job_titles/alpha")
    second = make(two, encoder, terminology, "alpha").artifact.generation
    path = two.root / "pipelines/job_titles/alpha" / second / "dense.faiss"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    host = loaded(two)
    assert host.ready
    assert host.pipeline("job-titles").generation == first


def test_unknown_names_are_errors_of_their_own(two):
    host = loaded(two)
    with pytest.raises(PipelineUnknown):
        host.pipeline("medical")
    with pytest.raises(TerminologyUnknown):
        host.terminology("gamma")
    with pytest.raises(EncoderUnknown, match="cognomen models prepare minilm"):
        host.encoder("minilm")
    assert host.encoder("hashing").dimension == 256


def test_the_first_build_is_awaited_until_the_host_is_ready(store, encoder, terminology, monkeypatch):
    host = loaded(store)
    generation = make(store, encoder, terminology, "alpha").artifact.generation
    taken = []
    real = host.collections.current
    # Asked late in a refresh, when what was opened is there and the host not yet ready.
    monkeypatch.setattr(
        host.collections,
        "current",
        lambda: taken.append(host.awaits("pipelines/job_titles/alpha", generation)) or real(),
    )
    host.refresh()
    assert taken[0]
    assert host.ready
    assert not host.awaits("pipelines/job_titles/alpha", generation)


def test_a_new_build_is_switched_to_and_a_rollback_back(two, encoder, terminology):
    host = loaded(two)
    first = host.pipeline("job-titles").generation
    assert host.refresh() == []
    old = host.pipeline("job-titles")
    second = make(two, encoder, terminology, "alpha").artifact.generation
    assert host.awaits("pipelines/job_titles/alpha", second)
    assert [h.generation for h in host.refresh()] == [second]
    assert not host.awaits("pipelines/job_titles/alpha", second)
    assert host.pipeline("job-titles").generation == second
    assert old.pipeline.run([Request("line cook")])[0].mentions
    two.rollback("pipelines/job_titles/alpha")
    assert [h.generation for h in host.refresh()] == [first]
    assert host.refresh() == []


def test_what_is_built_later_is_hosted_and_what_is_deleted_is_not(store, encoder, terminology):
    host = loaded(store)
    assert not host.ready
    make(store, encoder, terminology, "gamma")
    host.refresh()
    assert host.ready
    assert host.failure is None
    store.delete("pipelines/job_titles/gamma")
    host.refresh()
    with pytest.raises(PipelineUnknown):
        host.pipeline("job-titles")


def test_a_damaged_new_build_leaves_the_old_one_answering(two, encoder, terminology):
    host = loaded(two)
    first = host.pipeline("job-titles").generation
    second = make(two, encoder, terminology, "alpha").artifact.generation
    path = two.root / "pipelines/job_titles/alpha" / second / "concepts.jsonl"
    path.write_bytes(b"")
    host.refresh()
    assert host.ready
    assert host.pipeline("job-titles").generation == first
    assert not host.awaits("pipelines/job_titles/alpha", second)


def test_what_users_said_is_known_to_the_build_that_follows(two, encoder, terminology, tmp_path):
    host = loaded(two, data=tmp_path / "data")
    hosted = host.pipeline("job-titles")
    said = Feedback("galley wizard", "galley wizard", "T:5120", "accept")
    hosted.feedback.add([said])
    make(two, encoder, terminology, "alpha")
    (switched,) = host.refresh()
    assert switched.build.memory.recall("galley wizard").concept_id == "T:5120"
    # One who still holds the old one says something: the new one hears it.
    hosted.feedback.add([Feedback("stove pilot", "stove pilot", "T:5120", "accept")])
    assert switched.build.memory.recall("stove pilot").concept_id == "T:5120"
    host.close()
