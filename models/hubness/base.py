"""What a hubness correction is, and what doing nothing looks like."""

from typing import Protocol, runtime_checkable

from models.arrays import Neighbours, Queries


@runtime_checkable
class HubnessCorrection(Protocol):
    """Neighbours in, fairer neighbours out.

    Attributes:
        method: as in a request: none, centre, is, dis, dual_is, dual_dis, csls, nnn.
    """

    method: str

    def correct(self, queries: Queries, found: Neighbours) -> Neighbours:
        """The same rows re-scored and re-sorted, ties by lower id; the old score stays as part "raw"."""
        ...


class NoCorrection:
    """Leave the neighbours as they were found."""

    method = "none"

    def correct(self, queries: Queries, found: Neighbours) -> Neighbours:
        """The same neighbours."""
        return found
