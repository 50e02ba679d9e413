"""A collection to begin with: the starter's occupations in English, asked for in its other languages."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from models.artifacts import ArtifactStore
from pipelines import registry
from pipelines.retrieval.collections import artifact_name, build_collection
from pipelines.retrieval.config import CollectionConfig
from pipelines.terminology import Concept, Terminology
from service.cli.console import Bars, library_of, say

NAME: Final = "occupations"

_CONFIG: Final = CollectionConfig(symmetric=True, fields=["code", "group", "level"])
_BANK: Final = 1000
_DEVELOPMENT: Final = 500
"""Titles in other languages that stand for what is asked, and others that decide what hubness=auto is."""


def set_up_collection(store: ArtifactStore) -> None:
    """Build it, unless it stands as this version would build it."""
    starter = registry.spec("job_titles").starter
    if starter is None:
        return
    terminology = starter()
    if _stands(terminology, store=store):
        say(f"collection {NAME}: built already")
        return
    bank, development = _questions(terminology)
    with tempfile.TemporaryDirectory() as folder, Bars(f"collection {NAME}") as bars:
        build_collection(
            NAME,
            _written(Path(folder) / "documents.jsonl", _documents(terminology)),
            store=store,
            encoder_of=library_of(store).get,
            config=_CONFIG,
            queries=_written(Path(folder) / "bank.jsonl", bank),
            gallery="items",
            development=_written(Path(folder) / "development.jsonl", development),
            on_progress=bars,
        )
    say(f"collection {NAME}: built")


def _stands(terminology: Terminology, *, store: ArtifactStore) -> bool:
    if not store.exists(artifact_name(NAME)):
        return False
    with store.open(artifact_name(NAME)) as artifact:
        about = artifact.manifest.details
        return bool(
            artifact.read_json("config.json") == _CONFIG.model_dump()
            and about["items"] == sum(not c.abstract for c in terminology.concepts)
            and about["encoder"]["fingerprint"] == library_of(store).get(about["encoder"]["name"]).fingerprint
        )


def _documents(terminology: Terminology) -> Iterator[Mapping[str, Any]]:
    for concept in terminology.concepts:
        if concept.abstract:
            continue
        code = concept.codes.get("isco-08", concept.id)
        groups = [terminology.concept(g).name for g in terminology.ancestors(concept.id)]
        metadata = {"code": code, "group": groups[-1] if groups else concept.name, "level": len(code)}
        yield {"id": concept.id, "text": concept.name, "metadata": metadata}


def _questions(terminology: Terminology) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """Titles in other languages than English, by occupation either in the bank or in the development set."""
    rng = np.random.default_rng(0)
    parts: tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]] = ([], [])
    for i in rng.permutation(len(terminology)).tolist():
        concept = terminology.concepts[i]
        if not concept.abstract:
            parts[rng.random() < _DEVELOPMENT / (_BANK + _DEVELOPMENT)].extend(_foreign(concept))
    bank, development = ([part[i] for i in rng.permutation(len(part)).tolist()] for part in parts)
    return bank[:_BANK], development[:_DEVELOPMENT]


def _foreign(concept: Concept) -> Iterator[Mapping[str, Any]]:
    for term in concept.terms:
        if term.language not in {None, "en"}:
            yield {"text": term.text, "relevant": [concept.id]}


def _written(path: Path, lines: Sequence[Mapping[str, Any]] | Iterator[Mapping[str, Any]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path
