"""Which media types go in and out: 415 for bodies nobody here reads, 406 for answers the caller cannot."""

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import Problem, problem_response, request_id_of

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def check_body_type(request: Request) -> None:
    """See that a body is of the type its route reads.

    Raises:
        Problem: unsupported-media-type.
    """
    field = getattr(request.scope.get("route"), "body_field", None)
    if field is None or not _has_body(request.headers):
        return
    wanted = str(getattr(field.field_info, "media_type", "application/json"))
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    fits = given in _FORMS if wanted in _FORMS else _is_json(given)
    if not fits:
        raise unsupported(given, wanted)


def unsupported(given: str, *wanted: str) -> Problem:
    """A body of a type that is not read here."""
    said = f"the body is {given[:80]!r}" if given else "the body has no Content-Type"
    return Problem("unsupported-media-type", f"{said}, this takes {' or '.join(wanted)}")


class Acceptable:
    """Answers 406 where a GET's `Accept` has no place for what would be answered (RFC 9110, 12.5.1)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; look at the answer only where the caller is choosy."""
        accept = Headers(scope=scope).get("accept") if scope["type"] == "http" else None
        if accept is None or "*/*" in accept or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Choosy(accept, scope, receive, send).send)


class _Choosy:
    """`send` that puts a problem in place of an answer the caller does not accept."""

    def __init__(self, accept: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._accept = accept
        self._scope, self._receive, self._send = scope, receive, send
        self._refused = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            kind = Headers(raw=message["headers"]).get("content-type", "").partition(";")[0]
            if kind and not _accepted(kind, self._accept):
                self._refused = True
                detail = f"the answer would be {kind}, which Accept ({self._accept[:80]}) leaves out"
                problem = problem_response(Problem("not-acceptable", detail), request_id_of(self._scope))
                await problem(self._scope, self._receive, self._send)
        if not self._refused:
            await self._send(message)


def _accepted(kind: str, accept: str) -> bool:
    for one in accept.lower().split(","):
        media, _, parameters = one.partition(";")
        media, weight = media.strip(), parameters.replace(" ", "")
        if weight.startswith("q=0") and not weight.strip("q=0."):
            continue
        whole, family = media == kind, media == f"{kind.partition('/')[0]}/*"
        if whole or family or (kind == "application/json" and media.endswith("+json")):
            return True
    return False


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _is_json(kind: str) -> bool:
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
