"""Dense rows in FAISS, under inner product of unit vectors (cosine)."""

from functools import cached_property
from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores, Vectors, as_vectors
from models.errors import ArtifactCorrupt, ShapeMismatch

EXACT_UP_TO: Final = 12_000
"""Rows up to which an exact scan is hardly noticed beside encoding; above it HNSW. A guess."""

RECALL_TARGET: Final = 0.99
"""Recall@100 against the exact scan that HNSW's efSearch is raised to reach, measured at build. A guess."""

_M: Final = 32
_EF_CONSTRUCTION: Final = 200
_EF_STEPS: Final = (128, 192, 256, 384, 512, 1024)


class FaissIndex:
    """An exact or HNSW index over vectors, with the vectors inside it for re-scoring.

    Args:
        index: a FAISS index under inner product: IndexFlatIP, or IndexHNSWFlat whose storage is one.
    """

    def __init__(self, index: Any) -> None:  # noqa: ANN401 - SWIG types
        self._index = index
        # One request is one thread: pools must not nest (service workers × OpenMP).
        faiss.omp_set_num_threads(1)

    @classmethod
    def build(cls, vectors: Vectors, *, method: str = "auto") -> "FaissIndex":
        """Index the rows of (n, d) float32 unit vectors.

        Args:
            vectors: (n, d).
            method: "exact", "hnsw", or "auto": exact up to EXACT_UP_TO rows. HNSW's efSearch is the first of a ladder
                that reaches RECALL_TARGET on sampled rows.
        """
        vectors = as_vectors(vectors)
        n, d = vectors.shape
        if method not in {"auto", "exact", "hnsw"}:
            raise ShapeMismatch(f"unknown index method {method!r}; expected auto, exact or hnsw")
        if method == "exact" or (method == "auto" and n <= EXACT_UP_TO):
            flat = faiss.IndexFlatIP(d)
            flat.add(vectors)
            return cls(flat)
        graph = faiss.IndexHNSWFlat(d, _M, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = _EF_CONSTRUCTION
        graph.add(vectors)
        built = cls(graph)
        built._reach_recall(vectors)
        return built

    @classmethod
    def from_file(cls, path: Path, *, size: int, dimension: int) -> "FaissIndex":
        """Memory-map an index that `to_bytes` wrote and a manifest vouches for.

        Raises: ArtifactCorrupt if FAISS cannot read it or it holds another number or width of rows.
        """
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise ArtifactCorrupt(f"{path.name} is not a FAISS index") from error
        if (index.ntotal, index.d) != (size, dimension):
            raise ArtifactCorrupt(
                f"{path.name} holds {index.ntotal} rows of {index.d}; the manifest says {size} of {dimension}"
            )
        return cls(index)

    def to_bytes(self) -> bytes:
        """The index as FAISS serializes it; efSearch included."""
        return bytes(faiss.serialize_index(self._index).data)

    @property
    def size(self) -> int:
        """The number of rows."""
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """The width of the rows."""
        return int(self._index.d)

    @property
    def method(self) -> str:
        """Exact or hnsw."""
        return "hnsw" if isinstance(self._index, faiss.IndexHNSW) else "exact"

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k nearest rows by inner product, ties by lower id."""
        vectors = as_vectors(queries.vectors, dimension=self.dimension)
        k = min(k, self.size)
        if len(vectors) == 0 or k == 0:
            return Neighbours(np.zeros((len(vectors), k), np.float32), np.zeros((len(vectors), k), np.int64))
        scores, ids = self._index.search(vectors, k, params=self._parameters(k))
        scores = np.where(ids == EMPTY, -np.inf, scores).astype(np.float32)
        return Neighbours(scores, ids).sorted()

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Inner products with the rows asked for, (n, k); −inf for id −1."""
        vectors = as_vectors(queries.vectors, dimension=self.dimension)
        wanted = np.ascontiguousarray(np.maximum(rows, 0), dtype=np.int64)
        scores = np.empty(rows.shape, np.float32)
        # Reads the rows where they lie: gathering them first costs three times the arithmetic.
        faiss.fvec_inner_products_by_idx(  # type: ignore[attr-defined]  # the stubs lack it
            faiss.swig_ptr(scores),
            faiss.swig_ptr(vectors),
            faiss.swig_ptr(self.vectors),
            faiss.swig_ptr(wanted),
            self.dimension,
            len(vectors),
            rows.shape[1],
        )
        scores[rows == EMPTY] = -np.inf
        return scores

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """The rows themselves, (n, d), a view into FAISS's memory."""
        flat: Any = faiss.downcast_index(self._index.storage) if self.method == "hnsw" else self._index
        view: NDArray[np.float32] = faiss.rev_swig_ptr(flat.get_xb(), self.size * self.dimension)
        return view.reshape(self.size, self.dimension)

    def _parameters(self, k: int) -> Any:  # noqa: ANN401 - SWIG types
        if self.method == "exact":
            return None
        return faiss.SearchParametersHNSW(  # type: ignore[attr-defined]  # the stubs lack it
            efSearch=max(self._index.hnsw.efSearch, k)
        )

    def _reach_recall(self, vectors: Vectors, *, sample: int = 200, k: int = 100) -> None:
        rng = np.random.default_rng(0)
        some = vectors[rng.choice(len(vectors), min(sample, len(vectors)), replace=False)]
        # Perturbed, since a stored row finds itself far more easily than a query finds its neighbours.
        noise = rng.standard_normal(some.shape, dtype=np.float32)
        some = some + 0.3 * noise / np.linalg.norm(noise, axis=1, keepdims=True)
        exact = np.argsort(-(some @ vectors.T), axis=1, kind="stable")[:, :k]
        for ef in _EF_STEPS:
            self._index.hnsw.efSearch = ef
            found = self.search(Queries.of_vectors(some), k=k).ids
            hits = sum(len(np.intersect1d(a, b)) for a, b in zip(exact, found, strict=True))
            if hits >= RECALL_TARGET * exact.size:
                return
