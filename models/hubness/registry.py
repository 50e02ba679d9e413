"""Methods by name: fit one, or open one that was fitted."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from numpy.typing import NDArray

from models.arrays import Vectors
from models.errors import ArtifactInvalid, ShapeMismatch
from models.hubness.centre import MeanCentring
from models.hubness.csls import LocalScaling
from models.hubness.dual_bank import DualDynamicInvertedSoftmax, DualInvertedSoftmax
from models.hubness.fitted import Fitted
from models.hubness.inverted_softmax import DynamicInvertedSoftmax, InvertedSoftmax
from models.hubness.nnn import NearestNeighbourNormalization
from models.hubness.normalizers import Bank
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
