"""`adapt` and `train`: what a pipeline learns from a file."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from models.artifacts import ArtifactStore
from models.encoders.base import Encoder
from models.errors import MissingExtra
from pipelines import registry
from pipelines.adapting import adapt
from pipelines.demand import artifact_name
from pipelines.errors import SourceError
from pipelines.lines import read_lines
from service.jobs.store import Plan
from service.jobs.task import Outcome, Task
from service.problems import Fault, Invalid
from service.schemas.jobs import AdaptJob, TrainJob

if TYPE_CHECKING:
    from service.jobs.kinds import Asking

_PURPOSES: Final = ("batch", "queries")
_MAX_TEXTS: Final = 1_000_000
"""Texts demand is learned from: more teach nothing new and have to be held (guess)."""
_MAX_TEXT: Final = 1000


class Recipe(Protocol):
    """`train` of a pipeline's `train.py`."""

    def __call__(
        self,
        source: Path,
        *,
        terminology: str,
        store: ArtifactStore,
        encoder_of: Callable[[str], Encoder],
        options: Mapping[str, Any],
        on_progress: Callable[[str, int, int], None],
    ) -> Mapping[str, Any]:
        """Train on the file, publish what came of it as artifacts, and say what; JSON."""
        ...


def prepare_adapt(body: AdaptJob, asking: "Asking") -> Plan:
    """Check pipeline, terminology and file. Raises: PipelineUnknown, TerminologyUnknown, Invalid."""
    hosted = asking.host.pipeline(body.pipeline, terminology=body.terminology)
    asking.require_file(body.input_file_id, purposes=_PURPOSES)
    return Plan({"pipeline": hosted.name, "terminology": hosted.terminology.name}, input_file_id=body.input_file_id)


def adapt_demand(task: Task) -> Outcome:
    """Learn demand; the service switches to it as it does to a build."""
    spec = registry.spec(task.spec["pipeline"])
    terminology = task.spec["terminology"]
    texts, languages, failed = _texts(task)
    adapt(
        spec,
        task.store,
        texts,
        terminology=terminology,
        encoder_of=task.library.get,
        languages=languages,
        on_progress=lambda done, total: task.progress(done, total, unit="texts", ok=done, failed=failed),
    )
    name = artifact_name(spec.name, terminology)
    return Outcome(
        {"ok": len(texts), "failed": failed}, result={"artifact": name, "generation": task.store.current(name)}
    )


def prepare_train(body: TrainJob, asking: "Asking") -> Plan:
    """Check that there is a recipe. Raises: PipelineUnknown, TerminologyUnknown, Invalid."""
    hosted = asking.host.pipeline(body.pipeline, terminology=body.terminology)
    name = registry.spec(hosted.name).name
    if importlib.util.find_spec(f"pipelines.{name}.train") is None:
        fault = Fault("/pipeline", "This pipeline has no training recipe.")
        raise Invalid("The pipeline cannot be trained.", faults=[fault])
    asking.require_file(body.input_file_id, purposes=_PURPOSES)
    return Plan(
        {"pipeline": hosted.name, "terminology": hosted.terminology.name, "options": body.options},
        input_file_id=body.input_file_id,
    )


def train(task: Task) -> Outcome:
    """Run the pipeline's recipe. It is imported here by name, so that serving never loads training."""
    name = registry.spec(task.spec["pipeline"]).name
    try:
        recipe = cast(Recipe, importlib.import_module(f"pipelines.{name}.train").train)
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"training needs {missing.name}; install the 'encoders' and 'training' extras") from missing
    result = recipe(
        task.input,
        terminology=task.spec["terminology"],
        store=task.store,
        encoder_of=task.library.get,
        options=task.spec["options"],
        on_progress=lambda stage, done, total: task.progress(done, total, unit=stage),
    )
    return Outcome({"ok": 1, "failed": 0}, result=dict(result))


def _texts(task: Task) -> tuple[list[str], list[str | None], int]:
    """Texts and languages of the input, and how many lines hold none. Raises: SourceError if none does."""
    texts: list[str] = []
    languages: list[str | None] = []
    failed = 0
    for line in read_lines(task.input):
        value = line.value if isinstance(line.value, dict) else {}
        text = value.get("title", value.get("text"))
        language = value.get("language")
        if not isinstance(text, str) or not text.strip() or len(text) > _MAX_TEXT:
            failed += 1
            continue
        texts.append(text)
        languages.append(language if isinstance(language, str) else None)
        if len(texts) > _MAX_TEXTS:
            raise SourceError(f"the file has more than {_MAX_TEXTS:,} texts; a sample of that size teaches as much")
    if not texts:
        raise SourceError("found no text to learn from; expected lines with a title or a text")
    return texts, languages, failed
