"""Dense rows in FAISS, under inner product; of unit vectors that is their cosine."""

from collections.abc import Iterator, Sequence
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

HNSW_UP_TO: Final = 300_000
"""Rows up to which a graph is worth its time to build; above it inverted lists. A guess."""

RECALL_TARGET: Final = 0.99
"""Recall against the exact scan that efSearch or nprobe is raised to reach, measured at build. A guess."""

METHODS: Final = ("auto", "exact", "hnsw", "ivf", "ivf_sq8")

_M: Final = 32
_EF_CONSTRUCTION: Final = 200
_EF_STEPS: Final = (128, 192, 256, 384, 512, 1024)
_LISTS_PER_ROOT: Final = 4
"""Inverted lists: 4 √n, as FAISS's guidelines have it."""
_TRAINED_PER_LIST: Final = 40
_TRAINING_ROUNDS: Final = 10
_COARSE: Final = b"Iw"
"""How a file of inverted lists begins."""


class FaissIndex:
    """An exact, HNSW or inverted-list index over vectors, with the vectors (or their codes) inside it for re-scoring.

    Args:
        index: a FAISS index under inner product: IndexFlatIP, IndexHNSWFlat whose storage is one, IndexIVFFlat or
            IndexIVFScalarQuantizer with a direct map.

    Attributes:
        recall: what was reached of the exact scan when it was built; None if it is exact or was read from a file.
    """

    def __init__(self, index: Any) -> None:  # noqa: ANN401 - SWIG types
        self._index = index
        self.recall: float | None = None
        # One request is one thread: pools must not nest (service workers × OpenMP).
        faiss.omp_set_num_threads(1)

    @classmethod
    def build(
        cls,
        vectors: Vectors,
        *,
        method: str = "auto",
        queries: Vectors | None = None,
        recall: float = RECALL_TARGET,
        k: int = 100,
    ) -> "FaissIndex":
        """Index the rows of (n, d) float32 vectors.

        Args:
            vectors: (n, d).
            method: "exact", "hnsw", "ivf", "ivf_sq8" (a byte a dimension), or "auto": exact up to EXACT_UP_TO rows,
                HNSW up to HNSW_UP_TO, then inverted lists. What is not exact is tuned: efSearch or nprobe is the first
                of a ladder that reaches the recall asked for, of the exact neighbours among the rows as given.
            queries: what it is tuned on, as it will be asked; rows that were moved a little by default.
            recall: of the k nearest, the share to be found.
            k: how many nearest.
        """
        vectors = as_vectors(vectors)
        n, d = vectors.shape
        if method not in METHODS:
            raise ShapeMismatch(f"unknown index method {method!r}; expected {', '.join(METHODS)}")
        if method == "auto":
            method = "exact" if n <= EXACT_UP_TO else "hnsw" if n <= HNSW_UP_TO else "ivf"
        if method == "exact":
            flat = faiss.IndexFlatIP(d)
            flat.add(vectors)
            return cls(flat)
        built = cls(_graph(vectors) if method == "hnsw" else _lists(vectors, codes=method == "ivf_sq8"))
        built._reach(vectors, _moved(vectors) if queries is None else as_vectors(queries, dimension=d), recall, k)
        return built

    @classmethod
    def from_file(cls, path: Path, *, size: int, dimension: int) -> "FaissIndex":
        """Memory-map an index that `to_bytes` wrote and a manifest vouches for.

        Raises: ArtifactCorrupt if FAISS cannot read it or it holds another number or width of rows.
        """
        with path.open("rb") as stream:
            # FAISS maps inverted lists and flat rows by flags of their own.
            mapped = faiss.IO_FLAG_MMAP if stream.read(2) == _COARSE else faiss.IO_FLAG_MMAP_IFC
        try:
            index = faiss.read_index(str(path), mapped)
        except RuntimeError as error:
            raise ArtifactCorrupt(f"{path.name} is not a FAISS index") from error
        if (index.ntotal, index.d) != (size, dimension):
            raise ArtifactCorrupt(
                f"{path.name} holds {index.ntotal} rows of {index.d}; the manifest says {size} of {dimension}"
            )
        return cls(index)

    def to_bytes(self) -> memoryview:
        """The index as FAISS serializes it; efSearch and nprobe included."""
        return faiss.serialize_index(self._index).data

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
        """Exact, hnsw, ivf or ivf_sq8."""
        match self._index:
            case faiss.IndexHNSW():
                return "hnsw"
            case faiss.IndexIVFScalarQuantizer():
                return "ivf_sq8"
            case faiss.IndexIVF():
                return "ivf"
        return "exact"

    @property
    def effort(self) -> int | None:
        """EfSearch or nprobe; None if it is exact."""
        if self.method == "exact":
            return None
        return int(self._index.hnsw.efSearch if self.method == "hnsw" else self._index.nprobe)

    @effort.setter
    def effort(self, effort: int) -> None:
        if self.method == "hnsw":
            self._index.hnsw.efSearch = effort
        else:
            self._index.nprobe = effort

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k nearest rows by inner product, ties by lower id."""
        return self._search(self._index, queries, k=k, parameters=self._parameters(k))

    def among(self, rows: RowIds) -> "AmongRows":
        """The same index, in which only these rows, rising, can be found; exact, whatever the method."""
        return AmongRows(self, rows)

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Inner products with the rows asked for, (n, k); −inf for id −1."""
        vectors = as_vectors(queries.vectors, dimension=self.dimension)
        wanted = np.ascontiguousarray(np.maximum(rows, 0), dtype=np.int64)
        scores = np.empty(rows.shape, np.float32)
        if self._listed:
            taken = self.rows(wanted.ravel()).reshape(*rows.shape, self.dimension)
            np.einsum("nkd,nd->nk", taken, vectors, out=scores)
        else:
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

    def rows(self, ids: RowIds) -> Vectors:
        """The rows themselves, (m, d); decoded where they are kept as codes."""
        if not self._listed:
            return self.vectors[ids]
        taken = np.empty((len(ids), self.dimension), np.float32)
        if len(ids):
            self._index.reconstruct_batch(np.ascontiguousarray(ids, np.int64), taken)
        return taken

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """The rows of an exact or HNSW index, (n, d), a view into FAISS's memory: it ends with this object."""
        view: NDArray[np.float32] = faiss.rev_swig_ptr(self._flat.get_xb(), self.size * self.dimension)
        return view.reshape(self.size, self.dimension)

    @property
    def _flat(self) -> Any:  # noqa: ANN401 - SWIG types
        return faiss.downcast_index(self._index.storage) if self.method == "hnsw" else self._index

    @property
    def _listed(self) -> bool:
        return isinstance(self._index, faiss.IndexIVF)

    def _search(self, index: Any, queries: Queries, *, k: int, parameters: Any) -> Neighbours:  # noqa: ANN401
        vectors = as_vectors(queries.vectors, dimension=self.dimension)
        k = min(k, self.size)
        if len(vectors) == 0 or k == 0:
            return Neighbours(np.zeros((len(vectors), k), np.float32), np.zeros((len(vectors), k), np.int64))
        scores, ids = index.search(vectors, k, params=parameters)
        return Neighbours(np.where(ids == EMPTY, -np.inf, scores).astype(np.float32), ids).sorted()

    def _parameters(self, k: int) -> Any:  # noqa: ANN401 - SWIG types
        if self.method != "hnsw":
            return None
        return faiss.SearchParametersHNSW(  # type: ignore[attr-defined]  # the stubs lack it
            efSearch=max(self._index.hnsw.efSearch, k)
        )

    def _reach(self, vectors: Vectors, queries: Vectors, target: float, k: int) -> None:
        exact = _nearest(vectors, queries, k)
        for effort in self._ladder():
            self.effort = effort
            found = self.search(Queries.of_vectors(queries), k=exact.shape[1]).ids
            hits = sum(len(np.intersect1d(a, b)) for a, b in zip(exact, found, strict=True))
            self.recall = hits / exact.size if exact.size else 1.0
            if self.recall >= target:
                return

    def _ladder(self) -> Sequence[int]:
        if self.method == "hnsw":
            return _EF_STEPS
        lists = int(self._index.nlist)
        return sorted({*(min(lists, round(2 ** (step / 2))) for step in range(2 * lists.bit_length())), lists})


class AmongRows:
    """An index of which only some rows can be found, by an exact scan of those.

    Asked for some of its rows, a graph misses many of them (FINDINGS: recall .783); a scan misses none.

    Args:
        index: row ids stay what they are in it.
        rows: (m,) rising.
    """

    def __init__(self, index: FaissIndex, rows: RowIds) -> None:
        self._index = index
        allowed = np.zeros(index.size, bool)
        allowed[rows] = True
        self._bits = np.packbits(allowed, bitorder="little")

    @property
    def size(self) -> int:
        """The number of rows of the whole index."""
        return self._index.size

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k nearest of the rows allowed, ties by lower id, −1 where there are fewer."""
        chosen = faiss.IDSelectorBitmap(self._bits)  # type: ignore[call-arg, arg-type]  # the stubs know SWIG's only
        whole, index = self._index, self._index._index
        if isinstance(index, faiss.IndexIVF):
            every = faiss.SearchParametersIVF(sel=chosen, nprobe=index.nlist)  # type: ignore[call-arg]
            return whole._search(index, queries, k=k, parameters=every)
        these = faiss.SearchParameters(sel=chosen)  # type: ignore[call-arg]
        return whole._search(whole._flat, queries, k=k, parameters=these)

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Inner products with the rows asked for, allowed or not."""
        return self._index.score(queries, rows)


def _graph(vectors: Vectors) -> Any:  # noqa: ANN401 - SWIG types
    graph = faiss.IndexHNSWFlat(vectors.shape[1], _M, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = _EF_CONSTRUCTION
    graph.add(vectors)
    return graph


def _lists(vectors: Vectors, *, codes: bool) -> Any:  # noqa: ANN401 - SWIG types
    """Inverted lists of rows, or of their codes of a byte a dimension."""
    n, d = vectors.shape
    lists = max(1, min(round(_LISTS_PER_ROOT * n**0.5), n))
    coarse = faiss.IndexFlatIP(d)
    index: Any
    if codes:
        index = faiss.IndexIVFScalarQuantizer(
            coarse, d, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
    else:
        index = faiss.IndexIVFFlat(coarse, d, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid, index.cp.min_points_per_centroid = (
        _TRAINING_ROUNDS,
        _TRAINED_PER_LIST,
        1,
    )
    some = np.random.default_rng(0).choice(n, min(n, _TRAINED_PER_LIST * lists), replace=False)
    index.train(vectors[np.sort(some)])
    index.set_direct_map_type(faiss.DirectMap.Array)  # type: ignore[attr-defined]  # the stubs lack it
    index.add(vectors)
    return index


def _moved(vectors: Vectors, *, sample: int = 200) -> Vectors:
    """Rows moved a little: a stored row finds itself far more easily than a query finds its neighbours."""
    rng = np.random.default_rng(0)
    some = vectors[rng.choice(len(vectors), min(sample, len(vectors)), replace=False)]
    noise = rng.standard_normal(some.shape, dtype=np.float32)
    moved: Vectors = some + 0.3 * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return moved


def _nearest(vectors: Vectors, queries: Vectors, k: int) -> RowIds:
    """The k nearest rows of each query by an exact scan, (n, k)."""
    flat = faiss.IndexFlatIP(vectors.shape[1])
    found: list[RowIds] = []
    best: list[Scores] = []
    for start in _steps(len(vectors)):
        # In parts: a second copy of all rows would double what a build needs.
        flat.reset()
        flat.add(vectors[start])
        scores, ids = flat.search(queries, min(k, flat.ntotal))
        found.append(ids + start.start)
        best.append(scores)
    scores, ids = np.concatenate(best, axis=1), np.concatenate(found, axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, : min(k, len(vectors))]
    nearest: RowIds = np.take_along_axis(ids, order, axis=1)
    return nearest


def _steps(n: int, step: int = 65_536) -> Iterator[slice]:
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))
