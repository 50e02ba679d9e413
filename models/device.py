"""One answer to "where do the numbers run": auto | cpu | cuda[:n] | mps. Chosen here only."""

from typing import Any

from models.errors import DeviceUnavailable, MissingExtra


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
    import onnxruntime

    available = onnxruntime.get_available_providers()
    kind = wanted.partition(":")[0]
    if kind not in {"auto", "cpu", "cuda", "mps"}:
        raise DeviceUnavailable(f"unknown device {wanted!r}; expected auto, cpu, cuda, cuda:N or mps")
    gpu = "CoreMLExecutionProvider" if kind == "mps" else "CUDAExecutionProvider"
    if kind != "cpu" and gpu in available:
        return [gpu, "CPUExecutionProvider"]
    if kind in {"cuda", "mps"}:
        raise DeviceUnavailable(f"{wanted!r} asked for, and this onnxruntime has no {gpu}; install the 'gpu' extra")
    return ["CPUExecutionProvider"]


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
