"""Dense rows in PostgreSQL with pgvector, under inner product: for those who have a database and want no more engines.

One table a generation: (id, v). It is made, filled and indexed in one transaction, so that it is there whole or not at
all, and an older one answers until it is dropped.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Scores, Vectors, as_vectors
from models.errors import ArtifactMissing, EngineUnavailable, MissingExtra, ShapeMismatch
from models.indexes.tables import checked, inner_products, wanted

MAX_HNSW_DIMENSION: Final = 2000
"""Of pgvector's `vector` type in an HNSW index."""

_M: Final = 32
_EF_CONSTRUCTION: Final = 200
_EF_STEPS: Final = (100, 200, 400, 700, 1000)
"""1,000 is the most that pgvector takes."""
_CONNECTIONS: Final = 4
_WAIT_S: Final = 10.0


class PgvectorIndex:
    """A table of vectors, asked by SQL. Safe to call from several threads.

    Args:
        url: a PostgreSQL connection string.
        table: its name.

    Raises: ArtifactMissing if there is no such table; EngineUnavailable; MissingExtra.
    """

    def __init__(self, url: str, table: str) -> None:
        self.table = checked(table)
        self._pool = _pool(url)
        about = self._about()
        self.size, self.dimension = int(about["size"]), int(about["dimension"])
        self.method, self.effort = str(about["method"]), about["effort"]
        self.recall: float | None = about["recall"]

    @classmethod
    def build(
        cls, vectors: Vectors, *, url: str, table: str, method: str = "exact", recall: float = 0.99, k: int = 10
    ) -> "PgvectorIndex":
        """Fill a new table with the rows of (n, d) float32 vectors.

        Args:
            method: "exact", or "hnsw", whose ef_search is the first of a ladder that reaches `recall` at k.

        Raises: ShapeMismatch; EngineUnavailable, also where the table is there already.
        """
        vectors = as_vectors(vectors)
        if method not in {"exact", "hnsw"}:
            raise ShapeMismatch(f"unknown index method {method!r}; pgvector has exact and hnsw")
        if method == "hnsw" and vectors.shape[1] > MAX_HNSW_DIMENSION:
            raise ShapeMismatch(f"vectors are {vectors.shape[1]} wide; pgvector's HNSW takes {MAX_HNSW_DIMENSION}")
        about = {
            "size": len(vectors),
            "dimension": vectors.shape[1],
            "method": method,
            "effort": _EF_STEPS[0] if method == "hnsw" else None,
            "recall": None,
        }
        pool = _pool(url)
        try:
            with _connected(pool) as connection:
                _fill(connection, checked(table), vectors, about)
        finally:
            pool.close()
        made = cls(url, table)
        if method == "hnsw":
            made._reach(vectors, recall, k)
        return made

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k nearest rows by inner product, ties by lower id."""
        return self._search(queries, k=k, among=None)

    def among(self, rows: RowIds) -> "_Among":
        """The same table, in which only these rows, rising, can be found; exact, whatever the method."""
        return _Among(self, rows)

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Inner products with the rows asked for, (n, k); −inf for id −1."""
        ids = wanted(rows)
        return inner_products(queries, rows, self.rows(ids), ids)

    def rows(self, ids: RowIds) -> Vectors:
        """The rows themselves, (m, d)."""
        with _connected(self._pool) as connection:
            found = connection.execute(
                _sql("SELECT id, v FROM {table} WHERE id = ANY(%s)", self.table), (ids.tolist(),)
            ).fetchall()
        by_id = {row: vector for row, vector in found}
        taken = np.empty((len(ids), self.dimension), np.float32)
        for i, row in enumerate(ids.tolist()):
            taken[i] = _numbers(by_id[row])
        return taken

    def drop(self) -> None:
        """Remove the table; nobody may be asking it."""
        with _connected(self._pool) as connection:
            connection.execute(_sql("DROP TABLE IF EXISTS {table}", self.table))
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close()

    def _search(self, queries: Queries, *, k: int, among: RowIds | None) -> Neighbours:
        vectors = as_vectors(queries.vectors, dimension=self.dimension)
        k = min(k, self.size)
        scores = np.full((len(vectors), k), -np.inf, np.float32)
        ids = np.full((len(vectors), k), EMPTY, np.int64)
        if len(vectors) == 0 or k == 0:
            return Neighbours(scores, ids)
        graph = self.method == "hnsw" and among is None
        where = "" if among is None else "WHERE id = ANY(%(among)s)"
        # A graph gives rows in the order of one expression; ids break ties afterwards.
        order = "v <#> %(query)s" if graph else "v <#> %(query)s, id"
        statement = _sql(
            f"SELECT id, -(v <#> %(query)s) FROM {{table}} {where} ORDER BY {order} LIMIT %(k)s",
            self.table,
        )
        given: dict[str, Any] = {"k": k} if among is None else {"k": k, "among": among.tolist()}
        with _connected(self._pool) as connection:
            if graph:
                connection.execute(f"SET LOCAL hnsw.ef_search = {min(max(int(self.effort), k), _EF_STEPS[-1])}")
            else:
                # A graph asked for some of its rows only misses many (FINDINGS: recall .783).
                connection.execute("SET LOCAL enable_indexscan = off")
            for i, vector in enumerate(vectors):
                found = connection.execute(statement, {**given, "query": vector}, prepare=True).fetchall()
                for slot, (row, score) in enumerate(found):
                    ids[i, slot], scores[i, slot] = row, score
        return Neighbours(scores, ids).sorted()

    def _reach(self, vectors: Vectors, target: float, k: int) -> None:
        """Raise ef_search until the recall is reached on rows moved a little, and note it on the table."""
        rng = np.random.default_rng(0)
        some = vectors[rng.choice(len(vectors), min(100, len(vectors)), replace=False)]
        noise = rng.standard_normal(some.shape, dtype=np.float32)
        asked = Queries.of_vectors(some + 0.3 * noise / np.linalg.norm(noise, axis=1, keepdims=True))
        everything = np.arange(self.size, dtype=np.int64)
        exact = self._search(asked, k=k, among=everything).ids
        for effort in _EF_STEPS:
            self.effort = effort
            found = self.search(asked, k=k).ids
            self.recall = sum(len(np.intersect1d(a, b)) for a, b in zip(exact, found, strict=True)) / exact.size
            if self.recall >= target:
                break
        about = {
            "size": self.size,
            "dimension": self.dimension,
            "method": self.method,
            "effort": self.effort,
            "recall": self.recall,
        }
        with _connected(self._pool) as connection:
            _note(connection, self.table, about)

    def _about(self) -> dict[str, Any]:
        with _connected(self._pool) as connection:
            found = connection.execute("SELECT obj_description(to_regclass(%s))", (self.table,)).fetchone()
        if found is None or found[0] is None:
            self._pool.close()
            raise ArtifactMissing(f"there is no table {self.table}")
        about: dict[str, Any] = json.loads(found[0])
        return about


class _Among:
    """A table of which only some rows can be found."""

    def __init__(self, index: PgvectorIndex, rows: RowIds) -> None:
        self._index = index
        self._rows = rows

    @property
    def size(self) -> int:
        """The number of rows of the whole table."""
        return self._index.size

    def search(self, queries: Queries, *, k: int) -> Neighbours:
        """The k nearest of the rows allowed, ties by lower id, −1 where there are fewer."""
        return self._index._search(queries, k=k, among=self._rows)

    def score(self, queries: Queries, rows: RowIds) -> Scores:
        """Inner products with the rows asked for, allowed or not."""
        return self._index.score(queries, rows)


def _fill(connection: Any, table: str, vectors: Vectors, about: dict[str, Any]) -> None:  # noqa: ANN401 - optional extra
    n, d = vectors.shape
    connection.execute(_sql(f"CREATE TABLE {{table}} (id bigint PRIMARY KEY, v vector({d}) NOT NULL)", table))
    # Vectors are compared whole: kept in the row, uncompressed, they need no second look-up.
    connection.execute(_sql("ALTER TABLE {table} ALTER COLUMN v SET STORAGE PLAIN", table) if d <= 1900 else "SELECT 1")
    with connection.cursor() as cursor:
        statement = _sql("COPY {table} (id, v) FROM STDIN WITH (FORMAT BINARY)", table)
        with cursor.copy(statement) as copy:
            copy.set_types(["int8", "vector"])
            for i in range(n):
                copy.write_row((i, vectors[i]))
    if about["method"] == "hnsw":
        connection.execute(
            _sql(
                f"CREATE INDEX ON {{table}} USING hnsw (v vector_ip_ops) "
                f"WITH (m = {_M}, ef_construction = {_EF_CONSTRUCTION})",
                table,
            )
        )
    _note(connection, table, about)


def _note(connection: Any, table: str, about: dict[str, Any]) -> None:  # noqa: ANN401 - optional extra
    from psycopg import sql

    connection.execute(
        sql.SQL("COMMENT ON TABLE {} IS {}").format(sql.Identifier(table), sql.Literal(json.dumps(about)))
    )


def _sql(text: str, table: str) -> Any:  # noqa: ANN401 - optional extra
    from psycopg import sql

    return sql.SQL(text).format(table=sql.Identifier(table))


def _numbers(vector: Any) -> Vectors:  # noqa: ANN401 - pgvector gives arrays or objects of its own, by version
    return np.asarray(vector.to_numpy() if hasattr(vector, "to_numpy") else vector, np.float32)


def _pool(url: str) -> Any:  # noqa: ANN401 - optional extra
    try:
        from pgvector.psycopg import register_vector
        from psycopg import Error, connect
        from psycopg_pool import ConnectionPool
    except ImportError as error:
        raise MissingExtra("pgvector needs psycopg and pgvector; install the 'pg' extra") from error
    try:
        with connect(url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except Error as error:
        raise EngineUnavailable(f"PostgreSQL does not answer, or has no pgvector: {type(error).__name__}") from None
    return ConnectionPool(url, min_size=0, max_size=_CONNECTIONS, timeout=_WAIT_S, configure=register_vector, open=True)


@contextmanager
def _connected(pool: Any) -> Iterator[Any]:  # noqa: ANN401 - optional extra
    """A connection in a transaction. Raises: EngineUnavailable, without the address or the statement."""
    from psycopg import Error
    from psycopg_pool import PoolClosed, PoolTimeout

    try:
        with pool.connection() as connection:
            yield connection
    except (Error, PoolClosed, PoolTimeout) as error:
        raise EngineUnavailable(f"PostgreSQL refused or did not answer: {type(error).__name__}") from error
