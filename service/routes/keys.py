"""API keys: make, list, rotate, revoke, for admins; and for everybody, what their own is good for."""

from fastapi.responses import Response
from starlette.requests import Request

from service.access import caller_of
from service.keys import Caller, Key, KeyUnknown
from service.problems import Fault, Forbidden, Invalid
from service.routes import BODY, NAMED, UNAVAILABLE, answer_json, router, services_of
from service.schemas.keys import (
    KeyRequest,
    KeysAnswer,
    NewKeyAnswer,
    RotateRequest,
    SelfAnswer,
    caller_to_wire,
    key_to_wire,
    scopes_of,
)
from service.telemetry import log

routes = router("keys")


@routes.get("/v1/keys", response_model=KeysAnswer, responses=UNAVAILABLE, summary="List API keys")
def list_keys(request: Request) -> Response:
    """Every live key; secrets are never shown again."""
    # Not async, like everything below: FastAPI runs it in a thread, and the disk holds up nobody else's request.
    caller = caller_of(request.scope)
    keys = [key for key in services_of(request).keys.all() if caller.sees_of(key)]
    return answer_json({"keys": [key_to_wire(key) for key in keys]})


@routes.get("/v1/keys/self", response_model=SelfAnswer, responses=UNAVAILABLE, summary="What your key is good for")
async def own_key(request: Request) -> Response:
    """Scopes, prefixes and rate of the key that this is asked with; where none is needed, everything is allowed."""
    required = services_of(request).settings.keys_required
    return answer_json(caller_to_wire(caller_of(request.scope), required=required))


@routes.post("/v1/keys", status_code=201, response_model=NewKeyAnswer, responses=BODY, summary="Make an API key")
def create_key(request: Request, body: KeyRequest) -> Response:
    """A new key; `key` is shown this once. A caller bound to prefixes makes keys within them only."""
    caller = caller_of(request.scope)
    if caller.prefixes and not body.prefixes:
        raise Invalid("A key bound to prefixes makes bound keys only.", faults=[Fault("/prefixes", "Field required")])
    if outside := [i for i, prefix in enumerate(body.prefixes) if not caller.sees(prefix)]:
        raise Invalid(
            "A prefix lies outside those of your own key.",
            faults=[Fault(f"/prefixes/{i}", "Not within your own prefixes.") for i in outside],
        )
    key, token = services_of(request).keys.create(
        name=body.name, scopes=scopes_of(body), prefixes=body.prefixes, rate=body.rate
    )
    _audit(request, caller, "key created", key.id)
    return answer_json({**key_to_wire(key), "key": token}, 201)


@routes.post("/v1/keys/{key_id}/rotate", response_model=NewKeyAnswer, responses=BODY, summary="Give a key a new secret")
def rotate_key(request: Request, key_id: str, body: RotateRequest) -> Response:
    """A new secret for a key, shown this once; the former one works for `grace_s` more seconds."""
    caller = caller_of(request.scope)
    _seen(request, caller, key_id)
    key, token = services_of(request).keys.rotate(key_id, grace_s=body.grace_s)
    _audit(request, caller, "key rotated", key_id)
    return answer_json({**key_to_wire(key), "key": token})


@routes.delete("/v1/keys/{key_id}", status_code=204, responses={**NAMED, **UNAVAILABLE}, summary="Revoke an API key")
def revoke_key(request: Request, key_id: str) -> Response:
    """From the next request on it opens nothing."""
    caller = caller_of(request.scope)
    key = _seen(request, caller, key_id)
    if key.id == caller.id:
        raise Forbidden("A key cannot revoke itself; use another admin key, or `cognomen keys revoke`.")
    services_of(request).keys.revoke(key_id)
    _audit(request, caller, "key revoked", key_id)
    return Response(status_code=204)


def _seen(request: Request, caller: Caller, key_id: str) -> Key:
    key = services_of(request).keys.get(key_id)
    if not caller.sees_of(key):
        raise KeyUnknown("There is no key of that id.")
    return key


def _audit(request: Request, caller: Caller, action: str, subject: str) -> None:
    log.info("audit", action=action, key_id=caller.id, subject_key_id=subject, request_id=request.state.request_id)
