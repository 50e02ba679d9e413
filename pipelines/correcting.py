"""Hubs corrected: what a build's corrections are, which of them `auto` is, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, RowIds
from models.artifacts import Artifact, ArtifactWriter
from models.errors import ShapeMismatch
from models.hubness import registry
from models.hubness.choose import Choice, choose
from models.hubness.fitted import Fitted
from models.hubness.metrics import k_occurrence, skewness
from models.hubness.normalizers import Bank
from pipelines.errors import CorrectionUnavailable

SERVED: Final = ("centre", "is", "dis", "dual_is", "dual_dis", "csls", "nnn")
"""Methods a request may ask for, simplest first; "none" and "auto" besides."""

NEIGHBOURS: Final = 10
"""k of the k-occurrence that skewness is measured by, as in the papers."""

_SETTINGS: Final = "hubness.json"
_TENSORS: Final = "hubness.safetensors"


@dataclass(frozen=True, slots=True)
class HubnessReport:
    """What a build says of its hubs.

    Attributes:
        method: what "auto" is here.
        reason: why, in a sentence.
        query_bank, gallery_bank: how many vectors are in each; None where there is none.
        skewness_before, skewness_after: of how often rows are among the ten nearest, without a correction and with
            `method`; None where nothing was measured.
        measured_on: what was asked to measure it: "development queries", "query bank", "items".
        comparisons: every method that was tried on development queries.
    """

    method: str = "none"
    reason: str = "none: no query bank was given, so there is nothing to correct by"
    query_bank: int | None = None
    gallery_bank: int | None = None
    skewness_before: float | None = None
    skewness_after: float | None = None
    measured_on: str | None = None
    comparisons: Sequence[Mapping[str, float | str]] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"comparisons": [dict(c) for c in self.comparisons]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "HubnessReport":
        """The inverse of `to_json`; unknown fields are ignored."""
        known = {name: content[name] for name in cls.__dataclass_fields__ if name in content}
        return cls(**known | {"comparisons": tuple(content.get("comparisons", ()))})


def fit_corrections(
    items: NDArray[np.float32],
    bank: Bank | None,
    gallery: Bank | None,
    *,
    encoder: str,
    methods: Sequence[str] = SERVED,
    beta: float | None = None,
) -> dict[str, Fitted]:
    """Every method asked for that the banks allow, simplest first; none without a query bank.

    Args:
        encoder: fingerprint of what encoded items and banks.
        beta: β over the query bank; 1/σ by default.

    Raises: ShapeMismatch for a method that nobody knows.
    """
    if unknown := sorted({*methods} - {*SERVED}):
        raise ShapeMismatch(f"unknown hubness methods {', '.join(unknown)}; known: {', '.join(SERVED)}")
    if bank is None:
        return {}
    if len(methods) == 1 and not {*methods} & registry.NEED_GALLERY:
        return {methods[0]: registry.fit(methods[0], items, bank, encoder=encoder, beta=beta)}
    every = registry.fit_all(items, bank, encoder=encoder, gallery=gallery, beta=beta)
    return {method: fitted for method, fitted in every.items() if method in methods}


def choice_of(
    method: str, right: Mapping[str, NDArray[np.bool_]], *, groups: NDArray[np.int64] | None, offered: Sequence[str]
) -> Choice:
    """What `auto` is: the method an operator set, or what development queries show to help, or none.

    Args:
        method: "auto", "none" or a method.
        right: method → (n,) whether each development query's first answer is right; empty without such queries.
        groups: (n,) what each query asks for.
        offered: the methods that were fitted.

    Raises: CorrectionUnavailable if the method set was not fitted.
    """
    if method not in {"auto", "none", *offered}:
        raise CorrectionUnavailable(
            f"hubness method {method!r} has no bank here: it needs "
            f"{'a query bank and a gallery bank' if method in registry.NEED_GALLERY else 'a query bank'}"
        )
    if method == "auto" and right:
        return choose(right, groups=groups)
    tried = choose(right, groups=groups) if right else None
    if method != "auto":
        reason = f"{method}: set when it was built" + (f"; development queries say: {tried.reason}" if tried else "")
    elif offered:
        reason = "none: there is a query bank, but no development queries that show a correction to help"
    else:
        reason = HubnessReport().reason
    comparisons = tried.comparisons if tried else ()
    return Choice("none" if method == "auto" else method, reason, 0, 0.0, comparisons)


def report_of(
    choice: Choice, *, bank: Bank | None, gallery: Bank | None, before: float, after: float, measured_on: str
) -> HubnessReport:
    """A choice and what was measured, as a build keeps it."""
    return HubnessReport(
        method=choice.method,
        reason=choice.reason,
        query_bank=len(bank) if bank is not None else None,
        gallery_bank=len(gallery) if gallery is not None else None,
        skewness_before=round(before, 4),
        skewness_after=round(after, 4),
        measured_on=measured_on,
        comparisons=[
            {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(c).items()}
            for c in choice.comparisons
        ],
    )


def skewness_of(ids: RowIds, *, size: int) -> float:
    """How unevenly rows are found: skewness of their k-occurrence in found ids (n, k)."""
    return skewness(k_occurrence(ids, size=size))


def without_self(ids: RowIds, own: RowIds) -> RowIds:
    """Found ids (n, k + 1) less each query's own row (n,), or the last where it is not there: (n, k)."""
    is_own = ids == own[:, None]
    is_own[~is_own.any(axis=1), -1] = True
    kept = ids[~is_own].reshape(len(ids), ids.shape[1] - 1) if ids.shape[1] else ids
    return np.ascontiguousarray(kept, dtype=np.int64) if kept.size else np.full((len(ids), 0), EMPTY, np.int64)


def keep_corrections(corrections: Mapping[str, Fitted], writer: ArtifactWriter) -> None:
    """Write fitted corrections into a generation; nothing where there are none."""
    if corrections:
        settings, tensors = registry.pack(list(corrections.values()))
        writer.add_json(_SETTINGS, settings)
        writer.add_tensors(_TENSORS, tensors)


def open_corrections(artifact: Artifact, *, encoder: str, size: int) -> dict[str, Fitted]:
    """What `keep_corrections` wrote, by method. Raises: BankMismatch if it belongs to another encoder or index."""
    if _SETTINGS not in artifact.manifest.files:
        return {}
    fitted = registry.unpack(artifact.read_json(_SETTINGS), artifact.read_tensors(_TENSORS))
    for one in fitted:
        one.fitted_for.check(encoder=encoder, size=size)
    return {one.method: one for one in fitted}
