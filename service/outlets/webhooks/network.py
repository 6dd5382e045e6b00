"""Connecting only where the rule allows: the name is resolved here, and what was checked is what is used.

A name that answers with another address the second time (DNS rebinding) gains nothing: there is no second
time. TLS is still verified against the name.
"""

import asyncio
import socket
from collections.abc import Iterable

import httpcore2

from service.outlets.webhooks.address import AddressRule
from service.urls import Address, as_address


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Network of an HTTP client. `http`: whether its URL is plain HTTP."""

    def __init__(self, rule: AddressRule, *, http: bool) -> None:
        self._rule, self._http = rule, http
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's word
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of the host that answers; every address must be allowed.

        Raises:
            httpcore2.ConnectError: none answers, the name is unknown, or an address is refused.
        """
        addresses = await _resolve(host, port)
        for address in addresses:
            try:
                self._rule.check_address(address, http=self._http)
            except ValueError as error:
                raise httpcore2.ConnectError(str(error)) from None
        trouble: httpcore2.ConnectError | None = None
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except httpcore2.ConnectError as error:
                trouble = error
        raise trouble or httpcore2.ConnectError(f"{host} has no address")


async def _resolve(host: str, port: int) -> list[Address]:
    if (literal := as_address(host)) is not None:
        return [literal]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # the latter: no name of DNS (a part is empty, or too long)
        why = error.strerror if isinstance(error, OSError) else error
        raise httpcore2.ConnectError(f"the name {host} cannot be resolved: {why}") from None
    addresses = (as_address(str(entry[4][0])) for entry in found)
    return list(dict.fromkeys(address for address in addresses if address is not None))
