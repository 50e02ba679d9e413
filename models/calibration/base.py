"""What a calibrator is."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Calibrator(Protocol):
    """Features of scores in, probabilities out."""

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, f) features in, (n,) probabilities in [0, 1] out."""
        ...
