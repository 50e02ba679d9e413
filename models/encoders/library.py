"""The prepared encoders of an artifact store, by name; several joined by "+" are one."""

from threading import Lock
from typing import Final

from models.artifacts import ArtifactStore
from models.encoders.base import Encoder
from models.encoders.concatenated import ConcatenatedEncoder
from models.encoders.hashing import HashingEncoder
from models.encoders.registry import open_encoder
from models.errors import EncoderUnknown

KIND: Final = "encoder"
BUILT_IN: Final = "hashing"
"""The encoder that needs no weights: for tests, and to try things where nothing is prepared."""


def artifact_name(name: str) -> str:
    """Where a prepared encoder rests."""
    return f"encoders/{name}"


class EncoderLibrary:
    """Opens encoders once and keeps them. Safe to call from several threads.

    Args:
        store: where they rest.
        device: "auto", "cpu", "cuda[:n]" or "mps".
        threads: threads within one batch.
        engine: "auto", "onnxruntime" or "openvino": what computes on a CPU.
    """

    def __init__(self, store: ArtifactStore, *, device: str = "auto", threads: int = 1, engine: str = "auto") -> None:
        self._store = store
        self._device = device
        self._threads = threads
        self._engine = engine
        self._opened: dict[str, Encoder] = {}
        self._lock = Lock()

    def names(self) -> list[str]:
        """Every prepared encoder, sorted; without the built-in one and without joined ones."""
        return [name.removeprefix("encoders/") for name in self._store.names("encoders")]

    def missing(self, name: str) -> list[str]:
        """The parts of an encoder's name that are not prepared, in order."""
        return [part for part in name.split("+") if part != BUILT_IN and not self._store.exists(artifact_name(part))]

    def opened(self, name: str) -> Encoder | None:
        """The encoder of that name if it was opened before; never slow, never looks at the disk."""
        return self._opened.get(name)

    def get(self, name: str) -> Encoder:
        """The encoder of that name, loaded.

        Raises: EncoderUnknown if it, or a part of it, is not prepared here.
        """
        if missing := self.missing(name):
            raise EncoderUnknown(
                f"not prepared here: {', '.join(missing)}; `cognomen models prepare {' '.join(missing)}` prepares it"
            )
        with self._lock:
            parts = [self._part(part) for part in name.split("+")]
        return parts[0] if len(parts) == 1 else ConcatenatedEncoder(parts)

    def _part(self, name: str) -> Encoder:
        if name not in self._opened:
            self._opened[name] = HashingEncoder() if name == BUILT_IN else self._open(name)
        return self._opened[name]

    def _open(self, name: str) -> Encoder:
        artifact = self._store.open(artifact_name(name), kind=KIND)
        encoder = open_encoder(artifact.folder, device=self._device, threads=self._threads, engine=self._engine)
        encoder.load()
        return encoder
