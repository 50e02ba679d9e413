"""Documents for the medical pipeline: annotated ones to measure it on, plain ones to annotate."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from pipelines import registry
from pipelines.build import Build, open_build
from pipelines.errors import SourceError
from pipelines.medical import corpora, scores
from pipelines.results import Options, Request, Result
from service.cli.console import Artifacts, AsJson, Bars, library_of, out, say, store_at

commands = typer.Typer(help="Linked mentions in documents: measure, annotate.", no_args_is_help=True)

_AT_ONCE: Final = 16
_LISTED: Final = 64
"""Candidates per mention that recall is measured on."""

DocumentsPath = Annotated[
    Path, typer.Argument(help="A brat folder, or BigBIO (bigbio_kb) or plain JSON Lines.", exists=True)
]
FormatOption = Annotated[str, typer.Option("--format", help=f"{', '.join(corpora.FORMATS)}, or auto.")]
LanguageOption = Annotated[str | None, typer.Option(help="BCP 47, where the documents do not say; default: detected.")]
TerminologyOption = Annotated[str | None, typer.Option("--terminology", "-t", help="Default: the starter.")]


@commands.command()
def evaluate(
    path: DocumentsPath,
    format: FormatOption = "auto",
    terminology: TerminologyOption = None,
    language: LanguageOption = None,
    given: Annotated[bool, typer.Option("--given", help="Link the annotated places in place of finding them.")] = False,
    as_json: AsJson = False,
    artifacts: Artifacts = None,
) -> None:
    """Strict, partial and loose precision, recall and F1 with intervals, recall@k, and what went wrong."""
    built = _opened(terminology, artifacts)
    documents = corpora.read_documents(path, format=corpora.detect(path) if format == "auto" else format)
    measured = scores.score_mentions(documents, _answers(built, documents, language, given=given)).to_json()
    if as_json:
        sys.stdout.write(orjson.dumps(measured, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    table = Table("measure", "precision", "recall", "F1", title=escape(f"{path.name} over {built.terminology.name}"))
    for name in scores.MEASURES:
        table.add_row(name, *(_shown(measured[name][part]) for part in ("precision", "recall", "f1")))
    out.print(table)
    out.print(_pairs("recall@k of places found", measured["recall_at"]))
    out.print(_pairs("annotations", measured["errors"]))


@commands.command()
def annotate(
    path: Annotated[Path, typer.Argument(help="A folder of .txt files.", exists=True, file_okay=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="A folder: .ann files, or documents.jsonl.")],
    to: Annotated[str, typer.Option(help="brat or bigbio.")] = "brat",
    terminology: TerminologyOption = None,
    language: LanguageOption = None,
    artifacts: Artifacts = None,
) -> None:
    """Find and link the mentions of text files and write them down for annotation tools."""
    if to not in {"brat", "bigbio"}:
        raise SourceError(f"--to {to}: expected brat or bigbio")
    built = _opened(terminology, artifacts)
    documents = [corpora.AnnotatedDocument(f.stem, corpora.text_at(f), ()) for f in sorted(path.glob("*.txt"))]
    results = _answers(built, documents, language, given=False)
    output.mkdir(parents=True, exist_ok=True)
    system = built.terminology.name
    if to == "brat":
        for document, result in zip(documents, results, strict=True):
            content = corpora.to_brat(result.mentions, system=system)
            (output / f"{document.id}.ann").write_text(content, encoding="utf-8", newline="")
    else:
        lines = [
            json.dumps(corpora.to_bigbio(d.id, d.text, r.mentions, system=system), ensure_ascii=False)
            for d, r in zip(documents, results, strict=True)
        ]
        (output / "documents.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    say(f"{len(documents):,} documents, {sum(len(r.mentions) for r in results):,} mentions: {output}")


def _opened(terminology: str | None, artifacts: Path | None) -> Build:
    spec = registry.spec("medical")
    store = store_at(artifacts)
    return open_build(spec, terminology or spec.starter_name or "", store=store, encoder_of=library_of(store).get)


def _answers(
    built: Build, documents: Sequence[corpora.AnnotatedDocument], language: str | None, *, given: bool
) -> list[Result]:
    results: list[Result] = []
    with Bars(built.terminology.name) as bars:
        for start in range(0, len(documents), _AT_ONCE):
            requests = [
                Request(
                    document.text,
                    document.language or language,
                    mentions=[(a.start, a.end) for a in document.annotations] if given else None,
                    options=Options(top_k=_LISTED),
                )
                for document in documents[start : start + _AT_ONCE]
            ]
            results += built.pipeline.run(requests)
            bars("documents", len(results), len(documents))
    return results


def _shown(interval: Sequence[float]) -> str:
    value, low, high = interval
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _pairs(title: str, content: dict[str, Any]) -> Table:
    table = Table(*content, title=title)
    table.add_row(*map(str, content.values()))
    return table
