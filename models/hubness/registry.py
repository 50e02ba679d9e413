"""Methods by name: fit one or all of them, keep them and open them again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.arrays import Vectors
from models.errors import ArtifactInvalid, ShapeMismatch
from models.hubness import csls, nnn
from models.hubness.centre import MeanCentring
from models.hubness.csls import LocalScaling
from models.hubness.dual_bank import DualDynamicInvertedSoftmax, DualInvertedSoftmax
from models.hubness.fitted import Fitted, FittedFor, Tensors
from models.hubness.inverted_softmax import DynamicInvertedSoftmax, InvertedSoftmax
from models.hubness.nnn import NearestNeighbourNormalization
from models.hubness.normalizers import Activations, Bank, LogPartition, Nearest, Partition, inverse_temperature, scan
from models.hubness.sinkhorn import SinkhornNormalization


class _Reader(Protocol):
    def from_tensors(self, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Fitted: ...


_READERS: Final[Mapping[str, _Reader]] = {
    reader.method: reader
    for reader in (
        MeanCentring,
        InvertedSoftmax,
        DynamicInvertedSoftmax,
        DualInvertedSoftmax,
        DualDynamicInvertedSoftmax,
        LocalScaling,
        NearestNeighbourNormalization,
        SinkhornNormalization,
    )
}

METHODS: Final = tuple(_READERS)
"""What can be fitted, simplest first; "none" is `NoCorrection`."""

NEED_GALLERY: Final = frozenset({"dual_is", "dual_dis"})
"""What cannot be fitted without a gallery bank."""

NEED_BETA: Final = frozenset({"is", "dis", "dual_is", "dual_dis", "sinkhorn"})
"""What has an inverse temperature."""


def fit(
    method: str, items: Vectors, bank: Bank, *, encoder: str, gallery: Bank | None = None, beta: float | None = None
) -> Fitted:
    """Fit a method, by its defaults but for β, on the index rows (N, d) and a bank.

    Raises: ShapeMismatch for an unknown method, or a dual one without a gallery bank.
    """
    if method in NEED_GALLERY and gallery is None:
        raise ShapeMismatch(f"hubness method {method!r} needs a gallery bank beside the query bank")
    match method, gallery:
        case "centre", _:
            return MeanCentring.fit(items, bank, encoder=encoder)
        case "is", _:
            return InvertedSoftmax.fit(items, bank, encoder=encoder, beta=beta)
        case "dis", _:
            return DynamicInvertedSoftmax.fit(items, bank, encoder=encoder, beta=beta)
        case "dual_is", Bank():
            return DualInvertedSoftmax.fit(items, bank, gallery, encoder=encoder, beta=beta)
        case "dual_dis", Bank():
            return DualDynamicInvertedSoftmax.fit(items, bank, gallery, encoder=encoder, beta=beta)
        case "csls", _:
            return LocalScaling.fit(items, bank, encoder=encoder)
        case "nnn", _:
            return NearestNeighbourNormalization.fit(items, bank, encoder=encoder)
        case "sinkhorn", _:
            return SinkhornNormalization.fit(items, bank, gallery, encoder=encoder, beta=beta)
    raise ShapeMismatch(f"unknown hubness method {method!r}; known: {', '.join(METHODS)}")


def fit_all(
    items: Vectors, bank: Bank, *, encoder: str, gallery: Bank | None = None, beta: float | None = None
) -> dict[str, Fitted]:
    """Every method but sinkhorn, as `fit` fits them, for the cost of one look at each bank.

    Simplest first, as `choose` wants them; without a gallery bank without the dual ones.
    """
    whom = FittedFor.of(items, encoder)
    asked = _look(items, bank, beta)
    fitted: list[Fitted] = [
        MeanCentring.fit(items, bank, encoder=encoder),
        InvertedSoftmax(whom, asked.partition),
        DynamicInvertedSoftmax(whom, asked.partition, asked.active),
    ]
    if gallery is not None:
        beside = _look(items, gallery, None)
        both = np.stack([asked.active, beside.active], axis=1)
        fitted += [
            DualInvertedSoftmax(whom, asked.partition, beside.partition),
            DualDynamicInvertedSoftmax(whom, asked.partition, beside.partition, both),
        ]
    near, few, more = asked.nearest, min(csls.K, len(bank)), min(nnn.K, len(bank))
    fitted += [
        LocalScaling(whom, near.mean(few), few, len(bank)),
        NearestNeighbourNormalization(whom, near.mean(more), nnn.ALPHA, more, len(bank)),
    ]
    return {one.method: one for one in fitted}


@dataclass(frozen=True, slots=True)
class _Look:
    partition: Partition
    active: NDArray[np.bool_]
    nearest: Nearest


def _look(items: Vectors, bank: Bank, beta: float | None) -> _Look:
    """All that the methods want to know of a bank."""
    beta = inverse_temperature(beta, items, bank)
    sums, best = LogPartition(len(items), beta=beta), Activations(len(items), len(bank))
    near = Nearest(len(items), k=min(max(csls.K, nnn.K), len(bank)))
    scan(items, bank, [sums, best, near])
    return _Look(Partition(sums.log, beta, len(bank)), best.active(), near)


def pack(corrections: Sequence[Fitted]) -> tuple[list[dict[str, Any]], Tensors]:
    """Settings, and tensors under "METHOD.NAME", for one JSON and one safetensors file."""
    tensors = {f"{c.method}.{name}": tensor for c in corrections for name, tensor in c.to_tensors().items()}
    return [c.settings for c in corrections], tensors


def unpack(settings: Sequence[Mapping[str, Any]], tensors: Mapping[str, NDArray[Any]]) -> list[Fitted]:
    """The inverse of `pack`, in the same order. Raises: ArtifactInvalid, as `open_fitted`."""
    found = []
    for about in settings:
        prefix = f"{about.get('method')}."
        own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        found.append(open_fitted(about, own))
    return found


def open_fitted(settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Fitted:
    """The correction that `settings` and `to_tensors` of a fitted one describe.

    Raises: ArtifactInvalid for an unknown method, or settings and tensors that do not belong together.
    """
    try:
        fitted = _READERS[settings["method"]].from_tensors(settings, tensors)
    except KeyError as error:
        raise ArtifactInvalid(f"hubness bank of an unknown method, or without {error}") from error
    for name, tensor in tensors.items():
        if not name.endswith("_mean") and len(tensor) != fitted.fitted_for.size:
            raise ArtifactInvalid(f"hubness tensor {name} has {len(tensor)} rows, not {fitted.fitted_for.size}")
    return fitted
