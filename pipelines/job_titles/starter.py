"""The starter taxonomy: ISCO-08's unit groups with everyday titles in four languages, written for this project."""

from importlib import resources
from pathlib import Path

from pipelines.sources import read_terminology
from pipelines.terminology import Terminology

NAME = "isco08"


def starter() -> Terminology:
    """ISCO-08: 436 unit groups to answer with, 183 broader groups to back off to; en, de, fr, es."""
    with resources.as_file(resources.files("pipelines.job_titles").joinpath("starter.csv")) as path:
        return read_terminology(Path(path), format="csv", name=NAME, version="2026.11")
