"""People by tokens of their identity provider: OpenID Connect, JWTs (RFC 7519) read as RFC 8725 advises."""

from typing import Any

import jwt

from service.access_settings import OidcSettings
from service.api.jwks import KeySet
from service.store.keys import Principal, Role

LONGEST_TOKEN = 16 * 1024
_DEMANDED = ["exp", "iss", "aud", "sub"]


class TokenError(Exception):
    """The token is not taken, and why; nothing of its content is repeated."""


class People:
    """Reads bearer tokens of one identity provider."""

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._keys = KeySet(settings.jwks_url, settings.jwks_file)

    def identify(self, token: str) -> Principal:
        """Who a token speaks for.

        Raises:
            TokenError: it is forged, over, not for us, or gives no role here.
            Problem: identity-provider-down; its keys cannot be had.
        """
        if len(token) > LONGEST_TOKEN:
            raise TokenError("the token is too long")
        claims = self._claims(token)
        return Principal(
            role=self._role(claims),
            room=self._room(claims),
            person=_text(claims, "sub"),
            ends_ns=self._end_ns(claims),
        )

    def _claims(self, token: str) -> dict[str, Any]:
        """The claims, once signature, times, issuer and audience are seen to."""
        wanted = self._settings
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = self._keys.find(kid)
            if key is None:
                raise TokenError("the token is signed with a key the provider does not publish")
            # The key's own algorithm decides too, so that no public key is ever read as a shared secret.
            if key.algorithm_name not in wanted.algorithms:
                raise TokenError("the token's key is for an algorithm that is not taken")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=wanted.audience,
                issuer=wanted.issuer,
                leeway=wanted.leeway_s,
                options={"require": _DEMANDED},
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise TokenError(f"the token is not taken ({type(error).__name__})") from error
        return claims

    def _end_ns(self, claims: dict[str, Any]) -> int:
        """When the token is over, Unix nanoseconds; a number may stand there that is no time."""
        try:
            return round((float(claims["exp"]) + self._settings.leeway_s) * 1e9)
        except (ValueError, TypeError, OverflowError) as error:
            raise TokenError("the token's claim exp is no time") from error

    def _role(self, claims: dict[str, Any]) -> Role:
        """The highest role that one of the person's groups stands for."""
        found: Any = claims
        for part in self._settings.role_claim.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        groups = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        known = self._settings.roles
        roles = [Role(known[group]) for group in groups if isinstance(group, str) and group in known]
        if not roles:
            raise TokenError(f"the token's claim {self._settings.role_claim} gives no role here")
        return max(roles, key=list(Role).index)

    def _room(self, claims: dict[str, Any]) -> str | None:
        if self._settings.room_claim is None:
            return None
        return _text(claims, self._settings.room_claim)


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise TokenError(f"the token's claim {name} is no text of 1 to 200 characters")
    return value
