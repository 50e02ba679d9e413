import numpy as np
import pytest

from models.arrays import unit
from models.encoders.concatenated import ConcatenatedEncoder
from models.encoders.hashing import HashingEncoder
from pipelines.config import BlockConfig, PipelineConfig
from pipelines.encoding import TextEncoding, centred, encode_rows, primary
from pipelines.errors import ConfigInvalid

TEXTS = ["nurse", "cook", "nurse", "taxi driver"]


class Counting(HashingEncoder):
    def __init__(self, dimension, name):
        super().__init__(dimension, name=name)
        self.read = 0

    def encode_query(self, texts):
        self.read += len(texts)
        return super().encode_query(texts)


@pytest.fixture
def parts():
    return Counting(64, "a"), Counting(32, "b")


def test_scores_are_the_weighted_mean_of_cosines_by_language(parts):
    joined = ConcatenatedEncoder(parts)
    rows, _ = encode_rows(TEXTS, encoder=joined, config=PipelineConfig())
    encoding = TextEncoding(joined, BlockConfig(default=[0.5, 0.5], by_language={"en": [0.75, 0.25], "de": [1, 0]}))
    scores = encoding.encode(["cook", "cook", "cook"], ["en-GB", "de", None]) @ rows.T
    a, b = (p.encode_query(["cook"]) @ p.encode_passage(TEXTS).T for p in parts)
    np.testing.assert_allclose(scores, np.concatenate([0.75 * a + 0.25 * b, a, 0.5 * a + 0.5 * b]), atol=1e-5)


def test_an_encoder_without_weight_does_no_work(parts):
    encoding = TextEncoding(ConcatenatedEncoder(parts), BlockConfig(default=[1, 0], by_language={"en": [0, 1]}))
    encoding.encode(["x", "y", "z"], ["en", None, "de"])
    assert (parts[0].read, parts[1].read) == (2, 1)


def test_weights_must_fit_the_encoders(parts):
    with pytest.raises(ConfigInvalid, match="3 weights for 2"):
        TextEncoding(ConcatenatedEncoder(parts), BlockConfig(default=[1, 1, 1]))


def test_each_distinct_row_is_encoded_once(parts):
    encode_rows(TEXTS, encoder=parts[0], config=PipelineConfig(symmetric=True))
    assert parts[0].read == 3


def test_rows_are_encoded_by_what_stands_for_their_encoder(parts):
    config = PipelineConfig(symmetric=True, centred=["a"])
    variant = Counting(64, "fewer-bits")
    _, means = encode_rows(TEXTS, encoder=parts[0], config=config, rows_by={"a": variant})
    assert (parts[0].read, variant.read) == (0, 3)
    assert set(means) == {"a"}


def test_a_centred_encoder_loses_the_rows_mean_on_both_sides(parts):
    joined = ConcatenatedEncoder(parts)
    rows, means = encode_rows(TEXTS, encoder=joined, config=PipelineConfig(centred=["b"]))
    assert set(means) == {"b"}
    b = parts[1].encode_passage(TEXTS)
    expected = unit(b - np.unique(b, axis=0).mean(axis=0))
    np.testing.assert_allclose(rows[:, 64:] / np.sqrt(0.5), expected, atol=1e-5)
    query = TextEncoding(centred(joined, means), BlockConfig()).encode(["cook"], [None])
    assert (query @ rows.T)[0, 1] == pytest.approx(1, abs=1e-5)


def test_progress_counts_every_encoders_texts(parts):
    told = []
    encode_rows(
        TEXTS, encoder=ConcatenatedEncoder(parts), config=PipelineConfig(), on_progress=lambda *step: told.append(step)
    )
    assert told == [("encode", 3, 6), ("encode", 6, 6)]


def test_primary_subtags():
    assert [primary(tag) for tag in ("de-AT", "EN", None, "")] == ["de", "en", "", ""]
