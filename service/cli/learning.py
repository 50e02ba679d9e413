"""The commands that teach: demand from traffic, and what users said, taken in and given out as files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from pipelines import registry
from pipelines.adapting import adapt as learn
from pipelines.build import Build, open_build
from pipelines.demand import Demand, forget_demand, open_demand
from pipelines.errors import SourceError
from pipelines.feedback import Feedback, Memory
from pipelines.spec import PipelineSpec
from pipelines.tables import columns_of, read_rows
from service.cli.console import (
    Artifacts,
    AsJson,
    Bars,
    PipelineName,
    TerminologyOption,
    err,
    library_of,
    out,
    say,
    settings,
    store_at,
)
from service.feedback_store import FeedbackStore, feedback_path, prepared

commands = typer.Typer()
feedback = typer.Typer(help="What users say of answers: take it in from a file, give it out.", no_args_is_help=True)
commands.add_typer(feedback, name="feedback")

Column = Annotated[str | None, typer.Option("--column", "-c", help="Where the texts are. Default: title or text.")]

_TEXT_COLUMNS = ("title", "text")
_AT_ONCE = 1000


@commands.command()
def adapt(
    pipeline: PipelineName,
    titles: Annotated[
        Path | None,
        typer.Option("--titles", "--texts", help="CSV, JSONL or Parquet of texts as users send them, unlabelled."),
    ] = None,
    terminology: TerminologyOption = None,
    column: Column = None,
    language: Annotated[str | None, typer.Option(help="BCP 47, where no column `language` says it.")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Forget what traffic taught; confirmations stay.")] = False,
    top: Annotated[int, typer.Option(min=0, help="How many of the concepts asked for most to show.")] = 20,
    as_json: AsJson = False,
    artifacts: Artifacts = None,
) -> None:
    """Learn from texts nobody labelled how often each concept is asked for. Without --titles, show it."""
    spec = registry.spec(pipeline)
    store = store_at(artifacts)
    name = terminology or spec.starter_name or ""
    library = library_of(store)
    if forget:
        found = forget_demand(spec.name, name, store=store)
        say(f"{spec.slug} over {name}: {'demand forgotten' if found else 'no demand was learned'}")
        return
    if titles is not None:
        texts, languages = _texts(titles, column, language)
        with Bars(titles.name) as bars:
            learn(
                spec,
                store,
                texts,
                terminology=name,
                encoder_of=library.get,
                languages=languages,
                on_progress=lambda done, total: bars("texts", done, total),
            )
    built = open_build(spec, name, store=store, encoder_of=library.get)
    demand = open_demand(
        spec.name, built.terminology, store=store, confirmed=built.confirmed, options=built.config.demand
    )
    _show(demand, built, top=top, as_json=as_json)


@feedback.command("import")
def feedback_import(
    pipeline: PipelineName,
    file: Annotated[
        Path, typer.Argument(help="title or text, concept_id, and if you like verdict and language.", exists=True)
    ],
    terminology: TerminologyOption = None,
    artifacts: Artifacts = None,
) -> None:
    """Keep verdicts from a file as if users had sent them; a row without a verdict accepts. All of them, or none."""
    spec, built = _open(pipeline, terminology, artifacts)
    items = list(_verdicts(file))
    kept, unfit = prepared(items, pipeline=built.pipeline, terminology=built.terminology)
    if unfit:
        raise SourceError(f"{file.name}: {len(unfit)} rows cannot be kept; {unfit[0].field}: {unfit[0].reason}")
    store = _store(spec, built.terminology.name)
    with Bars(file.name) as bars:
        for start in range(0, len(kept), _AT_ONCE):
            store.add(kept[start : start + _AT_ONCE])
            bars("verdicts", min(start + _AT_ONCE, len(kept)), len(kept))
    total = store.page(size=1).total
    store.close()
    say(f"{len(kept):,} verdicts read, {total:,} kept in all; `cognomen build {spec.slug}` learns from them")


@feedback.command("export")
def feedback_export(
    pipeline: PipelineName,
    terminology: TerminologyOption = None,
) -> None:
    """Everything users said, oldest first, as JSON Lines on stdout."""
    spec = registry.spec(pipeline)
    store = _store(spec, terminology or spec.starter_name or "")
    for item in store.all():
        line = {
            "text": item.text,
            "concept_id": item.concept_id,
            "verdict": item.verdict,
            "language": item.language,
            "created_at": item.created_at,
        }
        typer.echo(orjson.dumps(line).decode())
    store.close()


def _open(pipeline: str, terminology: str | None, artifacts: Path | None) -> tuple[PipelineSpec, Build]:
    spec = registry.spec(pipeline)
    store = store_at(artifacts)
    name = terminology or spec.starter_name or ""
    return spec, open_build(spec, name, store=store, encoder_of=library_of(store).get)


def _store(spec: PipelineSpec, terminology: str) -> FeedbackStore:
    return FeedbackStore(feedback_path(settings().data, spec.slug, terminology), memory=Memory())


def _texts(path: Path, column: str | None, language: str | None) -> tuple[list[str], list[str | None]]:
    """The texts of a table and their languages; rows without a text are passed over and counted on stderr."""
    column = column or _text_column(path)
    texts: list[str] = []
    languages: list[str | None] = []
    passed = 0
    for row in read_rows(path):
        text = row.values.get(column)
        if row.fault is not None or not isinstance(text, str) or not text.strip():
            passed += 1
            continue
        texts.append(text)
        said = row.values.get("language")
        languages.append(str(said) if said else language)
    if passed:
        err.print(f"{path.name}: {passed:,} rows without a text in column {column} passed over", markup=False)
    return texts, languages


def _verdicts(path: Path) -> Iterator[Feedback]:
    """The rows of a table as feedback. Raises: SourceError for the first that is none."""
    column = _text_column(path)
    for row in read_rows(path):
        text, concept = row.values.get(column), row.values.get("concept_id")
        verdict = row.values.get("verdict") or "accept"
        if row.fault is not None or not isinstance(text, str) or not text.strip():
            raise SourceError(row.fault or f"column {column}: expected a text", line=row.line)
        if concept in (None, ""):
            raise SourceError("column concept_id: expected a concept", line=row.line)
        if verdict not in {"accept", "reject"}:
            raise SourceError("column verdict: expected accept or reject", line=row.line)
        language = row.values.get("language")
        yield Feedback(
            text=text,
            query="",
            concept_id=str(concept),
            verdict="reject" if verdict == "reject" else "accept",
            language=str(language) if language else None,
        )


def _text_column(path: Path) -> str:
    columns = columns_of(path)
    for column in _TEXT_COLUMNS:
        if column in columns:
            return column
    raise SourceError(f"{path.name}: expected a column title or text; say --column")


def _show(demand: Demand, built: Build, *, top: int, as_json: bool) -> None:
    asked = demand.top(built.terminology, limit=top)
    if as_json:
        rows = [
            {"concept_id": a.concept_id, "name": a.name, "share": a.share, "confirmed": a.confirmed, "bonus": a.bonus}
            for a in asked
        ]
        typer.echo(orjson.dumps({"texts": demand.texts, "asked_for_most": rows}, option=orjson.OPT_INDENT_2).decode())
        return
    if not asked:
        say("no demand was learned; --titles FILE learns it")
        return
    table = Table(
        "concept", "name", "share", "confirmed", "bonus", title=f"Asked for most, of {demand.texts:,} unlabelled texts"
    )
    for a in asked:
        table.add_row(a.concept_id, escape(a.name), f"{a.share:.4f}", str(a.confirmed), f"{a.bonus:+.4f}")
    out.print(table)
