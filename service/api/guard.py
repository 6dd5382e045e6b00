"""Guards in front of every request: whose name it was sent to, from which site, and how large it is."""

import ipaddress
import re
import socket
from collections.abc import Iterable

import anyio
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import Problem, problem_response, request_id_of
from service.settings import ServerSettings

_LINGER_S = 1.0
_LINGER_BYTES = 256 * 1024 * 1024
UPLOADS = re.compile(r"/v1/rooms/[^/]+/samples|/v1/models")
"""Where files are uploaded: captures and models."""


class HostGuard:
    """Refuses host names that are not ours (DNS rebinding) and pages of other sites (cross-site requests)."""

    def __init__(self, app: ASGIApp, names: Iterable[str], origins: Iterable[str] = ()) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)
        self._origins = frozenset(origin.lower() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if scope["type"] in {"http", "websocket"} and (problem := self._objection(Headers(scope=scope))):
            await problem_response(problem, request_id_of(scope))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _objection(self, headers: Headers) -> Problem | None:
        host = headers.get("host")
        if host is not None and not self._ours(host):
            return Problem("wrong-host", f"{host[:100]!r} is not a name of this service")
        origin = headers.get("origin")
        # The scheme may differ behind a proxy that ends TLS; host and port may not.
        if origin is None or origin.lower() in self._origins:
            return None
        if origin.partition("://")[2].lower() != (host or "").lower():
            return Problem("cross-origin", f"requests from {origin[:100]!r} are not taken")
        return None

    def _ours(self, host: str) -> bool:
        name = _without_port(host.lower())
        return name in self._names or name.endswith(".localhost") or _is_address(name)


def own_names(settings: ServerSettings) -> set[str]:
    """Host names this service answers to; IP addresses are always fine, they cannot be rebound."""
    machine = socket.gethostname()
    return {"localhost", machine, f"{machine}.local", settings.host, *settings.names}


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class BodyLimit:
    """Refuses request bodies over the limit: by their announced length at once, else when they pass it.

    Captures and models that are uploaded have a limit of their own.
    """

    def __init__(self, app: ASGIApp, limit: int, uploads: int) -> None:
        self._app = app
        self._limit, self._uploads = limit, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._uploads if _is_upload(scope) else self._limit
        if _announced(scope) > limit:
            await self._refuse(limit, scope, receive, send)
            return
        await self._app(scope, _Counted(receive, limit), send)

    async def _refuse(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer before the body is read, then let a caller that is still sending come to the answer."""
        response = problem_response(
            Problem("body-too-large", too_large(limit), headers={"Connection": "close"}),
            request_id_of(scope),
        )
        await send({"type": "http.response.start", "status": 413, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": bytes(response.body), "more_body": True})
        await _linger(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Counted:
    """`receive` that counts a body without announced length and stops at the limit."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._seen = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            await _linger(self._receive)
            raise HTTPException(413, too_large(self._limit), {"Connection": "close"})
        return message


def too_large(limit: int) -> str:
    """What a caller is told about the limit."""
    return f"the body is larger than the {limit} bytes this service takes"


def _is_upload(scope: Scope) -> bool:
    kind = Headers(scope=scope).get("content-type", "")
    return (
        scope["method"] == "POST"
        and kind.startswith("multipart/form-data")
        and UPLOADS.fullmatch(scope["path"]) is not None
    )


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


async def _linger(receive: Receive) -> None:
    """Throw away what still comes, for a moment: closing on unread data would cut off the answer."""
    left = _LINGER_BYTES
    with anyio.move_on_after(_LINGER_S):
        while left > 0:
            message = await receive()
            left -= len(message.get("body", b""))
            if not message.get("more_body", False):
                return
