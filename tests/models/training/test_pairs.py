import numpy as np
import pytest

from models.encoders.hashing import HashingEncoder
from models.errors import TrainingError
from models.training.hard_negatives import mine
from models.training.pairs import Pair, PairSource, draw_batches, false_negatives


def source(name, weight, pairs):
    return PairSource(name, weight, lambda rng, n: [pairs[i] for i in rng.permutation(len(pairs))[:n]])


MANY = [Pair(f"a{i}", f"b{i}", f"c{i // 2}") for i in range(40)]


def test_the_same_seed_draws_the_same_batches():
    one, two = (draw_batches([source("s", 1, MANY)], steps=5, batch_size=8, seed=3) for _ in range(2))
    other = draw_batches([source("s", 1, MANY)], steps=5, batch_size=8, seed=4)
    assert one.pairs == two.pairs
    assert one.pairs != other.pairs


def test_a_batch_is_of_one_source_and_weights_decide_which():
    batches = draw_batches([source("x", 9, MANY), source("y", 1, MANY)], steps=200, batch_size=2, seed=0)
    assert batches.sources.count("x") > 150
    assert batches.sources.count("y") > 5


def test_no_text_stands_twice_in_a_batch():
    repeated = [Pair("same", f"b{i}", f"c{i}") for i in range(5)] + MANY
    batches = draw_batches([source("s", 1, repeated)], steps=20, batch_size=16, seed=0)
    for span in batches.spans:
        texts = [t for i in span for t in (batches.pairs[i].anchor, batches.pairs[i].positive)]
        assert len(texts) == len(set(texts))


def test_a_small_source_makes_small_batches_and_none_at_all_is_refused():
    batches = draw_batches([source("s", 1, MANY[:4])], steps=2, batch_size=16, seed=0)
    assert batches.sizes == [4, 4]
    with pytest.raises(TrainingError, match="two or more"):
        draw_batches([source("s", 1, MANY[:1])], steps=1, batch_size=4, seed=0)
    with pytest.raises(TrainingError, match="weight"):
        draw_batches([], steps=1, batch_size=4, seed=0)


def test_pairs_of_one_concept_are_no_negatives_of_each_other():
    labels = np.array([[0, -1], [1, -1], [0, -1]])
    assert false_negatives(labels, negatives=False).tolist() == [
        [False, False, True],
        [False, False, False],
        [True, False, False],
    ]


def test_a_mined_negative_of_an_anchors_own_concept_is_left_out_and_so_is_a_missing_one():
    labels = np.array([[0, 1], [1, 2], [2, -1]])
    mined = false_negatives(labels, negatives=True)[:, 3:]
    assert mined.tolist() == [[False, False, True], [True, False, True], [False, True, True]]


def test_mining_takes_near_texts_of_other_concepts_only():
    pairs = [Pair("ward nurse", "nurse on a ward", "nurse"), Pair("welder", "welders", "welder")]
    pool = ["ward nurses", "ward cleaner", "zoologist", "welding"]
    mined = mine(pairs, pool=pool, pool_concepts=["nurse", "cleaner", "zoo", "welder"], encoder=HashingEncoder())
    assert [m.anchor for m in mined] == ["ward nurse", "welder"]
    assert mined[0].negative in {"ward cleaner", "zoologist"}
    assert mined[1].negative_concept != "welder"


def test_mining_refuses_a_pool_without_its_concepts():
    with pytest.raises(TrainingError, match="expected as many"):
        mine([], pool=["x"], pool_concepts=[], encoder=HashingEncoder())
