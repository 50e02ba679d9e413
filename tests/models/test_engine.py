"""Which engine computes, as a function of what is wanted, what is installed and what the CPU can."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models import device
from models.errors import DeviceUnavailable, MissingExtra

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def machine(monkeypatch):
    """A machine with or without OpenVINO, whose CPU has bfloat16 or not."""

    def made(*, installed: bool, precision: str = "bf16") -> None:
        monkeypatch.setattr(device, "find_spec", lambda _: object() if installed else None)
        monkeypatch.setattr(device, "openvino_precision", lambda: precision)

    return made


@pytest.mark.parametrize(
    ("wanted", "on", "precision", "chosen"),
    [
        ("auto", "cpu", "bf16", "openvino"),
        ("auto", "cpu", "f32", "onnxruntime"),
        ("auto", "cuda:0", "bf16", "onnxruntime"),
        ("openvino", "cpu", "f32", "openvino"),
        ("openvino", "cuda:0", "bf16", "onnxruntime"),
        ("onnxruntime", "cpu", "bf16", "onnxruntime"),
    ],
)
def test_openvino_is_taken_where_it_is_the_faster_one(machine, wanted, on, precision, chosen):
    machine(installed=True, precision=precision)
    assert device.choose_engine(wanted, device=on) == chosen


def test_without_openvino_onnxruntime_computes_and_asking_for_it_names_the_extra(machine):
    machine(installed=False)
    assert device.choose_engine("auto", device="cpu") == "onnxruntime"
    with pytest.raises(MissingExtra, match="'openvino' extra"):
        device.choose_engine("openvino", device="cpu")


def test_an_engine_nobody_knows_is_refused():
    with pytest.raises(DeviceUnavailable, match="expected auto"):
        device.choose_engine("abacus", device="cpu")


def test_onnx_runtime_tells_nobody_that_it_is_used(tmp_path):
    said = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in said}
    subprocess.run(
        [sys.executable, "-c", "from models.device import onnx_providers; onnx_providers()"],
        cwd=ROOT, check=True, env={**environment, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert not list(tmp_path.iterdir())
