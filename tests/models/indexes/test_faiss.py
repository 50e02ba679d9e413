"""What a scan of codes passes over is found all the same."""

import numpy as np
import pytest

from models.arrays import Queries
from models.indexes.faiss import FaissIndex


@pytest.mark.parametrize("dimension", [1, 8])
def test_codes_find_as_many_rows_as_are_asked_for(dimension):
    vectors = np.random.default_rng(0).standard_normal((40, dimension)).astype(np.float32)
    codes, exact = (FaissIndex.build(vectors, method=method) for method in ("codes", "exact"))
    queries = Queries.of_vectors(np.concatenate([vectors[:3], np.zeros((1, dimension), np.float32)]))
    found = codes.search(queries, k=40)
    assert (np.sort(found.ids, axis=1) == np.arange(40)).all()
    np.testing.assert_allclose(found.scores, exact.search(queries, k=40).scores, atol=1e-6)
