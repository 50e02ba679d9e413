"""Low-rank and full changes of weight matrices while they train, as torch parametrizations.

A parametrization computes the weight anew from what is frozen and what is learned, whatever layer it sits in: the
linear layers of a BERT and the bare matrices of USE alike, which is why `peft` (layers only) is not used.

Source: Hu et al. 2021, *LoRA* (arXiv 2106.09685), Eq. 3: W + (alpha / r) · up @ down, up zero at the start.
Differs from the paper: every matrix of a layer may be changed, and no dropout.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import parametrize

from models.encoders.adapter import DELTA, DOWN, UP
from models.errors import TrainingError

_PARAMETRIZED = re.compile(r"^(?:(?P<module>.*)\.)?parametrizations\.(?P<weight>[^.]+)\.0\.(?P<part>up|down|delta)$")


@dataclass(frozen=True, slots=True)
class AdapterShape:
    """What may change.

    Attributes:
        rank: r of the two factors; 0 lets the whole matrix change.
        alpha: how strongly the factors count, divided by the rank.
        weights: regular expression over weight names; what it finds may change.
    """

    rank: int
    alpha: float
    weights: str


class LowRank(nn.Module):  # type: ignore[misc] # torch is untyped here
    """W → W + scale · up @ down."""

    def __init__(self, weight: Tensor, rank: int, alpha: float) -> None:
        super().__init__()
        self.scale = alpha / rank
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))
        self.down = nn.Parameter(torch.empty(rank, weight.shape[1]))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with its change."""
        return weight + self.scale * (self.up @ self.down)


class Full(nn.Module):  # type: ignore[misc]
    """W → W + delta."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.delta = nn.Parameter(torch.zeros_like(weight))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with its change."""
        return weight + self.delta


def attach(network: nn.Module, shape: AdapterShape) -> list[str]:
    """Freeze the network, and let the weights that the shape names change.

    Returns: the names of those weights.
    Raises: TrainingError if there are none.
    """
    for parameter in network.parameters():
        parameter.requires_grad = False
    wanted = [n for n, p in network.named_parameters() if re.search(shape.weights, n) and p.ndim >= 1]
    if not wanted:
        raise TrainingError(f"no weight is called like {shape.weights!r}")
    for name in wanted:
        owner, weight = _owner(network, name)
        original = getattr(owner, weight)
        change = LowRank(original, shape.rank, shape.alpha) if shape.rank and original.ndim == 2 else Full(original)
        parametrize.register_parametrization(owner, weight, change)
    return wanted


def changes(network: nn.Module, *, dtype: type[np.generic] = np.float16) -> dict[str, NDArray[np.generic]]:
    """What was learned, as `models.encoders.adapter` keeps it; the scale is taken into `up`."""
    found: dict[str, NDArray[np.generic]] = {}
    for path, parameter in network.named_parameters():
        if (match := _PARAMETRIZED.match(path)) is None:
            continue
        name = ".".join(part for part in (match["module"], match["weight"]) if part)
        tensor = parameter.detach().float().cpu()
        if match["part"] == "up":
            tensor = tensor * _change(network, path).scale
        suffix = {"up": UP, "down": DOWN, "delta": DELTA}[match["part"]]
        found[name + suffix] = tensor.numpy().astype(dtype)
    return found


def restore(network: nn.Module, saved: Mapping[str, NDArray[np.generic]]) -> None:
    """The inverse of `changes`, into a network that has the same weights attached.

    Raises: TrainingError if it has others.
    """
    now = changes(network)
    if set(now) != set(saved):
        raise TrainingError(f"what was saved changes {len(saved)} tensors, this network has {len(now)} others attached")
    for path, parameter in network.named_parameters():
        if (match := _PARAMETRIZED.match(path)) is None:
            continue
        name = ".".join(part for part in (match["module"], match["weight"]) if part)
        suffix = {"up": UP, "down": DOWN, "delta": DELTA}[match["part"]]
        tensor = torch.from_numpy(np.array(saved[name + suffix], np.float32))
        if match["part"] == "up":
            tensor = tensor / _change(network, path).scale
        with torch.no_grad():
            parameter.copy_(tensor)


def attached(network: nn.Module) -> list[str]:
    """The weights that may change, as `attach` named them."""
    found: dict[str, None] = {}
    for path, _ in network.named_parameters():
        if (match := _PARAMETRIZED.match(path)) is not None:
            found[".".join(part for part in (match["module"], match["weight"]) if part)] = None
    return list(found)


def merge(network: nn.Module, names: Sequence[str]) -> None:
    """Add what was learned to the weights, and leave the network as it was built."""
    for name in names:
        owner, weight = _owner(network, name)
        parametrize.remove_parametrizations(owner, weight, leave_parametrized=True)


def trainable(network: nn.Module) -> int:
    """How many numbers may change."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def _owner(network: nn.Module, name: str) -> tuple[nn.Module, str]:
    path, _, weight = name.rpartition(".")
    return network.get_submodule(path), weight


def _change(network: nn.Module, path: str) -> Any:  # noqa: ANN401 - torch is untyped here
    return network.get_submodule(path.rpartition(".")[0])
