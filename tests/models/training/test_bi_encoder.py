from dataclasses import replace

import numpy as np
import pytest
import torch

from models.arrays import unit
from models.errors import TrainingError
from models.training.adapters import AdapterShape
from models.training.bases import open_base
from models.training.bi_encoder import DevelopmentSet, TrainingOptions, train
from models.training.heads import HeadOptions, fit_head
from models.training.losses import MaskedRankingLoss
from models.training.measures import mean_average_precision
from models.training.pairs import Batches

SHAPE = AdapterShape(4, 8.0, r"(query|key|value|dense)\.weight$")
OPTIONS = TrainingOptions(learning_rate=2e-2, evaluate_every=4, device="cpu", patience=0, mini_batch=3)


def trained(tiny, batches, folder, *, options=OPTIONS, resume=False, development=()):
    base = open_base(str(tiny), scratch=folder, max_tokens=16)
    found = train(
        base.model,
        base.network,
        batches,
        shape=SHAPE,
        development=development,
        options=options,
        folder=folder / "run",
        resume=resume,
    )
    return base, found


def same(one, two):
    return all(np.array_equal(one[name], two[name]) for name in one) and set(one) == set(two)


def development(occupations):
    return [
        DevelopmentSet(
            "dev",
            [anchor for anchor, _, _ in occupations],
            [positive for _, positive, _ in occupations],
            [{i} for i in range(len(occupations))],
        )
    ]


def test_training_brings_titles_of_one_occupation_together(tiny, batches, occupations, tmp_path):
    base, found = trained(tiny, batches, tmp_path)
    untrained = open_base(str(tiny), scratch=tmp_path, max_tokens=16)

    def nearer(some):
        left, right = (some.encode([o[side] for o in occupations]) for side in (0, 1))
        return np.diag(left @ right.T).mean() - (left @ right.T).mean()

    assert nearer(base) > nearer(untrained)
    assert found.steps == len(batches)
    assert found.trainable == sum(v.size for v in found.changes.values())


def test_the_same_seed_learns_the_same_and_another_does_not(tiny, batches, tmp_path):
    runs = [
        trained(tiny, batches, tmp_path / str(i), options=replace(OPTIONS, seed=seed))[1].changes
        for i, seed in enumerate((1, 1, 2))
    ]
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


def test_a_run_that_was_stopped_goes_on_where_it_was(tiny, batches, occupations, tmp_path, monkeypatch):
    _, whole = trained(tiny, batches, tmp_path / "whole", development=development(occupations))
    stopping = tmp_path / "stopped"

    class Stopped(Exception):
        """Stands for a power cut."""

    def stop(stage, done, total):
        if done == 6:
            raise Stopped

    base = open_base(str(tiny), scratch=tmp_path, max_tokens=16)
    dev = development(occupations)
    with pytest.raises(Stopped):
        train(
            base.model, base.network, batches, shape=SHAPE, development=dev, options=OPTIONS,
            folder=stopping / "run", on_progress=stop,
        )  # fmt: skip
    assert [p.name for p in (stopping / "run").glob("checkpoint-*")] == ["checkpoint-4"]
    steps = []
    monkeypatch.setattr(
        "models.training.bi_encoder._Watch.on_step_end", lambda self, a, s, c, **k: steps.append(s.global_step)
    )
    _, resumed = trained(tiny, batches, stopping, resume=True, development=dev)
    assert steps == [5, 6, 7, 8]
    assert same(whole.changes, resumed.changes)


def test_a_checkpoint_holds_no_weights(tiny, batches, tmp_path):
    trained(tiny, batches, tmp_path)
    files = {p.name for p in (tmp_path / "run" / "checkpoint-8").iterdir()}
    assert "adapter.safetensors" in files
    assert "model.safetensors" not in files


def test_training_stops_when_development_gets_no_better(tiny, batches, occupations, tmp_path):
    many = Batches(batches.pairs * 20, batches.sizes * 20, batches.sources * 20)
    options = replace(OPTIONS, patience=2, evaluate_every=2)
    _, found = trained(tiny, many, tmp_path, options=options, development=development(occupations))
    assert found.best_step < found.steps < len(many)
    assert {"step", "sequential_score", "dev_cosine_map@100"} <= set(found.history[0])


def test_nothing_to_train_on_is_refused(tiny, tmp_path):
    with pytest.raises(TrainingError, match="no batches"):
        trained(tiny, Batches(), tmp_path)


def test_the_loss_is_the_slow_one_written_out(tiny, tmp_path):
    base = open_base(str(tiny), scratch=tmp_path, max_tokens=16)
    loss = MaskedRankingLoss(base.model, scale=5.0, mini_batch_size=3)
    loss._places = [torch.arange(4)] * 2
    rng = np.random.default_rng(0)
    a, b = (unit(rng.normal(size=(4, 6)).astype(np.float32)) for _ in range(2))
    labels = torch.tensor([[0, -1], [1, -1], [0, -1], [2, -1]])
    found = loss.calculate_loss([[torch.from_numpy(a[:3]), torch.from_numpy(a[3:])], [torch.from_numpy(b)]], labels)

    def one_way(scores):
        total = 0.0
        for i, row in enumerate(scores):
            others = [s for j, s in enumerate(row) if j == i or labels[i, 0] != labels[j, 0]]
            total += np.log(np.exp(others).sum()) - row[i]
        return total / len(scores)

    scores = 5.0 * a.astype(float) @ b.T.astype(float)
    assert float(found) == pytest.approx((one_way(scores) + one_way(scores.T)) / 2, rel=1e-5)


def test_a_graph_kept_whole_and_another_mini_batch_learn_the_same(tiny, batches, tmp_path):
    calm = replace(OPTIONS, learning_rate=1e-2, exact=True)
    ways = [calm, replace(calm, cached=False), replace(calm, mini_batch=64)]
    learned = []
    for i, options in enumerate(ways):
        base = open_base(str(tiny), scratch=tmp_path, max_tokens=16)
        for module in base.network.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        found = train(
            base.model, base.network, batches, shape=SHAPE, development=[], options=options, folder=tmp_path / str(i)
        )
        learned.append(found.changes)
    for other in learned[1:]:
        for name, change in learned[0].items():
            np.testing.assert_allclose(change, other[name], atol=2e-3)


def test_a_head_brings_pairs_together_and_leaves_the_encoder_alone(tiny, batches, occupations, tmp_path):
    base = open_base(str(tiny), scratch=tmp_path, max_tokens=16)
    before = base.encode(["nurse"])
    head = fit_head(base.encode, batches, options=HeadOptions(learning_rate=0.1))
    left, right = (base.encode([o[side] for o in occupations]) for side in (0, 1))
    gold = [{i} for i in range(len(occupations))]
    with_head = mean_average_precision(head.apply(left) @ head.apply(right).T, gold)
    assert with_head > mean_average_precision(left @ right.T, gold)
    assert np.array_equal(base.encode(["nurse"]), before)
    again = fit_head(base.encode, batches, options=HeadOptions(learning_rate=0.1))
    assert np.array_equal(head.matrix, again.matrix)


def test_a_head_for_context_brings_it_to_where_titles_are(tiny, batches, occupations, tmp_path):
    base = open_base(str(tiny), scratch=tmp_path, max_tokens=16)
    options = HeadOptions(learning_rate=0.1, own_context=True)
    head = fit_head(base.encode, batches, options=options, centre=False)
    titles, context = (base.encode([o[side] for o in occupations]) for side in (0, 1))
    gold = [{i} for i in range(len(occupations))]
    moved = mean_average_precision(titles @ head.apply(context).T, gold)
    assert moved > mean_average_precision(titles @ context.T, gold)


def test_map_is_as_written_out():
    scores = np.array([[0.9, 0.8, 0.7], [0.1, 0.2, 0.3]], np.float32)
    assert mean_average_precision(scores, [{0, 2}, {0}]) == pytest.approx(((1 + 2 / 3) / 2 + 1 / 3) / 2)
