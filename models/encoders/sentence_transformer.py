"""Any sentence-transformers folder in torch: for training, the GPU, and as the reference of an export."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from models.arrays import Vectors, unit
from models.device import choose_device, supports_bf16
from models.encoders.description import sha256_of
from models.encoders.texts import readable
from models.errors import ArtifactMissing, EncoderError, MissingExtra

_FALLBACK_TOKENS = 512
_BATCH, _GPU_BATCH = 64, 512
"""Texts in a forward pass; a GPU wants many. Guesses."""


class SentenceTransformerEncoder:
    """A sentence-transformers folder at work. torch is imported by `load()`, not before.

    Prompts are the folder's own, named "query" and "passage" (or "document"). Only safetensors are read, and
    no code of the folder is run. Calls from several threads take turns: Hugging Face tokenizers are stateful.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str | None = None,
        device: str = "auto",
        batch_size: int | None = None,
        exact: bool = True,
    ) -> None:
        """Keep the settings; weights wait for `load()`.

        Args:
            folder: holds `modules.json`, `config.json` and safetensors.
            name: registry name; default: the folder's name.
            device: "auto", "cpu", "cuda[:N]" or "mps".
            batch_size: texts per forward pass; sentence-transformers sorts by length itself. Default: by device.
            exact: compute in float32; without it, in bfloat16 where the GPU has it: half the memory, and vectors that
                agree to about three digits.

        Raises: ArtifactMissing, DeviceUnavailable, MissingExtra.
        """
        if not (folder / "config.json").is_file():
            raise ArtifactMissing(f"no config.json in {folder}; expected a sentence-transformers folder")
        self.folder, self.name = folder, name or folder.name
        self.device = choose_device(device)
        self.batch_size = batch_size or (_GPU_BATCH if self.device.startswith("cuda") else _BATCH)
        self._options = (
            {"dtype": "bfloat16"} if not exact and self.device != "cpu" and supports_bf16(self.device) else {}
        )
        self._lock = Lock()
        self._model: Any = None
        self._fingerprint = ""

    @property
    def dimension(self) -> int:
        """The width of the vectors; loads the model to know it."""
        return width_of(self.model)

    @property
    def fingerprint(self) -> str:
        """Hex sha256 over every file that decides a vector; read once."""
        if not self._fingerprint:
            files = [p for p in self.folder.rglob("*") if p.suffix in {".safetensors", ".json", ".model", ".txt"}]
            lines = sorted(f"{p.relative_to(self.folder).as_posix()} {sha256_of(p)}" for p in files)
            self._fingerprint = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return self._fingerprint

    @property
    def model(self) -> Any:  # noqa: ANN401 - sentence_transformers is untyped here
        """The loaded `SentenceTransformer`."""
        self.load()
        return self._model

    @property
    def max_tokens(self) -> int:
        """Where a text is cut, special tokens included."""
        return int(self.model.max_seq_length or _FALLBACK_TOKENS)

    def load(self) -> None:
        """Import torch, read the weights, move them to the device.

        Raises: MissingExtra without sentence-transformers; EncoderError if the folder cannot be read.
        """
        with self._lock:
            if self._model is None:
                self._model = open_sentence_transformer(self.folder, device=self.device, **self._options)

    def warm_up(self) -> None:
        """Run one small batch."""
        self.encode_query(["warm up"])

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched with, (n, d) float32."""
        return self._encode(texts, prompts_of(self.model)[0])

    def encode_passage(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched in, (n, d) float32."""
        return self._encode(texts, prompts_of(self.model)[1])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The tokens each text costs as a query, after truncation, prompt and special tokens included."""
        prompt, limit = prompts_of(self.model)[0], self.max_tokens
        cleaned = readable(texts, prompt=prompt, max_tokens=limit)
        with self._lock:
            tokenizer = self._model.tokenizer
            return [len(tokenizer(text, truncation=True, max_length=limit)["input_ids"]) for text in cleaned]

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        cleaned = readable(texts, prompt=prompt, max_tokens=self.max_tokens)
        with self._lock:
            vectors = self._model.encode(
                cleaned, prompt="", batch_size=self.batch_size, convert_to_numpy=True, show_progress_bar=False
            )
        return unit(np.ascontiguousarray(vectors, dtype=np.float32))


def open_sentence_transformer(folder: Path, *, device: str, **model_options: str) -> Any:  # noqa: ANN401
    """A folder as a `SentenceTransformer`: safetensors only, offline, none of its code run.

    Raises: MissingExtra, EncoderError.
    """
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar
    except ModuleNotFoundError as missing:
        raise MissingExtra("torch encoders need sentence-transformers; install the 'encoders' extra") from missing
    disable_progress_bar()  # its bar for reading a file runs into the caller's own
    try:
        return SentenceTransformer(
            str(folder),
            device=device,
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True, **model_options},
        )
    except (OSError, ValueError, KeyError, json.JSONDecodeError) as broken:
        raise EncoderError(f"{folder} does not load as a sentence-transformers model: {broken}") from broken


def prompts_of(model: Any) -> tuple[str, str]:  # noqa: ANN401
    """The query and the passage prompt of a `SentenceTransformer`, "" where it has none."""
    prompts = model.prompts or {}
    return prompts.get("query") or "", prompts.get("passage") or prompts.get("document") or ""


def width_of(model: Any) -> int:  # noqa: ANN401
    """The width d of a `SentenceTransformer`'s vectors."""
    # Renamed in sentence-transformers 5.4; 5.1 still has the old name only.
    ask = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    return int(ask())
