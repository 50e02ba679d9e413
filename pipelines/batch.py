"""Run a pipeline over a file of any length: the same rows in the same order, with columns added."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from pipelines.errors import SourceError
from pipelines.flow import Pipeline
from pipelines.results import Decision, LinkedMention, Options, Request, Result
from pipelines.tables import Row, columns_of, count_rows, open_writer, read_rows, schema_of
from pipelines.terminology import Terminology

MAX_TEXT: Final = 1000
"""Characters of a text, as over HTTP."""

_SEPARATORS: Final = (";", "|", "\n")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a file say what.

    Attributes:
        text: what is to be named.
        language, skills, description: None where no column says it. Skills: a list, or text split at ; | or newlines.
    """

    text: str
    language: str | None = None
    skills: str | None = None
    description: str | None = None

    def named(self) -> list[str]:
        """Every column that the file has to have."""
        return [c for c in (self.text, self.language, self.skills, self.description) if c is not None]


@dataclass(slots=True)
class Counts:
    """What became of a file's rows. `ok` were answered, `nil` of them with NIL; `failed` carry an error in place."""

    ok: int = 0
    nil: int = 0
    failed: int = 0


def normalize_file(
    pipeline: Pipeline,
    source: Path,
    target: Path,
    *,
    terminology: Terminology,
    columns: Columns,
    language: str | None = None,
    options: Options | None = None,
    batch_size: int = 512,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Counts:
    """Name every row of a file and write the answer beside it.

    Added columns: concept_id, name, confidence, cleaned_title, seniority, one `code_SYSTEM` for each code system of the
    terminology, candidates (JSON; only if `top_k` > 1), error; each as "cognomen_…" where the file has a column of that
    name already. A NIL row has an empty concept_id and the confidence of the best candidate refused. Rows of one batch
    that ask the same are computed once.

    Args:
        source: CSV, TSV, JSONL or Parquet.
        target: any of these; it appears when it is whole.
        language: BCP 47, where no column says it.
        on_progress: told the rows done and about how many there are.

    Raises: SourceError if the file lacks a column or is no table.
    """
    options = options or Options(top_k=1)
    present = columns_of(source)
    if missing := [c for c in columns.named() if c not in present]:
        raise SourceError(f"{source.name} has no column {', '.join(missing)}; it has: {', '.join(present) or 'none'}")
    systems = sorted({system for concept in terminology.concepts for system in concept.codes})
    added = _added(systems, candidates=options.top_k > 1)
    called = {name: f"cognomen_{name}" if name in present else name for name in added}
    kinds = {called[name]: kind for name, kind in added.items()}
    total, done, counts = count_rows(source), 0, Counts()
    with open_writer(target, columns=present, added=kinds, schema=schema_of(source)) as writer:
        for rows in _batches(read_rows(source), batch_size):
            for row, outcome in zip(rows, _answers(pipeline, rows, columns, language, options), strict=True):
                if isinstance(outcome, str):
                    counts.failed += 1
                    writer.write(row, {called["error"]: {"title": "Row cannot be answered", "detail": outcome}})
                    continue
                counts.ok += 1
                counts.nil += outcome.decision.nil
                fields = _fields(outcome, systems, terminology, candidates=options.top_k > 1)
                writer.write(row, {called[name]: value for name, value in fields.items()})
            done += len(rows)
            on_progress(done, max(total, done))
    on_progress(done, done)
    return counts


def _batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while batch := list(islice(rows, size)):
        yield batch


def _answers(
    pipeline: Pipeline, rows: Sequence[Row], columns: Columns, language: str | None, options: Options
) -> list[LinkedMention | str]:
    """Per row its answer, or what is wrong with the row."""
    asked: list[Request | str] = [_request(row, columns, language, options) for row in rows]
    distinct: dict[Request, int] = {}
    for request in asked:
        if isinstance(request, Request):
            distinct.setdefault(request, len(distinct))
    results: list[Result] = pipeline.run(list(distinct))
    return [r if isinstance(r, str) else results[distinct[r]].mentions[0] for r in asked]


def _request(row: Row, columns: Columns, language: str | None, options: Options) -> Request | str:
    if row.fault is not None:
        return row.fault
    text = row.values.get(columns.text)
    if not isinstance(text, str) or not text.strip():
        return f"column {columns.text}: expected a text, found {'nothing' if text in (None, '') else 'another kind'}"
    if len(text) > MAX_TEXT:
        return f"column {columns.text}: {len(text)} characters, at most {MAX_TEXT} are read"
    said = row.values.get(columns.language) if columns.language else None
    description = row.values.get(columns.description) if columns.description else None
    return Request(
        text,
        language=said if isinstance(said, str) and said.strip() else language,
        skills=_skills(row.values.get(columns.skills)) if columns.skills else (),
        description=description if isinstance(description, str) else None,
        # A row's text is named as a whole, also by a pipeline that would look for mentions in it.
        mentions=((0, len(text)),),
        options=options,
    )


def _skills(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - a cell is what it is
    if isinstance(value, list | tuple):
        return tuple(str(skill) for skill in value if skill is not None)
    if not isinstance(value, str):
        return ()
    for separator in _SEPARATORS:
        value = value.replace(separator, "\x00")
    return tuple(skill.strip() for skill in value.split("\x00") if skill.strip())


def _added(systems: Sequence[str], *, candidates: bool) -> dict[str, pa.DataType]:
    text = pa.string()
    fields = {"concept_id": text, "name": text, "confidence": pa.float64(), "cleaned_title": text, "seniority": text}
    fields |= {f"code_{system}": text for system in systems}
    return fields | ({"candidates": text} if candidates else {}) | {"error": text}


def _fields(
    linked: LinkedMention, systems: Sequence[str], terminology: Terminology, *, candidates: bool
) -> dict[str, Any]:
    decision = linked.decision
    codes = terminology.concept(decision.concept_id).codes if decision.concept_id is not None else {}
    return {
        "concept_id": decision.concept_id,
        "name": decision.name,
        "confidence": decision.confidence,
        "cleaned_title": linked.mention.query,
        "seniority": linked.mention.facts.get("seniority"),
        **{f"code_{system}": codes.get(system) for system in systems},
        **({"candidates": _candidates(decision)} if candidates else {}),
    }


def _candidates(decision: Decision) -> list[dict[str, Any]]:
    return [
        {"concept_id": c.concept_id, "name": c.name, "term": c.term, "score": c.score, "confidence": c.confidence}
        for c in decision.candidates
    ]
