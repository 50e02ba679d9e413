"""Where a collection's vectors are kept: files beside it, PostgreSQL, or Milvus."""

import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final

from models.arrays import Vectors
from models.artifacts import Artifact, ArtifactStore, ArtifactWriter
from models.errors import EngineUnavailable, ModelError
from models.indexes.base import Engine
from models.indexes.faiss import FaissIndex
from models.indexes.milvus import MilvusIndex
from models.indexes.pgvector import PgvectorIndex
from models.indexes.tables import table_of
from pipelines.errors import ConfigInvalid
from pipelines.retrieval.config import CollectionConfig

log = logging.getLogger(__name__)

Engines = Mapping[str, str]
"""Engine → where it listens; credentials may be in it, so it is in no artifact, log or message."""

FETCHED: Final = 10
"""Nearest documents whose recall an index is tuned to."""

_SERVERS: Final[Mapping[str, type[PgvectorIndex] | type[MilvusIndex]]] = {
    "pgvector": PgvectorIndex,
    "milvus": MilvusIndex,
}
_EXACT_UP_TO: Final = 12_000
"""As FAISS's: what `auto` scans in a server's table."""


def build_engine(
    vectors: Vectors, *, config: CollectionConfig, engines: Engines, name: str, queries: Vectors | None
) -> Engine:
    """The vectors in the engine that the options name.

    Args:
        name: of the artifact, from which a server's table takes its name.
        queries: what an index is tuned on; None moves some rows a little.

    Raises: ConfigInvalid where nobody said where the engine listens; EngineUnavailable; ShapeMismatch.
    """
    method, recall = config.index, config.recall
    if config.engine == "faiss":
        return FaissIndex.build(vectors, method=method, queries=queries, recall=recall, k=FETCHED)
    url = _url(config.engine, engines)
    if method == "auto":
        method = "exact" if len(vectors) <= _EXACT_UP_TO else "hnsw"
    table = table_of(name, secrets.token_hex(8))
    return _SERVERS[config.engine].build(vectors, url=url, table=table, method=method)


def keep_engine(engine: Engine, file: str, writer: ArtifactWriter) -> dict[str, Any]:
    """Write what has to be written of it, and say how to find it again."""
    about: dict[str, Any] = {"method": engine.method}  # type: ignore[attr-defined]  # each says how it searches
    if isinstance(engine, FaissIndex):
        writer.add_bytes(file, engine.to_bytes())
        return about | {"effort": engine.effort, "recall": engine.recall}
    return about | {"table": engine.table}  # type: ignore[attr-defined]  # servers have tables


def open_engine(
    artifact: Artifact, file: str, about: Mapping[str, Any], *, engine: str, engines: Engines, size: int, width: int
) -> Engine:
    """The engine that `keep_engine` wrote about.

    Raises: ConfigInvalid; EngineUnavailable, also where the table holds something else; ArtifactMissing;
        ArtifactCorrupt.
    """
    if engine == "faiss":
        return FaissIndex.from_file(artifact.path(file), size=size, dimension=width)
    opened = _SERVERS[engine](_url(engine, engines), about["table"])
    if (opened.size, opened.dimension) != (size, width):
        raise EngineUnavailable(
            f"{engine} holds {opened.size} rows of {opened.dimension} in {opened.table}; expected {size} of {width}"
        )
    return opened


def discard(engine: Engine | None) -> None:
    """Take back what a build that failed has put into a server."""
    if isinstance(engine, PgvectorIndex | MilvusIndex):
        engine.drop()


def tables(store: ArtifactStore, name: str) -> dict[str, tuple[str, str]]:
    """Every table that a generation of the artifact lives in → its generation and engine."""
    found = {}
    for generation in store.generations(name):
        details = store.manifest(name, generation=generation).details
        for about in (details.get("index"), details.get("centred")):
            if about and "table" in about:
                found[about["table"]] = (generation, details["engine"])
    return found


def drop_orphans(before: Mapping[str, tuple[str, str]], *, store: ArtifactStore, name: str, engines: Engines) -> None:
    """Drop the tables of generations that were pruned; what cannot be dropped is logged, and harms nobody."""
    kept = set(store.generations(name))
    for table, (generation, engine) in before.items():
        if generation not in kept:
            try:
                _SERVERS[engine](_url(engine, engines), table).drop()
            except (ModelError, ConfigInvalid) as error:
                log.warning("table %s of a pruned generation stays: %s", table, type(error).__name__)


def _url(engine: str, engines: Engines) -> str:
    try:
        return engines[engine]
    except KeyError:
        raise ConfigInvalid(f"nobody says where {engine} listens; set COGNOMEN_{engine.upper()}_URL") from None
