"""A collection, opened: what it holds, and how it is searched.

collections/NAME@GEN
    config.json            options, as built
    documents.jsonl        id, text and metadata of every document, in row order
    offsets.safetensors    where each of its lines begins
    fields.arrow           the declared fields, in columns
    dense.faiss            the vectors, each followed by its penalties (`models.hubness.folding`)
    centred.faiss          the centred vectors, if centring was fitted; both are tables where a server keeps them
    hubness.json, hubness.safetensors   the corrections fitted, if there are any
    lexical.json, lexical.safetensors   the texts' n-grams, if it is hybrid
"""

import mmap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from models.arrays import EMPTY, Neighbours, Queries, RowIds, Vectors, unit
from models.artifacts import Artifact
from models.encoders.base import Encoder
from models.hubness.centre import MeanCentring
from models.hubness.fitted import Fitted
from models.hubness.folding import Centring, Folded, Uncorrected, foldings
from models.indexes.base import Engine
from models.indexes.folded import FoldedIndex
from models.indexes.hybrid import FusionWeights, HybridIndex
from models.indexes.lexical import LexicalIndex
from pipelines.correcting import HubnessReport
from pipelines.errors import CorrectionUnavailable, InputInvalid
from pipelines.retrieval.config import CollectionConfig
from pipelines.retrieval.fields import Fields, Filter

MAX_TOP_K: Final = 100
MAX_ANSWER_BYTES: Final = 64 << 20
"""What all hits of one request may take, by the size of an average document: they are made in memory."""
_NUMBER_BYTES: Final = 12
"""Of a vector's number, written down."""
_FILTERS: Final = 8
"""Filters whose rows are remembered: pages of one search share theirs."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One query, with its options.

    Attributes:
        text: None if a vector is brought.
        vector: (d,) float32; None if the text is to be encoded.
        conditions: which documents may be found.
        lexical: weight of lexical similarity; None takes the collection's.
        include_vectors: whether hits carry their vectors.
    """

    text: str | None = None
    vector: NDArray[np.float32] | None = None
    top_k: int = 5
    conditions: Filter = ()
    lexical: float | None = None
    include_vectors: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """A document found.

    Attributes:
        score: what it is ranked by.
        raw_score: what it would be without a correction.
        vector: (d,) as it is searched, where it was asked for.
    """

    id: str
    score: float
    raw_score: float
    text: str | None
    metadata: Mapping[str, Any]
    vector: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The answer to one query.

    Attributes:
        hits: best first, at most `top_k`, ties by the documents' order.
        matched: how many documents pass the filter.
    """

    hits: Sequence[Hit]
    matched: int


@dataclass(frozen=True, slots=True)
class About:
    """What a collection says of itself.

    Attributes:
        items: how many documents.
        dimension: of their vectors.
        index: exact, hnsw, ivf, ivf_sq8.
        encoder: name of what encodes texts; None if it takes vectors only.
        fields: declared field → kind.
    """

    name: str
    items: int
    dimension: int
    metric: str
    index: str
    encoder: str | None
    fields: Mapping[str, str]
    hubness: HubnessReport
    methods: Sequence[str]
    lexical: float | None


@dataclass(eq=False)
class Collection:
    """An opened collection. Safe to search from several threads.

    Attributes:
        artifact: leased while this is in use.
        encoder: what encodes text queries; None if nothing does.
        centred: rows for centring, or None.
    """

    about: About
    artifact: Artifact
    encoder: Encoder | None
    config: CollectionConfig
    dense: Engine
    centred: Engine | None
    lexical: LexicalIndex | None
    corrections: Mapping[str, Fitted]
    fields: Fields
    documents: mmap.mmap | bytes
    offsets: NDArray[np.int64]
    _foldings: Mapping[str, Uncorrected | Folded | Centring] = field(init=False, repr=False)
    _rows: Callable[[Filter], RowIds] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Say how each correction asks the rows."""
        self._foldings = views_of(self.about.dimension, self.corrections)
        self._rows = lru_cache(maxsize=_FILTERS)(self.fields.rows)

    @property
    def generation(self) -> str:
        """The build that answers."""
        return self.artifact.generation

    @cached_property
    def methods(self) -> list[str]:
        """What a request may ask for."""
        return ["auto", *self._foldings]

    def method(self, hubness: str) -> str:
        """The correction behind what was asked for. Raises: CorrectionUnavailable."""
        method = self.about.hubness.method if hubness == "auto" else hubness
        if method not in self._foldings:
            raise CorrectionUnavailable(
                f"this collection has no bank for hubness method {method!r}; it offers {', '.join(self.methods)}"
            )
        return method

    def check(self, asked: Sequence[Asked]) -> None:
        """Refuse queries that this collection cannot take. Raises: InputInvalid with a pointer."""
        hits = sum(min(one.top_k, self.about.items) for one in asked)
        document = int(self.offsets[-1]) / self.about.items
        vector = _NUMBER_BYTES * self.about.dimension if any(one.include_vectors for one in asked) else 0
        if hits * (document + vector) > MAX_ANSWER_BYTES:
            raise InputInvalid("The answer would be too large; ask for fewer hits or queries.", pointer="/top_k")
        for i, one in enumerate(asked):
            if one.vector is None:
                if self.encoder is None:
                    raise InputInvalid(
                        f"This collection encodes no texts; ask with a vector of {self.about.dimension} numbers.",
                        pointer=f"/queries/{i}/text",
                    )
            elif len(one.vector) != self.about.dimension:
                raise InputInvalid(
                    f"Should have {self.about.dimension} numbers, as the collection's vectors have.",
                    pointer=f"/queries/{i}/vector",
                )
            elif self.about.metric == "cosine" and not np.linalg.norm(one.vector):
                raise InputInvalid("Is zero, or too small to have a direction.", pointer=f"/queries/{i}/vector")
            if one.lexical and self.lexical is None:
                raise InputInvalid("This collection was built without a lexical index.", pointer="/lexical_weight")

    def search(self, asked: Sequence[Asked], *, hubness: str = "auto") -> list[Found]:
        """The nearest documents of each query, in order.

        Raises: CorrectionUnavailable; InputInvalid, as `check`.
        """
        method = self.method(hubness)
        self.check(asked)
        vectors = self._vectors(asked)
        found: list[Found | None] = [None] * len(asked)
        groups: dict[tuple[Filter, float], list[int]] = {}
        for i, one in enumerate(asked):
            groups.setdefault((one.conditions, self._weight(one)), []).append(i)
        for (conditions, weight), members in groups.items():
            rows = self._rows(conditions) if conditions else None
            queries = Queries([asked[i].text or "" for i in members], vectors[members], [None] * len(members))
            k = max(asked[i].top_k for i in members)
            near = self._search(queries, k=k, method=method, rows=rows, weight=weight)
            matched = self.about.items if rows is None else len(rows)
            for slot, i in enumerate(members):
                found[i] = Found(self._hits(near, slot, asked[i]), matched)
        return [one for one in found if one is not None]

    def index(self, method: str, rows: RowIds | None = None) -> FoldedIndex:
        """The vectors as a correction asks them, of which only `rows` can be found."""
        engine = self.centred if method == "centre" and self.centred is not None else self.dense
        return FoldedIndex(engine if rows is None else engine.among(rows), self._foldings[method])

    def _search(self, queries: Queries, *, k: int, method: str, rows: RowIds | None, weight: float) -> Neighbours:
        dense = self.index(method, rows)
        if not weight or self.lexical is None:
            return dense.search(queries, k=k)
        lexical = self.lexical if rows is None else self.lexical.among(rows)
        found = HybridIndex(dense, lexical, weights=FusionWeights(weight, weight)).search(queries, k=k)
        raw = np.where(found.ids == EMPTY, 0, self.index("none").score(queries, found.ids))
        fused = (1 - weight) * raw + weight * found.parts["lexical"]
        return Neighbours(found.scores, found.ids, {**found.parts, "raw": fused.astype(np.float32)})

    def _vectors(self, asked: Sequence[Asked]) -> Vectors:
        """(n, d): brought vectors as they are searched, texts encoded in one batch."""
        vectors = np.zeros((len(asked), self.about.dimension), np.float32)
        texts = [(i, one.text) for i, one in enumerate(asked) if one.vector is None and one.text is not None]
        if texts and self.encoder is not None:
            vectors[[i for i, _ in texts]] = self.encoder.encode_query([text for _, text in texts])
        brought = [i for i, one in enumerate(asked) if one.vector is not None]
        if brought:
            stacked = np.stack([asked[i].vector for i in brought])  # type: ignore[misc]  # none of these is None
            vectors[brought] = unit(stacked) if self.about.metric == "cosine" else stacked
        return vectors

    def _weight(self, asked: Asked) -> float:
        """Of lexical similarity: vectors have none."""
        if asked.text is None or self.lexical is None:
            return 0.0
        return (self.about.lexical or 0.0) if asked.lexical is None else asked.lexical

    def _hits(self, near: Neighbours, slot: int, asked: Asked) -> list[Hit]:
        ids = near.ids[slot, : asked.top_k]
        ids = ids[ids != EMPTY]
        scores, raw = near.scores[slot].tolist(), near.parts["raw"][slot].tolist()
        vectors = self.dense.rows(ids)[:, : self.about.dimension] if asked.include_vectors else None
        hits = []
        for place, row in enumerate(ids.tolist()):
            start, end = self.offsets[row : row + 2].tolist()
            document = orjson.loads(self.documents[start:end])
            hits.append(
                Hit(
                    id=document["id"],
                    score=round(scores[place], 6),
                    raw_score=round(raw[place], 6),
                    text=document.get("text"),
                    metadata=document.get("metadata", {}),
                    vector=None if vectors is None else vectors[place],
                )
            )
        return hits


def views_of(dimension: int, corrections: Mapping[str, Fitted]) -> dict[str, Uncorrected | Folded | Centring]:
    """How each correction asks its rows, "none" first, then simplest first."""
    folded = foldings(dimension, additive(corrections))
    centred = {m: Centring(one) for m, one in corrections.items() if isinstance(one, MeanCentring)}
    return {"none": folded["none"], **centred, **folded}


def additive(corrections: Mapping[str, Fitted]) -> list[Any]:
    """The corrections that fold into columns of their own, in order."""
    return [one for one in corrections.values() if not isinstance(one, MeanCentring)]
