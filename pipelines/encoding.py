"""Texts to vectors as a pipeline means it: encoders joined, weighted by language, centred on the terminology."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors, unit
from models.encoders.aligned import AlignedEncoder
from models.encoders.base import Encoder
from models.encoders.centred import CentredEncoder
from models.encoders.concatenated import ConcatenatedEncoder
from pipelines.alignment import STEPS, align
from pipelines.config import BlockConfig, PipelineConfig
from pipelines.errors import ConfigInvalid

MAP: Final = ".map"
"""Behind an encoder's name, what its alignment is kept under."""

ENCODED_AT_ONCE: Final = 1024
"""Texts between two reports of progress."""


def primary(language: str | None) -> str:
    """The primary subtag of a BCP 47 tag in lower case: "de" of "de-AT"; "" where unknown."""
    return (language or "").split("-")[0].lower()


class TextEncoding:
    """Queries to vectors, each under its language's weights.

    Args:
        encoder: one encoder, or several joined.
        blocks: weights per joined encoder; unused for a single one.

    Raises: ConfigInvalid unless every list has one weight per encoder.
    """

    def __init__(self, encoder: Encoder, blocks: BlockConfig) -> None:
        self._encoder = encoder
        self._default: NDArray[np.float32] | None = None
        self._by_language: dict[str, NDArray[np.float32]] = {}
        if isinstance(encoder, ConcatenatedEncoder):
            equal = [1.0] * len(encoder.encoders)
            default = blocks.default or equal
            for weights in (default, blocks.unknown or default, *blocks.by_language.values()):
                if len(weights) != len(equal):
                    raise ConfigInvalid(f"blocks: {len(weights)} weights for {len(equal)} encoders ({encoder.name})")
            self._default = np.array(default, np.float32)
            self._by_language = {tag: np.array(w, np.float32) for tag, w in blocks.by_language.items()}
            self._by_language[""] = np.array(blocks.unknown or default, np.float32)

    def encode(self, texts: Sequence[str], languages: Sequence[str | None]) -> Vectors:
        """Query vectors, (n, d) float32, whose inner product with a row is the weighted mean of cosines."""
        if self._default is None or not isinstance(self._encoder, ConcatenatedEncoder):
            return self._encoder.encode_query(texts)
        rows = [self._by_language.get(primary(language), self._default) for language in languages]
        weights = np.array(rows, np.float32).reshape(len(texts), len(self._default))
        return self._encoder.encode_query_weighted(texts, block_weights=weights)


def encode_rows(
    texts: Sequence[str],
    *,
    encoder: Encoder,
    config: PipelineConfig,
    concepts: NDArray[np.int64] | None = None,
    rows_by: Mapping[str, Encoder] = MappingProxyType({}),
    on_progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> tuple[Vectors, dict[str, NDArray[np.float32]]]:
    """Vectors of a terminology's terms, and what was done to those of each encoder that is centred or aligned.

    Each distinct text is encoded once.

    Args:
        concepts: (n,) which concept each text is a term of; without them nothing is aligned.
        rows_by: encoder name → what encodes terms in its place, such as itself in fewer bits.

    Returns: (n, d) float32 unit vectors; encoder name → (d_part,) mean, and name + ".map" → (d_part, d_part) map.
    """
    distinct: dict[str, int] = {}
    which = np.array([distinct.setdefault(text, len(distinct)) for text in texts], np.int64)
    todo = list(distinct)
    joined = isinstance(encoder, ConcatenatedEncoder)
    parts: Sequence[Encoder] = encoder.encoders if isinstance(encoder, ConcatenatedEncoder) else [encoder]
    roots = np.sqrt(encoder.weights) if isinstance(encoder, ConcatenatedEncoder) else np.ones(1, np.float32)
    means: dict[str, NDArray[np.float32]] = {}
    blocks = []
    total = len(todo) * len(parts)
    for number, (part, root) in enumerate(zip(parts, roots, strict=True)):
        by = rows_by.get(part.name, part)
        encode = by.encode_query if config.symmetric else by.encode_passage
        chunks = [np.zeros((0, part.dimension), np.float32)]
        for start in range(0, len(todo), ENCODED_AT_ONCE):
            chunks.append(encode(todo[start : start + ENCODED_AT_ONCE]))
            done = number * len(todo) + min(start + ENCODED_AT_ONCE, len(todo))
            on_progress("encode", done, total)
        block = np.concatenate(chunks)
        if part.name in config.centred:
            means[part.name] = block.mean(axis=0)
            block = unit(block - means[part.name])
        if part.name in config.aligned and concepts is not None:
            matrix = _aligned(block, which, concepts, on_progress)
            if matrix is not None:
                means[part.name + MAP] = matrix
                block = unit(block @ matrix)
        blocks.append(root * block)
    vectors: Vectors = np.concatenate(blocks, axis=1)[which]
    return (unit(vectors) if joined else vectors), means


def _aligned(
    block: Vectors,
    which: NDArray[np.int64],
    concepts: NDArray[np.int64],
    on_progress: Callable[[str, int, int], None],
) -> NDArray[np.float32] | None:
    """The map fitted on the terms of one encoder, or None where it does not win."""
    on_progress("align", 0, STEPS)
    matrix = align(block[which], concepts, on_step=lambda step: on_progress("align", step, STEPS))
    on_progress("align", STEPS, STEPS)
    return matrix


def centred(encoder: Encoder, means: Mapping[str, NDArray[np.float32]]) -> Encoder:
    """The encoder with each mean taken out of the part it belongs to, then each map applied; itself without any."""
    if not means:
        return encoder
    if isinstance(encoder, ConcatenatedEncoder):
        parts = [_adjusted(part, means) for part in encoder.encoders]
        return ConcatenatedEncoder(parts, weights=encoder.weights.tolist(), name=encoder.name)
    return _adjusted(encoder, means)


def _adjusted(encoder: Encoder, means: Mapping[str, NDArray[np.float32]]) -> Encoder:
    name = encoder.name
    if name in means:
        encoder = CentredEncoder(encoder, means[name])
    return AlignedEncoder(encoder, means[name + MAP]) if name + MAP in means else encoder
