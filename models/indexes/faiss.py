"""Dense rows in FAISS, under inner product; of unit vectors that is their cosine."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores, Vectors, as_vectors
from models.errors import ArtifactCorrupt, ShapeMismatch

EXACT_UP_TO: Final = 12_000
"""Rows up to which an exact scan is hardly noticed beside encoding; above it codes. A guess."""

CODES_UP_TO: Final = 300_000
"""Rows up to which all codes are scanned in two or three milliseconds; above it inverted lists. A guess."""

RECALL_TARGET: Final = 0.99
"""Recall against the exact scan that an index's effort is raised to reach, measured at build. A guess."""

METHODS: Final = ("auto", "exact", "codes", "hnsw", "ivf", "ivf_sq8")

_M: Final = 32
_EF_CONSTRUCTION: Final = 200
_EF_STEPS: Final = (128, 192, 256, 384, 512, 1024)
_PER_CODE: Final = 3
"""Dimensions in a code of 4 bits. Fewer find more and take longer (benchmarks/speed/indexes.py)."""
_LEAST_CODES: Final = 32
"""Of a row that is wide enough: few codes say too little. A guess."""
_LEAST_FOR_CODES: Final = 16
"""What a code of 4 bits can say: no fewer rows can teach it."""
_TRAINED_ON: Final = 512 * _LEAST_FOR_CODES
"""Rows that codes are learned from."""
_RESCORED: Final = 512
"""Rows that are scored again at the least, however few are asked for. A guess."""
_RESCORED_STEPS: Final = (4, 6, 8, 12, 16, 24, 32, 64)
_LISTS_PER_ROOT: Final = 4
"""Inverted lists: 4 √n, as FAISS's guidelines have it."""
_TRAINED_PER_LIST: Final = 40
_TRAINING_ROUNDS: Final = 10
_SCANNED_AT_ONCE: Final = 4096
_STEPS: Final = {"hnsw": _EF_STEPS, "codes": _RESCORED_STEPS}
_COARSE: Final = b"Iw"
"""How a file of inverted lists begins."""


class FaissIndex:
    """An exact, HNSW or inverted-list index over vectors, with the vectors (or their codes) inside it for re-scoring.

    Args:
        index: a FAISS index under inner product: IndexFlatIP, IndexRefineFlat over codes, IndexHNSWFlat (their rows an
            IndexFlatIP), IndexIVFFlat or IndexIVFScalarQuantizer with a direct map.

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
            method: "exact"; "codes" (every row's code of 4 bits for three dimensions is scanned, the best rows are
                scored exactly); "hnsw"; "ivf"; "ivf_sq8" (a byte a dimension); or "auto": exact up to EXACT_UP_TO
                rows, codes up to CODES_UP_TO, then inverted lists. What is not exact is tuned: how many are scored
                again, efSearch or nprobe is the first of a ladder that reaches the recall asked for, of the exact
                neighbours among the rows as given.
            queries: what it is tuned on, as it will be asked; rows that were moved a little by default.
            recall: of the k nearest, the share to be found.
            k: how many nearest.
        """
        vectors = as_vectors(vectors)
        n, d = vectors.shape
        if method not in METHODS:
            raise ShapeMismatch(f"unknown index method {method!r}; expected {', '.join(METHODS)}")
        if method == "auto":
            method = "exact" if n <= EXACT_UP_TO else "codes" if n <= CODES_UP_TO else "ivf"
        if method == "exact" or (method == "codes" and n < _LEAST_FOR_CODES):
            flat = faiss.IndexFlatIP(d)
            flat.add(vectors)
            return cls(flat)
        made = {"codes": _codes, "hnsw": _graph, "ivf": _lists, "ivf_sq8": _coded_lists}[method](vectors)
        built = cls(made)
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
        """The index as FAISS serializes it, its effort included."""
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
        """Exact, codes, hnsw, ivf or ivf_sq8."""
        match self._index:
            case faiss.IndexRefine():
                return "codes"
            case faiss.IndexHNSW():
                return "hnsw"
            case faiss.IndexIVFScalarQuantizer():
                return "ivf_sq8"
            case faiss.IndexIVF():
                return "ivf"
        return "exact"

    @property
    def effort(self) -> int | None:
        """EfSearch, nprobe, or how many times more rows than asked for are scored again; None if it is exact."""
        if self.method == "exact":
            return None
        return int(getattr(*self._knob))

    @effort.setter
    def effort(self, effort: int) -> None:
        setattr(*self._knob, effort)

    @property
    def _knob(self) -> tuple[Any, str]:
        match self.method:
            case "hnsw":
                return self._index.hnsw, "efSearch"
            case "codes":
                return self._index, "k_factor"
        return self._index, "nprobe"

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k nearest rows by inner product, ties by lower id."""
        found = self._search(self._index, queries, k=k, parameters=self._parameters(k))
        # A scan of codes passes over rows of the least score there can be: all of them, for a vector of zeros.
        lost = np.flatnonzero((found.ids == EMPTY).any(axis=1))
        if self.method == "codes" and len(lost):
            exact = self._search(self._flat, Queries.of_vectors(queries.vectors[lost]), k=k, parameters=None)
            found.scores[lost], found.ids[lost] = exact.scores, exact.ids
        return found

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
        """The rows of an index that is no list, (n, d), a view into FAISS's memory: it ends with this object."""
        view: NDArray[np.float32] = faiss.rev_swig_ptr(self._flat.get_xb(), self.size * self.dimension)
        return view.reshape(self.size, self.dimension)

    @property
    def _flat(self) -> Any:  # noqa: ANN401 - SWIG types
        match self.method:
            case "hnsw":
                return faiss.downcast_index(self._index.storage)
            case "codes":
                return faiss.downcast_index(self._index.refine_index)
        return self._index

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
        match self.method:
            case "hnsw":
                return faiss.SearchParametersHNSW(  # type: ignore[attr-defined]  # the stubs lack it
                    efSearch=max(self._index.hnsw.efSearch, k)
                )
            case "codes":
                k = max(min(k, self.size), 1)
                most = max(k * self._index.k_factor, _RESCORED)
                return faiss.IndexRefineSearchParameters(  # type: ignore[call-arg]  # the stubs know SWIG's only
                    k_factor=min(most, self.size) / k
                )
        return None

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
        if self.method in _STEPS:
            return _STEPS[self.method]
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


def _codes(vectors: Vectors) -> Any:  # noqa: ANN401 - SWIG types
    """Every row as product codes, laid out to be scanned with SIMD instructions, beside the row itself.

    Source: André et al. 2015, *Cache locality is not enough* (product codes of 4 bits, tables in registers).
    """
    n, d = vectors.shape
    each = max(1, min(_PER_CODE, d // _LEAST_CODES))
    codes = -(-d // each)
    scanned = faiss.IndexPQFastScan(codes * each, codes, 4, faiss.METRIC_INNER_PRODUCT)
    scanned.pq.cp.niter, scanned.pq.cp.min_points_per_centroid = _TRAINING_ROUNDS, 1
    scanned.pq.cp.max_points_per_centroid = _TRAINED_ON
    # A code has the same number of dimensions wherever it stands: the last is filled up with zeros.
    padded = faiss.RemapDimensionsTransform(d, codes * each, False)  # type: ignore[arg-type]
    index = faiss.IndexRefineFlat(faiss.IndexPreTransform(padded, scanned))
    some = np.random.default_rng(0).choice(n, min(n, _TRAINED_ON), replace=False)
    index.train(vectors[np.sort(some)])
    index.add(vectors)
    return index


def _graph(vectors: Vectors) -> Any:  # noqa: ANN401 - SWIG types
    graph = faiss.IndexHNSWFlat(vectors.shape[1], _M, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = _EF_CONSTRUCTION
    graph.add(vectors)
    return graph


def _coded_lists(vectors: Vectors) -> Any:  # noqa: ANN401 - SWIG types
    return _lists(vectors, codes=True)


def _lists(vectors: Vectors, *, codes: bool = False) -> Any:  # noqa: ANN401 - SWIG types
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
    best, ids = np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
    for start in range(0, len(vectors), _SCANNED_AT_ONCE):
        # In parts that fit the cache: by FAISS it takes ten times as long.
        scores = queries @ vectors[start : start + _SCANNED_AT_ONCE].T
        cut = min(k, scores.shape[1])
        top = np.argpartition(-scores, cut - 1, axis=1)[:, :cut]
        best = np.concatenate([best, np.take_along_axis(scores, top, axis=1)], axis=1)
        ids = np.concatenate([ids, top + start], axis=1)
        order = np.argsort(-best, axis=1, kind="stable")[:, :k]
        best, ids = np.take_along_axis(best, order, axis=1), np.take_along_axis(ids, order, axis=1)
    return ids
