"""One answer to "where do the numbers run": auto | cpu | cuda[:n] | mps, and by which engine. Chosen here only."""

import os
import sys
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

from models.errors import DeviceUnavailable, MissingExtra

ONNXRUNTIME: Final = "onnxruntime"
OPENVINO: Final = "openvino"


def choose_device(wanted: str = "auto") -> str:
    """Resolve a wish to a torch device name: "cpu", "cuda:0", "mps".

    "auto" takes CUDA, then Apple's MPS, then the CPU. Needs torch unless the wish is "cpu".
    Raises: DeviceUnavailable if the wish cannot be met; MissingExtra if torch is needed and absent.
    """
    kind, _, number = wanted.partition(":")
    if kind not in {"auto", "cpu", "cuda", "mps"} or (number and (kind != "cuda" or not number.isdigit())):
        raise DeviceUnavailable(f"unknown device {wanted!r}; expected auto, cpu, cuda, cuda:N or mps")
    if kind == "cpu":
        return "cpu"
    torch = _torch()
    if torch is None:
        if kind == "auto":
            return "cpu"
        raise MissingExtra(f"device {wanted!r} needs torch; install the 'encoders' extra")
    if kind in {"auto", "cuda"} and torch.cuda.is_available():
        index = int(number or 0)
        if index >= torch.cuda.device_count():
            raise DeviceUnavailable(f"{wanted!r} asked for; this machine has {torch.cuda.device_count()} GPUs")
        return f"cuda:{index}"
    if kind in {"auto", "mps"} and torch.backends.mps.is_available():
        return "mps"
    if kind == "auto":
        return "cpu"
    raise DeviceUnavailable(f"{wanted!r} asked for, and this machine has none; use 'auto' or 'cpu'")


def onnx_providers(wanted: str = "auto") -> list[str]:
    """The ONNX Runtime execution providers for a wish, best first, never importing torch.

    Raises: DeviceUnavailable if a GPU is asked for and the installed onnxruntime has no provider for it.
    """
    available = onnx_runtime().get_available_providers()
    kind = wanted.partition(":")[0]
    if kind not in {"auto", "cpu", "cuda", "mps"}:
        raise DeviceUnavailable(f"unknown device {wanted!r}; expected auto, cpu, cuda, cuda:N or mps")
    gpu = "CoreMLExecutionProvider" if kind == "mps" else "CUDAExecutionProvider"
    if kind != "cpu" and gpu in available:
        return [gpu, "CPUExecutionProvider"]
    if kind in {"cuda", "mps"}:
        raise DeviceUnavailable(f"{wanted!r} asked for, and this onnxruntime has no {gpu}; install the 'gpu' extra")
    return ["CPUExecutionProvider"]


def onnx_runtime() -> Any:  # noqa: ANN401 - onnxruntime is untyped
    """ONNX Runtime itself, without its telemetry."""
    # Else the import alone opens a database under ~/.cache, of events that go to Microsoft. Read once, on import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def choose_engine(wanted: str = "auto", *, device: str) -> str:
    """Which engine computes a float32 graph on a device: "onnxruntime" or "openvino".

    "auto" takes OpenVINO where it is installed and the CPU computes in bfloat16, which is where it is the faster one
    (benchmarks/speed/encoders.py). GPUs are ONNX Runtime's whatever is wanted.
    Raises: MissingExtra if OpenVINO is wanted and not installed; DeviceUnavailable for an engine nobody knows.
    """
    if wanted not in {"auto", ONNXRUNTIME, OPENVINO}:
        raise DeviceUnavailable(f"unknown engine {wanted!r}; expected auto, {ONNXRUNTIME} or {OPENVINO}")
    installed = find_spec("openvino") is not None
    if wanted == OPENVINO and not installed:
        raise MissingExtra("engine 'openvino' needs OpenVINO; install the 'openvino' extra")
    if device != "cpu" or wanted == ONNXRUNTIME or not installed:
        return ONNXRUNTIME
    return OPENVINO if wanted == OPENVINO or openvino_precision() == "bf16" else ONNXRUNTIME


@cache
def openvino_core() -> Any:  # noqa: ANN401 - openvino is optional
    """OpenVINO itself, opened once a process, without its telemetry. Raises: MissingExtra."""
    # Else the import alone starts a process that tells Google Analytics of it; without it OpenVINO takes a stub.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ModuleNotFoundError as missing:
        raise MissingExtra("OpenVINO is not installed; install the 'openvino' extra") from missing
    return openvino.Core()


def openvino_precision() -> str:
    """What OpenVINO computes in on this CPU: "bf16" where the chip does so itself, else "f32". Raises: MissingExtra."""
    return "bf16" if "BF16" in openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


def supports_bf16(device: str) -> bool:
    """Whether the chip computes in bfloat16 natively, so that training may use it; of CPUs those with AMX."""
    torch = _torch()
    if torch is None:
        return False
    if device == "cpu":
        # Before torch 2.11 nothing public says what the CPU has.
        capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return bool(capabilities.get("amx_bf16", False))
    return bool(device.startswith("cuda") and torch.cuda.is_bf16_supported())


def _torch() -> Any:  # noqa: ANN401 - torch is optional and untyped here
    try:
        import torch
    except ModuleNotFoundError:
        return None
    return torch
