"""The pipeline as a whole, on twelve occupations."""

import numpy as np
import pytest

from pipelines import registry
from pipelines.build import build
from pipelines.encoding import TextEncoding
from pipelines.flow import Prepared
from pipelines.job_titles.pipeline import TitleWithContext, calibration, row_text
from pipelines.job_titles.prepare import TitlePreparer, held_back, is_bare, not_titles, title_likeness
from pipelines.job_titles.skills import SkillFinder
from pipelines.results import Options, Request

SPEC = registry.spec("job-titles")


@pytest.fixture(scope="module")
def built(tmp_path_factory, encoder, terminology):
    from models.artifacts import ArtifactStore

    store = ArtifactStore(tmp_path_factory.mktemp("artifacts"))
    return build(SPEC, terminology, encoder=encoder, store=store, config=SPEC.config(encoder="hashing"))


def answer(built, text, **request):
    options = Options(min_confidence=0, **request.pop("options", {}))
    (result,) = built.pipeline.run([Request(text, options=options, **request)])
    return result.mentions[0]


def encode(encoder, requests, *, agreement=(-2.0, -1.0), skills=()):
    """With agreement as it stands, any context counts in full."""
    prepared: list[Prepared] = TitlePreparer().prepare(requests)
    mentions = [m for p in prepared for m in p.mentions]
    weights = {"skills": 0.2, "description": 0.1}
    encoding = TextEncoding(encoder, SPEC.config().blocks)
    return TitleWithContext(encoding, weights=weights, agreement=agreement, finder=SkillFinder(skills)).encode(mentions)


def test_noise_is_removed_and_reported(built):
    linked = answer(built, "Senior Software Engineer (m/w/d) - full-time - Berlin")
    assert linked.mention.query == "Software Engineer"
    assert linked.mention.facts["seniority"] == "senior"
    assert linked.mention.facts["employment"] == ("full_time",)
    assert {"gender", "seniority", "contract", "place"} <= set(linked.mention.facts["removed"])
    assert linked.decision.concept_id == "T:2512"


@pytest.mark.parametrize("text", ["intern", "Trainee", "Azubi", "Vollzeit", "senior"])
def test_a_bare_level_names_no_occupation(built, text):
    assert is_bare(text)
    linked = answer(built, text)
    assert all(c.scores["lexical"] == 0 for c in linked.decision.candidates)
    assert max((c.score for c in linked.decision.candidates), default=0) <= 0.1


@pytest.mark.parametrize("text", ["internist", "Internal Auditor", "nurse", "director", "manager", "plumber"])
def test_an_occupation_is_not_bare(text):
    assert not is_bare(text)


def test_skills_say_what_a_bare_level_is_for(built):
    alone = answer(built, "intern")
    skilled = answer(built, "intern", skills=["plumber", "pipe fitter"])
    assert skilled.decision.concept_id == "T:7126"
    assert skilled.decision.candidates[0].score > alone.decision.candidates[0].score


def test_without_context_the_title_is_untouched(encoder):
    plain = encode(encoder, [Request("line cook", language="en")])
    blank = encode(encoder, [Request("line cook", language="en", skills=["", " "], description=" ")])
    np.testing.assert_array_equal(plain.vectors, encoder.encode_query(["line cook"]))
    np.testing.assert_array_equal(plain.vectors, blank.vectors)


def test_skills_move_the_query_by_their_weight(encoder):
    (vector,) = encode(encoder, [Request("line cook", language="en", skills=["knife skills"])]).vectors
    title, skills = encoder.encode_query(["line cook", "knife skills"])
    np.testing.assert_allclose(vector, (title + 0.2 * skills) / 1.2, atol=1e-6)


def test_skills_that_have_nothing_to_do_with_the_title_move_nothing(encoder):
    requests = [Request("line cook", language="en", skills=["zzzz qqqq"])]
    (vector,) = encode(encoder, requests, agreement=(0.1, 0.3)).vectors
    np.testing.assert_array_equal(vector, encoder.encode_query(["line cook"])[0])


def test_skills_count_the_more_the_better_they_agree(encoder):
    title, skills = encoder.encode_query(["line cook", "line cooking"])
    cosine = float(title @ skills)
    assert cosine > 0.2
    requests = [Request("line cook", language="en", skills=["line cooking"])]
    (half,) = encode(encoder, requests, agreement=(cosine - 0.1, cosine + 0.1)).vectors
    (full,) = encode(encoder, requests, agreement=(0.0, cosine - 0.1)).vectors
    np.testing.assert_allclose(half, (title + 0.1 * skills) / 1.1, atol=1e-5)
    np.testing.assert_allclose(full, (title + 0.2 * skills) / 1.2, atol=1e-5)


def test_a_bare_level_has_only_its_skills_and_they_count_whatever_they_are(encoder):
    (vector,) = encode(encoder, [Request("intern", skills=["plumbing"])], agreement=(0.9, 0.95)).vectors
    assert np.linalg.norm(vector) > 0


def test_skills_named_in_a_description_count_as_skills(encoder):
    described = Request("line cook", language="en", description="You bring Knife Skills and patience.")
    (vector,) = encode(encoder, [described], skills=["knife skills"]).vectors
    title, skills, text = encoder.encode_query(["line cook", "knife skills", row_text(described.description)])
    expected = ((title + 0.1 * text) / 1.1 + 0.2 * skills) / 1.2
    np.testing.assert_allclose(vector, expected, atol=1e-5)


def test_the_longest_skill_is_found_and_letters_are_none():
    finder = SkillFinder(["C++", "R", "project management", "Project management software", "Node.js", " "])
    text = "PROJECT management software in c++ (node.js), or R; more c++."
    assert finder.find(text) == ["Project management software", "C++", "Node.js"]
    assert len(finder) == 4
    assert SkillFinder([]).find(text) == []


def test_agreement_that_does_not_rise_is_refused():
    with pytest.raises(ValueError, match="must be above"):
        SPEC.config(agreement_from=0.3, agreement_full=0.3)


def test_one_requests_context_leaves_the_others_alone(encoder):
    alone = encode(encoder, [Request("nurse", language="en")]).vectors[0]
    beside = encode(
        encoder, [Request("cook", language="en", skills=["grill"]), Request("nurse", language="en")]
    ).vectors[1]
    np.testing.assert_allclose(alone, beside, atol=1e-6)


def test_capitals_do_not_matter(built):
    scores = {
        answer(built, t, language="en").decision.candidates[0].score for t in ("Line Cook", "LINE COOK", "line cook")
    }
    assert len(scores) == 1


def test_a_language_that_is_given_is_kept_and_otherwise_guessed():
    given, german, none = TitlePreparer().prepare(
        [Request("Manager", language="fr-CA"), Request("Gesundheits- und Krankenpfleger"), Request("12345")]
    )
    assert given.mentions[0].language == "fr-CA"
    assert german.language == "de"
    assert none.language is None


def test_the_calibration_set_is_what_it_says(terminology):
    made = calibration(terminology, 1000, 0)
    assert len({len(made.texts), len(made.languages), len(made.concepts), len(made.held_out)}) == 1
    for text, concept, row in zip(made.texts, made.concepts, made.held_out, strict=True):
        if row >= 0:
            assert terminology.row_terms[row].text == text
            assert terminology.concepts[terminology.row_concepts[row]].id == concept
    assert any(concept is None for concept in made.concepts)


def test_the_texts_that_are_no_titles_are_distinct():
    bank = not_titles()
    assert len(bank) == len(set(bank)) >= 1000
    assert 0.4 < sum(map(held_back, bank)) / len(bank) < 0.6


def test_titles_look_like_titles_and_skills_do_not():
    titles = title_likeness().score(["warehouse supervisor", "Dachdeckerin", "bibliotecaria"])
    others = title_likeness().score(["conduct interviews", "customer relationship management", "free parking"])
    assert min(titles) > max(others)
