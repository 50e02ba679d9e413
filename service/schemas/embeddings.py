"""Embeddings over the wire, in OpenAI's shape."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from service.schemas import (
    Sized,
    Wire,
)

MAX_INPUTS: Final = 2048
"""Texts of one embeddings request, as OpenAI has it."""


def _texts(value: object) -> object:
    """OpenAI's `input`: a text is a list of one; token ids are refused in words."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value and isinstance(value[0], int | list):
        raise PydanticCustomError("tokens", "Token ids are not accepted; send text")
    return value


def _no_empty(texts: Sequence[str]) -> Sequence[str]:
    for i, text in enumerate(texts):
        if not text:
            raise PydanticCustomError("empty", "Text {i} is empty", {"i": i})
    return texts


class EmbeddingsRequest(Wire):
    """OpenAI's request, with `input_type` besides."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"model": "minilm", "input": ["ferry pilot", "lamplighter"]}}
    )

    input: Annotated[
        list[Annotated[str, StringConstraints(max_length=32_768)]],
        AfterValidator(_no_empty),
        BeforeValidator(Sized(most=MAX_INPUTS)),
        BeforeValidator(_texts),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "minLength": 1, "maxLength": 32_768},
                    {
                        "type": "array",
                        "items": {"type": "string", "minLength": 1, "maxLength": 32_768},
                        "minItems": 1,
                        "maxItems": MAX_INPUTS,
                    },
                ]
            }
        ),
    ] = Field(min_length=1)
    model: str = Field(min_length=1, max_length=200, description="An encoder; GET /v1/models lists them.")
    encoding_format: Literal["float", "base64"] = Field("float", description="base64: float32, little-endian.")
    dimensions: int | None = Field(None, ge=1, description="Only the encoder's own width; it cannot be shortened.")
    input_type: Literal["query", "passage"] = Field(
        "query",
        description="Which of the encoder's prompts the text gets; encoders without prompts ignore it. `query` is what "
        "e5's authors advise where all texts are of one kind; embed documents to be searched with `passage`.",
    )
    user: str | None = Field(None, max_length=1000, description="Accepted as OpenAI does, ignored, never logged.")


class EmbeddingAnswer(BaseModel):
    """One vector."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class UsageAnswer(BaseModel):
    """Tokens after truncation, special tokens included."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsAnswer(BaseModel):
    """Vectors in the order of the input."""

    object: Literal["list"]
    data: list[EmbeddingAnswer]
    model: str
    usage: UsageAnswer


class ModelAnswer(BaseModel):
    """An encoder or re-ranker, as OpenAI lists models."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    kind: Literal["encoder", "reranker"]


class ModelsAnswer(BaseModel):
    """Every encoder and re-ranker prepared here."""

    object: Literal["list"]
    data: list[ModelAnswer]
