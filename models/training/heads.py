"""Linear heads over frozen vectors: minutes where the encoder itself takes hours, and a great part of the gain.

    z = unit(unit(v − mean) @ matrix)

Titles have one head; skills and descriptions may have their own, which brings them to where titles are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.arrays import Vectors, unit
from models.errors import TrainingError
from models.training.bases import Encode
from models.training.pairs import Batches, false_negatives

_AT_ONCE: Final = 1024


@dataclass(frozen=True, slots=True)
class HeadOptions:
    """How to train a head. Defaults: FINDINGS' probe on medical terms; steps and seed are the recipe's.

    Attributes:
        learning_rate: of AdamW; declines linearly.
        scale: the softmax's inverse temperature.
        own_context: the second text of a pair (skills, a description) has a head of its own; titles stay as they are.
    """

    learning_rate: float = 3e-4
    scale: float = 20.0
    own_context: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class LinearHead:
    """mean (d,) and matrix (d, d), float32."""

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    def apply(self, vectors: Vectors) -> Vectors:
        """(n, d) unit vectors, through the head."""
        return unit(unit(vectors - self.mean) @ self.matrix)


def fit_head(
    encode: Encode,
    batches: Batches,
    *,
    options: HeadOptions,
    centre: bool = True,
    on_progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> LinearHead:
    """Learn a head on what the batches pair; every distinct text is encoded once.

    Args:
        centre: take the mean of the titles' vectors out first.

    Raises: TrainingError without batches.
    """
    if not len(batches):
        raise TrainingError("no batches to train on")
    rows, vectors = _encoded(encode, batches, on_progress)
    anchors = np.array([rows[p.anchor] for p in batches.pairs])
    positives = np.array([rows[p.positive] for p in batches.pairs])
    mean = vectors[np.unique(anchors)].mean(axis=0) if centre else np.zeros(vectors.shape[1], np.float32)
    frozen = torch.from_numpy(unit(vectors - mean))
    torch.manual_seed(options.seed)
    matrix = torch.eye(frozen.shape[1], requires_grad=True)
    optimizer = torch.optim.AdamW([matrix], lr=options.learning_rate, weight_decay=0.0)
    labels = batches.labels
    for step, span in enumerate(batches.spans):
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * (1 - step / len(batches))
        part = slice(span.start, span.stop)
        left = frozen[torch.from_numpy(anchors[part])]
        left = left if options.own_context else functional.normalize(left @ matrix, dim=-1)
        right = functional.normalize(frozen[torch.from_numpy(positives[part])] @ matrix, dim=-1)
        loss = _loss(options.scale * left @ right.T, labels[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        on_progress("head", step + 1, len(batches))
    return LinearHead(mean.astype(np.float32), matrix.detach().numpy())


def _loss(scores: Tensor, labels: NDArray[np.int64]) -> Tensor:
    left_out = torch.from_numpy(false_negatives(labels, negatives=False))
    scores = scores.masked_fill(left_out, -torch.inf)
    own = torch.arange(len(scores))
    return (functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)) / 2


def _encoded(
    encode: Encode, batches: Batches, on_progress: Callable[[str, int, int], None]
) -> tuple[Mapping[str, int], Vectors]:
    texts: Sequence[str] = list(dict.fromkeys(t for p in batches.pairs for t in (p.anchor, p.positive)))
    parts = []
    for start in range(0, len(texts), _AT_ONCE):
        parts.append(encode(texts[start : start + _AT_ONCE]))
        on_progress("encode", min(start + _AT_ONCE, len(texts)), len(texts))
    return {text: i for i, text in enumerate(texts)}, np.concatenate(parts)
