"""`Idempotency-Key` on every POST that changes something: a request sent twice is done once.

Only what was done is kept (2xx): a refusal changed nothing, so the same request is judged anew. Samples keep
their keys themselves, in the transaction that takes the sample, because captures are too large to hold here.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import anyio
import anyio.to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.answered_room import room_in
from service.api.auth import SECRET_MARK
from service.api.guard import UPLOADS
from service.api.problems import Problem, kind_of_status, problem_response, request_id_of
from service.store.answers import Answer, InFlightError, begin, finish, release
from service.store.engine import Store
from service.store.erasing import Beginning, read_beginnings
from service.store.idempotency import KeyReusedError, Once
from service.store.keys import Principal
from service.store.standing import Standing

HEADER = "Idempotency-Key"
_KEPT_HEADERS = ("content-type", "location", "etag")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_ROOM = re.compile(r"/rooms/([A-Za-z0-9_.-]+)")
_ERASURE = re.compile(r"/v1/admin/rooms/[^/]+/erase")


def covers(method: str, path: str) -> bool:
    """Whether requests of this kind change something, and are kept here."""
    return method == "POST" and path.startswith("/v1/") and UPLOADS.fullmatch(path) is None


class Idempotent:
    """Keeps the answer of a request that carries a key, and tells it again; comes after `Authenticate`."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, replay or refuse."""
        given = Headers(scope=scope).getlist(HEADER) if scope["type"] == "http" else []
        if not given or not covers(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            response = await self._answer(given, scope, receive)
        except Problem as problem:
            response = problem_response(problem, request_id_of(scope))
        except HTTPException as error:
            refusal = Problem(kind_of_status(error.status_code), error.detail, headers=error.headers or {})
            response = problem_response(refusal, request_id_of(scope))
        await response(scope, receive, send)

    async def _answer(self, given: list[str], scope: Scope, receive: Receive) -> Response:
        if len(given) > 1 or not _KEY.fullmatch(given[0]):
            raise _unfit("one key of 1 to 200 visible ASCII characters")
        body = await _read(receive)
        once = Once(_principal(scope).actor, given[0], _digest(scope, body))
        begun = await anyio.to_thread.run_sync(read_beginnings, self._store)
        try:
            known = await anyio.to_thread.run_sync(begin, self._store, once, _room_of(scope))
        except KeyReusedError as error:
            raise Problem("idempotency-key-reused", f"{given[0]} was used for another request") from error
        except InFlightError as error:
            detail = f"a request with the key {given[0]} is being worked on"
            raise Problem("request-in-flight", detail, headers={"Retry-After": "1"}) from error
        return await self._first(once, scope, body, begun) if known is None else _again(known)

    async def _first(self, once: Once, scope: Scope, body: bytes, begun: Mapping[str, Beginning]) -> Response:
        """Do it, and keep the answer before it is told; `begun`: how rooms stood before."""
        kept = False
        caught = _Caught(body)
        try:
            await self._app(scope, caught.receive, caught.send)
            if 200 <= caught.status < 300:
                answer = caught.answer(scope)
                await anyio.to_thread.run_sync(self._keep, once, scope, answer, begun)
                kept = True
        finally:
            if not kept:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(release, self._store, once)
        response = Response(bytes(caught.body), caught.status)
        response.raw_headers = caught.headers
        return response

    def _keep(self, once: Once, scope: Scope, answer: Answer, before: Mapping[str, Beginning]) -> None:
        """Keep the answer; one to an erasure is about the room as it left it."""
        room = _room_of(scope) or room_in(answer.body)
        begun = read_beginnings(self._store) if _ERASURE.fullmatch(scope["path"]) else before
        standing = Standing(room, begun[room]) if room is not None and room in begun else None
        finish(self._store, once, answer, room, standing)


class _Caught:
    """A request whose body is read already, and its answer."""

    def __init__(self, body: bytes) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self._request: Message | None = {"type": "http.request", "body": body, "more_body": False}

    async def receive(self) -> Message:
        """The body, once."""
        message, self._request = self._request, None
        return message or {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take in the answer."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    def answer(self, scope: Scope) -> Answer:
        """What is kept of it."""
        headers = Headers(raw=self.headers)
        told = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
        extra: dict[str, Any] = getattr(scope.get("route"), "openapi_extra", None) or {}
        return Answer(self.status, told, None if extra.get(SECRET_MARK) else bytes(self.body))


def _again(known: Answer) -> Response:
    """The answer of the first time, marked as such.

    Raises:
        Problem: secret-told-once.
    """
    if known.body is None:
        where = known.headers.get("location", "")
        raise Problem(
            "secret-told-once",
            f"this was done before{f'; see {where}' if where else ''}; its answer was not kept: it held a "
            "secret, or its room was erased or deleted before it was told",
            {"location": where or None},
        )
    return Response(known.body, known.status, {**known.headers, "Idempotency-Replayed": "true"})


def _room_of(scope: Scope) -> str | None:
    """The room that the path names."""
    found = _ROOM.search(scope["path"])
    return found[1] if found else None


def _digest(scope: Scope, body: bytes) -> str:
    """What the key stands for: who asks with which rights, where, and what."""
    who = _principal(scope)
    kind = Headers(scope=scope).get("content-type", "")
    parts = (who.role.value, who.room or "", scope["path"], scope["query_string"].decode("latin-1"), kind)
    digest = hashlib.sha256()
    for part in (*(part.encode() for part in parts), body):
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()


def _principal(scope: Scope) -> Principal:
    found: Principal = scope["state"]["principal"]
    return found


async def _read(receive: Receive) -> bytes:
    """The whole body; `BodyLimit` bounds it."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _unfit(message: str) -> Problem:
    errors = [{"loc": ["header", HEADER], "msg": message, "type": "value_error"}]
    return Problem("validation", f"header {HEADER}: {message}", {"errors": errors})
