"""What every encoder must do, whatever is inside.

The hashing, cached and concatenated encoders always run; prepared ONNX and torch folders run where they can be made
from installed packages (marked slow), so that the serving encoder meets the same contract as the test one.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.encoders.base import Encoder
from models.encoders.cached import CachedEncoder
from models.encoders.concatenated import ConcatenatedEncoder
from models.encoders.hashing import HashingEncoder

TITLES = ["nurse", "Senior Java developer (m/w/d)", "cook", "Straßenbahnfahrerin", "药剂师", "lorry driver", "a" * 300]
HOSTILE = ["", " ", "\ud800", "nurse\udfff", "\x00", "\u202e\u200b", "x" * 100_000, "界" * 100_000, "🧑‍🚒" * 50]

LIGHT = {
    "hashing": HashingEncoder,
    "hashing-64": lambda: HashingEncoder(64),
    "cached": lambda: CachedEncoder(HashingEncoder()),
    "cached-tiny": lambda: CachedEncoder(HashingEncoder(), max_bytes=2000),
    "concatenated": lambda: ConcatenatedEncoder([HashingEncoder(64), HashingEncoder(128)], weights=[0.3, 0.7]),
}
PREPARED = {
    "onnx-minilm": ("minilm", "fp32"),
    "onnx-minilm-int8": ("minilm", "int8"),
    "onnx-use": ("use-multilingual", "fp32"),
    "onnx-use-bf16": ("use-multilingual", "bf16"),
    "openvino-minilm": ("minilm", "openvino"),
    "torch-minilm": ("minilm", "torch"),
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Opens an encoder by its key, preparing each folder once."""
    made: dict[str, Encoder] = {}

    def open_by_key(key: str) -> Encoder:
        if key not in made:
            made[key] = LIGHT[key]() if key in LIGHT else _prepared(*PREPARED[key], tmp_path_factory.mktemp(key))
        return made[key]

    return open_by_key


def _prepared(name, variant, folder):
    pytest.importorskip("sentence_transformers")
    pytest.importorskip("onnx")
    from models.encoders.export import prepare
    from models.encoders.registry import open_encoder
    from models.errors import MissingExtra

    try:
        if variant == "torch":
            prepare(name, folder, keep_torch=True)
            return open_encoder(folder / "torch")
        if variant == "openvino":
            pytest.importorskip("openvino")
            prepare(name, folder)
            return open_encoder(folder, engine="openvino")
        prepare(name, folder, variant=variant)
    except MissingExtra as missing:
        pytest.skip(str(missing))
    return open_encoder(folder)


@pytest.fixture(params=[*LIGHT, *(pytest.param(key, marks=pytest.mark.slow) for key in PREPARED)])
def encoder(request, opened):
    return opened(request.param)


def test_is_an_encoder(encoder):
    assert isinstance(encoder, Encoder)
    assert encoder.name
    assert encoder.device
    assert len(encoder.fingerprint) == 64


def test_load_and_warm_up_may_be_called_twice(encoder):
    for _ in range(2):
        encoder.load()
        encoder.warm_up()


@pytest.mark.parametrize("role", ["encode_query", "encode_passage"])
class TestVectors:
    def test_are_n_by_d_float32(self, encoder, role):
        vectors = getattr(encoder, role)(TITLES)
        assert vectors.shape == (len(TITLES), encoder.dimension)
        assert vectors.dtype == np.float32

    def test_have_unit_length(self, encoder, role):
        lengths = np.linalg.norm(getattr(encoder, role)(TITLES + HOSTILE), axis=1)
        np.testing.assert_allclose(lengths, 1, atol=1e-5)

    def test_of_no_text_are_none(self, encoder, role):
        vectors = getattr(encoder, role)([])
        assert vectors.shape == (0, encoder.dimension)
        assert vectors.dtype == np.float32

    def test_keep_the_order_of_the_texts(self, encoder, role):
        forth = getattr(encoder, role)(TITLES)
        back = getattr(encoder, role)(TITLES[::-1])
        np.testing.assert_allclose(forth, back[::-1], atol=2e-5)

    def test_do_not_depend_on_the_rest_of_the_batch(self, encoder, role):
        together = getattr(encoder, role)(TITLES + HOSTILE[:6])
        alone = np.concatenate([getattr(encoder, role)([title]) for title in TITLES])
        rounds = "int8" in encoder.name or getattr(encoder, "engine", "") == "openvino"
        np.testing.assert_allclose(together[: len(TITLES)], alone, atol=2e-3 if rounds else 2e-5)

    def test_are_the_same_each_time(self, encoder, role):
        np.testing.assert_array_equal(getattr(encoder, role)(TITLES), getattr(encoder, role)(TITLES))

    def test_survive_hostile_strings(self, encoder, role):
        assert np.isfinite(getattr(encoder, role)(HOSTILE)).all()

    def test_repeats_are_equal(self, encoder, role):
        vectors = getattr(encoder, role)(["cook", "nurse", "cook"])
        np.testing.assert_allclose(vectors[0], vectors[2], atol=2e-5)


def test_similar_texts_are_closer_than_dissimilar_ones(encoder):
    developer, developers, plumber = encoder.encode_passage(["java developer", "java developers", "pipe plumber"])
    assert developer @ developers > developer @ plumber


def test_count_tokens_counts_every_text_and_no_more_than_are_read(encoder):
    counts = encoder.count_tokens(TITLES + HOSTILE)
    assert len(counts) == len(TITLES + HOSTILE)
    assert all(isinstance(count, int) and count >= 0 for count in counts)
    assert max(counts) <= 2 * 512
    assert encoder.count_tokens([]) == []


def test_count_tokens_rises_with_length(encoder):
    short, long = encoder.count_tokens(["nurse", "nurse in the night shift of a large hospital"])
    assert short < long


def test_threads_may_share_it(encoder):
    expected = encoder.encode_query(TITLES)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(encoder.encode_query, [TITLES] * 8):
            np.testing.assert_allclose(vectors, expected, atol=2e-5)
