"""How hub-ridden search results are: k-occurrence and what is read from it.

N_k(g) is how often item g is among the k nearest of the queries asked. The few items with high N_k are hubs, the many
with none are anti-hubs. Source: Radovanović et al. 2010, *Hubs in Space*, JMLR 11; Feldbauer et al. 2018, *Fast
Approximate Hubness Reduction for Large High-Dimensional Data*, for Robin Hood index, anti-hub and hub occurrence.
Defined as in scikit-hubness and kiez.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.arrays import EMPTY, RowIds

HUB_SIZE: Final = 2.0
"""An item is a hub if N_k ≥ HUB_SIZE · k, as in scikit-hubness and kiez."""


@dataclass(frozen=True, slots=True)
class Hubness:
    """Figures over one set of queries.

    Attributes:
        k: how many neighbours of each query were looked at.
        skewness: of N_k; 0 is even, from about 1.4 one speaks of hubs.
        robin_hood: the share of all occurrences that would have to move for all items to be found equally often.
        antihub_rate: the share of items that are never found.
        hub_occurrence: the share of all occurrences that are of hubs.
        highest: N_k of the worst hub.
    """

    k: int
    skewness: float
    robin_hood: float
    antihub_rate: float
    hub_occurrence: float
    highest: int


def k_occurrence(ids: RowIds, *, size: int) -> NDArray[np.int64]:
    """N_k of every item, (size,), from found ids (n, k); empty slots do not count."""
    return np.bincount(ids[ids != EMPTY].ravel(), minlength=size).astype(np.int64)


def skewness(occurrence: NDArray[np.int64]) -> float:
    """Third standardized moment of N_k over all items (population, not sample); 0 where all are alike.

    Source: Radovanović et al. 2010, eq. 1.
    """
    apart = occurrence - occurrence.mean()
    spread = float((apart**2).mean())
    return float((apart**3).mean() / spread**1.5) if spread > 0 else 0.0


def robin_hood(occurrence: NDArray[np.int64]) -> float:
    """½ Σ |N_k − mean| / Σ N_k, in [0, 1). Source: Feldbauer et al. 2018 (Hoover 1936)."""
    total = float(occurrence.sum())
    return float(np.abs(occurrence - occurrence.mean()).sum()) / (2 * total) if total else 0.0


def antihub_rate(occurrence: NDArray[np.int64]) -> float:
    """The share of items with N_k = 0. Source: Radovanović et al. 2014."""
    return float((occurrence == 0).mean())


def hub_occurrence(occurrence: NDArray[np.int64], *, k: int, hub_size: float = HUB_SIZE) -> float:
    """The share of Σ N_k that is of items with N_k ≥ hub_size · k. Source: Feldbauer et al. 2018."""
    total = float(occurrence.sum())
    return float(occurrence[occurrence >= hub_size * k].sum()) / total if total else 0.0


def measure(ids: RowIds, *, size: int) -> Hubness:
    """All figures from found ids (n, k) in an index of `size` rows."""
    k = ids.shape[1]
    occurrence = k_occurrence(ids, size=size)
    return Hubness(
        k=k,
        skewness=skewness(occurrence),
        robin_hood=robin_hood(occurrence),
        antihub_rate=antihub_rate(occurrence),
        hub_occurrence=hub_occurrence(occurrence, k=k),
        highest=int(occurrence.max()),
    )
