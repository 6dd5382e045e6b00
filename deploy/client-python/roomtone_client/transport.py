"""What both clients share of HTTP: how they are set up, and what becomes of an answer or of silence."""

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx2

from roomtone_client.calls import Call
from roomtone_client.errors import ApiError, ConnectionFailedError, api_error
from roomtone_client.retry import Retry, retry_after_s
from roomtone_client.version import __version__

T = TypeVar("T")
STREAM = "/v1/alerts/stream"


def http_options(url: str, key: str, timeout_s: float, verify: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx2's
    """Arguments of `httpx2.Client` and `httpx2.AsyncClient`."""
    return {
        "base_url": url.rstrip("/"),
        "headers": stream_headers(key),
        "timeout": timeout_s,
        "verify": verify,
        "follow_redirects": False,
    }


def stream_headers(key: str) -> dict[str, str]:
    """Who asks, and with what."""
    return {"Authorization": f"Bearer {key}", "User-Agent": f"roomtone-client/{__version__}"}


def stream_url(url: str) -> str:
    """Address of the stream: ws for http, wss for https."""
    return "ws" + url.rstrip("/").removeprefix("http") + STREAM


class Attempts:
    """The attempts at one call.

    Attributes:
        tried: how many there were.
    """

    def __init__(self, retry: Retry, call: Call[Any]) -> None:
        self._retry, self._call = retry, call
        self.tried = 0

    def silence_s(self, error: httpx2.TransportError) -> float:
        """Seconds to wait after no answer came.

        Raises:
            ConnectionFailedError: it was tried often enough.
        """
        self.tried += 1
        pause = self._retry.after_silence(self._call, self.tried)
        if pause is None:
            why = str(error) or type(error).__name__
            raise ConnectionFailedError(f"{self._call.method} {self._call.path}: {why}") from error
        return pause

    def refusal_s(self, error: ApiError) -> float:
        """Seconds to wait after a refusal.

        Raises:
            ApiError: the service means it.
        """
        self.tried += 1
        pause = self._retry.after_refusal(error, self.tried)
        if pause is None:
            raise error
        return pause

    def gone_already(self, response: httpx2.Response) -> bool:
        """Whether a deletion that is sent again finds nothing: the first one was heard."""
        return self.tried > 0 and self._call.method == "DELETE" and response.status_code == 404


def refusal(response: httpx2.Response) -> ApiError | None:
    """The error in an answer, if it is one."""
    if response.is_success:
        return None
    return handshake_refusal(response.status_code, response.content, response.headers)


def handshake_refusal(status: int, content: bytes | bytearray, headers: Mapping[str, str]) -> ApiError:
    """The same of the parts of an answer."""
    return api_error(status, bytes(content), retry_after_s(headers.get("Retry-After")))
