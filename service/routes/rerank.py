"""Re-ranking in Cohere's and Jina's shape."""

import asyncio
from collections.abc import Sequence
from functools import partial

from fastapi.responses import Response
from starlette.requests import Request

from models.rerankers.bi_encoder import BiEncoderReranker
from models.rerankers.cross_encoder import CrossEncoder
from service.admission import estimate_tokens
from service.batching import Lane
from service.routes import BODY, TimeoutMs, answer_json, hangs_up, router, services_of, timeout_s
from service.schemas.rerank import RerankAnswer, RerankRequest, reranked_to_wire

routes = router("rerank")


@routes.post("/v1/rerank", response_model=RerankAnswer, responses=BODY, summary="Documents by relevance")
async def rerank(request: Request, body: RerankRequest, x_request_timeout_ms: TimeoutMs = None) -> Response:
    """Score each document against the query by a cross-encoder, or, where none is so called, by an encoder."""
    services = services_of(request)
    services.require_loaded()
    # The first time a model is asked for it is opened, which is slow.
    reranker = await asyncio.to_thread(services.host.reranker, body.model)
    lane = Lane(key=("rerank", reranker.name, reranker.fingerprint), run=partial(_score, reranker))
    pairs = [(body.query, text) for text in body.texts]
    costs = [estimate_tokens([body.query, text]) for text in body.texts]
    made = await services.batcher.submit(
        lane,
        pairs,
        costs=costs,
        timeout_s=timeout_s(services.settings, x_request_timeout_ms),
        gone=hangs_up(request),
    )
    return answer_json(
        {
            "object": "list",
            "model": body.model,
            "kind": "cross_encoder" if isinstance(reranker, CrossEncoder) else "bi_encoder",
            "results": reranked_to_wire([score for score, _ in made], body),
            "usage": {"total_tokens": sum(tokens for _, tokens in made)},
        }
    )


def _score(reranker: CrossEncoder | BiEncoderReranker, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
    """In a worker thread: each pair's score, and its tokens."""
    scores = reranker.score([query for query, _ in pairs], [[text] for _, text in pairs])
    return [(round(float(one[0]), 6), n) for one, n in zip(scores, reranker.count_tokens(pairs), strict=True)]
