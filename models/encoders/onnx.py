"""The encoder that serves: an ONNX graph, by ONNX Runtime or OpenVINO, and `tokenizers`; no torch."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors, unit
from models.device import ONNXRUNTIME, OPENVINO, choose_engine, onnx_providers, onnx_runtime
from models.encoders import openvino
from models.encoders.description import EncoderDescription
from models.encoders.texts import readable
from models.errors import ArtifactMissing, DeviceUnavailable, EncoderError

BATCH_TOKENS = 256
"""Padded tokens per run on a CPU: activations that stay in its cache. 2,048 costs a fifth to a third
of the speed of every model (benchmarks/speed/encoders.py)."""

RUN_TOKENS = 12
"""Padding that costs as much as one more run on a CPU, where a run reads all weights however few its tokens
(benchmarks/speed/serving.py; fitted on runs of 4 to 256 tokens: MiniLM 9, e5 15)."""

GPU_BATCH_TOKENS = 16384
"""Padded tokens per run on a GPU, which wants large batches. A guess."""

_KEPT_TEXTS: Final = 64
"""Texts whose tokens are remembered between encoding and counting: a request's, never a batch job's (guess)."""

_MOST_STREAMS: Final = 8
"""Batches that OpenVINO computes at the same time, if there are as many cores; further ones wait (guess)."""

_Run = Callable[[NDArray[np.int64], NDArray[np.int64]], Vectors]
"""Padded token ids and their mask → vectors."""


class OnnxEncoder:
    """A prepared folder (`model.onnx`, `tokenizer.json`, `encoder.json`) at work.

    Texts are sorted by length and run in batches of at most `batch_tokens` padded tokens, so that short texts
    hardly pay for long ones; vectors come back in the order of the texts. Safe to call from several threads:
    one session, whose runs are independent.

    Either engine gives the same name and fingerprint: their vectors differ by what bfloat16 rounds, and what was built
    with one is served by the other. OpenVINO takes float32 graphs on a CPU; all else is ONNX Runtime's.
    """

    def __init__(
        self,
        folder: Path,
        *,
        device: str = "cpu",
        threads: int = 1,
        batch_tokens: int | None = None,
        engine: str = ONNXRUNTIME,
    ) -> None:
        """Read the description; weights wait for `load()`.

        Args:
            folder: as written by `models.encoders.export.prepare`.
            device: "auto", "cpu", "cuda" or "cuda:N".
            threads: the engine's threads within one batch. 1 lets a service run one batch per core.
            batch_tokens: padded tokens per run; a longer text is a batch of its own. Default: by device and engine.
            engine: "auto", "onnxruntime" or "openvino"; which it became is `engine` afterwards.

        Raises: ArtifactMissing, ArtifactInvalid, DeviceUnavailable; MissingExtra if OpenVINO is wanted and absent.
        """
        self.folder = folder
        self.description = EncoderDescription.read(folder)
        self.name = self.description.label
        self.threads = threads
        self._wanted, self._providers = device, onnx_providers(device)
        self.device = _device_name(device, self._providers[0])
        chosen = choose_engine(engine, device=self.device)
        self.engine = chosen if openvino.computes_well(self.description) else ONNXRUNTIME
        self._wanted_engine, self._wanted_tokens = engine, batch_tokens
        self._loading = Lock()
        self._run: _Run | None = None
        self._tokenizer: Any = None
        # What was read last: whoever encodes texts often wants their tokens counted next.
        self._last: tuple[str, tuple[str, ...], list[list[int]]] = ("", (), [])

    @property
    def dimension(self) -> int:
        """The width of the vectors."""
        return self.description.dimension

    @property
    def fingerprint(self) -> str:
        """Hex sha256 over graph, tokenizer and settings."""
        return self.description.fingerprint

    def load(self) -> None:
        """Open graph and tokenizer.

        Raises: ArtifactMissing without its files; DeviceUnavailable if a GPU was asked for and does not open.
        """
        with self._loading:
            if self._run is None:
                self._tokenizer = self._open_tokenizer()
                self._run = self._open_session()

    def warm_up(self) -> None:
        """Run one small batch."""
        self.encode_query(["warm up"])

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched with, (n, d) float32."""
        return self._encode(texts, self.description.query_prompt)

    def encode_passage(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of what is searched in, (n, d) float32."""
        return self._encode(texts, self.description.passage_prompt)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The tokens each text costs as a query, after truncation, prompt and special tokens included."""
        return [len(ids) for ids in self._token_ids(texts, self.description.query_prompt)]

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        ids = self._token_ids(texts, prompt)
        vectors = np.empty((len(ids), self.dimension), dtype=np.float32)
        run, padding = self._opened(), self._padding()
        for rows in _batches([len(row) for row in ids], budget=self.batch_tokens, padding=padding):
            input_ids, mask = self._padded([ids[row] for row in rows])
            vectors[rows] = run(input_ids, mask)
        return unit(vectors)

    def _token_ids(self, texts: Sequence[str], prompt: str) -> list[list[int]]:
        self._opened()
        key = tuple(texts)
        last_prompt, last_texts, ids = self._last
        if last_texts == key and last_prompt == prompt:
            return ids
        cleaned = readable(texts, prompt=prompt, max_tokens=self.description.max_tokens)
        # One by one on purpose: encode_batch would spread over every core, past the threads we were given.
        ids = [self._tokenizer.encode(text).ids for text in cleaned]
        if len(key) <= _KEPT_TEXTS:
            self._last = (prompt, key, ids)
        return ids

    def _padded(self, ids: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        lengths = np.array([len(row) for row in ids])
        mask = np.arange(lengths.max()) < lengths[:, None]
        input_ids = np.full(mask.shape, self.description.pad_id, dtype=np.int64)
        input_ids[mask] = np.concatenate(ids)
        return input_ids, mask.astype(np.int64)

    def _opened(self) -> _Run:
        if self._run is None:
            self.load()
        assert self._run is not None  # load() opens it or raises
        return self._run

    @property
    def batch_tokens(self) -> int:
        """Padded tokens per run."""
        if self._wanted_tokens:
            return self._wanted_tokens
        if self.device != "cpu":
            return GPU_BATCH_TOKENS
        return openvino.BATCH_TOKENS if self.engine == OPENVINO else BATCH_TOKENS

    def _padding(self) -> int:
        """The padding that costs as much as one more run."""
        if self.device != "cpu":
            return self.batch_tokens  # a GPU pads for less than it launches
        return openvino.RUN_TOKENS if self.engine == OPENVINO else RUN_TOKENS

    def _open_tokenizer(self) -> Any:  # noqa: ANN401 - `tokenizers` is imported late
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._file("tokenizer.json")))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.description.max_tokens)
        return tokenizer

    def _open_session(self) -> _Run:
        if self.engine == OPENVINO:
            try:
                return self._open_openvino()
            except EncoderError:
                if self._wanted_engine == OPENVINO:
                    raise
                self.engine = ONNXRUNTIME
        return self._open_onnxruntime()

    def _open_openvino(self) -> _Run:
        streams = max(1, min((os.cpu_count() or 1) // self.threads, _MOST_STREAMS))
        return openvino.OpenVinoSession(self._file("model.onnx"), threads=self.threads, streams=streams).run

    def _open_onnxruntime(self) -> _Run:
        onnxruntime = onnx_runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        # Spinning threads burn the cores that the other sessions compute on.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The arena never gives memory back, and batch shapes vary: without it memory stays near the weights'.
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(
            str(self._file("model.onnx")), options, providers=_with_options(self._providers, self.device)
        )
        opened = session.get_providers()[0]
        if opened != self._providers[0]:
            # ONNX Runtime falls back in silence when a GPU's libraries do not load.
            if self._wanted != "auto":
                raise DeviceUnavailable(f"{self._wanted!r} asked for; onnxruntime opened {opened} instead")
            self.device = _device_name("auto", opened)
        return lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0]

    def _file(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise ArtifactMissing(f"no {name} in {self.folder}; run `cognomen models prepare {self.name}`")
        return path


def _batches(lengths: Sequence[int], *, budget: int, padding: int = RUN_TOKENS) -> Iterator[list[int]]:
    """Row numbers by rising length, cut where rows × longest would pass the budget, or the padding in it its own."""
    rows: list[int] = []
    tokens = 0
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[row]
        if rows and ((len(rows) + 1) * length > budget or len(rows) * length - tokens > padding):
            yield rows
            rows, tokens = [], 0
        rows.append(row)
        tokens += length
    if rows:
        yield rows


def _device_name(wanted: str, provider: str) -> str:
    if provider.startswith("CUDA"):
        return f"cuda:{int(wanted.partition(':')[2] or 0)}"
    return "mps" if provider.startswith("CoreML") else "cpu"


def _with_options(providers: Sequence[str], device: str) -> list[Any]:
    if not device.startswith("cuda"):
        return list(providers)
    return [(providers[0], {"device_id": int(device.partition(":")[2])}), *providers[1:]]
