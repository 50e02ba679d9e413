import numpy as np
import pytest

from models.arrays import unit
from models.hubness import registry
from models.hubness.normalizers import Bank

ENCODER = "f" * 64


def hubby(n, *, seed, d=12, side=0.0):
    """Unit vectors in a cone, as encoders make them: some lie near its axis, and are hubs."""
    rng = np.random.default_rng(seed)
    axis = np.zeros(d, np.float32)
    axis[0], axis[1] = 1.2, side
    return unit(rng.standard_normal((n, d)).astype(np.float32) * rng.uniform(0.2, 1, (n, 1)).astype(np.float32) + axis)


class World:
    """Items, queries and banks of one made-up collection."""

    def __init__(self):
        self.items = hubby(150, seed=1)
        self.queries = hubby(40, seed=2, side=0.5)
        self.bank = Bank(hubby(90, seed=3, side=0.5))
        self.gallery = Bank(hubby(60, seed=4))

    def fit(self, method, *, beta=12.0, items=None):
        items = self.items if items is None else items
        gallery = self.gallery if method in {"dual_is", "dual_dis", "sinkhorn"} else None
        return registry.fit(method, items, self.bank, gallery=gallery, encoder=ENCODER, beta=beta)


@pytest.fixture(scope="session")
def world():
    return World()
