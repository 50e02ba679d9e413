import dataclasses

import numpy as np
import pytest

from models.encoders.hashing import HashingEncoder
from models.errors import ArtifactInvalid
from pipelines import build as building
from pipelines import deciding, registry
from pipelines.build import artifact_name, build, builds, open_build
from pipelines.errors import ConfigInvalid, TerminologyUnknown
from pipelines.results import Options, Request
from pipelines.scoring import best_threshold, expected_calibration_error
from pipelines.spec import CalibrationSet
from pipelines.terminology import Concept, Term, Terminology

SPEC = registry.spec("job-titles")


@pytest.fixture
def built(store, encoder, terminology):
    return build(SPEC, terminology, encoder=encoder, store=store, config=SPEC.config(encoder="hashing"))


def test_a_build_names_titles_and_refuses_what_is_none(built):
    asked = [Request(t, options=Options(min_confidence=0)) for t in ("Line Cook", "HGV Driver", "Elektriker")]
    assert [r.mentions[0].decision.concept_id for r in built.pipeline.run(asked)] == ["T:5120", "T:8332", "T:7411"]
    (other,) = built.pipeline.run([Request("zzqx 99", options=Options(min_confidence=0.5))])
    assert other.mentions[0].decision.nil


def test_a_build_says_what_it_was_made_of(built, encoder):
    manifest = built.artifact.manifest
    assert manifest.parents["encoder"] == encoder.fingerprint
    assert manifest.details["terminology"]["terms"] == built.terminology.rows
    assert manifest.details["calibration"]["texts"] > 0
    assert built.hubness == "none"


def test_abstract_concepts_have_no_rows_and_stay_in_the_build(built):
    assert "T:2" in built.terminology.by_id
    assert built.terminology.row_counts[built.terminology.by_id["T:2"]] == 0


def test_progress_is_told_for_every_stage(store, encoder, terminology):
    told = []
    build(
        SPEC, terminology, encoder=encoder, store=store, config=SPEC.config(encoder="hashing"),
        on_progress=lambda stage, done, total: told.append((stage, done, total)),
    )  # fmt: skip
    assert [stage for stage, done, total in told if done == total] == ["encode", "index", "hubs", "calibrate", "write"]


def test_terms_may_be_encoded_by_a_variant(store, encoder, terminology):
    variant = HashingEncoder(encoder.dimension, name="fewer-bits")
    config = SPEC.config(encoder="hashing", rows_by={"hashing": "fewer-bits"})

    made = build(SPEC, terminology, encoder=encoder, store=store, config=config, rows_by={"hashing": variant})

    assert made.artifact.manifest.parents["rows by fewer-bits"] == variant.fingerprint
    assert made.artifact.manifest.parents["encoder"] == encoder.fingerprint


@pytest.mark.parametrize("rows_by", [{}, {"other": 64}, {"hashing": 64}])
def test_a_variant_must_be_there_and_as_wide(store, encoder, terminology, rows_by):
    config = SPEC.config(encoder="hashing", rows_by={"hashing": "fewer-bits"})
    given = {name: HashingEncoder(width, name="fewer-bits") for name, width in rows_by.items()}

    with pytest.raises(ConfigInvalid, match="rows_by"):
        build(SPEC, terminology, encoder=encoder, store=store, config=config, rows_by=given)


def test_medical_builds_search_plain_names_too(store, encoder):
    spec = registry.spec("medical")
    fever = Concept("r50.9", "Fever, unspecified", [Term("Fever, unspecified", "en"), Term("Pyrexia NOS", "en")])
    pain = Concept("r52", "Pain, unspecified", [Term("Pain, unspecified", "en")])
    known = Terminology("icd", version="1", concepts=[fever, pain])
    options = {"encoder": "hashing", "centred": [], "aligned": []}

    made = build(spec, known, encoder=encoder, store=store, config=spec.config(**options))
    bare = build(spec, known, encoder=encoder, store=store, config=spec.config(**options, plain_names=False))

    assert [t.text for t in made.terminology.row_terms if t.kind == "hidden"] == ["Fever", "Pyrexia", "Pain"]
    assert bare.terminology.rows == 3


def test_a_build_refuses_an_encoder_that_has_changed(built, store):
    other = HashingEncoder(128)
    with pytest.raises(ArtifactInvalid, match="build it again"):
        open_build(SPEC, "twelve", store=store, encoder_of=lambda name: other)


def test_a_pipeline_never_built_for_a_terminology_says_how(store, encoder):
    with pytest.raises(TerminologyUnknown, match="cognomen build job-titles"):
        open_build(SPEC, "nowhere", store=store, encoder_of=lambda name: encoder)


def test_builds_are_listed_by_terminology(built, store):
    assert builds(SPEC, store=store) == ["twelve"]
    assert artifact_name(SPEC, "twelve") == "pipelines/job_titles/twelve"


def test_labelled_texts_calibrate_in_place_of_the_terminologys_own(store, encoder, terminology):
    texts = ["nurse", "cook", "web developer", "blue sky", "rain"] * 8
    concepts = ["T:2221", "T:5120", "T:2513", None, None] * 8
    labelled = CalibrationSet(texts, [None] * 40, concepts, [-1] * 40)
    made = build(
        SPEC, terminology, encoder=encoder, store=store, config=SPEC.config(encoder="hashing"), labelled=labelled
    )
    assert made.artifact.manifest.details["calibration"]["texts"] == 40


def test_confidence_is_fitted_on_the_evidence_it_is_served_with(built, monkeypatch, encoder):
    fitted, served = {}, {}

    def watch(seen):
        def features_seen(mention, candidates):
            evidence = deciding.features(mention, candidates)
            seen[mention.query] = evidence[:5].tolist()
            return evidence

        return features_seen

    texts = ["nurse", "cook", "driver of a van", "blue sky"] * 5
    labelled = CalibrationSet(texts, ["en"] * 20, ["T:2221", "T:5120", "T:8322", None] * 5, [-1] * 20)
    monkeypatch.setattr(building, "features", watch(fitted))
    building.calibrate(SPEC, built.parts, labelled, encoder=encoder, config=built.config)
    real = deciding.features
    monkeypatch.setattr(deciding, "features", lambda m, c: served.setdefault(m.query, real(m, c)))
    built.pipeline.run([Request(text, language="en") for text in texts[:4]])
    for text, evidence in fitted.items():
        np.testing.assert_allclose(served[text][:5], evidence)


def test_a_fixed_threshold_of_the_config_wins(store, encoder, terminology):
    config = SPEC.config(encoder="hashing", min_confidence=1.0)
    made = build(SPEC, terminology, encoder=encoder, store=store, config=config)
    assert made.pipeline.run([Request("nurse")])[0].mentions[0].decision.nil


def test_a_terminology_of_one_concept_builds_without_calibration(store, encoder, terminology):
    one = Terminology("one", version="1", concepts=terminology.concepts[:1])
    made = build(SPEC, one, encoder=encoder, store=store, config=SPEC.config(encoder="hashing"))
    assert made.pipeline.run([Request("software developer")])[0].mentions[0].decision.candidates


def test_a_terminology_without_terms_is_refused(store, encoder, terminology):
    groups = [dataclasses.replace(c, abstract=True) for c in terminology.concepts]
    with pytest.raises(ArtifactInvalid, match="no terms"):
        build(
            SPEC, Terminology("empty", version="1", concepts=groups),
            encoder=encoder, store=store, config=SPEC.config(encoder="hashing"),
        )  # fmt: skip


def test_expected_calibration_error_is_zero_when_confidence_is_accuracy():
    probability = np.repeat([0.25, 0.75], 400)
    right = np.tile([True, False, False, False], 100).tolist() + np.tile([True, True, True, False], 100).tolist()
    assert expected_calibration_error(probability, np.array(right), bins=2) == pytest.approx(0)
    assert expected_calibration_error(np.ones(10), np.zeros(10, bool)) == pytest.approx(1)


def test_best_threshold_separates_right_from_wrong():
    probability = np.array([0.9, 0.8, 0.7, 0.3, 0.2])
    right = np.array([True, True, True, False, False])
    threshold = best_threshold(probability, right, np.array([True, True, True, False, False]))
    assert 0.3 < threshold <= 0.7
