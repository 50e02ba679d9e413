"""Retrieval over the wire: collections, searches, hits."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import numpy as np
import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from pipelines.retrieval.collection import About, Asked, Collection, Found, Hit
from pipelines.retrieval.documents import MAX_DIMENSION, MAX_NUMBER
from pipelines.retrieval.fields import Filter
from service.schemas import MAX_ITEMS, Hubness, Sized, TerminologyRef, Wire, exactly_one

MAX_QUERY_CHARS: Final = 32_768
Number = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]


class SearchQuery(Wire):
    """What is looked for: a text or a vector."""

    model_config = ConfigDict(json_schema_extra=exactly_one("text", "vector"))

    text: str | None = Field(None, min_length=1, max_length=MAX_QUERY_CHARS)
    vector: Annotated[list[Number], BeforeValidator(Sized(most=MAX_DIMENSION))] | None = Field(
        None, min_length=1, description="As wide as the collection's; scaled to unit length where its metric is cosine."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> "SearchQuery":
        if (self.text is None) == (self.vector is None):
            raise PydanticCustomError("one_of", "Should have one of text and vector")
        return self


class SearchRequest(Wire):
    """Queries against one collection."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "queries": [{"text": "Leuchtturmwärter"}, {"text": "someone who bakes bread"}],
                "top_k": 3,
                "filter": {"level": {"gte": 4}},
            }
        }
    )

    queries: Annotated[list[SearchQuery], BeforeValidator(Sized(most=MAX_ITEMS))] = Field(
        min_length=1, max_length=MAX_ITEMS
    )
    top_k: int = Field(5, ge=1, le=100, description="Hits of each query.")
    hubness: Hubness = Field("auto", description="auto: what the build measured to help, else none.")
    filter: dict[str, JsonValue] | None = Field(
        None,
        max_length=32,
        description="Declared field → value, list of values (any of them) or {operator: value}, operators eq, ne, in, "
        "not_in, gt, gte, lt, lte, exists; every one must hold. Applied before the search: hits are the best of "
        "what passes.",
    )
    include_vectors: bool = False
    lexical_weight: float | None = Field(
        None, ge=0, le=1, description="Of lexical similarity beside dense, for texts. Default: the collection's."
    )

    def asked(self, conditions: Filter) -> list[Asked]:
        """The queries as a collection takes them, in order."""
        return [
            Asked(
                text=query.text,
                vector=None if query.vector is None else np.array(query.vector, np.float32),
                top_k=self.top_k,
                conditions=conditions,
                lexical=self.lexical_weight,
                include_vectors=self.include_vectors,
            )
            for query in self.queries
        ]


class HitAnswer(BaseModel):
    """A document found."""

    id: str
    score: float = Field(description="Ranks; comparable within one result only.")
    raw_score: float = Field(description="What the score would be without a correction.")
    text: str | None
    metadata: dict[str, Any]
    vector: list[float] | None = Field(None, description="Where include_vectors asks for it.")


class FoundAnswer(BaseModel):
    """The answer to one query."""

    hits: list[HitAnswer] = Field(description="Best first, at most top_k.")
    matched: int = Field(description="Documents that pass the filter.")


class SearchAnswer(BaseModel):
    """One result per query, in order."""

    results: list[FoundAnswer]
    collection: str
    terminology: TerminologyRef = Field(description="What answered, as every answer says it: name and generation.")
    encoder: str | None
    generation: str = Field(description="The build that answered.")
    hubness: str = Field(description="The correction that was applied.")


class HubnessAnswer(BaseModel):
    """What a collection says of its hubs."""

    method: str = Field(description="What hubness=auto means here.")
    reason: str
    query_bank: int | None = Field(description="How many queries are in it; null: there is none.")
    gallery_bank: int | None
    skewness_before: float | None = Field(description="Of how often documents are among the ten nearest; 0 is even.")
    skewness_after: float | None = Field(description="The same with `method`.")
    measured_on: str | None
    methods: list[str] = Field(description="What a request may ask for.")


class CollectionAnswer(BaseModel):
    """A collection."""

    name: str
    items: int
    dimension: int
    metric: str
    hubness: HubnessAnswer
    index: str
    encoder: str | None = Field(description="What encodes texts; null: ask with vectors.")
    fields: dict[str, str] = Field(description="Declared metadata fields, which a filter may name, and their kinds.")
    lexical: float | None = Field(description="Default lexical weight; null: there is no lexical index.")
    generation: str


class CollectionsAnswer(BaseModel):
    """Every collection hosted."""

    collections: list[CollectionAnswer]


def collection_to_wire(collection: Collection) -> dict[str, Any]:
    """A collection as it is listed."""
    return {**_about_to_wire(collection.about), "generation": collection.generation}


def _about_to_wire(about: About) -> dict[str, Any]:
    report = about.hubness
    return {
        "name": about.name,
        "items": about.items,
        "dimension": about.dimension,
        "metric": about.metric,
        "hubness": {
            "method": report.method,
            "reason": report.reason,
            "query_bank": report.query_bank,
            "gallery_bank": report.gallery_bank,
            "skewness_before": report.skewness_before,
            "skewness_after": report.skewness_after,
            "measured_on": report.measured_on,
            "methods": list(about.methods),
        },
        "index": about.index,
        "encoder": about.encoder,
        "fields": dict(about.fields),
        "lexical": about.lexical,
    }


def found_to_wire(found: Found) -> Mapping[str, Any]:
    """One result of a search."""
    return {"hits": [_hit_to_wire(hit) for hit in found.hits], "matched": found.matched}


def _hit_to_wire(hit: Hit) -> dict[str, Any]:
    content: dict[str, Any] = {
        "id": hit.id,
        "score": hit.score,
        "raw_score": hit.raw_score,
        "text": hit.text,
        "metadata": hit.metadata,
    }
    if hit.vector is not None:
        content["vector"] = orjson.Fragment(orjson.dumps(hit.vector, option=orjson.OPT_SERIALIZE_NUMPY))
    return content
