"""Opaque cursors: where a list goes on. A checksum tells our own from made-up ones; it guards no secret."""

import base64
import binascii
import hashlib
from typing import TypeVar

import msgspec

from service.api.problems import Problem

T = TypeVar("T")
_CHECK_BYTES = 6


def pack_cursor(position: object, scope: str) -> str:
    """A cursor for a position in the list named `scope` (its path and filters)."""
    body = msgspec.json.encode(position)
    return base64.urlsafe_b64encode(_check(body, scope) + body).rstrip(b"=").decode()


def unpack_cursor(cursor: str, scope: str, kind: type[T]) -> T:
    """The position in a cursor of the same list.

    Raises:
        Problem: bad-cursor; not made by `pack_cursor`, or for another list.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        check, body = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        if check == _check(body, scope):
            return msgspec.json.decode(body, type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        pass
    raise Problem("bad-cursor", "this cursor was not made for this list")


def _check(body: bytes, scope: str) -> bytes:
    return hashlib.sha256(body + b"\0" + scope.encode()).digest()[:_CHECK_BYTES]
