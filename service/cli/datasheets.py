"""Datasheets at the command line: parameters of a PDF, and a SPICE card from it."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from models.artifacts import ArtifactStore
from pipelines import registry
from pipelines.build import Build, build, builds, open_build
from pipelines.datasheets.document import Limits, read_document
from pipelines.datasheets.errors import ModelImpossible, PartAmbiguous, PartUnknown
from pipelines.datasheets.extraction import Extraction, extract
from pipelines.datasheets.spice.facts import Facts, facts_of
from pipelines.datasheets.spice.making import Card, make_card
from pipelines.datasheets.spice.plot import can_plot, plot
from pipelines.errors import InputInvalid
from pipelines.lines import parts, run_lines
from service.cli.console import Artifacts, AsJson, Bars, complain, join_parts, library_of, out, say, settings, store_at
from service.datasheets import assistant_of, limits_of
from service.jobs.sheets import (
    CHUNK,
    Local,
    SheetLines,
    Sheets,
    checked_sheet_options,
    lines_naming,
    pdfs_below,
    sheets_in,
)
from service.schemas.datasheets import extraction_to_wire
from service.schemas.spice import card_to_wire

commands = typer.Typer()

Files = Annotated[list[Path], typer.Argument(help="Datasheets, or folders of them.", exists=True)]
File = Annotated[Path, typer.Argument(help="A datasheet.", exists=True, dir_okay=False)]
Part = Annotated[str | None, typer.Option("--part", help="Which part, where there are several.")]
Device = Annotated[str | None, typer.Option("--device-type", help="Overrides the guess: bjt, mosfet, …")]
Ocr = Annotated[bool, typer.Option("--ocr", help="Read pages that are pictures (extra `ocr`).")]
_OCR_S = 1800.0


@commands.command("extract")
def extract_command(
    files: Files,
    part: Part = None,
    device_type: Device = None,
    parameters: Annotated[
        list[str] | None, typer.Option("--parameter", help="Only this canonical name; repeatable.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all-parts", help="Rows of every part.")] = False,
    ocr: Ocr = False,
    output: Annotated[
        Path | None, typer.Option("--out", "-o", help="One JSON line a file; killed and started again, it goes on.")
    ] = None,
    as_json: AsJson = False,
    artifacts: Artifacts = None,
) -> None:
    """Every parameter of a datasheet (PDF) with its value, unit, conditions and page; of many with --out."""
    if output is not None:
        said = {"part": part, "device_type": device_type, "parameters": parameters or [], "ocr": ocr}
        said["variants"] = "all" if everything else "part"
        options = {key: value for key, value in said.items() if value}
        run_sheets(open_sheets(store_at(artifacts)), pdfs_below(files), output, options=options)
        return
    if len(files) != 1 or files[0].is_dir():
        raise InputInvalid("several files need --out FILE.jsonl: one line of it is one file", pointer="/files")
    built = open_sheets(store_at(artifacts))
    found = _extracted(
        files[0], built, part=part, device_type=device_type, ocr=ocr, parameters=parameters or [], all_parts=everything
    )
    if as_json:
        _print_json(extraction_to_wire(found, top_k=None))
        return
    title = " · ".join(filter(None, [found.part, found.focus.manufacturer, found.device_type]))
    table = Table("parameter", "symbol", "conditions", "min", "typ", "max", "unit", "page", title=escape(title))
    for e in found.parameters:
        row = e.row
        held = ", ".join(
            [*([f"[{row.variant}]"] if row.variant else []), *dict.fromkeys(c.text for c in row.conditions)]
        )
        numbers = ["" if v is None else f"{v:g}" for v in (row.min, row.typ, row.max)]
        table.add_row(e.name, *map(escape, [row.symbol or "", held, *numbers, row.unit or ""]), str(row.page))
    out.print(table)
    looked = found.looked
    say(f"{looked.rows_returned} of {looked.rows_seen} rows, {looked.pages_read} of {looked.pages_total} pages")
    for note in found.notes:
        say(f"note: {note}")


@commands.command("spice")
def spice_command(
    file: File,
    part: Part = None,
    device_type: Device = None,
    polarity: Annotated[str | None, typer.Option(help="npn, pnp, n or p.")] = None,
    dialect: Annotated[str, typer.Option(help="ngspice or ltspice.")] = "ngspice",
    level: Annotated[str, typer.Option(help="How a MOSFET is modelled: vdmos or 1.")] = "vdmos",
    picture: Annotated[Path | None, typer.Option("--plot", help="Draw curve and points to FILE.svg or .png.")] = None,
    ocr: Ocr = False,
    as_json: AsJson = False,
    artifacts: Artifacts = None,
) -> None:
    """A SPICE card from a datasheet (PDF), simulated with ngspice where that is installed."""
    found = _extracted(
        file,
        open_sheets(store_at(artifacts)),
        part=part,
        device_type=device_type,
        ocr=ocr,
        parameters=[],
        all_parts=False,
    )
    if found.device_type is None:
        raise ModelImpossible("the sheet does not say what kind of device it is; say --device-type")
    facts = facts_of(found.parameters)
    card = make_card(
        facts,
        device_type=found.device_type,
        part=found.part,
        polarity=_one_of(polarity or found.polarity, "npn", "pnp", "n", "p") if polarity or found.polarity else None,
        dialect=_dialect(dialect),
        level="1" if _one_of(level, "vdmos", "1") == "1" else "vdmos",
    )
    if picture is not None:
        _draw(card, Facts(facts), picture)
    if as_json:
        _print_json({**card_to_wire(card), "part": found.part, "dialect": dialect})
        return
    typer.echo(card.text, nl=False)
    if not card.checks:
        say("* not simulated: ngspice is not installed" if card.simulator is None else "* nothing to check")
        return
    table = Table("quantity", "datasheet", "simulated", "unit", "off", "fitted", title=f"checked with {card.simulator}")
    for c in card.checks:
        off = f"{c.relative_error:+.1%}" + ("" if c.within else " (outside)")
        table.add_row(
            c.quantity, f"{c.datasheet:.4g} ({c.slot})", f"{c.simulated:.4g}", c.unit, off, "yes" if c.fitted else "no"
        )
    out.print(table)


def run_sheets(built: Build, named: Sequence[Path], target: Path, *, options: Mapping[str, Any]) -> None:
    """Read PDFs, or the lines or the zip named alone, into one JSON line each; going on where it was killed."""
    said = checked_sheet_options(options)
    # Parts of other files, another build or other options are others.
    about = [[str(path.absolute()), path.stat().st_size, path.stat().st_mtime_ns] for path in named]
    mark = hashlib.sha256(
        orjson.dumps([about, built.artifact.generation, said], option=orjson.OPT_SORT_KEYS)
    ).hexdigest()
    folder = target.with_name(f".{target.name}.{mark[:12]}.parts")
    if folder.is_dir() and (there := len(parts(folder))):
        say(f"{target}: going on after {there:,} files that are done")
    sheets, lines = _named(named, folder)
    limits = limits_of(settings())
    reading = SheetLines(
        built.pipeline,
        sheets,
        known=built.terminology.by_id,
        options=said,
        limits=limits,
        assistant=partial(assistant_of, settings()),
    )
    with Bars(target.name) as bars, built.artifact:
        tally = run_lines(
            reading,
            lines,
            folder,
            chunk_lines=CHUNK,
            on_progress=lambda tally, total: bars("files", tally.lines, total),
        )
    join_parts(folder, target)
    say(f"{target}: {tally.ok:,} read, {tally.failed:,} problems in place")


def _named(named: Sequence[Path], folder: Path) -> tuple[Sheets, Path]:
    if len(named) == 1:
        return sheets_in(named[0], files=None, root=named[0].parent, folder=folder)
    return Local(Path()), lines_naming(folder, [str(path) for path in named])


def _extracted(file: Path, built: Build, *, ocr: bool, **chosen: Any) -> Extraction:  # noqa: ANN401
    """What the file says. A choice that is missing ends the command with what there is to choose from."""
    limits = Limits(wall_s=_OCR_S, cpu_s=round(_OCR_S)) if ocr else None
    document = read_document(file.read_bytes(), limits=limits, ocr=ocr)
    try:
        return extract(document, built.pipeline.run, **chosen)
    except (PartAmbiguous, PartUnknown) as error:
        complain(f"{error}: --part {' | '.join(error.candidates)}")
        raise typer.Exit(2) from error


def open_sheets(store: ArtifactStore, terminology: str | None = None) -> Build:
    """The build that names rows; the starter's is made at once where there is none, since it needs no files."""
    spec = registry.spec("datasheets")
    known = builds(spec, store=store)
    library = library_of(store)
    if terminology is not None:
        return open_build(spec, terminology, store=store, encoder_of=library.get)
    if known:
        name = spec.starter_name if spec.starter_name in known else known[0]
        return open_build(spec, name or known[0], store=store, encoder_of=library.get)
    starter = spec.starter
    if starter is None:
        raise LookupError("datasheets has no starter")
    config = spec.config()
    with Bars("datasheets") as bars:
        return build(spec, starter(), encoder=library.get(config.encoder), store=store, config=config, on_progress=bars)


def _draw(card: Card, facts: Facts, picture: Path) -> None:
    form = "png" if picture.suffix.lower() == ".png" else "svg"
    drawn = plot(card.model, facts, form="png" if form == "png" else "svg") if can_plot() else None
    if drawn is None:
        complain("no plot: it needs ngspice, the extra `plot`, and a model with a curve")
        return
    picture.write_bytes(drawn)


def _dialect(text: str) -> Literal["ngspice", "ltspice"]:
    return "ltspice" if _one_of(text, "ngspice", "ltspice") == "ltspice" else "ngspice"


def _one_of(text: str | None, *allowed: str) -> str:
    if text not in allowed:
        raise typer.BadParameter(f"expected one of {', '.join(allowed)}")
    return text


def _print_json(content: object) -> None:
    typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
