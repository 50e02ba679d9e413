"""An encoder that remembers on disk: what was encoded once, in whatever process, is not encoded again.

    FOLDER/FINGERPRINT.sqlite    hash of role and text → vector, checksum, the day it was last asked for

A vector is kept under its content, so that a terminology of which one concept changed costs one concept, and a build
that was killed goes on where it was. A row that fails its checksum is encoded anew, a damaged file is begun anew.
"""

import hashlib
import logging
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np

from models.arrays import Vectors
from models.encoders.base import Encoder
from models.encoders.concatenated import ConcatenatedEncoder

log = logging.getLogger(__name__)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS vectors (
    key BLOB NOT NULL UNIQUE,
    vector BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS vectors_by_use ON vectors (used);
"""
_AT_ONCE: Final = 500
"""Keys in one query; SQLite takes 32,766."""
_ENCODED_AT_ONCE: Final = 256
"""Texts between two commits: what a killed build loses."""
_BUSY_S: Final = 30.0
_DAY_S: Final = 86_400


class StoredEncoder:
    """Another encoder's vectors, kept in a file; the same vectors to the bit.

    Attributes:
        encoded: texts that had to be encoded, since the start.
        reused: texts whose vector was there.
    """

    def __init__(self, encoder: Encoder, folder: Path, *, max_bytes: int = 4 << 30) -> None:
        """Wrap an encoder; beyond about `max_bytes` the vectors that were longest not asked for go."""
        self.encoder = encoder
        self.name = encoder.name
        self.encoded = self.reused = 0
        self._path = folder / f"{encoder.fingerprint[:40]}.sqlite"
        self._most = max(max_bytes // (4 * encoder.dimension + 64), 1)
        self._connection: sqlite3.Connection | None = None
        self._lock = Lock()

    @property
    def device(self) -> str:
        """Where the wrapped encoder runs."""
        return self.encoder.device

    @property
    def dimension(self) -> int:
        """The width of the vectors."""
        return self.encoder.dimension

    @property
    def fingerprint(self) -> str:
        """The wrapped encoder's: a store changes no vector."""
        return self.encoder.fingerprint

    def load(self) -> None:
        """Load the wrapped encoder."""
        self.encoder.load()

    def warm_up(self) -> None:
        """Warm the wrapped encoder, past the store."""
        self.encoder.warm_up()

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched with, (n, d) float32."""
        return self._encode("query", texts, self.encoder.encode_query)

    def encode_passage(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched in, (n, d) float32."""
        return self._encode("passage", texts, self.encoder.encode_passage)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As the wrapped encoder counts."""
        return self.encoder.count_tokens(texts)

    def close(self) -> None:
        """Forget what was longest not asked for, and let the file go."""
        with self._lock:
            if self._connection is None:
                return
            rows = self._connection.execute("SELECT count(*) FROM vectors").fetchone()[0]
            if rows > self._most:
                oldest = "SELECT rowid FROM vectors ORDER BY used, rowid LIMIT ?"
                self._connection.execute(f"DELETE FROM vectors WHERE rowid IN ({oldest})", (rows - self._most,))
            self._connection.close()
            self._connection = None

    def _encode(self, role: str, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
        with self._lock:
            try:
                return self._remembered(role, texts, encode)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                log.warning("the store of vectors of %s is damaged and begun anew", self.name)
                self._begin_anew()
                return self._remembered(role, texts, encode)

    def _remembered(self, role: str, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
        keys = [_key(role, text) for text in texts]
        found = self._look_up(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        self.reused += len(set(keys)) - len(missing)
        waiting = iter(missing.items())
        while some := dict(islice(waiting, _ENCODED_AT_ONCE)):
            fresh = dict(zip(some, encode(list(some.values())), strict=True))
            self._keep(fresh)
            self.encoded += len(fresh)
            found |= fresh
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for row, key in enumerate(keys):
            vectors[row] = found[key]
        return vectors

    def _look_up(self, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
        found: dict[bytes, Vectors] = {}
        connection, today = self._opened(), int(time.time()) // _DAY_S
        for some in _in_pieces(list(dict.fromkeys(keys)), _AT_ONCE):
            marks = ",".join("?" * len(some))
            for key, vector, checksum in connection.execute(
                f"SELECT key, vector, checksum FROM vectors WHERE key IN ({marks})", some
            ):
                if len(vector) == 4 * self.dimension and zlib.crc32(vector) == checksum:
                    found[key] = np.frombuffer(vector, dtype=np.float32)
            connection.execute(
                f"UPDATE vectors SET used = ? WHERE used < ? AND key IN ({marks})", (today, today, *some)
            )
        return found

    def _keep(self, fresh: dict[bytes, Vectors]) -> None:
        today = int(time.time()) // _DAY_S
        rows = [(key, blob := vector.tobytes(), zlib.crc32(blob), today) for key, vector in fresh.items()]
        connection = self._opened()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            self._connection = connection
            # What a power cut takes is encoded again.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
        return self._connection

    def _begin_anew(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for path in self._path.parent.glob(f"{self._path.name}*"):
            path.unlink(missing_ok=True)


def remembering(encoder: Encoder, folder: Path) -> tuple[Encoder, list[StoredEncoder]]:
    """The encoder with each of its parts remembered in a folder, and those parts."""
    if isinstance(encoder, ConcatenatedEncoder):
        parts = [StoredEncoder(part, folder) for part in encoder.encoders]
        return ConcatenatedEncoder(parts, weights=encoder.weights.tolist(), name=encoder.name), parts
    stored = StoredEncoder(encoder, folder)
    return stored, [stored]


def _key(role: str, text: str) -> bytes:
    return hashlib.blake2b(f"{role}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _in_pieces(keys: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
