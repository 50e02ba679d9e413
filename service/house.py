"""Is this house whole: are the three floors the ones that stand beside each other on disk?"""

from pathlib import Path

import models
import pipelines
import service


class HouseBroken(RuntimeError):
    """A foreign package answers to the name of a floor."""


def check_house() -> None:
    """Stop when `service`, `pipelines` and `models` are not siblings on disk. Raises: HouseBroken, naming the intruder.

    Flat top-level names can be shadowed by another distribution's `models/` (ADR 0001).
    """
    home = Path(service.__path__[0]).resolve().parent
    for floor in (pipelines, models):
        found = Path(floor.__path__[0]).resolve()
        if found.parent != home:
            raise HouseBroken(f"{floor.__name__!r} comes from {found}, not from {home}: remove what put it there")
