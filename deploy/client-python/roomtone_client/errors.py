"""What can go wrong, by kind: refusals of the service (RFC 9457 problem documents), and no answer at all."""

from typing import Any

import msgspec


class RoomtoneError(Exception):
    """Base of every error of this client."""


class ConnectionFailedError(RoomtoneError):
    """The service could not be reached, or broke off, and trying again did not help."""


class UnreadableAnswerError(RoomtoneError):
    """The answer is not what this client knows: service and client are of different times."""


class JobNotOverError(RoomtoneError):
    """The job was not over within the time that was given; it goes on."""


class StreamRefusedError(RoomtoneError):
    """The stream was closed for a reason that trying again does not mend.

    Attributes:
        code: WebSocket close code: 4400 the subscription does not fit, 4401 the key ended, 4403 not allowed.
        reason: in the service's words.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason = code, reason


class ApiError(RoomtoneError):
    """The service refused (RFC 9457).

    Attributes:
        status: HTTP status.
        kind: the last part of the problem's `type`, stable, such as ``room-not-found``.
        title: what the problem is called.
        detail: what is wrong this time.
        request_id: names the request in the service's log.
        retry_after_s: how long the service wants to be left alone; None where it did not say.
        extra: further members of the document, such as `errors`.
    """

    def __init__(self, status: int, document: dict[str, Any], retry_after_s: float | None = None) -> None:
        self.status = status
        self.kind = str(document.pop("type", "")).rpartition("/")[2] or "unknown"
        self.title = str(document.pop("title", ""))
        self.detail = str(document.pop("detail", ""))
        self.request_id = str(document.pop("request_id", ""))
        self.retry_after_s = retry_after_s
        document.pop("status", None)
        self.extra = document
        super().__init__(f"{status} {self.kind}: {self.detail or self.title}")


class UnauthenticatedError(ApiError):
    """401: no key, or one that is unknown, revoked or expired."""


class ForbiddenError(ApiError):
    """403: the key's role or room does not cover the request."""


class NotFoundError(ApiError):
    """404: there is no such thing."""


class ConflictError(ApiError):
    """409: not as things stand."""


class PreconditionFailedError(ApiError):
    """412: it has changed meanwhile."""


class TooLargeError(ApiError):
    """413: the body is too large."""


class InvalidRequestError(ApiError):
    """400, 415, 422: something sent does not fit; `extra["errors"]` says which values, where, and why."""


class RateLimitedError(ApiError):
    """429: too many requests."""


class UnavailableError(ApiError):
    """5xx: the service cannot do it now, or something broke in it."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidRequestError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    412: PreconditionFailedError,
    413: TooLargeError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitedError,
}


def api_error(status: int, content: bytes, retry_after_s: float | None = None) -> ApiError:
    """The error for this answer; a proxy's page in place of a problem document is told by its beginning."""
    try:
        document = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        document = {"detail": content[:200].decode(errors="replace")}
    kind = _BY_STATUS.get(status, UnavailableError if status >= 500 else ApiError)
    return kind(status, document, retry_after_s)
