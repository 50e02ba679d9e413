"""The re-ranker that reads query and document together: ONNX Runtime and `tokenizers`, no torch."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Scores
from models.device import onnx_providers, onnx_runtime
from models.errors import ArtifactMissing, DeviceUnavailable
from models.rerankers.description import GRAPH, TOKENIZER, RerankerDescription

BATCH_TOKENS: Final = 512
"""Padded tokens per run on a CPU. A guess between what is best for titles (256) and for passages."""
GPU_BATCH_TOKENS: Final = 16384
_CHARACTERS_PER_TOKEN: Final = 64
"""Characters read per token a model takes: the cap bounds what a hostile text costs."""
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


class CrossEncoder:
    """A prepared folder (`model.onnx`, `tokenizer.json`, `reranker.json`) at work.

    Scores are the sigmoid of the model's one logit, in (0, 1). Pairs run sorted by length, in batches of at most
    `batch_tokens` padded tokens; scores come back in the order of the pairs. Safe to call from several threads.

    Args:
        folder: as written by `models.rerankers.export.prepare`.
        device: "auto", "cpu", "cuda" or "cuda:N".
        threads: ONNX Runtime's threads within one batch.

    Raises: ArtifactMissing, ArtifactInvalid, DeviceUnavailable.
    """

    def __init__(self, folder: Path, *, device: str = "cpu", threads: int = 1) -> None:
        self.folder = folder
        self.description = RerankerDescription.read(folder)
        self.name = self.description.name
        self.threads = threads
        self._wanted, self._providers = device, onnx_providers(device)
        self._batch_tokens = GPU_BATCH_TOKENS if self._providers[0].startswith("CUDA") else BATCH_TOKENS
        self._loading = Lock()
        self._session: Any = None
        self._tokenizer: Any = None

    @property
    def fingerprint(self) -> str:
        """Hex sha256 over graph, tokenizer and settings."""
        return self.description.fingerprint

    def load(self) -> None:
        """Open graph and tokenizer. Raises: ArtifactMissing; DeviceUnavailable."""
        with self._loading:
            if self._session is None:
                self._tokenizer = self._open_tokenizer()
                self._session = self._open_session()

    def score(self, queries: Sequence[str], documents: Sequence[Sequence[str]]) -> list[Scores]:
        """For each query the probabilities that its documents answer it, in their order."""
        return [_sigmoid(logits) for logits in self.logits(queries, documents)]

    def logits(self, queries: Sequence[str], documents: Sequence[Sequence[str]]) -> list[Scores]:
        """For each query the model's own numbers for its documents, in their order; any size, either sign."""
        pairs = [(query, text) for query, texts in zip(queries, documents, strict=True) for text in texts]
        scores, start = self._logits(pairs), 0
        found: list[Scores] = []
        for texts in documents:
            found.append(scores[start : start + len(texts)])
            start += len(texts)
        return found

    def count_tokens(self, pairs: Sequence[tuple[str, str]]) -> list[int]:
        """The tokens each pair costs, after truncation."""
        return [len(encoded.ids) for encoded in self._encoded(pairs)]

    def _logits(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        encoded = self._encoded(pairs)
        logits = np.empty(len(pairs), np.float32)
        for rows in _batches([len(one.ids) for one in encoded], budget=self._batch_tokens):
            logits[rows] = self._session.run(None, self._padded([encoded[row] for row in rows]))[0].reshape(-1)
        return logits

    def _encoded(self, pairs: Sequence[tuple[str, str]]) -> list[Any]:
        if self._session is None:
            self.load()
        # One by one on purpose: encode_batch would spread over every core, past the threads we were given.
        return [self._tokenizer.encode(self._readable(query), self._readable(text)) for query, text in pairs]

    def _readable(self, text: str) -> str:
        cut = text[: self.description.max_tokens * _CHARACTERS_PER_TOKEN]
        return cut if cut.isascii() else _SURROGATES.sub("\ufffd", cut)

    def _padded(self, encoded: Sequence[Any]) -> dict[str, NDArray[np.int64]]:
        lengths = np.array([len(one.ids) for one in encoded])
        mask = np.arange(lengths.max()) < lengths[:, None]
        ids = np.full(mask.shape, self.description.pad_id, np.int64)
        ids[mask] = np.concatenate([one.ids for one in encoded])
        inputs = {"input_ids": ids, "attention_mask": mask.astype(np.int64)}
        if self.description.segments:
            segments = np.zeros(mask.shape, np.int64)
            segments[mask] = np.concatenate([one.type_ids for one in encoded])
            inputs["token_type_ids"] = segments
        return inputs

    def _open_tokenizer(self) -> Any:  # noqa: ANN401 - `tokenizers` is imported late
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._file(TOKENIZER)))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.description.max_tokens, strategy="longest_first")
        return tokenizer

    def _open_session(self) -> Any:  # noqa: ANN401 - onnxruntime is untyped
        onnxruntime = onnx_runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        # As models/encoders/onnx.py: spinning burns other sessions' cores, the arena never gives memory back.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(self._file(GRAPH)), options, providers=list(self._providers))
        opened = session.get_providers()[0]
        if opened != self._providers[0] and self._wanted != "auto":
            raise DeviceUnavailable(f"{self._wanted!r} asked for; onnxruntime opened {opened} instead")
        return session

    def _file(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise ArtifactMissing(f"no {name} of re-ranker {self.name}; prepare it again")
        return path


def _sigmoid(logits: Scores) -> Scores:
    scores: Scores = (1 / (1 + np.exp(-np.clip(logits, -80, 80)))).astype(np.float32)
    return scores


def _batches(lengths: Sequence[int], *, budget: int) -> Iterator[list[int]]:
    """Row numbers by rising length, cut where rows × longest would pass the budget."""
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if rows and (len(rows) + 1) * lengths[row] > budget:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows
