"""Dense rows in Milvus, under inner product: the distributed engine for those who outgrow one machine.

One Milvus collection a generation: (id, v). It is filled and flushed before it is indexed, and what has no index is not
opened; an older generation answers until it is dropped.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores, Vectors, as_vectors
from models.errors import ArtifactMissing, EngineUnavailable, MissingExtra, ShapeMismatch
from models.indexes.tables import checked, inner_products, wanted

_P = ParamSpec("_P")
_R = TypeVar("_R")
_SENT: Final = 4 << 20
"""Bytes of vectors in one request; gRPC's servers take 64 MB."""
_FETCHED: Final = 4096
"""Rows fetched in one request: Milvus answers 16,384 at most."""
_M: Final = 32
_EF_CONSTRUCTION: Final = 200
_EF: Final = 400
"""ef of HNSW. A guess; FAISS tunes it, and what Milvus does with it differs by deployment."""
_TYPES: Final = {"exact": "FLAT", "hnsw": "HNSW"}


class MilvusIndex:
    """A Milvus collection of vectors. Safe to call from several threads.

    Args:
        url: "http://host:19530".
        table: the collection's name.

    Raises: ArtifactMissing if there is no such collection, or it is not whole; EngineUnavailable; MissingExtra.
    """

    def __init__(self, url: str, table: str) -> None:
        self.table = checked(table)
        self._client = _client(url)
        about = self._about()
        self.size, self.dimension = int(about["size"]), int(about["dimension"])
        self.method = str(about["method"])

    @classmethod
    def build(cls, vectors: Vectors, *, url: str, table: str, method: str = "exact") -> "MilvusIndex":
        """Fill a new collection with the rows of (n, d) float32 vectors.

        Args:
            method: "exact" or "hnsw".

        Raises: ShapeMismatch; EngineUnavailable, also where the collection is there already.
        """
        vectors = as_vectors(vectors)
        if method not in _TYPES:
            raise ShapeMismatch(f"unknown index method {method!r}; Milvus has exact and hnsw here")
        client = _client(url)
        try:
            if _asked(client.has_collection, checked(table)):
                raise EngineUnavailable(f"Milvus has a collection {table} already")
            _asked(_fill, client, table, vectors, method)
        finally:
            client.close()
        return cls(url, table)

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k nearest rows by inner product, ties by lower id."""
        vectors = as_vectors(queries.vectors, dimension=self.dimension)
        k = min(k, self.size)
        scores = np.full((len(vectors), k), -np.inf, np.float32)
        ids = np.full((len(vectors), k), EMPTY, np.int64)
        if len(vectors) == 0 or k == 0:
            return Neighbours(scores, ids)
        parameters = {"ef": max(_EF, k)} if self.method == "hnsw" else {}
        found = _asked(
            self._client.search,
            self.table,
            data=list(vectors),
            limit=k,
            search_params={"metric_type": "IP", "params": parameters},
        )
        for i, hits in enumerate(found):
            for slot, hit in enumerate(hits):
                ids[i, slot], scores[i, slot] = hit["id"], hit["distance"]
        return Neighbours(scores, ids).sorted()

    def among(self, rows: RowIds) -> "_Among":
        """The same collection, in which only these rows, rising, can be found; exact, whatever the method."""
        return _Among(self, rows)

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Inner products with the rows asked for, (n, k); −inf for id −1."""
        ids = wanted(rows)
        return inner_products(queries, rows, self.rows(ids), ids)

    def rows(self, ids: RowIds) -> Vectors:
        """The rows themselves, (m, d)."""
        taken = np.empty((len(ids), self.dimension), np.float32)
        for start in range(0, len(ids), _FETCHED):
            some = ids[start : start + _FETCHED].tolist()
            found = _asked(self._client.get, self.table, ids=some, output_fields=["v"])
            by_id = {row["id"]: row["v"] for row in found}
            for i, row in enumerate(some, start=start):
                taken[i] = by_id[row]
        return taken

    def drop(self) -> None:
        """Remove the collection; nobody may be asking it."""
        _asked(self._client.drop_collection, self.table)
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def _about(self) -> dict[str, Any]:
        if not _asked(self._client.has_collection, self.table):
            raise ArtifactMissing(f"Milvus has no collection {self.table}")
        fields = _asked(self._client.describe_collection, self.table)["fields"]
        if not (indexed := _asked(self._client.list_indexes, self.table)):
            raise ArtifactMissing(f"Milvus collection {self.table} is not whole: it has no index")
        index = _asked(self._client.describe_index, self.table, indexed[0])
        counted = _asked(self._client.query, self.table, filter="", output_fields=["count(*)"])
        return {
            "size": counted[0]["count(*)"],
            "dimension": next(field["params"]["dim"] for field in fields if field["name"] == "v"),
            "method": next(method for method, kind in _TYPES.items() if kind == index["index_type"]),
        }


class _Among:
    """A collection of which only some rows can be found: they are fetched and scored here.

    Milvus's own filter is exact only without an approximate index, and takes no long list of ids well.
    """

    def __init__(self, index: MilvusIndex, rows: RowIds) -> None:
        self._index = index
        self._rows = rows

    @property
    def size(self) -> int:
        """The number of rows of the whole collection."""
        return self._index.size

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k nearest of the rows allowed, ties by lower id, −1 where there are fewer."""
        vectors = as_vectors(queries.vectors, dimension=self._index.dimension)
        n, k = len(vectors), min(k, self.size)
        best = Neighbours(np.full((n, k), -np.inf, np.float32), np.full((n, k), EMPTY, np.int64))
        for start in range(0, len(self._rows), _FETCHED):
            some = self._rows[start : start + _FETCHED]
            scores = np.concatenate([best.scores, vectors @ self._index.rows(some).T], axis=1, dtype=np.float32)
            ids = np.concatenate([best.ids, np.broadcast_to(some, (n, len(some)))], axis=1, dtype=np.int64)
            best = Neighbours(scores, ids).sorted().top(k)
        return best

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Inner products with the rows asked for, allowed or not."""
        return self._index.score(queries, rows)


def _fill(client: Any, table: str, vectors: Vectors, method: str) -> None:  # noqa: ANN401 - optional extra
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
    parameters = {"M": _M, "efConstruction": _EF_CONSTRUCTION} if method == "hnsw" else {}
    index = client.prepare_index_params()
    index.add_index("v", index_type=_TYPES[method], metric_type="IP", params=parameters)
    client.create_collection(table, schema=schema, consistency_level="Strong")
    for rows in _parts(vectors):
        client.insert(table, [{"id": i, "v": vectors[i]} for i in range(rows.start, rows.stop)])
    client.flush(table)
    client.create_index(table, index)
    client.load_collection(table)


def _parts(vectors: Vectors) -> Iterator[slice]:
    step = max(1, _SENT // (4 * vectors.shape[1]))
    for start in range(0, len(vectors), step):
        yield slice(start, min(start + step, len(vectors)))


def _client(url: str) -> Any:  # noqa: ANN401 - optional extra
    try:
        from pymilvus import MilvusClient
    except ImportError as error:
        raise MissingExtra("Milvus needs pymilvus; install the 'milvus' extra") from error
    return _asked(MilvusClient, uri=url, timeout=10)


def _asked(call: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """What the client answers. Raises: EngineUnavailable, without the address."""
    from pymilvus.exceptions import MilvusException

    try:
        return call(*args, **kwargs)
    except MilvusException as error:
        raise EngineUnavailable(f"Milvus refused or did not answer: {type(error).__name__}") from error
