"""Generations: what is kept of each build, and back to an earlier one. Admins only."""

from typing import Any, Final

from fastapi.responses import Response
from starlette.requests import Request

from models.artifacts import ArtifactStore, Manifest
from models.errors import ArtifactError
from service.access import caller_of
from service.keys import Caller
from service.problems import Refusal
from service.routes import BODY, NAMED, UNAVAILABLE, answer_json, router, services_of
from service.schemas.generations import GenerationsAnswer, RollbackAnswer, RollbackRequest
from service.telemetry import log

routes = router("generations")

_OWNED: Final = frozenset({"terminologies", "pipelines", "collections", "demand", "reranking"})
"""Artifacts that end in the name of a terminology or collection."""


class ArtifactUnknown(Refusal):
    """Nothing of that name was built."""

    status, slug, title = 404, "artifact-unknown", "Unknown artifact"


class GenerationUnusable(Refusal):
    """It is not kept, or not whole, or there is none before the one that answers."""

    status, slug, title = 409, "generation-unusable", "Generation cannot answer"


@routes.get("/v1/generations", response_model=GenerationsAnswer, responses=UNAVAILABLE, summary="List generations")
def list_generations(request: Request) -> Response:
    """Everything built, with every generation that is kept, newest first."""
    # Not async, like what follows: FastAPI runs it in a thread, and the disk holds up nobody else's request.
    store = services_of(request).host.store
    caller = caller_of(request.scope)
    return answer_json({"artifacts": [_to_wire(store, name) for name in store.names() if _sees(caller, name)]})


@routes.post(
    "/v1/generations/rollback",
    response_model=RollbackAnswer,
    responses={**BODY, 409: {**NAMED[404], "description": "That generation cannot answer."}},
    summary="Let an earlier generation answer",
)
def roll_back(request: Request, body: RollbackRequest) -> Response:
    """Switch to a generation that is kept, once its checksums were found right; the service follows by itself."""
    services = services_of(request)
    store = services.host.store
    caller = caller_of(request.scope)
    if body.artifact not in store.names() or not _sees(caller, body.artifact):
        raise ArtifactUnknown("Nothing of that name was built; GET /v1/generations lists what was.")
    was = store.current(body.artifact)
    try:
        generation = store.rollback(body.artifact, generation=body.generation)
    except ArtifactError as error:
        raise GenerationUnusable(
            "It is not kept, not whole, or there is none before the one that answers; nothing was changed."
        ) from error
    log.info(
        "audit",
        action="rolled back",
        key_id=caller.id,
        artifact=body.artifact,
        generation=generation,
        request_id=request.state.request_id,
    )
    return answer_json({"artifact": body.artifact, "generation": generation, "was": was})


def _sees(caller: Caller, artifact: str) -> bool:
    """Whether an artifact is one of the caller's; encoders and the like are nobody's own."""
    family, _, rest = artifact.partition("/")
    return not caller.prefixes or (family in _OWNED and caller.sees(rest.rpartition("/")[2]))


def _to_wire(store: ArtifactStore, name: str) -> dict[str, Any]:
    current = store.current(name)
    kept = [
        (generation, manifest)
        for generation in reversed(store.generations(name))
        if (manifest := _read(store, name, generation))
    ]
    return {
        "artifact": name,
        "kind": kept[0][1].kind if kept else "unknown",
        "generations": [
            {
                "generation": generation,
                "answers": generation == current,
                "created_at": manifest.created_at,
                "bytes": sum(entry.size for entry in manifest.files.values()),
            }
            for generation, manifest in kept
        ],
    }


def _read(store: ArtifactStore, name: str, generation: str) -> Manifest | None:
    """A generation's manifest; None for a damaged or just pruned one, which nobody can go back to."""
    try:
        return store.manifest(name, generation=generation)
    except ArtifactError:
        return None
