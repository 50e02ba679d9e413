"""`run`: a pipeline over a file, one JSON line in, one JSON line out; of datasheets a PDF in."""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import orjson

from pipelines import registry
from pipelines.build import Build, open_build, snapshot
from pipelines.feedback import Feedback
from pipelines.lines import Tally, joined, run_lines
from service.datasheets import assistant_of, limits_of
from service.feedback_store import read_feedback
from service.files import refused_by_disk, write_atomically
from service.jobs import sheets
from service.jobs.store import Plan
from service.jobs.task import Outcome, Task
from service.jobs.wire_lines import LINE_FORMATS, WireLines, checked_options
from service.problems import Fault, Invalid
from service.schemas.files import OUTPUT
from service.schemas.jobs import RunJob

if TYPE_CHECKING:
    from service.jobs.kinds import Asking

_PURPOSES: Final = ("batch", "queries")


def prepare(body: RunJob, asking: "Asking") -> Plan:
    """Check the pipeline, its options and the file, and hold the generation that answers now.

    Raises: PipelineUnknown, TerminologyUnknown, Invalid.
    """
    options = dict(body.options)
    terminology = options.get("terminology")
    hosted = asking.host.pipeline(body.pipeline, terminology=terminology if isinstance(terminology, str) else None)
    checked = _checked(hosted.name, options)
    if checked.get("hubness", "auto") not in hosted.pipeline.hubness_methods:
        fault = Fault("/options/hubness", "This build has no bank for that method; 'auto' and 'none' always work.")
        raise Invalid("The options cannot be used; `errors` says why.", faults=[fault])
    purposes = (*_PURPOSES, "documents") if hosted.name == sheets.SLUG else _PURPOSES
    asking.require_file(body.input_file_id, purposes=purposes)
    name = hosted.terminology.name
    spec = registry.spec(hosted.name)
    at = snapshot(spec, name, store=asking.host.store) | {hosted.build.artifact.manifest.name: hosted.generation}
    return Plan(
        {"pipeline": hosted.name, "terminology": name, "options": checked, "at": at},
        input_file_id=body.input_file_id,
        pins=at,
    )


def work(task: Task) -> Outcome:
    """Answer every line; going on where an earlier attempt was killed, it ends with the same bytes."""
    spec = registry.spec(task.spec["pipeline"])
    terminology, at = task.spec["terminology"], task.spec["at"]
    built = open_build(spec, terminology, store=task.store, encoder_of=task.library.get, at=at)
    built.memory.remember(_said(task, spec.slug, terminology))
    with built.artifact, refused_by_disk():
        tally = _run(task, spec.slug, built)
    return Outcome(_counts(tally), output_file_id=_publish(task), result=about(built))


def about(built: Build) -> dict[str, Any]:
    """What answered, as every answer over HTTP says it."""
    return {
        "terminology": {"name": built.terminology.name, "version": built.terminology.version},
        "encoder": built.encoder.name,
        "generation": built.artifact.generation,
    }


def _checked(pipeline: str, options: dict[str, Any]) -> dict[str, Any]:
    if pipeline == sheets.SLUG:
        return sheets.checked_sheet_options(options)
    format = LINE_FORMATS.get(pipeline)
    if format is None:
        fault = Fault("/pipeline", "This pipeline does not read lines.")
        raise Invalid("The pipeline cannot be run over a file.", faults=[fault])
    return checked_options(format, options)


def _run(task: Task, slug: str, built: Build) -> Tally:
    parts, options = task.folder / "parts", task.spec["options"]
    if slug != sheets.SLUG:
        answer = WireLines(built.pipeline, LINE_FORMATS[slug], options=options, check=task.check)
        return run_lines(answer, task.input, parts, on_progress=_telling(task, "lines"))
    bring, lines = sheets.sheets_in(task.input, files=task.files, root=task.folder, folder=task.folder)
    reading = sheets.SheetLines(
        built.pipeline,
        bring,
        known=built.terminology.by_id,
        options=options,
        limits=limits_of(task.settings),
        assistant=partial(assistant_of, task.settings),
        check=task.check,
    )
    return run_lines(reading, lines, parts, chunk_lines=sheets.CHUNK, on_progress=_telling(task, "files"))


def _telling(task: Task, unit: str) -> Any:  # noqa: ANN401 - run_lines' on_progress
    def tell(tally: Tally, total: int) -> None:
        task.progress(tally.lines, total, unit=unit, ok=tally.ok, failed=tally.failed, now=True)

    return tell


def _counts(tally: Tally) -> dict[str, int]:
    return {"ok": tally.ok, "failed": tally.failed}


def _publish(task: Task) -> str:
    """All parts as one file; its id follows from the job's, so that an attempt that died here leaves no second one."""
    file_id = task.id.replace("job-", "file-", 1)
    with task.files.incoming(file_id=file_id) as incoming:
        for piece in joined(task.folder / "parts"):
            task.check()
            incoming.write(piece)
        return incoming.finish(filename=f"{task.id}.jsonl", purpose=OUTPUT).id


def _said(task: Task, pipeline: str, terminology: str) -> list[Feedback]:
    """What users had said when the first attempt began: what they say later changes no line."""
    path = task.folder / "once-feedback.jsonl"
    if not path.exists():
        said = read_feedback(task.settings.data, pipeline, terminology)
        write_atomically(path, [orjson.dumps(item) + b"\n" for item in said])
    return [Feedback(**orjson.loads(line)) for line in path.read_bytes().splitlines()]
