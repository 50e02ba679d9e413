"""What jobs do, without a service: run a pipeline over lines, index a terminology; and generations, back and forth."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from models.artifacts import ArtifactStore
from pipelines import batch_ray, registry
from pipelines.batch_ray import LOCAL
from pipelines.build import snapshot
from pipelines.errors import ConfigInvalid
from pipelines.indexing import changes_of, default_pipelines, index_terminology
from pipelines.lines import Tally, numbered_parts, run_lines
from pipelines.sources import FORMATS, detect_format
from service.cli.console import Artifacts, AsJson, Bars, join_parts, library_of, out, say, settings, store_at
from service.cli.datasheets import open_sheets, run_sheets
from service.cli.setting_up import read_source
from service.feedback_store import read_confirmations, read_feedback
from service.jobs.indexing import options_of
from service.jobs.sheets import SLUG, pdfs_below
from service.jobs.wire_lines import LINE_FORMATS, OpensLines, checked_options
from service.problems import Invalid

commands = typer.Typer()
generations = typer.Typer(help="Builds as they were: list them, go back.", no_args_is_help=True)
commands.add_typer(generations, name="generations")


@commands.command()
def run(
    pipeline: Annotated[str, typer.Argument(help=f"{', '.join((*LINE_FORMATS, SLUG))}.", show_default=False)],
    file: Annotated[
        Path,
        typer.Argument(
            help="JSONL (.gz, .zst), CSV or Parquet; of datasheets also a zip or a folder of PDFs.",
            exists=True,
            show_default=False,
        ),
    ],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: FILE with .answers.jsonl.")] = None,
    terminology: Annotated[str | None, typer.Option("--terminology", "-t", help="Default: the starter.")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", help="An option of every line, name=value in JSON; repeatable.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(help=f"Spread it: HOST:PORT of a Ray cluster's head, 'auto', or '{LOCAL}' (this machine)."),
    ] = None,
    ray_workers: Annotated[
        int | None, typer.Option(min=1, help="Processes on the cluster. Default: one for each processor.")
    ] = None,
    artifacts: Artifacts = None,
) -> None:
    """One JSON line in, one out, as over HTTP; of datasheets a PDF in. Killed and started again, it goes on.

    With --ray lines are spread over a cluster, whose machines share the folders; the answers are the same bytes.
    """
    spec = registry.spec(pipeline)
    said = _options(options or [])
    target = output or file.with_name(f"{file.name.split('.')[0]}.answers.jsonl")
    if spec.slug == SLUG:
        if ray is not None:
            raise ConfigInvalid("datasheets are read by one machine: leave --ray out")
        named = pdfs_below([file]) if file.is_dir() else [file]
        run_sheets(open_sheets(store_at(artifacts), terminology), named, target, options=said)
        return
    if spec.slug not in LINE_FORMATS or file.is_dir():
        raise ConfigInvalid(f"{spec.slug} does not read lines; these do: {', '.join((*LINE_FORMATS, SLUG))}")
    format = LINE_FORMATS[spec.slug]
    store, data = store_at(artifacts), settings().data
    name = terminology or spec.starter_name or ""
    try:
        checked_options(format, said)
    except Invalid as error:
        raise ConfigInvalid("; ".join(f"{f.pointer}: {f.detail}" for f in error.faults)) from error
    at = snapshot(spec, name, store=store)
    feedback = read_feedback(data, spec.slug, name)
    # Parts of another input, generation or option are others; so is what users said since.
    mark = _mark(file, at, said, [asdict(item) for item in feedback])
    folder = target.with_name(f".{target.name}.{mark}.parts")
    if folder.is_dir() and numbered_parts(folder):
        say(f"{target}: going on after {len(numbered_parts(folder)):,} parts that are there")
    machine = settings()
    opens = OpensLines(
        spec.slug,
        name,
        at,
        store.root.resolve(),
        said,
        feedback,
        device=machine.device,
        threads=machine.threads,
        engine=machine.encoder_engine,
    )
    with Bars(file.name) as bars:

        def tell(tally: Tally, total: int) -> None:
            bars("lines", tally.lines, total)

        if ray is None:
            tally = run_lines(opens(), file, folder, on_progress=tell)
        else:
            with batch_ray.cluster(ray):
                workers = ray_workers or batch_ray.cluster_cpus()
                tally = batch_ray.run_lines_on_ray(
                    opens, file.resolve(), folder.resolve(), workers=workers, on_progress=tell
                )
    join_parts(folder, target)
    say(f"{target}: {tally.ok:,} answered, {tally.failed:,} errors in place")


@commands.command()
def index(
    format: Annotated[str, typer.Argument(help=f"{', '.join(FORMATS)}, or auto.", show_default=False)],
    file: Annotated[
        Path, typer.Argument(help="A file, or the folder or zip of a bundle.", exists=True, show_default=False)
    ],
    name: Annotated[str, typer.Option("--name", "-n", help="The terminology's name.")],
    pipelines: Annotated[
        list[str] | None,
        typer.Option("--pipeline", "-p", help="Default: those that answer from it already, else job-titles."),
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="Default: as it was built before.")] = None,
    version: Annotated[str | None, typer.Option(help="Default: what the source says, else a hash of it.")] = None,
    languages: Annotated[
        list[str] | None, typer.Option("--language", "-l", help="Only these languages' terms; repeatable.")
    ] = None,
    artifacts: Artifacts = None,
) -> None:
    """Import a terminology and build what answers from it; only texts that are new are encoded.

    A service that runs over the same artifacts switches to it by itself.
    """
    store, data = store_at(artifacts), settings().data
    chosen = detect_format(file) if format == "auto" else format
    terminology = read_source(file, format=chosen, name=name, version=version, languages=languages)
    changes = changes_of(terminology, store=store)
    specs = [registry.spec(p) for p in pipelines or []] or default_pipelines(name, store=store)
    with Bars(name) as bars:
        built = index_terminology(
            terminology,
            specs=specs,
            store=store,
            encoder_of=library_of(store).get,
            vectors=data / "vectors",
            configure=lambda spec: options_of(spec, name, encoder, store),
            confirmations_of=lambda spec: read_confirmations(data, spec.slug, name),
            on_progress=bars,
        )
    say(
        f"{name} {terminology.version}: {changes.added:,} concepts added, {changes.changed:,} changed, "
        f"{changes.deleted:,} deleted, {changes.unchanged:,} unchanged"
    )
    for one in built:
        say(f"{one.pipeline}: generation {one.generation}, {one.encoded:,} texts encoded, {one.reused:,} known already")


@generations.command("list")
def generations_list(
    name: Annotated[str | None, typer.Argument(help="An artifact: pipelines/job_titles/esco. Default: all.")] = None,
    artifacts: Artifacts = None,
    as_json: AsJson = False,
) -> None:
    """The generations that are kept, newest first, and which one answers."""
    store = store_at(artifacts)
    rows = [row for one in ([name] if name else store.names()) for row in _generations(store, one)]
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
        return
    table = Table("artifact", "generation", "answers", "made", "megabytes", title="Generations")
    for row in rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    out.print(table)


@generations.command("rollback")
def generations_rollback(
    name: Annotated[str, typer.Argument(help="An artifact: pipelines/job_titles/esco.", show_default=False)],
    to: Annotated[str | None, typer.Option(help="A generation. Default: the one before the one that answers.")] = None,
    artifacts: Artifacts = None,
) -> None:
    """Let an earlier generation answer. A service over the same artifacts switches to it by itself."""
    generation = store_at(artifacts).rollback(name, generation=to)
    say(f"{name}: {generation} answers")


def _generations(store: ArtifactStore, name: str) -> list[dict[str, Any]]:
    current = store.current(name)
    rows = []
    for generation in reversed(store.generations(name)):
        manifest = store.manifest(name, generation=generation)
        rows.append(
            {
                "artifact": name,
                "generation": generation,
                "answers": generation == current,
                "made": manifest.created_at,
                "megabytes": round(sum(entry.size for entry in manifest.files.values()) / 1e6, 1),
            }
        )
    return rows


def _options(said: Sequence[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for option in said:
        key, equals, value = option.partition("=")
        if not equals:
            raise ConfigInvalid(f"--set {option}: expected name=value")
        try:
            options[key] = orjson.loads(value)
        except orjson.JSONDecodeError:
            options[key] = value
    return options


def _mark(file: Path, *what: object) -> str:
    about = file.stat()
    content = orjson.dumps([about.st_size, about.st_mtime_ns, *what], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:12]
