import numpy as np

from models.hubness.choose import choose, paired_intervals


def answers(n, rate, seed=0):
    return np.random.default_rng(seed).random(n) < rate


def test_a_clear_winner_is_turned_on_and_says_so():
    none = answers(1000, 0.4)
    better = none | answers(1000, 0.2, seed=1)
    choice = choose({"none": none, "is": better})
    assert choice.method == "is"
    assert "is is on" in choice.reason
    assert "1000 development queries" in choice.reason
    assert choice.comparisons[0].low > 0


def test_what_might_be_chance_stays_off_and_says_why():
    none = answers(300, 0.6)
    same = none.copy()
    same[:4] = ~same[:4]
    choice = choose({"none": none, "is": same, "nnn": same})
    assert choice.method == "none"
    assert "no correction is surely better" in choice.reason


def test_what_harms_stays_off():
    none = answers(1000, 0.6)
    assert choose({"none": none, "is": none & answers(1000, 0.8, seed=1)}).method == "none"


def test_of_those_that_help_the_best_is_chosen_and_the_earlier_of_equals():
    none = answers(1000, 0.4)
    good = none | answers(1000, 0.2, seed=1)
    best = good | answers(1000, 0.2, seed=2)
    assert choose({"none": none, "csls": good, "is": best}).method == "is"
    assert choose({"none": none, "csls": good, "is": good}).method == "csls"


def test_a_better_mean_that_is_not_sure_does_not_win_over_a_sure_one():
    none = np.zeros(400, bool)
    none[:200] = True
    sure = none.copy()
    sure[200:230] = True
    wild = ~none
    wild[:40] = True
    choice = choose({"none": none, "sure": sure, "wild": wild})
    assert choice.comparisons[1].recall > choice.comparisons[0].recall
    assert choice.method == "sure"


def test_nothing_to_choose_by_is_none():
    assert choose({"none": np.zeros(0, bool), "is": np.zeros(0, bool)}).method == "none"
    assert choose({"none": answers(9, 0.5)}).method == "none"


def test_chance_alone_turns_nothing_on_more_often_than_it_says():
    on = 0
    for seed in range(100):
        none = answers(400, 0.5, seed)
        rivals = {f"m{i}": np.where(answers(400, 0.2, seed * 31 + i + 1), answers(400, 0.5, seed + 7 * i + 999), none)
                  for i in range(6)}  # fmt: skip
        on += choose({"none": none, **rivals}, resamples=1000, seed=seed).method != "none"
    assert on / 100 <= 0.06


def test_the_interval_is_that_of_resampled_queries():
    differences = np.stack([answers(200, 0.6).astype(float) - answers(200, 0.5, seed=i) for i in (1, 2)], axis=1)
    low, high = paired_intervals(differences, level=0.95, resamples=5000)
    rng = np.random.default_rng(3)
    means = np.array([differences[rng.integers(0, 200, 200)].mean(axis=0) for _ in range(5000)])
    np.testing.assert_allclose([low, high], np.percentile(means, [2.5, 97.5], axis=0), atol=0.01)


def test_queries_for_one_thing_count_as_one():
    few = answers(40, 0.6).astype(float) - answers(40, 0.4, seed=1)
    alone = paired_intervals(few[:, None])
    copied = np.repeat(few, 25)[:, None]
    together = paired_intervals(copied, groups=np.repeat(np.arange(40) * 7 + 3, 25))
    np.testing.assert_allclose(together, alone)
    apart = paired_intervals(copied)
    assert apart[1] - apart[0] < 0.5 * (alone[1] - alone[0])


def test_what_a_few_things_asked_for_often_decide_stays_off():
    things = np.repeat(np.arange(5), 100)
    none = np.zeros(500, bool)
    better = things == 4
    assert choose({"none": none, "is": better}).method == "is"
    assert choose({"none": none, "is": better}, groups=things).method == "none"


def test_the_choice_is_the_same_every_time():
    none = answers(500, 0.4)
    right = {"none": none, "is": none | answers(500, 0.03, seed=1)}
    assert choose(right) == choose(right)
