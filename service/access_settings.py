"""Settings of who may ask, and how often: `[server.limits]` and `[auth]`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from service.section import Section
from service.urls import is_loopback, web_url


class LimitSettings(Section):
    """How often one caller may ask; 0 turns a limit off. Two seconds' worth may come at once.

    `requests_per_s` is a key's or a person's, `address_requests_per_s` an IP address's, `streams` bounds all
    open streams together.
    """

    requests_per_s: Annotated[float, Field(ge=0)] = 500.0
    address_requests_per_s: Annotated[float, Field(ge=0)] = 1000.0
    failed_logins_per_minute: Annotated[float, Field(ge=0)] = 30.0
    streams: Annotated[int, Field(ge=0)] = 2000


class OidcSettings(Section):
    """People who log in at an identity provider (OpenID Connect); off without `issuer`.

    Their bearer tokens are JWTs signed with a key of `jwks_url` or `jwks_file` (RFC 7517), for `audience`.
    `role_claim` names the claim that holds groups or roles, dots go into objects; `roles` says which of its
    values stand for which role. `room_claim` names a claim with the one room that a person may see.
    """

    issuer: str | None = None
    audience: str = "roomtone"
    jwks_url: str | None = None
    jwks_file: Path | None = None
    algorithms: list[Literal["RS256", "PS256", "ES256", "ES384", "EdDSA"]] = Field(
        default=["RS256", "ES256", "EdDSA"], min_length=1
    )
    role_claim: str = "roles"
    roles: dict[str, Literal["viewer", "operator", "admin"]] = Field(
        default={"viewer": "viewer", "operator": "operator", "admin": "admin"}
    )
    room_claim: str | None = None
    leeway_s: Annotated[float, Field(ge=0, le=300)] = 30.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.issuer is not None and (self.jwks_url is None) == (self.jwks_file is None):
            raise ValueError("name one of jwks_url and jwks_file: the provider's public keys")
        if self.jwks_url is not None:
            _check_safe(self.jwks_url)
        return self


class AuthSettings(Section):
    """Who may ask, besides holders of keys."""

    oidc: OidcSettings = OidcSettings()


def _check_safe(url: str) -> None:
    """See that nobody on the network can put keys of their own in place of the provider's.

    The URL is not repeated: there may be a password in it.

    Raises:
        ValueError: what is wrong with it.
    """
    try:
        parts = web_url(url)
    except ValueError as error:
        raise ValueError(f"jwks_url: {error}") from None
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("jwks_url must be https, or http on this machine")
