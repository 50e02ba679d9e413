"""torch to ONNX, one way for every encoder."""

import warnings
from pathlib import Path

import torch
from torch import nn

OPSET = 17
INPUTS = ("input_ids", "attention_mask")
OUTPUT = "vectors"


def write_graph(module: nn.Module, path: Path) -> None:
    """Export a module (ids, mask) → vectors, both (n, length) int64, with n and length free."""
    ids = torch.tensor([[1, 5, 6, 2], [1, 7, 2, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    axes = {0: "texts", 1: "tokens"}
    with warnings.catch_warnings(), torch.no_grad():
        # The tracing exporter is deprecated, and the one whose graph matched to 4e-7 when measured.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            (ids, mask),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_axes={INPUTS[0]: axes, INPUTS[1]: axes, OUTPUT: {0: "texts"}},
        )
