import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import registry
from pipelines.build import build
from pipelines.errors import SourceError
from pipelines.evaluation import (
    average_precision,
    bootstrap,
    bootstrap_of,
    evaluate,
    paired_bootstrap,
    ranks,
    read_labelled,
    score,
)
from pipelines.spec import CalibrationSet

SPEC = registry.spec("job-titles")


def test_ranks_are_of_the_first_right_answer():
    found = ranks([["a", "b"], ["a", "b"], ["a"], ["a"]], ["a", "b", "z", None])
    assert found.tolist() == [0, 1, np.inf, np.inf]


def test_scores_are_shares_of_ranks():
    scores = score(np.array([0, 3, 7, np.inf]))
    assert [scores[f"accuracy@{k}"].value for k in (1, 5, 10)] == [0.25, 0.5, 0.75]
    assert scores["MRR"].value == pytest.approx((1 + 1 / 4 + 1 / 8) / 4)
    assert score(np.array([])) == {}


def test_average_precision_by_hand():
    assert average_precision(["a", "x", "b", "y"], {"a", "b"}) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(["x"], {"a"}) == 0
    assert average_precision(["x"], set()) == 0


@settings(max_examples=25, deadline=None)
@given(
    ranking=st.permutations("abcdef"), right=st.sampled_from("abcdefz"), relevant=st.sets(st.sampled_from("abcdefz"))
)
def test_ranked_measures_agree_with_the_slow_obvious_ones(ranking, right, relevant):
    found = ranks([ranking], [right])
    for k in (1, 5, 10):
        assert score(found)[f"accuracy@{k}"].value == (right in ranking[:k])
    reciprocal = next((1 / position for position in range(1, 7) if ranking[position - 1] == right), 0)
    assert score(found)["MRR"].value == pytest.approx(reciprocal)
    precisions = [len(relevant.intersection(ranking[:n])) / n for n in range(1, 7) if ranking[n - 1] in relevant]
    slow = sum(precisions) / len(relevant) if relevant else 0
    assert average_precision(ranking, relevant) == pytest.approx(slow)


def test_a_bootstrap_of_any_measure_agrees_with_that_of_the_mean():
    values = np.random.default_rng(3).random(80)
    rng = np.random.default_rng(0)
    means = sorted(float(np.mean([values[i] for i in rng.integers(0, 80, 80)])) for _ in range(1000))
    estimate = bootstrap(values)
    assert estimate.low == pytest.approx(np.quantile(means, 0.025))
    assert estimate.high == pytest.approx(np.quantile(means, 0.975))
    assert bootstrap_of(lambda drawn: float(values[drawn].mean()), 80) == estimate


def test_the_interval_holds_the_mean_and_narrows_with_n():
    rng = np.random.default_rng(1)
    small, large = (bootstrap(rng.random(n)) for n in (50, 5000))
    for estimate in (small, large):
        assert estimate.low <= estimate.value <= estimate.high
    assert large.high - large.low < small.high - small.low


def test_a_paired_difference_sees_what_two_intervals_hide():
    noise = np.random.default_rng(0).random(400)
    difference = paired_bootstrap(noise + 0.01, noise)
    assert 0 < difference.low <= difference.high


def test_bootstrap_is_seeded():
    values = np.random.default_rng(2).random(100)
    assert bootstrap(values) == bootstrap(values)


def test_evaluate_measures_names_nil_and_calibration(store, encoder, terminology):
    built = build(SPEC, terminology, encoder=encoder, store=store, config=SPEC.config(encoder="hashing"))
    labelled = CalibrationSet(
        ["line cook", "registered nurse", "Klempner", "blue sky"], ["en", "en", "de", None],
        ["T:5120", "T:2221", "T:7126", None], [-1] * 4,
    )  # fmt: skip
    measured = evaluate(built.pipeline, labelled)
    assert measured.scores["accuracy@1"].value == 1
    assert (measured.texts, measured.named) == (4, 3)
    assert set(measured.by_language) == {"de", "en"}
    assert 0 <= measured.ece.low <= measured.ece.high <= 1
    assert measured.nil["recall"].value == 1
    assert measured.unknown is None
    assert evaluate(built.pipeline, labelled, terminology=built.terminology).unknown == 0
    assert measured.to_json()["scores"]["MRR"][0] == 1
    with pytest.raises(SourceError):
        evaluate(built.pipeline, CalibrationSet([], [], [], []))


def test_labelled_files_are_read_with_nil_and_languages(tmp_path):
    path = tmp_path / "gold.csv"
    path.write_text("text,concept_id,language\nnurse,T:1,en\nblue,,\n", encoding="utf-8")
    labelled = read_labelled(path)
    assert (list(labelled.texts), list(labelled.concepts), list(labelled.languages)) == (
        ["nurse", "blue"], ["T:1", None], ["en", None],
    )  # fmt: skip


def test_a_code_that_comes_as_a_number_is_the_id_it_spells(tmp_path):
    path = tmp_path / "gold.jsonl"
    path.write_text('{"title": "nurse", "concept_id": 2221}\n', encoding="utf-8")
    assert list(read_labelled(path).concepts) == ["2221"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name,code\na,b\n", "expected columns"),
        ("title,concept_id\n,T:1\n", "line 2"),
        ("title,concept_id\na\n", "line 2"),
    ],
)
def test_a_labelled_file_that_cannot_be_read_says_where(tmp_path, content, said):
    path = tmp_path / "gold.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=said):
        read_labelled(path)
