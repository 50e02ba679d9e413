"""Vectors in OpenAI's shape, and the models that make them."""

import asyncio
import base64
from collections.abc import Sequence
from functools import partial

import numpy as np
import orjson
from fastapi.responses import Response
from starlette.requests import Request

from models.encoders.base import Encoder
from service.admission import estimate_tokens
from service.batching import Lane
from service.problems import Fault, Invalid
from service.routes import (
    BODY,
    UNAVAILABLE,
    TimeoutMs,
    answer_json,
    hangs_up,
    router,
    services_of,
    timeout_s,
)
from service.schemas.embeddings import EmbeddingsAnswer, EmbeddingsRequest, ModelsAnswer

routes = router("embeddings")


@routes.get("/v1/models", response_model=ModelsAnswer, responses=UNAVAILABLE, summary="List models")
async def list_models(request: Request) -> Response:
    """Every encoder and re-ranker prepared here, as OpenAI lists models."""
    services = services_of(request)
    services.require_loaded()
    made = {"object": "model", "created": int(services.started), "owned_by": "cognomen"}
    encoders = await asyncio.to_thread(services.host.encoders)
    rerankers = await asyncio.to_thread(services.host.rerankers)
    kinds = [*((name, "encoder") for name in encoders), *((name, "reranker") for name in rerankers)]
    return answer_json({"object": "list", "data": [{"id": name, **made, "kind": kind} for name, kind in kinds]})


@routes.post("/v1/embeddings", response_model=EmbeddingsAnswer, responses=BODY, summary="Texts → vectors")
async def create_embeddings(
    request: Request, body: EmbeddingsRequest, x_request_timeout_ms: TimeoutMs = None
) -> Response:
    """Unit-length vectors, in the order of the input. Works with OpenAI's clients."""
    services = services_of(request)
    services.require_loaded()
    encoder = services.host.opened_encoder(body.model)
    if encoder is None:
        # The first time an encoder is asked for it is opened, which is slow.
        encoder = await asyncio.to_thread(services.host.encoder, body.model)
    _require_width(encoder, body.dimensions)
    lane = Lane(
        key=("embeddings", encoder.name, encoder.fingerprint, body.input_type, body.encoding_format),
        run=partial(_embed, encoder, body.input_type, body.encoding_format),
    )
    made = await services.batcher.submit(
        lane,
        body.input,
        costs=[estimate_tokens([text]) for text in body.input],
        timeout_s=timeout_s(services.settings, x_request_timeout_ms),
        gone=hangs_up(request),
    )
    tokens = sum(count for _, count in made)
    return answer_json(
        {
            "object": "list",
            "data": [{"object": "embedding", "index": i, "embedding": vector} for i, (vector, _) in enumerate(made)],
            "model": body.model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
    )


def _embed(
    encoder: Encoder, input_type: str, encoding_format: str, texts: Sequence[str]
) -> list[tuple[orjson.Fragment, int]]:
    """In a worker thread: each text's vector as JSON, and its tokens."""
    encode = encoder.encode_query if input_type == "query" else encoder.encode_passage
    vectors = encode(texts)
    if encoding_format == "base64":
        little = vectors.astype("<f4", copy=False)
        written = [orjson.dumps(base64.b64encode(row.tobytes()).decode()) for row in little]
    else:
        written = [orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY) for row in np.ascontiguousarray(vectors)]
    return [(orjson.Fragment(w), count) for w, count in zip(written, encoder.count_tokens(texts), strict=True)]


def _require_width(encoder: Encoder, dimensions: int | None) -> None:
    if dimensions is not None and dimensions != encoder.dimension:
        fault = Fault(
            "/dimensions", f"This model's vectors have {encoder.dimension} dimensions and cannot be shortened."
        )
        raise Invalid("The model has another width.", faults=[fault])
