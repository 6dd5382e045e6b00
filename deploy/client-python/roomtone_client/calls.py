"""Requests as values: what is sent, and what the answer is read as. Neither sync nor async."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from roomtone_client.documents import Room
from roomtone_client.errors import UnreadableAnswerError

T = TypeVar("T")
Moment = datetime | str
File = str | Path | bytes
Query = Mapping[str, Any]


class Call(Generic[T]):
    """One request. A POST has an idempotency key of its own, which it keeps however often it is sent.

    Args:
        method: of HTTP.
        path: parts of the path, escaped here.
        result: what the answer is read as.
        query: parameters; None is left out, lists are joined with commas.
        body: JSON.
        fields: of a form, beside `files`.
        files: name -> file name and content.
        if_match: ETag that must stand; such a call is not repeated when its answer was lost.
    """

    def __init__(
        self,
        method: str,
        *path: str,
        result: type[T],
        query: Query | None = None,
        body: object = None,
        fields: Query | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        if_match: str | None = None,
    ) -> None:
        self.method = method
        self.path = "".join(f"/{quote(part, safe='')}" for part in path)
        self.headers: dict[str, str] = {"Accept": "application/json"}
        if method == "POST":
            self.headers["Idempotency-Key"] = uuid.uuid4().hex
        if if_match is not None:
            self.headers["If-Match"] = if_match
        self.repeatable = if_match is None
        self._result = result
        self._query, self._fields, self._files = _texts(query), _texts(fields), files
        self._content = None if body is None else msgspec.json.encode(body)
        if self._content is not None:
            self.headers["Content-Type"] = "application/json"

    def sent(self) -> dict[str, Any]:
        """Arguments of `httpx2.Client.request`."""
        return {
            "method": self.method,
            "url": self.path,
            "params": self._query,
            "headers": self.headers,
            "content": self._content,
            "data": self._fields or None,
            "files": self._files,
        }

    def read(self, content: bytes, etag: str | None) -> T:
        """The answer; a document that has a place for its `etag` gets it.

        Raises:
            UnreadableAnswerError: it is not what this client knows.
        """
        if self._result is type(None):
            return None
        try:
            found = msgspec.json.decode(content, type=self._result)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnreadableAnswerError(f"{self.method} {self.path}: {error}") from error
        if etag is not None and isinstance(found, Room):
            found = msgspec.structs.replace(found, etag=etag)
        return found


def moment(value: Moment) -> str:
    """A time as the service takes it.

    Raises:
        ValueError: a datetime without a time zone.
    """
    if isinstance(value, str):
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; use e.g. datetime.now(UTC)")
    return value.isoformat()


def upload(file: File, name: str) -> tuple[str, bytes]:
    """File name and content; it is read whole, so that it can be sent again."""
    if isinstance(file, bytes):
        return name, file
    path = Path(file)
    return path.name, path.read_bytes()


def settings(**given: object) -> dict[str, Any]:
    """A body of what was given: None is left to the service."""
    return {name: value for name, value in given.items() if value is not None}


def _texts(query: Query | None) -> dict[str, str]:
    found = {}
    for name, value in (query or {}).items():
        if value is None:
            continue
        if isinstance(value, datetime):
            value = moment(value)  # noqa: PLW2901 - the same time as text
        joined = ",".join(value) if isinstance(value, list | tuple | set | frozenset) else value
        found[name] = str(joined).lower() if isinstance(joined, bool) else str(joined)
    return found
