"""The retrieval collections of one process: opened when asked for, followed to each new generation."""

import logging
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Final

import numpy as np

from models.artifacts import ArtifactStore
from models.encoders.base import Encoder
from models.errors import ModelError
from pipelines.errors import CollectionUnknown, PipelineError
from pipelines.retrieval import collections as built
from pipelines.retrieval.collection import Asked, Collection

log = logging.getLogger(__name__)

_FIRST: Final = np.zeros(1, np.int64)
FOLLOWED_S: Final = 1.0
"""How long a generation answers before the disk is asked for a newer one."""


class Collections:
    """Opens collections and keeps them. Safe to call from several threads.

    A generation that was published while this runs answers within FOLLOWED_S; requests that are being computed end on
    the one they began with. One that cannot be opened leaves the last one answering, and the log says so.

    Args:
        store: where they rest.
        encoder_of: encoder name → encoder.
        engines: where servers listen, for collections that are kept in one.
        hosts: whether a collection is served.
    """

    def __init__(
        self,
        store: ArtifactStore,
        *,
        encoder_of: Callable[[str], Encoder],
        engines: Mapping[str, str] | None = None,
        hosts: Callable[[str], bool] = lambda name: True,
    ) -> None:
        self._store = store
        self._encoder_of = encoder_of
        self._engines = engines or {}
        self._hosts = hosts
        self._opened: dict[str, Collection] = {}
        self._looked: dict[str, float] = {}
        self._lock = Lock()
        self._opening: dict[str, Lock] = {}

    def names(self) -> list[str]:
        """Every collection that is served, sorted."""
        return [name for name in built.collections(self._store) if self._hosts(name)]

    def current(self) -> dict[str, str]:
        """The generation of every collection that is served, by name."""
        return {name: self._store.current(built.artifact_name(name)) for name in self.names()}

    def load(self) -> list[str]:
        """Open and warm up every collection, and say what went wrong, one fault a collection."""
        faults = []
        for name in self.names():
            try:
                self.get(name)
            except (ModelError, PipelineError) as error:
                log.exception("cannot open collection %s", name)
                faults.append(f"collection {name}: {type(error).__name__}")
        return faults

    def all(self) -> list[Collection]:
        """Every collection that is served, by name."""
        return [self.get(name) for name in self.names()]

    def known(self, name: str) -> Collection | None:
        """The collection of that name if the disk need not be asked; never slow."""
        fresh = time.monotonic() - self._looked.get(name, -FOLLOWED_S) < FOLLOWED_S
        return self._opened.get(name) if fresh else None

    def get(self, name: str) -> Collection:
        """The collection of that name, in its current generation. Slow where that is new.

        While one thread opens a new generation, the others are answered by the last one.

        Raises: CollectionUnknown.
        """
        with self._lock:
            opening = self._opening.setdefault(name, Lock()) if name in self._opened or name in self.names() else None
        if opening is None:
            raise CollectionUnknown("no collection of that name is hosted here")
        known = self._opened.get(name)
        if not opening.acquire(blocking=known is None) and known is not None:
            return known
        try:
            return self._current(name)
        finally:
            opening.release()

    def _current(self, name: str) -> Collection:
        """With the collection's lock held."""
        known = self._opened.get(name)
        if self.known(name) is not None and known is not None:
            return known
        if name not in self.names():
            self._opened.pop(name, None)
            raise CollectionUnknown("no collection of that name is hosted here")
        self._looked[name] = time.monotonic()
        if known is not None and self._store.current(built.artifact_name(name)) == known.generation:
            return known
        try:
            self._opened[name] = self._open(name)
        except (ModelError, PipelineError):
            if known is None:
                raise
            log.exception("cannot open the new generation of collection %s; the last one answers", name)
        return self._opened[name]

    def seen_by(self, sees: Callable[[str], bool]) -> "Collections":
        """These collections as one sees them for whom only some names exist."""
        return _Seen(self, sees)

    def _open(self, name: str) -> Collection:
        opened = built.open_collection(name, store=self._store, encoder_of=self._encoder_of, engines=self._engines)
        # The lease ends when nobody searches it any more; only then may a writer prune the generation.
        weakref.finalize(opened, opened.artifact.close)
        opened.search(_warm_up(opened))
        log.info("collection %s: generation %s answers", name, opened.generation)
        return opened


class _Seen(Collections):
    """Some of the names of others, which open and keep what is asked for."""

    def __init__(self, everything: Collections, sees: Callable[[str], bool]) -> None:
        super().__init__(everything._store, encoder_of=everything._encoder_of)
        self._everything = everything
        self._sees = sees

    def names(self) -> list[str]:
        """Every collection that is served and seen, sorted."""
        return [name for name in self._everything.names() if self._sees(name)]

    def get(self, name: str) -> Collection:
        """The collection of that name, if it is seen. Raises: CollectionUnknown."""
        if not self._sees(name):
            raise CollectionUnknown("no collection of that name is hosted here")
        return self._everything.get(name)


def _warm_up(collection: Collection) -> Sequence[Asked]:
    if collection.encoder is not None:
        return [Asked(text="warm up", top_k=1)]
    row = collection.dense.rows(_FIRST)[0, : collection.about.dimension]
    return [Asked(vector=row, top_k=1)]
