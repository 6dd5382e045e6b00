"""The dashboard's files and its session: a printed URL or a pasted key becomes a cookie."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from service.api.answers import answer
from service.api.auth import COOKIE, Ctx, session_cookie
from service.api.context import Context
from service.api.documents.access import SessionBody
from service.api.limits import address_of
from service.api.problems import Problem
from service.store.keys import authenticate
from service.store.sessions import SESSION_S, close_session, open_session, redeem_login_token

router = APIRouter(include_in_schema=False)
WEB = Path(__file__).parents[2] / "web"


@router.get("/", response_class=FileResponse)
def dashboard() -> FileResponse:
    """The dashboard; without a session it asks for a key."""
    return FileResponse(WEB / "index.html", headers={"Cache-Control": "no-cache"})


@router.get("/login")
def login(context: Ctx, token: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Open a session with the one-time token of a printed URL."""
    secret = redeem_login_token(context.store, token)
    response = RedirectResponse("/" if secret else "/?login=expired", status_code=303)
    return response if secret is None else _with_session(response, secret, context)


@router.post("/session")
def log_in(body: SessionBody, request: Request, context: Ctx) -> Response:
    """Open a session with a key."""
    principal = authenticate(context.store, body.key.strip())
    if principal is None:
        context.limits.fail(address_of(request.client))
        raise Problem("unauthenticated", "this key is unknown, revoked or expired")
    response = answer({"role": principal.role.value, "room": principal.room}, 201)
    return _with_session(response, open_session(context.store, principal), context)


@router.delete("/session")
def log_out(request: Request, context: Ctx) -> Response:
    """End the session."""
    if secret := session_cookie(request.headers):
        close_session(context.store, secret)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


def _with_session(response: Response, secret: str, context: Context) -> Response:
    server = context.settings.server
    response.set_cookie(
        COOKIE,
        secret,
        max_age=SESSION_S,
        path="/",
        httponly=True,
        samesite="strict",
        secure=server.tls_cert is not None or server.trusted_proxy is not None,
    )
    return response
