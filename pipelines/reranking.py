"""What a re-ranker that was trained for a terminology is kept as, and when a build may use it.

reranking/medical/hpo@GEN
    settings.json              the pipeline's own: how evidence was made, what the re-ranker is used on
    ranker.safetensors         its numbers
    calibration.json           as a build's, fitted on candidates re-ranked
    card.json, card.md         what it is from, and how it did
    cross/                     a cross-encoder to serve, where one was trained and won
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from numpy.typing import NDArray

from models.artifacts import Artifact, ArtifactStore
from models.rerankers.cross_encoder import CrossEncoder

log = logging.getLogger(__name__)

KIND: Final = "reranking"
SETTINGS: Final = "settings.json"
TENSORS: Final = "ranker.safetensors"
CALIBRATION: Final = "calibration.json"
CROSS: Final = "cross"


@dataclass(frozen=True)
class Reranking:
    """A trained re-ranker, read.

    Attributes:
        settings: JSON, the pipeline's own.
        tensors: its numbers, by name.
        calibration: of candidates re-ranked, as `pipelines.build.calibrate` gives it.
        cross: its cross-encoder, loaded; None without.
    """

    settings: Mapping[str, Any]
    tensors: Mapping[str, NDArray[Any]]
    calibration: Mapping[str, Any]
    cross: CrossEncoder | None = None


def artifact_name(pipeline: str, terminology: str) -> str:
    """Where the re-ranker of a pipeline for a terminology rests."""
    return f"reranking/{pipeline}/{terminology}"


def space_of(artifact: Artifact) -> str:
    """What says where a build's vectors lie: its encoder, and what was fitted over it."""
    fitted = artifact.manifest.files.get("means.safetensors")
    return f"{artifact.manifest.parents['encoder']}+{fitted.sha256 if fitted else ''}"


def open_reranking(
    pipeline: str, build: Artifact, terminology: str, *, store: ArtifactStore, at: Mapping[str, str] | None = None
) -> Reranking | None:
    """The re-ranker for a build; None without one, or where it was trained on vectors that lie elsewhere.

    Args:
        at: artifact → the generation to read; what is not in it is taken not to be there. None: as it is now.

    Raises: ArtifactCorrupt.
    """
    name = artifact_name(pipeline, terminology)
    if not (store.exists(name) if at is None else name in at):
        return None
    with store.open(name, kind=KIND, generation=None if at is None else at[name]) as artifact:
        if artifact.manifest.parents["space"] != space_of(build):
            log.warning(
                "the re-ranker of %s over %s was trained over another build and is not used; train again",
                pipeline,
                terminology,
            )
            return None
        cross = None
        if any(file.startswith(f"{CROSS}/") for file in artifact.manifest.files):
            cross = CrossEncoder(artifact.folder / CROSS)
            cross.load()  # here, while nobody may prune the folder
        return Reranking(
            artifact.read_json(SETTINGS), artifact.read_tensors(TENSORS), artifact.read_json(CALIBRATION), cross
        )
