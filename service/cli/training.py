"""Teach encoders and re-rankers: one command that leaves an adapter or a re-ranker, and its card."""

import shlex
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from models.errors import MissingExtra
from pipelines import registry
from pipelines.config import read_config
from pipelines.errors import ConfigInvalid
from service.cli.console import Artifacts, Bars, library_of, say, store_at

commands = typer.Typer()


@commands.command()
def train(
    pipeline: Annotated[str, typer.Argument(help="A pipeline: job-titles, medical.", show_default=False)],
    config: Annotated[
        Path, typer.Option("--config", "-c", help="TOML; docs/training.md.", exists=True, dir_okay=False)
    ],
    work: Annotated[
        Path | None, typer.Option(help="Where checkpoints go. Default: ARTIFACTS/training/NAME.", file_okay=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="job-titles: also write the adapter into this folder.", file_okay=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    artifacts: Artifacts = None,
) -> None:
    """Train an encoder for job-titles, to be folded in by `models prepare NAME`, or a re-ranker for medical."""
    spec = registry.spec(pipeline)
    if spec.name == "medical":
        _train_medical(config, work, resume=resume, artifacts=artifacts)
        return
    if spec.name != "job_titles":
        raise ConfigInvalid(f"{spec.slug} has no training recipe; job-titles and medical have one")
    _require("sentence_transformers", "datasets", "accelerate")
    from pipelines.job_titles import train as recipe

    store = store_at(artifacts)
    chosen = read_config(config, recipe.TrainConfig)
    checkpoints = work or store.root / "training" / chosen.name
    # Where things went decides nothing, and the card travels: only what made the adapter is said.
    command = shlex.join(["cognomen", "train", spec.slug, "--config", str(config)])
    with tempfile.TemporaryDirectory(prefix="cognomen-adapter-") as scratch:
        made = Path(scratch) / chosen.name
        with Bars(chosen.name) as bars:
            card = recipe.run(chosen, made, work=checkpoints, command=command, resume=resume, on_progress=bars)
        recipe.publish(card, made, store=store)
        if output is not None:
            shutil.copytree(made, output, dirs_exist_ok=True)
    say(f"{card.name}: trained on {card.base}; development MAP before and after:")
    after = card.figures.get("with head") or card.figures["with adapter"]
    for name, value in card.figures["before"].items():
        say(f"  {name}: {value:.4f} → {after[name]:.4f}")
    say(f"cognomen models prepare {card.name}")


def _train_medical(config: Path, work: Path | None, *, resume: bool, artifacts: Path | None) -> None:
    _require("torch")
    from pipelines.medical import train as recipe

    store = store_at(artifacts)
    chosen = read_config(config, recipe.TrainConfig)
    if chosen.cross is not None:
        _require("sentence_transformers", "onnx")
    with Bars(f"medical over {chosen.terminology}") as bars:
        outcome = recipe.run(
            chosen,
            store=store,
            encoder_of=library_of(store).get,
            work=work or store.root / "training" / f"medical-{chosen.terminology}",
            command=shlex.join(["cognomen", "train", "medical", "--config", str(config)]),
            resume=resume,
            on_progress=bars,
        )
    for line in recipe.shown(outcome.card):
        say(line)
    if outcome.generation is None:
        say("not kept: retrieval alone does as well on documents held out; nothing was changed")
    else:
        say(f"kept: medical linking over {chosen.terminology} re-ranks from now on")


def _require(*libraries: str) -> None:
    missing = [library for library in libraries if find_spec(library) is None]
    if missing:
        raise MissingExtra(f"training needs {', '.join(missing)}; install the 'encoders' and 'training' extras")
