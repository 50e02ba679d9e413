"""What engines outside this process share: names of tables, one for each generation, and scoring of fetched rows."""

import re
from typing import Final

import numpy as np

from models.arrays import EMPTY, Queries, RowIds, Scores, Vectors, as_vectors
from models.errors import ShapeMismatch

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")


def table_of(artifact: str, generation: str) -> str:
    """The table of one generation of an artifact: what "collections/a-b" and "20261124T…-3fa2c1" may be called."""
    parts = [re.sub(r"[^a-z0-9]+", "_", part.lower()) for part in (artifact, generation)]
    return checked("_".join(["c", parts[0][: 60 - len(parts[1])], parts[1]]))


def checked(table: str) -> str:
    """The name, if it can be one. Raises: ShapeMismatch."""
    if not NAME.fullmatch(table):
        raise ShapeMismatch("a table's name is a lower-case letter and at most 62 letters, digits and underscores")
    return table


def inner_products(queries: Queries, rows: RowIds, fetched: Vectors, ids: RowIds) -> Scores:
    """Scores of rows (n, k) from their vectors `fetched`, (m, d), which are those of the rising `ids`; −inf for −1."""
    vectors = as_vectors(queries.vectors, dimension=fetched.shape[1])
    scores = np.full(rows.shape, -np.inf, np.float32)
    if len(ids):
        taken = fetched[np.searchsorted(ids, np.maximum(rows, ids[0]))]
        scores = np.where(rows == EMPTY, -np.inf, np.einsum("nkd,nd->nk", taken, vectors)).astype(np.float32)
    return scores


def wanted(rows: RowIds) -> RowIds:
    """The distinct ids among rows, rising, without −1."""
    ids: RowIds = np.unique(rows[rows != EMPTY])
    return ids
