"""Rows are what scikit-learn makes of whole texts, though each word is cut once."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from models.indexes.lexical import LexicalIndex, NgramConfig

TEXTS = ["39 ℃ fever", "fever fever™", "Fièvre élevée", "", "a", "\u00a8 x  y"]


@pytest.mark.parametrize("strip_accents", [False, True])
@pytest.mark.parametrize("binary", [False, True])
def test_rows_are_those_of_texts_that_were_cut_as_wholes(strip_accents, binary):
    index = LexicalIndex.build(TEXTS, config=NgramConfig(strip_accents=strip_accents, binary=binary))
    whole = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(index.config.shortest, index.config.longest),
        sublinear_tf=index.config.sublinear,
        binary=binary,
        strip_accents="unicode" if strip_accents else None,
    )
    wanted = whole.fit_transform(TEXTS).toarray()
    found = np.zeros_like(wanted)
    tensors = index.tensors
    owners = np.repeat(np.arange(len(TEXTS)), np.diff(tensors["indptr"]))
    found[owners, tensors["indices"]] = tensors["data"]
    np.testing.assert_allclose(found, wanted, atol=1e-6)
