import numpy as np
import pytest
import torch

from models.encoders.packages import Weights
from models.errors import TrainingError
from models.rerankers.cross_encoder import CrossEncoder
from models.training.adapters import AdapterShape
from models.training.cross_encoder import CrossEncoderOptions, PairScorer, Question, rank_loss, train

WORDS = ["fever", "cough", "pain", "rash", "high", "low", "left", "right", "<", ">"]
SHAPE = AdapterShape(2, 4.0, r"encoder\.layer\..*(query|value)\.weight")
OPTIONS = CrossEncoderOptions(
    layers=2, max_tokens=16, epochs=3, accumulate=4, evaluate_every=3, patience=0, rank_regularization=0.01
)


def network():
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    return BertModel(
        BertConfig(
            vocab_size=len(WORDS) + 4,
            hidden_size=16,
            num_hidden_layers=3,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=32,
        ),
        add_pooling_layer=False,
    )


def tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    found = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    found.pre_tokenizer = pre_tokenizers.Whitespace()
    found.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return found


def questions(number, *, seed=0):
    """Retrieval prefers the first candidate; right is the one that says the mention's word."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        words = rng.choice(WORDS[:4], 3, replace=False).tolist()
        right = int(rng.integers(3))
        documents = [f"high {word}" for word in words]
        prior = np.array([1.0, 0.9, 0.8, -3.0], np.float32)
        found.append(Question(f"< {words[right]} >", documents, prior, np.arange(4) == right))
    return found


def run(folder, *, options=OPTIONS, resume=False):
    return train(
        network(), tokenizer(), questions(24), questions(8, seed=1), shape=SHAPE, options=options, folder=folder,
        resume=resume,
    )  # fmt: skip


def test_loss_is_cross_entropy_over_candidates_and_nil_plus_the_distance_to_the_prior():
    rng = np.random.default_rng(0)
    residual, prior = rng.normal(size=5), rng.normal(size=5)
    right = np.array([False, True, False, True, False])
    logits = prior + residual
    shares = np.exp(logits) / np.exp(logits).sum()
    expected = -np.log(shares[right].sum()) + 0.7 * np.sqrt((residual**2).sum())
    found = rank_loss(*map(torch.from_numpy, (residual, prior, right)), rank_regularization=0.7)
    assert float(found) == pytest.approx(expected)


def test_nothing_learned_is_the_prior_itself():
    scorer = PairScorer(network(), layers=2)
    ids = torch.tensor([[2, 5, 3, 6, 3], [2, 4, 3, 3, 0]])
    assert scorer(ids, (ids != 0).long()).abs().max() == 0
    assert len(scorer.transformer.encoder.layer) == 2


def test_training_lowers_the_loss_on_questions_held_out(tmp_path):
    trained = run(tmp_path)
    assert trained.history[0]["step"] == 0
    assert trained.best_step > 0
    assert min(look["loss"] for look in trained.history) < trained.history[0]["loss"]


def test_a_stopped_run_goes_on_to_the_same_bits(tmp_path):
    whole = run(tmp_path / "whole")
    seen = []

    def stop(stage, done, total):
        seen.append(done)
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(
            network(), tokenizer(), questions(24), questions(8, seed=1), shape=SHAPE, options=OPTIONS,
            folder=tmp_path / "stopped", on_progress=stop,
        )  # fmt: skip
    again = run(tmp_path / "stopped", resume=True)
    assert again.history == whole.history
    for name, value in whole.scorer.state_dict().items():
        assert torch.equal(value, again.scorer.state_dict()[name]), name


def test_the_graph_served_agrees_with_torch_and_knows_the_nil_row(tmp_path):
    from models.training.cross_export import export

    pytest.importorskip("onnx")
    trained = run(tmp_path / "work")
    asked = questions(4, seed=2)
    words = tokenizer()
    expected = []
    with torch.no_grad():
        for question in asked:
            pairs = [(question.query, text) for text in (*question.documents, "")]
            ids = [torch.tensor([words.encode(*pair).ids]) for pair in pairs]
            expected.append(np.array([float(trained.scorer(i, torch.ones_like(i))[0]) for i in ids]))
    weights = Weights("tiny", tmp_path, "sentence_transformer", {}, "")
    description = export(trained.scorer, words, tmp_path / "served", base=weights, options=OPTIONS)
    assert description.largest_difference < 1e-4
    found = CrossEncoder(tmp_path / "served").logits([q.query for q in asked], [[*q.documents, ""] for q in asked])
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(expected), atol=1e-4)


def test_a_question_without_a_right_row_is_refused(tmp_path):
    wrong = Question("a", ["b"], np.zeros(2, np.float32), np.zeros(2, bool))
    with pytest.raises(TrainingError, match="NIL is right"):
        train(network(), tokenizer(), [wrong], questions(1), shape=SHAPE, options=OPTIONS, folder=tmp_path)


def test_more_layers_than_there_are_is_refused():
    with pytest.raises(TrainingError, match="3"):
        PairScorer(network(), layers=4)
