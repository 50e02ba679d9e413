"""What a re-ranker that was trained for a terminology is kept as, and when a build may use it.

reranking/medical/hpo@GEN
    settings.json              the pipeline's own: how evidence was made, what the re-ranker is used on
    ranker.safetensors         its numbers
    calibration.json           as a build's, fitted on candidates re-ranked
    card.json, card.md         what it is from, and how it did
    cross/                     a cross-encoder to serve, where one was trained and won
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from numpy.typing import NDArray

from models.artifacts import Artifact, ArtifactStore
from models.encoders.base import Encoder
from models.rerankers.cross_encoder import CrossEncoder
from pipelines.space import MEANS, Space, space_of
from pipelines.terminology import Terminology

log = logging.getLogger(__name__)

KIND: Final = "reranking"
SETTINGS: Final = "settings.json"
TENSORS: Final = "ranker.safetensors"
CALIBRATION: Final = "calibration.json"
CROSS: Final = "cross"

Fits = Callable[[Mapping[str, Any], Terminology], str | None]
"""Settings and the terminology of a build → what is no longer as it was when they were learned; None: nothing."""


@dataclass(frozen=True)
class Reranking:
    """A trained re-ranker, read.

    Attributes:
        settings: JSON, the pipeline's own.
        tensors: its numbers, by name.
        calibration: of candidates re-ranked, as `pipelines.build.calibrate` gives it.
        space: of the build that it is used on; vectors among the tensors are an encoder's, and lie elsewhere.
        cross: its cross-encoder, loaded; None without.
    """

    settings: Mapping[str, Any]
    tensors: Mapping[str, NDArray[Any]]
    calibration: Mapping[str, Any]
    space: Space
    cross: CrossEncoder | None = None


def artifact_name(pipeline: str, terminology: str) -> str:
    """Where the re-ranker of a pipeline for a terminology rests."""
    return f"reranking/{pipeline}/{terminology}"


def lineage_of(build: Artifact, space: Space) -> dict[str, str]:
    """What of a build must stay as it is, if a re-ranker is to outlive it: who encodes, and what is fitted over that.

    A mean and a map may be fitted anew; whether there are any may not change.
    """
    parents = build.manifest.parents
    encoders = {name: by for name, by in parents.items() if name == "encoder" or name.startswith("rows by ")}
    return encoders | {"fitted": " ".join(space.kinds)}


def open_reranking(
    pipeline: str,
    build: Artifact,
    terminology: Terminology,
    *,
    encoder: Encoder,
    store: ArtifactStore,
    fits: Fits | None = None,
    at: Mapping[str, str] | None = None,
) -> Reranking | None:
    """The re-ranker for a build; None without one, or where what it was learned over is no more (the log says what).

    Args:
        encoder: the build's, as prepared.
        fits: what the pipeline has to say about it.
        at: artifact → the generation to read; what is not in it is taken not to be there. None: as it is now.

    Raises: ArtifactCorrupt.
    """
    name = artifact_name(pipeline, terminology.name)
    if not (store.exists(name) if at is None else name in at):
        return None
    with store.open(name, kind=KIND, generation=None if at is None else at[name]) as artifact:
        space = space_of(build, encoder)
        settings = artifact.read_json(SETTINGS)
        changed = _changed(artifact, build, space) or (fits(settings, terminology) if fits is not None else None)
        if changed:
            log.warning(
                "the re-ranker of %s over %s is not used, since %s changed after it was trained; train again",
                pipeline,
                terminology.name,
                changed,
            )
            return None
        cross = None
        if any(file.startswith(f"{CROSS}/") for file in artifact.manifest.files):
            cross = CrossEncoder(artifact.folder / CROSS)
            cross.load()  # here, while nobody may prune the folder
        return Reranking(settings, artifact.read_tensors(TENSORS), artifact.read_json(CALIBRATION), space, cross)


def _changed(artifact: Artifact, build: Artifact, space: Space) -> str | None:
    """What of the build is not as it was, in words."""
    known = artifact.manifest.parents
    if "space" in known:  # written when vectors were kept as they lay in one build
        fitted = build.manifest.files.get(MEANS)
        same = known["space"] == f"{build.manifest.parents['encoder']}+{fitted.sha256 if fitted else ''}"
        return None if same else "the build"
    now = lineage_of(build, space)
    learned = {part: value for part, value in known.items() if part in now or part.startswith("rows by ")}
    return ", ".join(sorted(part for part in now | learned if now.get(part) != learned.get(part))) or None
