"""Graphs in fewer bits, against the same arithmetic spelled out in numpy."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("ml_dtypes")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from models.encoders.variants import store_table_in_blocks, write_bf16, write_int8  # noqa: E402

RANDOM = np.random.default_rng(7)
STEPS = RANDOM.integers(-8, 8, (50, 2, 32)).astype(np.int8)
SCALES = RANDOM.uniform(0.01, 0.1, (50, 2)).astype(np.float16)
TABLE = (STEPS.astype(np.float32) * SCALES.astype(np.float32)[..., None]).reshape(50, 64)
WEIGHTS = RANDOM.normal(size=(64, 24)).astype(np.float32)
IDS = np.array([[1, 2, 3], [4, 4, 0]])


@pytest.fixture
def graph(tmp_path):
    """Rows of a table times a matrix, twice over the same rows."""
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("MatMul", ["rows", "weights"], ["left"]),
        helper.make_node("MatMul", ["rows", "weights"], ["right"]),
        helper.make_node("Add", ["left", "right"], ["vectors"]),
    ]
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "l"])],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", "l", 24])],
        [numpy_helper.from_array(TABLE, "table"), numpy_helper.from_array(WEIGHTS, "weights")],
    )
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def run(path, ids=IDS):
    import onnxruntime

    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"ids": ids})[0]


def weights_of(path):
    return {w.name: w.data_type for w in onnx.load(str(path)).graph.initializer}


def test_a_table_in_blocks_gives_the_same_bits(graph):
    before = run(graph)
    assert store_table_in_blocks(graph, steps=STEPS, scales=SCALES)
    np.testing.assert_array_equal(run(graph), before)
    assert "table" not in weights_of(graph)


def test_a_table_that_is_not_those_blocks_is_left_alone(graph):
    before = graph.read_bytes()
    assert not store_table_in_blocks(graph, steps=STEPS, scales=SCALES * 2)
    assert graph.read_bytes() == before


def test_bf16_rounds_weights_and_nothing_else(graph):
    import ml_dtypes

    target = graph.with_name("bf16.onnx")
    write_bf16(graph, target)
    rows, weights = (a.astype(ml_dtypes.bfloat16).astype(np.float32) for a in (TABLE[IDS], WEIGHTS))
    np.testing.assert_allclose(run(target), 2 * rows @ weights, rtol=1e-4, atol=1e-5)
    assert target.stat().st_size < 0.6 * graph.stat().st_size


def test_int8_follows_its_arithmetic(graph):
    target = graph.with_name("int8.onnx")
    write_int8(graph, target)
    rows = TABLE[IDS]
    token_step = np.abs(rows).max(axis=-1, keepdims=True) / 127
    channel_step = np.abs(WEIGHTS).max(axis=0) / 127
    expected = np.rint(rows / token_step) @ np.rint(WEIGHTS / channel_step) * token_step * channel_step
    np.testing.assert_allclose(run(target), 2 * expected, rtol=1e-3, atol=2e-3)
    np.testing.assert_allclose(run(target), run(graph), atol=0.2)
    assert weights_of(target)["weights.q"] == TensorProto.INT8


def test_int8_vectors_do_not_depend_on_the_batch(graph):
    target = graph.with_name("int8.onnx")
    write_int8(graph, target)
    np.testing.assert_allclose(run(target)[:1], run(target, IDS[:1]), rtol=1e-6)


def test_int8_survives_a_row_of_zeros(graph, monkeypatch):
    model = onnx.load(str(graph))
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.zeros_like(TABLE), "table"))
    onnx.save(model, str(graph))
    target = graph.with_name("int8.onnx")
    write_int8(graph, target)
    assert not run(target).any()
