"""Tokens that a gateway signs in place of API keys (extra `jwt`): JWTs with `scope`, perhaps `prefixes`."""

from pathlib import Path
from typing import Any

from service.keys import Caller, Scope
from service.settings import SettingsInvalid

_LEEWAY_S = 30


class GatewayTokens:
    """Knows a gateway's tokens by its public key (or, for HS256, the shared secret).

    Args:
        key_file: PEM, or the secret.
        algorithm: the only one taken; what a token says of itself never chooses it.
        audience: what `aud` must be.
        issuer: what `iss` must be; None takes any.

    Raises: SettingsInvalid if pyjwt is not installed or the file cannot be used.
    """

    def __init__(self, key_file: Path, *, algorithm: str, audience: str, issuer: str | None) -> None:
        try:
            import jwt
        except ImportError as error:
            raise SettingsInvalid("COGNOMEN_JWT_KEY_FILE: needs pyjwt; pip install 'cognomen[jwt]'") from error
        try:
            self._key = jwt.get_algorithm_by_name(algorithm).prepare_key(key_file.read_bytes().strip())
        except (OSError, ValueError, NotImplementedError, jwt.PyJWTError) as error:
            raise SettingsInvalid(f"COGNOMEN_JWT_KEY_FILE: no key for {algorithm} ({type(error).__name__})") from error
        self._jwt = jwt
        self._algorithm = algorithm
        self._audience = audience
        self._issuer = issuer

    def verify(self, token: str) -> Caller | None:
        """Whom the token stands for; None if it is not to be trusted, has no end, or claims what cannot be read."""
        try:
            claims = self._jwt.decode(
                token,
                self._key,
                algorithms=[self._algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "sub", "aud"]},
            )
        except (self._jwt.PyJWTError, ValueError):
            return None
        return _caller(claims)


def _caller(claims: dict[str, Any]) -> Caller | None:
    said, prefixes = claims.get("scope", ""), claims.get("prefixes", [])
    if not (isinstance(said, str) and isinstance(prefixes, list) and all(isinstance(p, str) and p for p in prefixes)):
        return None
    known = {scope.value for scope in Scope}
    scopes = tuple(Scope(word) for word in said.split() if word in known)
    subject = str(claims["sub"])[:200]
    return Caller(f"jwt:{subject}", subject, scopes, tuple(prefixes))
