"""Annotated documents in a language that has none: by alias substitution, or by machine translation."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from pipelines.chat import ChatFailed, HttpChat
from pipelines.errors import SourceError
from pipelines.library import open_terminology
from pipelines.medical import corpora
from pipelines.medical.substitution import substitute
from pipelines.medical.translation import Translator
from service.cli.console import Artifacts, Bars, say, settings, store_at
from service.cli.medical import DocumentsPath, FormatOption
from service.settings import SettingsInvalid

commands = typer.Typer(help="Weak supervision where annotations are missing.", no_args_is_help=True)

Target = Annotated[str, typer.Option("--language", "-l", help="BCP 47: the language that annotations are wanted in.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="JSON Lines, as `cognomen medical evaluate` reads them.")]
To = Annotated[str, typer.Option("--to", help="jsonl or bigbio.")]


@commands.command("substitute")
def substitute_(
    path: DocumentsPath,
    language: Target,
    output: Output,
    terminology: Annotated[str, typer.Option("--terminology", "-t", help="Whose ids the annotations are.")],
    format: FormatOption = "auto",
    to: To = "jsonl",
    seed: Annotated[int, typer.Option(help="Draws the aliases.")] = 0,
    artifacts: Artifacts = None,
) -> None:
    """Replace mentions by aliases of the same concepts in another language; the text around stays."""
    _check_form(to)
    known = open_terminology(terminology, store=store_at(artifacts))
    made, counts = substitute(_documents(path, format), known, language=language, seed=seed)
    _write(output, made, to=to, system=terminology)
    say(f"{output}: {len(made):,} documents; annotations: {_told(counts)}")


@commands.command()
def translate(
    path: DocumentsPath,
    language: Target,
    output: Output,
    format: FormatOption = "auto",
    to: To = "jsonl",
    system: Annotated[str, typer.Option(help="Whose ids the annotations are; written into bigbio.")] = "",
    retries: Annotated[int | None, typer.Option(min=0, max=10, help="Default: COGNOMEN_LLM_RETRIES.")] = None,
) -> None:
    """Translate documents by the language model of COGNOMEN_LLM_BASE_URL, their mentions marked; texts go there."""
    _check_form(to)
    chosen = settings()
    if chosen.llm_base_url is None:
        raise SettingsInvalid("COGNOMEN_LLM_BASE_URL names no endpoint to translate with")
    key = chosen.llm_api_key.get_secret_value() if chosen.llm_api_key else None
    chat = HttpChat(chosen.llm_base_url, chosen.llm_model, key, chosen.llm_timeout_s)
    translator = Translator(chat, language=language, retries=chosen.llm_retries if retries is None else retries)
    documents = _documents(path, format)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.touch()  # what cannot be written is not paid for
    made: list[corpora.AnnotatedDocument] = []
    failure: ChatFailed | None = None
    with Bars(path.name) as bars:
        for number, document in enumerate(documents, 1):
            try:
                done = translator.translate(document)
            except ChatFailed as error:
                failure = error
                break
            made += [done] if done is not None else []
            bars("documents", number, len(documents))
    _write(output, made, to=to, system=system)
    usage = translator.usage
    say(
        f"{output}: {len(made):,} of {len(documents):,} documents; sentences: {_told(translator.counts)}; "
        f"{usage.requests:,} requests, {usage.prompt + usage.completion:,} tokens"
    )
    if failure is not None:
        raise SourceError(f"stopped: {failure}")


def _documents(path: Path, format: str) -> list[corpora.AnnotatedDocument]:
    return corpora.read_documents(path, format=corpora.detect(path) if format == "auto" else format)


def _write(path: Path, documents: Iterable[corpora.AnnotatedDocument], *, to: str, system: str) -> None:
    contents = (corpora.to_plain(d) if to == "jsonl" else corpora.annotated_bigbio(d, system=system) for d in documents)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(c, ensure_ascii=False)}\n" for c in contents), encoding="utf-8")


def _check_form(to: str) -> None:
    if to not in {"jsonl", "bigbio"}:
        raise SourceError(f"--to {to}: expected jsonl or bigbio")


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items())) or "none"
