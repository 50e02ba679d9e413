"""API keys: made once, shown once, kept as HMACs, known again in constant time.

    DATA/keys.sqlite    who may do what; a row for each key, none holds a key
    DATA/keys.secret    what the HMACs are made with (0600); COGNOMEN_KEYS_SECRET_FILE names another

A key is `cgn_ID_SECRET`: the id finds the row, the HMAC-SHA256 of the whole proves it. Another process's change (a key
revoked by `cognomen keys revoke`) counts from the next request on: SQLite tells for a few microseconds whether the file
changed. Nothing is written until the first key is made.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from service.problems import Refusal, Unavailable

PREFIX: Final = "cgn_"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS keys (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    prefixes TEXT NOT NULL,
    rate TEXT,
    digest BLOB NOT NULL,
    former_digest BLOB,
    former_until REAL,
    created_at REAL NOT NULL,
    last_used_at REAL,
    revoked_at REAL
) STRICT;
"""
_COLUMNS: Final = "id, name, scopes, prefixes, rate, created_at, last_used_at, revoked_at"
_BUSY_S: Final = 5.0
_RETRY_S: Final = 5
_TOKEN: Final = re.compile(r"cgn_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_NOBODY: Final = bytes(32)


class Scope(StrEnum):
    """What a key may do; each includes the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Where it stands among the scopes."""
        return list(Scope).index(self)


class KeyUnknown(Refusal):
    """No live key of that id, or none that the caller sees."""

    status, slug, title = 404, "key-unknown", "Unknown key"


class KeysUnavailable(Unavailable):
    """The file of keys cannot be read or written now; nobody is let in meanwhile."""

    slug, title = "keys-unavailable", "Keys unavailable"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may do.

    Attributes:
        id: of the key, or the subject of a token.
        prefixes: what names of terminologies and collections must begin with; empty sees all.
        rate: requests in a time ("600/minute"); None is the service's own.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    prefixes: tuple[str, ...] = ()
    rate: str | None = None

    def may(self, scope: Scope) -> bool:
        """Whether some scope of theirs is or includes this one."""
        return any(own.rank >= scope.rank for own in self.scopes)

    def sees(self, name: str) -> bool:
        """Whether a terminology's or collection's name exists for them."""
        return not self.prefixes or name.startswith(self.prefixes)

    @property
    def tenant(self) -> str:
        """The same for all who are bound to the same prefixes; empty for who sees all."""
        return json.dumps(sorted(set(self.prefixes))) if self.prefixes else ""

    def sees_of(self, other: "Caller") -> bool:
        """Whether they may know of another's key and what it made: one that sees nothing they do not."""
        return not self.prefixes or bool(other.prefixes and all(self.sees(prefix) for prefix in other.prefixes))

    def to_owner(self) -> dict[str, object]:
        """Who made something, as it is written down beside it."""
        return {"id": self.id, "prefixes": list(self.prefixes)}

    @staticmethod
    def from_owner(owner: Mapping[str, Any] | None) -> "Caller":
        """Who made something, as it was written down; what nobody wrote down was made by somebody who sees all."""
        owner = owner or {}
        return Caller(str(owner.get("id", "")), "", (), tuple(owner.get("prefixes", ())))


@dataclass(frozen=True, slots=True)
class Key(Caller):
    """A key as it is kept. Times are seconds since 1970; `last_used_at` is up to half a minute late."""

    created_at: float = 0.0
    last_used_at: float | None = None
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    key: Key
    digest: bytes
    former: bytes
    former_until: float


class KeyStore:
    """The keys of one service. Safe to call from several threads; several processes may share the files.

    Args:
        data: the folder that holds them.
        secret_file: what the HMACs are made with; None keeps it beside the keys and makes it with the first one.
    """

    def __init__(self, data: Path, *, secret_file: Path | None = None) -> None:
        self._path = data / "keys.sqlite"
        self._secret_file = secret_file or data / "keys.secret"
        self._own_secret = secret_file is None
        self._secret: bytes | None = None
        self._lock = threading.Lock()
        self._watching: sqlite3.Connection | None = None
        self._version = -1
        self._known: dict[str, _Known] = {}
        self._used: dict[str, float] = {}

    def create(
        self, *, name: str, scopes: Sequence[Scope], prefixes: Sequence[str] = (), rate: str | None = None
    ) -> tuple[Key, str]:
        """A new key, and the secret that is shown this once."""
        key_id, now = uuid4().hex[:12], time.time()
        token = _new_token(key_id)
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO keys (id, name, scopes, prefixes, rate, digest, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (key_id, name, json.dumps(scopes), json.dumps(prefixes), rate, self._digest(token, make=True), now),
            )
        return Key(key_id, name, tuple(scopes), tuple(prefixes), rate, now), token

    def rotate(self, key_id: str, *, grace_s: float = 0.0) -> tuple[Key, str]:
        """A new secret for a key; the former one works for `grace_s` more seconds. Raises: KeyUnknown."""
        token = _new_token(key_id)
        with self._writing() as connection:
            changed = connection.execute(
                "UPDATE keys SET former_digest = digest, former_until = ?, digest = ?"
                " WHERE id = ? AND revoked_at IS NULL",
                (time.time() + grace_s, self._digest(token, make=True), key_id),
            ).rowcount
            if not changed:
                raise KeyUnknown("There is no key of that id.")
        return self.get(key_id), token

    def revoke(self, key_id: str) -> None:
        """From the next request on, the key opens nothing. Raises: KeyUnknown."""
        if not self._path.exists():
            raise KeyUnknown("There is no key of that id.")
        with self._writing() as connection:
            changed = connection.execute(
                "UPDATE keys SET revoked_at = ?, former_digest = NULL WHERE id = ? AND revoked_at IS NULL",
                (time.time(), key_id),
            ).rowcount
        if not changed:
            raise KeyUnknown("There is no key of that id.")

    def get(self, key_id: str) -> Key:
        """A live key. Raises: KeyUnknown."""
        for key in self.all():
            if key.id == key_id:
                return key
        raise KeyUnknown("There is no key of that id.")

    def all(self, *, revoked: bool = False) -> list[Key]:
        """Every live key, oldest first; with `revoked` those too that no longer open anything."""
        if not self._path.exists():
            return []
        with self._connected() as connection:
            where = "1" if revoked else "revoked_at IS NULL"
            return [
                _key(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM keys WHERE {where} ORDER BY place")
            ]

    def verify(self, token: str) -> Key | None:
        """Whose key this is; None if it opens nothing. Takes as long for a wrong secret as for a right one."""
        shaped = _TOKEN.fullmatch(token)
        if shaped is None or not self._path.exists():
            return None
        digest = self._digest(token)
        known = self._current().get(shaped[1])
        right = hmac.compare_digest(digest, known.digest if known else _NOBODY)
        former = hmac.compare_digest(digest, known.former if known else _NOBODY)
        if known is None or not (right or (former and time.time() < known.former_until)):
            return None
        self._used[known.key.id] = time.time()
        return known.key

    def note_use(self) -> None:
        """Write down when keys were last used; called now and then, since every request would cost a write."""
        used, self._used = self._used, {}
        if used:
            with self._writing() as connection:
                connection.executemany(
                    "UPDATE keys SET last_used_at = max(?, coalesce(last_used_at, 0)) WHERE id = ?",
                    [(at, key_id) for key_id, at in used.items()],
                )

    def close(self) -> None:
        """Write what is left to write, and let the file go."""
        try:
            self.note_use()
        finally:
            with self._lock:
                if self._watching is not None:
                    self._watching.close()
                    self._watching = None

    def _current(self) -> dict[str, _Known]:
        """The live keys by id, read again when the file has changed. Raises: KeysUnavailable."""
        with self._lock, _translated():
            if self._watching is None:
                self._watching = self._open()
            # Asked before reading: a change in between is read twice, never missed.
            version = self._watching.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                rows = self._watching.execute(
                    f"SELECT {_COLUMNS}, digest, former_digest, former_until FROM keys WHERE revoked_at IS NULL"
                ).fetchall()
                self._known = {row[0]: _Known(_key(row), row[-3], row[-2] or _NOBODY, row[-1] or 0.0) for row in rows}
                self._version = version
            return self._known

    def _digest(self, token: str, *, make: bool = False) -> bytes:
        if self._secret is None:
            self._secret = self._read_secret(make=make)
        return hmac.digest(self._secret, token.encode("ascii"), hashlib.sha256)

    def _read_secret(self, *, make: bool) -> bytes:
        with _translated():
            if make and self._own_secret and not self._secret_file.exists():
                _write_once(self._secret_file, secrets.token_urlsafe(32).encode("ascii"))
            secret = self._secret_file.read_bytes().strip()
        if len(secret) < 16:
            raise KeysUnavailable("The secret of the keys is too short.", retry_after_s=_RETRY_S)
        return secret

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, so that the one that watches sees every change as another's."""
        with _translated():
            connection = self._open()
            try:
                yield connection
            finally:
                connection.close()

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SCHEMA)
        return connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise KeysUnavailable(
            f"API keys cannot be read or written now ({type(error).__name__}).", retry_after_s=_RETRY_S
        ) from error


def _new_token(key_id: str) -> str:
    return f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"


def _write_once(path: Path, content: bytes) -> None:
    """Whole or not at all, and never over another process's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def _key(row: Sequence[object]) -> Key:
    key_id, name, scopes, prefixes, rate, created_at, last_used_at, revoked_at = row[:8]
    return Key(
        str(key_id),
        str(name),
        tuple(Scope(scope) for scope in json.loads(str(scopes))),
        tuple(json.loads(str(prefixes))),
        None if rate is None else str(rate),
        float(str(created_at)),
        None if last_used_at is None else float(str(last_used_at)),
        None if revoked_at is None else float(str(revoked_at)),
    )
