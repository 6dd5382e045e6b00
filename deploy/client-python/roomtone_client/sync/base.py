"""Sending requests, for threads: again where that may help, with a pause between."""

import time
from ssl import SSLContext
from types import TracebackType
from typing import Self, TypeVar

import httpx2

from roomtone_client.calls import Call
from roomtone_client.retry import Retry
from roomtone_client.transport import Attempts, http_options, refusal

T = TypeVar("T")


class Caller:
    """A service, and how it is asked: what every operation stands on.

    Args:
        url: of the service, such as ``https://roomtone.example``.
        key: `rt_…`, made by `roomtone keys create`.
        timeout_s: for one attempt at one request.
        retry: how patient to be; POSTs are done once however often they are sent.
        verify: False takes any certificate; an `SSLContext` that trusts your own authority is the better way.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout_s: float = 30.0,
        retry: Retry | None = None,
        verify: SSLContext | bool = True,
    ) -> None:
        self._url, self._key, self._verify = url, key, verify
        self._retry = retry or Retry()
        self._http = httpx2.Client(**http_options(url, key, timeout_s, verify))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give connections back."""
        self._http.close()

    def _do(self, call: Call[T]) -> T:
        attempts = Attempts(self._retry, call)
        while True:
            try:
                response = self._http.request(**call.sent())
            except httpx2.TransportError as error:
                time.sleep(attempts.silence_s(error))
                continue
            problem = None if attempts.gone_already(response) else refusal(response)
            if problem is None:
                return call.read(response.content, response.headers.get("ETag"))
            time.sleep(attempts.refusal_s(problem))
