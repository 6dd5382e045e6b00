"""The outermost layer: request ids, security headers, the access log, counts, and errors nobody expected."""

import random
import re
import time
from collections.abc import Mapping
from http import HTTPStatus

import sqlalchemy as sa
import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.leaving import leaving_headers
from service.api.metrics import HttpMetrics
from service.api.problems import Problem, problem_response

_log = structlog.get_logger(__name__)
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{7,63}")
_ID = b"x-request-id"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Observe:
    """Wraps every request. The log holds paths, never queries or headers: those may carry secrets."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics, *, tls: bool) -> None:
        self._app = app
        self._metrics = metrics
        headers = _HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if tls else {})
        self._headers = _raw({**headers, "Cache-Control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        scope = _as_get(scope)
        seen = _Seen(scope, send, self._headers)
        began = time.perf_counter()
        try:
            await self._app(scope, receive, seen.send)
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
            await self._answer(seen, receive, "store-unavailable", error)
        except sa.exc.DataError:
            await self._refuse(seen, receive)
        except Exception as error:  # noqa: BLE001 - the process boundary: whatever it is, the caller gets an answer
            await self._answer(seen, receive, "internal", error)
        finally:
            self._count(scope, seen.status, time.perf_counter() - began)

    async def _answer(self, seen: "_Seen", receive: Receive, kind: str, error: Exception) -> None:
        """Log the cause once; tell the caller where to look for it, and nothing else."""
        _log.error(
            "request_failed",
            request_id=seen.request_id,
            method=seen.scope.get("method"),
            path=seen.scope["path"],
            exc_info=error,
        )
        if seen.status is None:
            headers = {"Retry-After": "1"} if kind == "store-unavailable" else {}
            problem = Problem(
                kind, f"look up request {seen.request_id} in the service's log", headers=headers
            )
            await problem_response(problem, seen.request_id)(seen.scope, receive, seen.send)

    @staticmethod
    async def _refuse(seen: "_Seen", receive: Receive) -> None:
        """A value that PostgreSQL cannot hold: no text of it has the character U+0000."""
        if seen.status is None:
            problem = Problem(
                "validation", "a text holds the character U+0000, which cannot be kept; leave it out"
            )
            await problem_response(problem, seen.request_id)(seen.scope, receive, seen.send)

    def _count(self, scope: Scope, status: int | None, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope.get("method", "WEBSOCKET")
        status = HTTPStatus.INTERNAL_SERVER_ERROR if status is None else status
        self._metrics.count(method, route, status, seconds)
        _log.debug("request", method=method, path=scope["path"], status=int(status), seconds=seconds)


def _as_get(scope: Scope) -> Scope:
    """HEAD is GET whose body the server leaves out; but looking at a login address must not spend it."""
    if scope.get("method") == "HEAD" and scope["path"] != "/login":
        return {**scope, "method": "GET"}
    return scope


def _request_id(scope: Scope) -> str:
    """The caller's own id, by which it can follow the request through several systems, or a new one."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(64):016x}"


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI has them: names in lower case."""
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]


class _Seen:
    """`send` that adds headers and remembers the status."""

    def __init__(self, scope: Scope, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self.request_id = _request_id(scope)
        self.status: int | None = None
        self.scope = scope
        self._send = send
        self._headers = headers
        scope.setdefault("state", {})["request_id"] = self.request_id

    async def send(self, message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            self.status = message["status"]
            told = [pair for pair in message.get("headers", ()) if pair[0] != _ID]
            named = {name for name, _ in told}
            added = (*self._headers, *_raw(leaving_headers(self.scope)))
            told += [pair for pair in added if pair[0] not in named]
            message["headers"] = [*told, (_ID, self.request_id.encode())]
        elif message["type"] == "websocket.accept":
            self.status = HTTPStatus.SWITCHING_PROTOCOLS
        await self._send(message)
