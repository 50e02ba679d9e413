"""Re-rankers from the command line: prepare one."""

from typing import Annotated

import typer
from rich.markup import escape

from models.rerankers.library import KIND, artifact_name
from service.cli.console import Artifacts, err, say, store_at

commands = typer.Typer()


@commands.command("prepare-reranker")
def prepare_reranker(
    source: Annotated[str, typer.Argument(help="A cross-encoder: a folder as it was trained, or a hub id.")],
    name: Annotated[str, typer.Option("--name", "-n", help="What it is called from now on.")],
    artifacts: Artifacts = None,
) -> None:
    """Export a cross-encoder to ONNX, measure it against its source, store it; /v1/rerank then serves it."""
    from models.rerankers import export

    store = store_at(artifacts)
    with err.status(escape(f"{name}: preparing")), store.write(artifact_name(name), kind=KIND) as writer:
        described = export.prepare(source, writer.folder, called=name)
        writer.details.update(name=name, max_tokens=described.max_tokens, source=dict(described.source))
    say(f"{name}: prepared; scores within {described.largest_difference:.1e} of the source's")
