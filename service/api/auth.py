"""Default deny: everything but a short list needs a key; each route then names the role it takes.

A caller is known by `Authorization: Bearer` with a key or with a token of the site's identity provider, or by
the dashboard's cookie on requests of its own pages; a WebSocket by the header or by a one-use ticket in its
address.
"""

from collections.abc import Mapping
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any
from urllib.parse import parse_qs

import anyio.to_thread
from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api import oidc
from service.api.context import Context, context_of
from service.api.known_query import known_query
from service.api.leaving import LEAVING_MARK
from service.api.limits import address_of
from service.api.media import check_body_type
from service.api.problems import Problem, problem_response, request_id_of
from service.store.keys import Principal, Role
from service.store.sessions import session_principal

COOKIE = "roomtone_session"
OPEN_PATHS = frozenset(
    {"/", "/login", "/session", "/livez", "/readyz", "/v1/openapi.json", "/v1/asyncapi.json"}
)
OPEN_PREFIXES = ("/problems/", "/static/", "/v2/health/")
ROLE_MARK = "x-roomtone-role"
SECRET_MARK = "x-roomtone-secret"  # noqa: S105 - the name of a mark


class Authenticate:
    """Finds out who asks before anything is routed; who is nobody gets 401, whatever the path."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context
        oidc_settings = context.settings.auth.oidc
        self._people = oidc.People(oidc_settings) if oidc_settings.issuer else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        limits = self._context.limits
        is_stream = scope["type"] == "websocket"
        try:
            await self._admit(scope)
            if is_stream:
                limits.open_stream()
        except Problem as problem:
            await problem_response(problem, request_id_of(scope))(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            if is_stream:
                limits.close_stream()

    async def _admit(self, scope: Scope) -> None:
        """Find out who asks, unless anybody may, and whether it asks too often."""
        limits, address = self._context.limits, address_of(scope.get("client"))
        limits.ask(address)
        if is_open(scope["path"]):
            return
        try:
            principal = await self._identify(scope)
        except oidc.TokenError as error:
            limits.fail(address)
            raise Problem("unauthenticated", str(error)) from error
        if principal is None:
            if "authorization" in Headers(scope=scope):
                limits.fail(address)
            raise Problem("unauthenticated", f"{scope['path'][:200]} needs a valid key")
        limits.ask_as(principal.actor)
        scope["state"]["principal"] = principal

    async def _identify(self, scope: Scope) -> Principal | None:
        headers = Headers(scope=scope)
        if (authorization := headers.get("authorization")) is not None:
            scheme, _, key = authorization.partition(" ")
            if scheme.lower() != "bearer":
                return None
            key = key.strip()
            if self._people is not None and key.count(".") == 2:  # a token of the identity provider
                return await anyio.to_thread.run_sync(self._people.identify, key)
            keys = self._context.keys
            return keys.find(key) or await self._context.readers.run(partial(keys.look_up, key))
        if scope["type"] == "websocket":
            ticket = parse_qs(scope["query_string"].decode("latin-1")).get("ticket", [""])[0]
            return self._context.tickets.redeem(ticket)
        secret = session_cookie(headers)
        if secret is None or headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return None
        return await self._context.readers.run(partial(session_principal, self._context.store, secret))


def is_open(path: str) -> bool:
    """Whether a path is served without a key."""
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIXES)


def session_cookie(headers: Mapping[str, str]) -> str | None:
    """The session's secret in the request's cookies."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return None if cookie is None else cookie.value


class Needs:
    """Dependency: the caller has this role, for the room in the path, or for the whole site."""

    def __init__(self, role: Role, *, whole_site: bool = False) -> None:
        self._role = role
        self._whole_site = whole_site

    async def __call__(self, request: Request) -> Principal:
        """The caller, if it may; async like all that only looks: what is not costs a thread each."""
        principal = get_principal(request)
        if not principal.role.includes(self._role):
            raise Problem(
                "forbidden", f"this needs the role {self._role.value}, the key is {principal.role.value}"
            )
        if self._whole_site and principal.room is not None:
            raise Problem("forbidden", f"this concerns the whole site, the key is for room {principal.room}")
        room = request.path_params.get("room")
        if room is not None and not principal.sees(room):
            raise Problem("forbidden", f"the key is for room {principal.room}")
        check_body_type(request)
        return principal


def get_principal(request: Request) -> Principal:
    """Who asks; there is always somebody behind `Authenticate`."""
    principal: Principal = request.state.principal
    return principal


def guarded(
    role: Role, *, whole_site: bool = False, secret: bool = False, leaving: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Options of a route that takes this role; the marks show in the OpenAPI document.

    `secret`: its answer holds one, which is told once and not kept for an `Idempotency-Key`. `leaving`: the
    route will go, as `service.api.leaving` tells.
    """
    marks: dict[str, Any] = {ROLE_MARK: role.value} | ({SECRET_MARK: True} if secret else {})
    if leaving is not None:
        marks |= {LEAVING_MARK: dict(leaving), "deprecated": True}
    needs = [Depends(Needs(role, whole_site=whole_site)), Depends(known_query)]
    return {"dependencies": needs, "openapi_extra": marks}


async def _caller(request: Request) -> Principal:
    return get_principal(request)


async def _context(request: Request) -> Context:
    return context_of(request)


Caller = Annotated[Principal, Depends(_caller)]
Ctx = Annotated[Context, Depends(_context)]
