"""The same graph in fewer bits: embedding tables in blocks (exact), bfloat16 and int8 weights (measured)."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

FLOAT = onnx.TensorProto.FLOAT
_SMALL = 1024


def store_table_in_blocks(path: Path, *, steps: NDArray[np.int8], scales: NDArray[np.float16]) -> bool:
    """Keep the embedding table of a graph as it was quantised: int8 steps and one float16 scale per block.

    The rows looked up are the same floats bit for bit, from a quarter of the memory.

    Args:
        path: of the graph, rewritten in place.
        steps: (vocabulary, blocks, block) int8.
        scales: (vocabulary, blocks) float16.

    Returns: whether the graph looks rows up in exactly one table equal to steps × scales; else it is left as it was.
    """
    model = onnx.load(str(path))
    graph = model.graph
    vocabulary, blocks, block = steps.shape
    table = (steps.astype(np.float32) * scales.astype(np.float32)[..., None]).reshape(vocabulary, -1)
    same = [w for w in graph.initializer if tuple(w.dims) == table.shape and _equals(w, table)]
    users = [node for node in graph.node if same and same[0].name in node.input]
    if len(same) != 1 or len(users) != 1 or users[0].op_type != "Gather":
        return False
    name, lookup = same[0].name, users[0]
    constants = {
        f"{name}.steps": steps.reshape(vocabulary, -1),
        f"{name}.scales": scales,
        f"{name}.blocked": np.array([0, 0, blocks, block], np.int64),
        f"{name}.flat": np.array([0, 0, blocks * block], np.int64),
        f"{name}.last": np.array([3], np.int64),
    }
    graph.initializer.extend(numpy_helper.from_array(array, key) for key, array in constants.items())
    in_blocks = list(_blockwise_lookup(name, ids=lookup.input[1], rows=lookup.output[0]))
    _rewrite(graph, lambda node: in_blocks if node is lookup else [node])
    onnx.save(model, str(path))
    return True


def _blockwise_lookup(name: str, *, ids: str, rows: str) -> Iterator[onnx.NodeProto]:
    part = f"{name}.block_"
    yield helper.make_node("Gather", [f"{name}.steps", ids], [part + "steps"])
    yield helper.make_node("Cast", [part + "steps"], [part + "floats"], to=FLOAT)
    yield helper.make_node("Reshape", [part + "floats", f"{name}.blocked"], [part + "blocked"])
    yield helper.make_node("Gather", [f"{name}.scales", ids], [part + "scales"])
    yield helper.make_node("Cast", [part + "scales"], [part + "scale_floats"], to=FLOAT)
    yield helper.make_node("Unsqueeze", [part + "scale_floats", f"{name}.last"], [part + "scale_column"])
    yield helper.make_node("Mul", [part + "blocked", part + "scale_column"], [part + "product"])
    yield helper.make_node("Reshape", [part + "product", f"{name}.flat"], [rows])


def write_bf16(source: Path, target: Path) -> None:
    """The graph with its weights rounded to bfloat16: half the file, the range of float32, 8 bits of precision.

    Sums stay in float32: ONNX Runtime has no bfloat16 matrix product on x86, so this saves disk, not time.
    """
    model = onnx.load(str(source))
    graph = model.graph
    rounded = {w.name: w for w in graph.initializer if w.data_type == FLOAT and len(w.dims) > 1 and _size(w) >= _SMALL}
    for weights in rounded.values():
        array = numpy_helper.to_array(weights).astype(ml_dtypes.bfloat16)
        graph.initializer.append(numpy_helper.from_array(array, f"{weights.name}.bf16"))
    unfolded: set[str] = set()

    def widened(node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        if node.op_type == "Gather" and node.input[0] in rounded:
            # Look rows up first: a cast of the whole table would be folded back to float32 on opening.
            rows = node.output[0]
            yield helper.make_node("Gather", [f"{node.input[0]}.bf16", node.input[1]], [f"{rows}.bf16"])
            yield helper.make_node("Cast", [f"{rows}.bf16"], [rows], to=FLOAT)
            return
        for name in node.input:
            if name in rounded and name not in unfolded:
                unfolded.add(name)
                yield helper.make_node("Cast", [f"{name}.bf16"], [f"{name}.wide"], to=FLOAT)
        for i, name in enumerate(node.input):
            if name in rounded:
                node.input[i] = f"{name}.wide"
        yield node

    _rewrite(graph, widened)
    onnx.save(model, str(target))


def write_int8(source: Path, target: Path) -> None:
    """The graph with 8-bit matrix products: one scale per output channel of a weight, one per token.

    Scales for activations are taken per token as it passes. ONNX Runtime's own dynamic quantisation takes one per
    batch, which was less exact when measured (MiniLM .992 against .997) and made a text's vector depend on its
    neighbours in the batch. Embedding tables and everything between products stay as they are.

    On x86 without VNNI, products may saturate; measure there before use.
    """
    model = onnx.load(str(source))
    graph = model.graph
    weights = {w.name: w for w in graph.initializer if w.data_type == FLOAT and len(w.dims) == 2}
    constants: dict[str, NDArray[Any]] = {
        "int8.steps": np.array(127, np.float32),
        "int8.least": np.array(1e-12, np.float32),
        "int8.one": np.array(1, np.float32),
        "int8.zero": np.array(128, np.uint8),
    }
    quantised: dict[str, str] = {}

    def in_8_bits(node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        if node.op_type != "MatMul" or node.input[1] not in weights:
            yield node
            return
        tokens, name = node.input
        if tokens not in quantised:
            quantised[tokens] = f"int8.{len(quantised)}"
            yield from _quantised_tokens(tokens, quantised[tokens])
        if f"{name}.q" not in constants:
            constants[f"{name}.q"], constants[f"{name}.scale"] = _by_channel(numpy_helper.to_array(weights[name]))
        yield from _integer_product(quantised[tokens], name, node.output[0])

    _rewrite(graph, in_8_bits)
    graph.initializer.extend(numpy_helper.from_array(array, key) for key, array in constants.items())
    onnx.save(model, str(target))


def _by_channel(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    scale = np.abs(weights).max(axis=0) / 127
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    return np.rint(weights / scale).astype(np.int8), scale


def _quantised_tokens(tokens: str, part: str) -> Iterator[onnx.NodeProto]:
    """`part`.q: each row in steps of 1/127 of its largest magnitude, as uint8 around 128; `part`.scale: the step."""
    yield helper.make_node("Abs", [tokens], [f"{part}.abs"])
    yield helper.make_node("ReduceMax", [f"{part}.abs"], [f"{part}.max"], axes=[-1], keepdims=1)
    yield helper.make_node("Max", [f"{part}.max", "int8.least"], [f"{part}.positive"])
    yield helper.make_node("Div", [f"{part}.positive", "int8.steps"], [f"{part}.scale"])
    yield helper.make_node("Div", [tokens, f"{part}.scale"], [f"{part}.scaled"])
    yield helper.make_node("QuantizeLinear", [f"{part}.scaled", "int8.one", "int8.zero"], [f"{part}.q"])


def _integer_product(part: str, weights: str, output: str) -> Iterator[onnx.NodeProto]:
    own = f"{output}.int8"
    yield helper.make_node("MatMulInteger", [f"{part}.q", f"{weights}.q", "int8.zero"], [f"{own}.sum"])
    yield helper.make_node("Cast", [f"{own}.sum"], [f"{own}.float"], to=FLOAT)
    yield helper.make_node("Mul", [f"{own}.float", f"{part}.scale"], [f"{own}.row"])
    yield helper.make_node("Mul", [f"{own}.row", f"{weights}.scale"], [output])


def _rewrite(
    graph: onnx.GraphProto, replacement: Callable[[onnx.NodeProto], Iterator[onnx.NodeProto] | Sequence[onnx.NodeProto]]
) -> None:
    """Put each node's replacement in its place, and drop the weights that nobody uses any more."""
    nodes = [new for old in graph.node for new in replacement(old)]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    used = {name for node in graph.node for name in node.input}
    for weights in [w for w in graph.initializer if w.name not in used]:
        graph.initializer.remove(weights)


def _equals(weights: onnx.TensorProto, table: NDArray[np.float32]) -> bool:
    return bool(np.array_equal(numpy_helper.to_array(weights), table))


def _size(weights: onnx.TensorProto) -> int:
    return int(np.prod(weights.dims))
