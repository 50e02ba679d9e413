"""API keys over the wire."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.keys import Caller, Key, Scope
from service.rates import RATE
from service.schemas import Wire

ScopeName = Literal["read", "write", "admin"]
Prefix = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class KeyRequest(Wire):
    """A key to make."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "gateway", "scopes": ["read"]}})

    name: str = Field(min_length=1, max_length=100, description="Whose it is; shown in lists.")
    scopes: list[ScopeName] = Field(min_length=1, max_length=3, description="write includes read, admin both.")
    prefixes: list[Prefix] = Field(
        [], max_length=20, description="Names of terminologies and collections begin with one of these; [] sees all."
    )
    rate: Annotated[str, StringConstraints(pattern=RATE)] | None = Field(
        None, description="600/minute; default: COGNOMEN_RATE_LIMIT."
    )


class RotateRequest(Wire):
    """A new secret for a key."""

    grace_s: int = Field(0, ge=0, le=30 * 86_400, description="How long the former secret still works.")


class KeyAnswer(BaseModel):
    """A key, without its secret."""

    id: str
    name: str
    scopes: list[ScopeName]
    prefixes: list[str]
    rate: str | None
    created_at: float = Field(description="Seconds since 1970.")
    last_used_at: float | None = Field(description="Up to half a minute late.")


class NewKeyAnswer(KeyAnswer):
    """A key with its secret, which is shown this once."""

    key: str


class SelfAnswer(BaseModel):
    """What the caller may do."""

    required: bool = Field(description="Whether a key is needed here at all.")
    id: str
    name: str
    scopes: list[ScopeName] = Field(description="Each one that is held or included, least first.")
    prefixes: list[str]
    rate: str | None = Field(description="Of this key; null: the service's own.")


class KeysAnswer(BaseModel):
    """Every live key the caller may know of."""

    keys: list[KeyAnswer]


def key_to_wire(key: Key) -> dict[str, Any]:
    """A key without its secret."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": [scope.value for scope in key.scopes],
        "prefixes": list(key.prefixes),
        "rate": key.rate,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
    }


def caller_to_wire(caller: Caller, *, required: bool) -> dict[str, Any]:
    """What a caller may do."""
    return {
        "required": required,
        "id": caller.id,
        "name": caller.name,
        "scopes": [scope.value for scope in Scope if caller.may(scope)],
        "prefixes": list(caller.prefixes),
        "rate": caller.rate,
    }


def scopes_of(request: KeyRequest) -> list[Scope]:
    """The scopes asked for, each once, least first."""
    return sorted({Scope(scope) for scope in request.scopes}, key=lambda scope: scope.rank)
