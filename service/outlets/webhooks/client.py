"""One POST to a receiver: answered within five seconds or not at all, redirects not followed."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import httpcore2

from service.errors import ServiceError
from service.outlets.webhooks.address import AddressRule
from service.outlets.webhooks.network import CheckedNetwork

ANSWER_WITHIN_S: Final = 5.0
_MAX_ANSWER: Final = 16 * 1024
"""Of the answer's body so much is read, and thrown away; from a longer one we hang up."""
_IDLE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a delivery: a status of HTTP, or why there is none; and how long it took."""

    status: int | None
    reason: str | None
    latency_s: float

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def trouble(self) -> str:
        """What went wrong, in words."""
        return self.reason or f"the receiver answered {self.status}"


class Sender:
    """Connection to one receiver, kept open between deliveries."""

    def __init__(self, url: str, rule: AddressRule, tls: ssl.SSLContext) -> None:
        self._url = url
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=1,
            keepalive_expiry=_IDLE_S,
            network_backend=CheckedNetwork(rule, http=urlsplit(url).scheme == "http"),
        )

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.__aexit__(kind, error, trace)

    async def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Deliver once; trouble is an answer, too."""
        started = time.monotonic()
        status: int | None = None
        reason: str | None = None
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                status = await self._post(body, headers)
        except TimeoutError:
            reason = f"no answer within {ANSWER_WITHIN_S:g} s"
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            reason = str(error) or "the connection broke"
        return Answer(status, reason, time.monotonic() - started)

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        async with self._pool.stream(
            "POST", self._url, headers=list(headers.items()), content=body
        ) as response:
            read = 0
            async for part in response.aiter_stream():
                read += len(part)
                if read > _MAX_ANSWER:
                    break
            return int(response.status)


def tls_of(ca_file: Path | None) -> ssl.SSLContext:
    """The system's certificate authorities, and those in the file.

    Raises:
        ServiceError: the file is not there or holds no certificates.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ServiceError(
                f"outlets.webhooks.ca_file {ca_file} cannot be used: {error}; it holds certificates in PEM"
            ) from error
    return context
