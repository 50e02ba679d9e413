"""The prepared re-rankers of an artifact store, by name."""

from threading import Lock
from typing import Final

from models.artifacts import ArtifactStore
from models.rerankers.cross_encoder import CrossEncoder

KIND: Final = "reranker"


def artifact_name(name: str) -> str:
    """Where a prepared re-ranker rests."""
    return f"rerankers/{name}"


class RerankerLibrary:
    """Opens re-rankers once and keeps them. Safe to call from several threads.

    Args:
        store: where they rest.
        device: "auto", "cpu", "cuda[:n]" or "mps".
        threads: threads within one batch.
    """

    def __init__(self, store: ArtifactStore, *, device: str = "auto", threads: int = 1) -> None:
        self._store = store
        self._device = device
        self._threads = threads
        self._opened: dict[str, CrossEncoder] = {}
        self._lock = Lock()

    def names(self) -> list[str]:
        """Every prepared re-ranker, sorted."""
        return [name.removeprefix("rerankers/") for name in self._store.names("rerankers")]

    def get(self, name: str) -> CrossEncoder:
        """The re-ranker of that name, loaded. Raises: ArtifactMissing."""
        with self._lock:
            if name not in self._opened:
                artifact = self._store.open(artifact_name(name), kind=KIND)
                opened = CrossEncoder(artifact.folder, device=self._device, threads=self._threads)
                opened.load()
                self._opened[name] = opened
            return self._opened[name]
