"""What a pipeline says of itself, so that build, host and command line can treat all alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.encoders.base import Encoder
from pipelines.config import PipelineConfig
from pipelines.reranking import Fits
from pipelines.terminology import Terminology

if TYPE_CHECKING:
    from pipelines.flow import Parts, Pipeline


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """Texts with known answers, to calibrate confidence on when nobody brought labelled ones.

    Attributes:
        texts: n texts as a user might send them.
        languages: n tags or None.
        concepts: n concept ids, None for a text that names nothing.
        held_out: n index rows that the text was made from and that must not find it, -1 for none.
    """

    texts: Sequence[str]
    languages: Sequence[str | None]
    concepts: Sequence[str | None]
    held_out: Sequence[int]

    def __len__(self) -> int:
        """The number of texts."""
        return len(self.texts)


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """What the registry reads of a pipeline: `PIPELINE` in its `__init__.py`.

    Attributes:
        name: the folder's name, "job_titles".
        verb: what it does, as the last part of its path: "normalize".
        description: one sentence for `/v1/pipelines`.
        config: its options.
        pipeline: config, parts read from a build, encoder → the flow with its parts in place.
        row_text: how a term's text is prepared before it is indexed.
        calibration: terminology, size, seed → texts with known answers made from its own terms.
        searched: terminology → the same with what its concepts are called besides, before it is built; or None.
        starter: a terminology to begin with, or None.
        starter_name: that terminology's name; it answers by default until an operator says otherwise.
        packaged: further terminologies that installed packages bring; set up beside the starter.
        reranks: whether a re-ranker's settings still fit this code and a terminology, or why not; or None.
        adapters: a folder of adapters that ship with it, one a sub-folder, called as its encoders are.
    """

    name: str
    verb: str
    description: str
    config: type[PipelineConfig]
    pipeline: "Callable[[PipelineConfig, Parts, Encoder], Pipeline]"
    row_text: Callable[[str], str]
    calibration: Callable[[Terminology, int, int], CalibrationSet]
    searched: Callable[[Terminology], Terminology] | None = None
    starter: Callable[[], Terminology] | None = None
    starter_name: str | None = None
    packaged: Callable[[], Sequence[Terminology]] | None = None
    reranks: Fits | None = None
    adapters: Path | None = None

    @property
    def slug(self) -> str:
        """The name as it stands in a URL: "job-titles"."""
        return self.name.replace("_", "-")
