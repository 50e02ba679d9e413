"""Re-ranking over the wire, in Cohere's and Jina's shape."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from service.schemas import Sized, Wire

MAX_DOCUMENTS: Final = 1024
Text = Annotated[str, StringConstraints(min_length=1, max_length=32_768)]


class RerankDocument(Wire):
    """A document as an object, as Jina has it."""

    text: Text


def _texts(documents: Sequence[str | RerankDocument]) -> list[str]:
    return [document if isinstance(document, str) else document.text for document in documents]


class RerankRequest(Wire):
    """One query and the documents to put in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "model": "e5-small",
                "query": "someone who minds a lighthouse",
                "documents": ["ferry pilot", "Leuchtturmwärter", "pastry cook"],
                "top_n": 2,
                "return_documents": True,
            }
        }
    )

    model: str = Field(min_length=1, max_length=200, description="A re-ranker, or an encoder; GET /v1/models.")
    query: Text
    documents: Annotated[
        list[Text | RerankDocument], AfterValidator(_texts), BeforeValidator(Sized(most=MAX_DOCUMENTS))
    ] = Field(min_length=1, max_length=MAX_DOCUMENTS, description="Texts, or {text}.")
    top_n: int | None = Field(None, ge=1, le=1_000_000, description="How many results; default: all.")
    return_documents: bool = Field(False, description="Whether results carry their texts.")

    @property
    def texts(self) -> list[str]:
        """The documents, each a text."""
        return [document for document in self.documents if isinstance(document, str)]


class RerankedText(BaseModel):
    """A document given back."""

    text: str


class RerankedAnswer(BaseModel):
    """One document in its new place."""

    index: int = Field(description="Its place in the request.")
    relevance_score: float = Field(description="Of a cross-encoder in (0, 1); of an encoder the cosine, in [-1, 1].")
    document: RerankedText | None = Field(None, description="Where return_documents asks for it.")


class RerankAnswer(BaseModel):
    """Documents by falling score, ties by their place in the request."""

    object: Literal["list"]
    model: str
    kind: Literal["cross_encoder", "bi_encoder"] = Field(description="bi_encoder: no cross-encoder of that name.")
    results: list[RerankedAnswer]
    usage: dict[str, int]


def reranked_to_wire(scores: Sequence[float], body: RerankRequest) -> list[dict[str, Any]]:
    """The results of /v1/rerank."""
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[: body.top_n]
    results: list[dict[str, Any]] = [{"index": i, "relevance_score": scores[i]} for i in order]
    if body.return_documents:
        for result in results:
            result["document"] = {"text": body.texts[result["index"]]}
    return results
