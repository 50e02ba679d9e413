"""A small world in two languages of made-up vectors, and texts for the hashing encoder."""

import json

import numpy as np
import pytest

from models.arrays import unit
from models.encoders.hashing import HashingEncoder
from pipelines.retrieval.collections import build_collection, open_collection
from pipelines.retrieval.config import CollectionConfig

COLOURS, THINGS = ("red", "green", "blue", "old"), ("car", "boat", "tree", "hat", "lamp")


def write(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def written(tmp_path):
    return lambda name, lines: write(tmp_path / name, lines)


@pytest.fixture
def documents(written):
    """Twenty texts with metadata."""
    return written(
        "documents.jsonl",
        [
            {
                "id": f"{colour}-{thing}",
                "text": f"{colour} {thing}",
                "metadata": {"colour": colour, "size": 10 * j, "old": colour == "old", "tags": [thing, colour]},
            }
            for colour in COLOURS
            for j, thing in enumerate(THINGS)
        ],
    )


@pytest.fixture
def bank(written):
    return written(
        "bank.jsonl", [{"text": f"a {t} that is {c}", "relevant": [f"{c}-{t}"]} for c in COLOURS[:3] for t in THINGS]
    )


@pytest.fixture
def make(store):
    """make(name, documents, queries=…, **config) → an opened collection."""

    def build(
        name,
        documents,
        *,
        encoder_of=lambda name: HashingEncoder(),
        queries=None,
        gallery=None,
        development=None,
        **config,
    ):
        build_collection(
            name,
            documents,
            store=store,
            encoder_of=encoder_of,
            config=CollectionConfig(**{"encoder": "hashing", **config}),
            queries=queries,
            gallery=gallery,
            development=development,
        )
        return open_collection(name, store=store, encoder_of=encoder_of)

    return build


class VectorWorld:
    """Documents and queries as vectors, some of the documents hubs."""

    def __init__(self, written, *, n=120, d=12, seed=0):
        rng = np.random.default_rng(seed)
        common = rng.standard_normal(d)
        self.items = unit((rng.standard_normal((n, d)) + 0.8 * common).astype(np.float32))
        self.bank = unit((rng.standard_normal((200, d)) + 1.2 * common).astype(np.float32))
        self.queries = unit((rng.standard_normal((15, d)) + 1.2 * common).astype(np.float32))
        self.even = np.arange(n) % 2 == 0
        self.documents = written(
            "vectors.jsonl",
            [
                {"id": f"v{i}", "vector": v.tolist(), "metadata": {"even": bool(self.even[i])}}
                for i, v in enumerate(self.items)
            ],
        )
        self.bank_file = written("vector_bank.jsonl", [{"vector": v.tolist()} for v in self.bank])


@pytest.fixture
def world(written):
    return VectorWorld(written)
