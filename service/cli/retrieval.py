"""Retrieval from the command line: build a collection, search it."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from models.artifacts import ArtifactStore
from pipelines.errors import ConfigInvalid, InputInvalid
from pipelines.retrieval.collection import MAX_TOP_K, Asked, Collection, Found
from pipelines.retrieval.collections import ITEMS, build_collection, describe_collection, open_collection
from pipelines.retrieval.config import CollectionConfig
from service.cli.console import Artifacts, AsJson, Bars, library_of, out, say, settings, store_at

commands = typer.Typer()

_SHOWN_CHARS = 80


@commands.command("build-collection")
def build_collection_command(
    name: Annotated[str, typer.Argument(help="What it is called: lower-case letters, digits, '.', '_', '-'.")],
    documents: Annotated[Path, typer.Argument(help='JSONL or Parquet: {"id", "text" or "vector", "metadata"?}.')],
    queries: Annotated[
        Path | None, typer.Option(help='Query bank: {"text" or "vector", "relevant"?: [ids]}; what is asked.')
    ] = None,
    gallery: Annotated[
        str | None, typer.Option(help=f"Gallery bank, in the same shape, or '{ITEMS}': a sample of the documents.")
    ] = None,
    development: Annotated[
        Path | None, typer.Option(help='Queries with "relevant" ids: they decide what hubness=auto means.')
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="A prepared encoder; 'a+b' joins two.")] = None,
    fields: Annotated[
        list[str] | None, typer.Option("--field", help="A metadata field to filter by; repeatable. Default: all.")
    ] = None,
    lexical: Annotated[float | None, typer.Option(min=0, max=1, help="Hybrid: weight of lexical similarity.")] = None,
    hubness: Annotated[str, typer.Option(help="auto, none, or the correction that is on by default.")] = "auto",
    options: Annotated[
        list[str] | None, typer.Option("--set", help="Another option, name=value in JSON; repeatable.")
    ] = None,
    artifacts: Artifacts = None,
) -> None:
    """Index documents for search: a new generation, switched to when it is whole."""
    said = {"encoder": encoder, "fields": fields or None, "lexical": lexical, "hubness": hubness}
    config = _configured(said, options or [])
    store = store_at(artifacts)
    with Bars(name) as bars:
        generation = build_collection(
            name,
            documents,
            store=store,
            encoder_of=library_of(store).get,
            engines=settings().engines,
            config=config,
            queries=queries,
            gallery=gallery if gallery is None or gallery == ITEMS else Path(gallery),
            development=development,
            on_progress=bars,
        )
    say_built(name, generation, store=store)


@commands.command("search")
def search_command(
    collection: Annotated[str, typer.Argument(help="A collection.", show_default=False)],
    texts: Annotated[list[str], typer.Argument(help="What is looked for, one or several.", show_default=False)],
    top_k: Annotated[int, typer.Option(min=1, max=MAX_TOP_K, help="Hits of each.")] = 5,
    hubness: Annotated[str, typer.Option(help="auto, none, or a correction the collection has.")] = "auto",
    filter: Annotated[str | None, typer.Option("--filter", help='JSON: {"field": value, …}.')] = None,
    lexical_weight: Annotated[float | None, typer.Option(min=0, max=1, help="Of lexical similarity.")] = None,
    as_json: AsJson = False,
    artifacts: Artifacts = None,
) -> None:
    """The documents nearest to a text."""
    store = store_at(artifacts)
    opened = open_collection(collection, store=store, encoder_of=library_of(store).get, engines=settings().engines)
    conditions = opened.fields.filter(_filter(filter))
    asked = [Asked(text=t, top_k=top_k, conditions=conditions, lexical=lexical_weight) for t in texts]
    results = opened.search(asked, hubness=hubness)
    if as_json:
        content = [{"text": t, **_to_json(found)} for t, found in zip(texts, results, strict=True)]
        typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
        return
    for text, found in zip(texts, results, strict=True):
        out.print(_table(text, found, opened, opened.method(hubness)))


def say_built(name: str, generation: str, *, store: ArtifactStore) -> None:
    """What was built, and what `auto` is there, in two lines."""
    about = describe_collection(name, store=store)
    say(f"{name}: {about.items:,} documents, {about.dimension} dimensions, {about.index}, generation {generation}")
    report = about.hubness
    say(f"hubness: {report.reason}; skewness {report.skewness_before} → {report.skewness_after} ({report.measured_on})")


def _configured(said: dict[str, Any], options: list[str]) -> CollectionConfig:
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise ConfigInvalid(f"--set {option}: expected name=value")
        try:
            said[key] = orjson.loads(value)
        except orjson.JSONDecodeError:
            said[key] = value
    try:
        return CollectionConfig(**said)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigInvalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _filter(content: str | None) -> dict[str, Any] | None:
    if content is None:
        return None
    try:
        read = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InputInvalid(f"--filter is no JSON: {error}", pointer="/filter") from error
    if not isinstance(read, dict):
        raise InputInvalid("--filter is no JSON object", pointer="/filter")
    return read


def _to_json(found: Found) -> dict[str, Any]:
    hits = [
        {"id": h.id, "score": h.score, "raw_score": h.raw_score, "text": h.text, "metadata": h.metadata}
        for h in found.hits
    ]
    return {"hits": hits, "matched": found.matched}


def _table(text: str, found: Found, collection: Collection, method: str) -> Table:
    title = f"{text} ({method}, {found.matched:,} of {collection.about.items:,} documents)"
    table = Table("score", "raw", "id", "text", title=escape(title))
    for hit in found.hits:
        shown = (hit.text or "")[:_SHOWN_CHARS]
        table.add_row(f"{hit.score:.3f}", f"{hit.raw_score:.3f}", escape(hit.id), escape(shown))
    return table
