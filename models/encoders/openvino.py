"""OpenVINO as the engine of a prepared encoder: on CPUs that compute in bfloat16 it is the faster one (ADR 0015)."""

from collections import deque
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.device import openvino_core, openvino_precision
from models.encoders.description import EncoderDescription
from models.errors import EncoderError

BATCH_TOKENS: Final = 1024
"""Padded tokens per run (benchmarks/speed/encoders.py)."""
RUN_TOKENS: Final = 64
"""Padding that costs as much as one more run: a run of another shape prepares the graph anew
(benchmarks/speed/encoders.py)."""
_WIDTH_STEP: Final = 8
_FEW_ROWS: Final = 4
"""Runs of so few rows are widened to whole steps, which costs them less than one more shape would."""


def computes_well(description: EncoderDescription) -> bool:
    """Whether OpenVINO gives the vectors that ONNX Runtime gives.

    Not for graphs in fewer bits, which are made of what ONNX Runtime is fast at, nor for averaged word vectors (USE):
    in bfloat16 their worst cosine to float32 was .994, transformers' .99996 (benchmarks/speed/encoders.py), and in
    float32 OpenVINO is not the faster one.
    """
    return description.variant == "fp32" and description.pooling != "dan"


class OpenVinoSession:
    """A graph compiled for the CPU, in bfloat16 where the chip computes in it and float32 elsewhere.

    Safe to call from several threads: each call in flight has a request of its own, on a stream of its own as long
    as there are any.

    In bfloat16 a text's vector depends a little on the shape of the run it is in, as sums round in another order:
    alone or in a batch, no component differed by .001, and no nearest neighbour (benchmarks/speed/encoders.py). What is
    padded leaks nothing.
    """

    def __init__(self, path: Path, *, threads: int, streams: int = 1, precision: str | None = None) -> None:
        """Read and compile. Raises: EncoderError if OpenVINO cannot read the graph.

        Args:
            path: of the ONNX graph, with `input_ids` and `attention_mask`.
            threads: within one run.
            streams: runs at the same time; further ones wait.
            precision: "bf16" or "f32"; default: what suits the chip.
        """
        options = {
            "INFERENCE_PRECISION_HINT": precision or openvino_precision(),
            "INFERENCE_NUM_THREADS": threads * streams,
            "NUM_STREAMS": streams,
            # Pinned threads of several processes would share the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            self._compiled: Any = openvino_core().compile_model(str(path), "CPU", options)
        except RuntimeError as error:
            raise EncoderError(f"OpenVINO cannot read {path.name}; COGNOMEN_ENCODER_ENGINE=onnxruntime can") from error
        self._idle: deque[Any] = deque()

    def run(self, input_ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """The graph's vectors, (n, d) float32."""
        rows, width = input_ids.shape
        if rows <= _FEW_ROWS and (short := -width % _WIDTH_STEP):
            # What fills up is masked: any token will do.
            input_ids, mask = (np.pad(array, ((0, 0), (0, short))) for array in (input_ids, mask))
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            # The request's own memory is written over by its next run.
            vectors: NDArray[np.float32] = np.array(request.infer({"input_ids": input_ids, "attention_mask": mask})[0])
        finally:
            self._idle.append(request)
        return vectors
