"""The starter terminology: the commonest findings under everyday names in five languages, written for this project."""

from importlib import resources
from pathlib import Path

from pipelines.sources import read_terminology
from pipelines.terminology import Terminology

NAME = "findings"


def starter() -> Terminology:
    """246 findings with English, German, French, Spanish and Dutch names, under the ids of HPO."""
    with resources.as_file(resources.files("pipelines.medical").joinpath("starter.csv")) as path:
        return read_terminology(Path(path), format="csv", name=NAME, version="2026.11", title="Common findings")
