"""What every command shares: where things are, how progress looks, how failure ends."""

import os
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from typer.core import TyperGroup

from models.artifacts import ArtifactStore
from models.encoders.library import EncoderLibrary
from models.errors import ModelError
from pipelines.errors import PipelineError
from pipelines.lines import joined
from service.problems import Refusal
from service.settings import Settings, SettingsInvalid, read_settings

out = Console()
err = Console(stderr=True)

Artifacts = Annotated[
    Path | None, typer.Option("--artifacts", help="Where encoders, terminologies and builds rest (COGNOMEN_ARTIFACTS).")
]
PipelineName = Annotated[str, typer.Argument(help="A pipeline: job-titles, medical.", show_default=False)]
TerminologyOption = Annotated[str | None, typer.Option("--terminology", "-t", help="Default: the pipeline's starter.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")]


def settings() -> Settings:
    """The machine's settings."""
    return read_settings()


def store_at(artifacts: Path | None) -> ArtifactStore:
    """The artifact store a command works on."""
    return ArtifactStore(artifacts or settings().artifacts)


def library_of(store: ArtifactStore) -> EncoderLibrary:
    """The encoders of a store, on the device the settings name."""
    chosen = settings()
    return EncoderLibrary(store, device=chosen.device, threads=chosen.threads, engine=chosen.encoder_engine)


def _names_terminology(argument: str) -> bool:
    return argument.startswith(("--terminology", "-t"))


class Commands(TyperGroup):
    """One clear line on stderr and exit code 1 for what any command raised on purpose; bugs stay loud."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - as below
        """`build retrieval` with a terminology builds that pipeline; without one, a collection."""
        if args[:2] == ["build", "retrieval"] and not any(_names_terminology(one) for one in args):
            args = ["build-collection", *args[2:]]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer brings a click of its own, which it does not name
        """Run the command. With --debug, errors keep their traceback."""
        if ctx.params.get("debug"):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except Refusal as error:
            complain(error.detail)
            raise typer.Exit(1) from error
        except (ModelError, PipelineError, SettingsInvalid, OSError) as error:
            complain(str(error) or type(error).__name__)
            raise typer.Exit(1) from error


def complain(message: str) -> None:
    """An error, on one line of stderr."""
    # Messages name files and options, whose square brackets are no markup.
    err.print(f"[red]error:[/red] {escape(' '.join(message.split()))}", highlight=False, soft_wrap=True)


def say(message: str) -> None:
    """A line on stdout, as it is: not wrapped, no markup."""
    out.print(message, highlight=False, markup=False, soft_wrap=True)


class Bars:
    """A progress bar per stage, as `pipelines.build.Progress` tells it. Nothing is drawn into a pipe."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._tasks: dict[str, int] = {}
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=err,
            disable=not err.is_terminal,
        )

    def __enter__(self) -> "Bars":
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing."""
        self._progress.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Draw a stage's progress."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(escape(f"{self._title}: {stage}"), total=total)
        self._progress.update(self._tasks[stage], completed=done, total=total)  # type: ignore[arg-type]


def join_parts(folder: Path, target: Path) -> None:
    """Make one file of the parts of a run, and drop them."""
    part = target.with_name(f".{target.name}.part")
    with part.open("wb") as stream:
        stream.writelines(joined(folder))
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(target)
    shutil.rmtree(folder)
