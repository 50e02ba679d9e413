"""Teach encoders and re-rankers: one command that leaves an adapter or a re-ranker, and its card."""

import shlex
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.artifacts import ArtifactStore
from models.errors import MissingExtra
from pipelines import registry
from pipelines.config import read_config, read_toml
from pipelines.errors import ConfigInvalid
from pipelines.spec import PipelineSpec
from service.cli.console import Artifacts, Bars, library_of, say, store_at

if TYPE_CHECKING:
    from models.training.card import Card

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
        Path | None, typer.Option(help="Of an encoder: also write the adapter into this folder.", file_okay=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    artifacts: Artifacts = None,
) -> None:
    """Train an encoder, to be folded in by `models prepare NAME`, or a re-ranker for medical."""
    spec, store = registry.spec(pipeline), store_at(artifacts)
    # Where things went decides nothing, and the card travels: only what made the adapter is said.
    command = shlex.join(["cognomen", "train", spec.slug, "--config", str(config)])
    if spec.name == "job_titles" or (spec.name == "medical" and "base" in read_toml(config)):
        _train_encoder(spec, config, work, output, command=command, resume=resume, store=store)
    elif spec.name == "medical":
        _train_reranker(config, work, command=command, resume=resume, store=store)
    else:
        raise ConfigInvalid(f"{spec.slug} has no training recipe; job-titles and medical have one")


def _train_encoder(
    spec: PipelineSpec,
    config: Path,
    work: Path | None,
    output: Path | None,
    *,
    command: str,
    resume: bool,
    store: ArtifactStore,
) -> None:
    _require("sentence_transformers", "datasets", "accelerate")
    from pipelines.encoder_training import publish

    name, run = _encoder_recipe(spec, config, store)
    with tempfile.TemporaryDirectory(prefix="cognomen-adapter-") as scratch:
        made = Path(scratch) / name
        with Bars(name) as bars:
            work = work or store.root / "training" / name
            card = run(made, work=work, command=command, resume=resume, on_progress=bars)
        publish(card, made, store=store)
        if output is not None:
            shutil.copytree(made, output, dirs_exist_ok=True)
    say(f"{card.name}: trained on {card.base}; development MAP before and after:")
    after = card.figures.get("with head") or card.figures["with adapter"]
    for data, value in card.figures["before"].items():
        say(f"  {data}: {value:.4f} → {after[data]:.4f}")
    say(f"cognomen models prepare {card.name}")


def _encoder_recipe(spec: PipelineSpec, config: Path, store: ArtifactStore) -> "tuple[str, Callable[..., Card]]":
    if spec.name == "job_titles":
        from pipelines.job_titles import train as titles

        for_titles = read_config(config, titles.TrainConfig)
        return for_titles.name, partial(titles.run, for_titles)
    from pipelines.medical import encoder as names

    for_names = read_config(config, names.EncoderTrainConfig)
    return for_names.name, partial(names.run, for_names, store=store)


def _train_reranker(config: Path, work: Path | None, *, command: str, resume: bool, store: ArtifactStore) -> None:
    _require("torch")
    from pipelines.medical import train as recipe

    chosen = read_config(config, recipe.TrainConfig)
    if chosen.cross is not None:
        _require("sentence_transformers", "onnx")
    with Bars(f"medical over {chosen.terminology}") as bars:
        outcome = recipe.run(
            chosen,
            store=store,
            encoder_of=library_of(store).get,
            work=work or store.root / "training" / f"medical-{chosen.terminology}",
            command=command,
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
