"""Lines of a `run` job: read as the items of a pipeline's HTTP request are, answered as its results are."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import ValidationError

from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import open_build
from pipelines.errors import InputInvalid
from pipelines.feedback import Feedback
from pipelines.flow import Pipeline
from pipelines.lines import Answered, Line
from pipelines.results import Request, Result
from service.problems import INTERNAL, Fault, Invalid, pointer_of
from service.schemas import PipelineOptions
from service.schemas.job_titles import JobTitlesRequest, job_title_to_wire
from service.schemas.medical import MedicalLines, medical_to_wire

log = logging.getLogger(__name__)

AT_ONCE: Final = 128
"""Lines between two looks at whether the job is still wanted."""
_ID: Final = "id"
_MAX_ID: Final = 200


@dataclass(frozen=True, slots=True)
class LineFormat:
    """How a pipeline's lines are read and written.

    Attributes:
        request: its HTTP request; a line is one of its `items`.
        to_wire: one result as HTTP answers it.
    """

    request: type[PipelineOptions]
    to_wire: Callable[[Result], dict[str, Any]]


LINE_FORMATS: Final[Mapping[str, LineFormat]] = {
    "job-titles": LineFormat(JobTitlesRequest, job_title_to_wire),
    "medical": LineFormat(MedicalLines, medical_to_wire),
}
"""Pipeline → its lines. A pipeline that has an HTTP route has an entry here."""


def checked_options(format: LineFormat, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a run, as a request of the pipeline would take them. Raises: Invalid."""
    faults = []
    if "items" in options:
        faults.append(Fault("/options/items", "The lines of the file are the items."))
    try:
        format.request.model_validate({**options, "items": []})
    except ValidationError as error:
        faults += [
            Fault(pointer_of(("body", "options", *fault["loc"])), str(fault["msg"]))
            for fault in error.errors(include_url=False, include_input=False, include_context=False)
            if fault["loc"][:1] != ("items",)
        ]
    if faults:
        raise Invalid("The options cannot be used; `errors` says why.", faults=faults)
    return dict(options)


class WireLines:
    """Answers lines with a pipeline. Lines of one call that ask the same are computed once.

    A line may carry an `id`, a text or a whole number, which comes back with its answer.

    Args:
        options: of every line, as in a request.
        check: called between batches; raises to stop.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        format: LineFormat,
        *,
        options: Mapping[str, Any],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._pipeline = pipeline
        self._format = format
        self._options = dict(options)
        self._hubness = str(options.get("hubness", "auto"))
        self._check = check

    def __call__(self, lines: Sequence[Line]) -> list[Answered]:
        """One answer each, in order.

        Short ones are computed with short ones, so that little is padded. Nothing is remembered from call to call: an
        answer's last digits depend on what it is computed with, and that must not depend on when a job was killed.
        """
        asked: dict[bytes, Request] = {}
        read = [self._read(line, asked) for line in lines]
        outcomes: dict[bytes, bytes | dict[str, Any]] = {}
        by_length = sorted(asked, key=lambda key: len(asked[key].text))
        for start in range(0, len(by_length), AT_ONCE):
            self._check()
            keys = by_length[start : start + AT_ONCE]
            outcomes |= zip(keys, self._run([asked[key] for key in keys]), strict=True)
        return [
            self._written(line, outcomes[key] if isinstance(key, bytes) else key)
            for line, key in zip(lines, read, strict=True)
        ]

    def _read(self, line: Line, asked: dict[bytes, Request]) -> bytes | dict[str, Any]:
        """What the line asks, by its content; or the problem with it."""
        if line.fault is not None:
            return line_problem(f"The line cannot be read: {line.fault}.", [])
        value, faults = without_id(line.value)
        if faults:
            return line_problem("The line is not what the pipeline takes.", faults)
        key = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        if key not in asked:
            try:
                body = self._format.request.model_validate({**self._options, "items": [value]})
            except ValidationError as error:
                return line_problem("The line is not what the pipeline takes.", faults_of(error))
            asked[key] = body.requests()[0]
        return key

    def _run(self, requests: Sequence[Request]) -> list[bytes | dict[str, Any]]:
        """Each request's answer as JSON, or the problem with it; what one is refused for spoils no other."""
        if not requests:
            return []
        try:
            results = self._pipeline.run(list(requests), hubness=self._hubness)
        except InputInvalid as error:
            if len(requests) == 1:
                pointer = "/" + error.pointer.removeprefix("/items/0").lstrip("/") if error.pointer else ""
                return [line_problem("The line is not what the pipeline takes.", [Fault(pointer, str(error))])]
        except Exception as error:  # noqa: BLE001 - said in its line, and in the log
            if len(requests) == 1:
                # Its message may quote the text.
                log.error("a line cannot be answered: %s", type(error).__name__)  # noqa: TRY400
                return [{"type": f"urn:cognomen:problem:{INTERNAL.slug}", "title": INTERNAL.title, "status": 500}]
        else:
            return [orjson.dumps(self._format.to_wire(result)) for result in results]
        half = len(requests) // 2
        return [*self._run(requests[:half]), *self._run(requests[half:])]

    def _written(self, line: Line, outcome: bytes | dict[str, Any]) -> Answered:
        known = {_ID: line.value[_ID]} if isinstance(line.value, dict) and is_id(line.value.get(_ID)) else {}
        if isinstance(outcome, dict):
            return Answered(orjson.dumps({**known, "line": line.number, "error": outcome}), ok=False)
        if known:
            return Answered(orjson.dumps(known)[:-1] + b"," + outcome[1:])
        return Answered(outcome)


@dataclass(frozen=True, slots=True)
class OpensLines:
    """Opens a build to answer lines with; can be sent to another process, and to another machine.

    Attributes:
        pipeline: its slug.
        at: artifact → generation that answers.
        artifacts: the store's folder, under the same path everywhere.
        said: what users had said when the work began.
    """

    pipeline: str
    terminology: str
    at: Mapping[str, str]
    artifacts: Path
    options: Mapping[str, Any]
    said: Sequence[Feedback]
    device: str = "auto"
    threads: int = 1
    engine: str = "auto"

    def __call__(self) -> WireLines:
        """A build of this process's own, opened."""
        spec, store = registry.spec(self.pipeline), ArtifactStore(self.artifacts)
        library = EncoderLibrary(store, device=self.device, threads=self.threads, engine=self.engine)
        built = open_build(spec, self.terminology, store=store, encoder_of=library.get, at=self.at)
        built.memory.remember(self.said)
        return WireLines(built.pipeline, LINE_FORMATS[spec.slug], options=self.options)


def without_id(value: Any) -> tuple[Any, list[Fault]]:  # noqa: ANN401 - any JSON value
    """A line without its `id`, and what is wrong with that."""
    if not isinstance(value, dict) or _ID not in value:
        return value, []
    if not is_id(value[_ID]):
        return value, [Fault(f"/{_ID}", f"Should be a text of at most {_MAX_ID} characters or a whole number")]
    return {key: inner for key, inner in value.items() if key != _ID}, []


def is_id(value: object) -> bool:
    """Whether it can be a line's `id`: it comes back with the answer."""
    return (isinstance(value, str) and len(value) <= _MAX_ID) or (
        isinstance(value, int) and not isinstance(value, bool)
    )


def faults_of(error: ValidationError, *, within: int = 2) -> list[Fault]:
    """What is wrong with a line, which stands so deep `within` a request: "/items/0/title" is its "/title"."""
    raw = error.errors(include_url=False, include_input=False, include_context=False)[:10]
    return [Fault(pointer_of(("body", *fault["loc"][within:])), str(fault["msg"])) for fault in raw]


def line_problem(detail: str, faults: Sequence[Fault]) -> dict[str, Any]:
    """A problem with a line, as it stands in its place."""
    problem: dict[str, Any] = {
        "type": f"urn:cognomen:problem:{Invalid.slug}",
        "title": Invalid.title,
        "status": Invalid.status,
        "detail": detail,
    }
    if faults:
        problem["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults]
    return problem
