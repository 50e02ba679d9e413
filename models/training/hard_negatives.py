"""Texts that an encoder takes for the same and that are not: what a second round of training learns most from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.arrays import Queries
from models.encoders.base import Encoder
from models.errors import TrainingError
from models.indexes.faiss import FaissIndex
from models.training.pairs import Pair


def mine(
    pairs: Sequence[Pair],
    *,
    pool: Sequence[str],
    pool_concepts: Sequence[str],
    encoder: Encoder,
    depth: int = 50,
    share: float = 0.95,
    seed: int = 0,
) -> list[Pair]:
    """The pairs, each with a negative: a near text of the pool that is of another concept.

    Args:
        pool: texts to take negatives from.
        pool_concepts: what each means.
        depth: how many neighbours of an anchor are looked at.
        share: a negative is at most this near, as a share of the positive's own similarity: what is nearer than the
            positive is often an unlabelled synonym.
        seed: of the choice among those left.

    Returns: same length, same order; pairs without such a neighbour keep none.
    Source: Moreira et al. 2024, *NV-Retriever* (arXiv 2407.15831), "TopK-PercPos", share .95; differs: one negative,
        drawn from the ten nearest that are left.
    """
    if len(pool) != len(pool_concepts):
        raise TrainingError(f"{len(pool)} texts in the pool and {len(pool_concepts)} concepts; expected as many")
    if not pairs or not pool:
        return list(pairs)
    anchors = encoder.encode_query([p.anchor for p in pairs])
    own = (anchors * encoder.encode_query([p.positive for p in pairs])).sum(axis=1)
    index = FaissIndex.build(encoder.encode_query(pool), method="exact")
    found = index.search(Queries([p.anchor for p in pairs], anchors, [None] * len(pairs)), k=min(depth, len(pool)))
    rng = np.random.default_rng(seed)
    mined = []
    for pair, scores, ids, limit in zip(pairs, found.scores, found.ids, own * share, strict=True):
        left = [int(i) for i, s in zip(ids, scores, strict=True) if s < limit and pool_concepts[i] != pair.concept]
        if not left:
            mined.append(pair)
            continue
        chosen = left[int(rng.integers(min(len(left), 10)))]
        mined.append(replace(pair, negative=pool[chosen], negative_concept=pool_concepts[chosen]))
    return mined
