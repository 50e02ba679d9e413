"""Clinical text from the command line, linked as the service links it."""

import sys
from collections.abc import Sequence
from typing import Annotated

import orjson
import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from pipelines import registry
from pipelines.build import Build, open_build
from pipelines.errors import InputInvalid
from pipelines.medical.several import link_all
from pipelines.results import Result
from service.cli.console import Artifacts, library_of, out, store_at
from service.jobs.running import about
from service.problems import pointer_of
from service.schemas import bioc, fhir
from service.schemas.medical import MedicalRequest, medical_to_wire

commands = typer.Typer()

_OUTPUTS = ("table", "json", "fhir", "bioc")


@commands.command()
def link(
    texts: Annotated[list[str] | None, typer.Argument(help="Clinical texts; none: one from standard input.")] = None,
    terminologies: Annotated[
        list[str] | None,
        typer.Option("--terminology", "-t", help="Repeatable: they are asked together. Default: the starter."),
    ] = None,
    language: Annotated[str | None, typer.Option(help="BCP 47; default: detected.")] = None,
    semantic_types: Annotated[
        list[str] | None, typer.Option("--semantic-type", help="Only concepts of these may answer; repeatable.")
    ] = None,
    top_k: Annotated[int, typer.Option(min=1, max=100, help="Candidates listed.")] = 5,
    min_confidence: Annotated[float | None, typer.Option(min=0, max=1, help="Below it NIL. Default: as built.")] = None,
    output: Annotated[str, typer.Option("--output", "-o", help=f"{', '.join(_OUTPUTS)}.")] = "table",
    artifacts: Artifacts = None,
) -> None:
    """Find the mentions of clinical texts and link them to the concepts of one terminology or several."""
    if output not in _OUTPUTS:
        raise InputInvalid(f"--output: expected one of {', '.join(_OUTPUTS)}", pointer="/output")
    spec = registry.spec("medical")
    asked = terminologies or [spec.starter_name or ""]
    body = _request(
        {
            "items": [
                {"text": text, **({"language": language} if language else {})} for text in texts or [sys.stdin.read()]
            ],
            "terminology": asked,
            "semantic_types": semantic_types or [],
            "top_k": top_k,
            "min_confidence": min_confidence,
        }
    )
    store = store_at(artifacts)
    library = library_of(store)
    builds = [open_build(spec, name or "", store=store, encoder_of=library.get) for name in body.terminologies]
    results = link_all([built.pipeline for built in builds], body.requests())
    if output == "table":
        _print_table(results)
        return
    content = _content(output, body, builds, results)
    sys.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n")


def _request(content: dict[str, object]) -> MedicalRequest:
    """What is asked, held to what the service takes. Raises: InputInvalid, without the text."""
    try:
        return MedicalRequest.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = pointer_of(("body", *first["loc"]))
        raise InputInvalid(f"{where}: {first['msg']}", pointer=where) from None


def _content(output: str, body: MedicalRequest, builds: Sequence[Build], results: Sequence[Result]) -> object:
    origins = [about(built) for built in builds]
    if output == "fhir":
        return fhir.parameters(origins, [fhir.fhir_result(result) for result in results])
    if output == "bioc":
        texts = enumerate(zip(body.items, results, strict=True))
        return bioc.collection(origins, [bioc.document(i, t.text, bioc.bioc_annotations(r)) for i, (t, r) in texts])
    return {"results": [medical_to_wire(result) for result in results], "terminologies": origins}


def _print_table(results: Sequence[Result]) -> None:
    table = Table("text", "place", "mention", "said", "concept", "name", "terminology", "confidence")
    for number, result in enumerate(results, 1):
        for linked in result.mentions:
            mention, decision = linked.mention, linked.decision
            said = [name for name in ("negated", "hypothetical") if mention.facts.get(name)]
            said += ["family"] if mention.facts.get("experiencer") == "family" else []
            table.add_row(
                str(number),
                f"{mention.start}–{mention.end}",
                escape(" ".join(mention.text.split())),
                ", ".join(said),
                escape(decision.concept_id or "NIL"),
                escape(decision.name or ""),
                escape(decision.source or ""),
                f"{decision.confidence:.2f}",
            )
    out.print(table)
