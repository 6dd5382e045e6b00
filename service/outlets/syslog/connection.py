"""One connection to a collector. Syslog has no acknowledgements: what is written is not yet read.

Every write is followed to the kernel, and a peer that stops confirming at the level of TCP is given up after
`CONFIRM_WITHIN_S`; what it had taken and not read is unknown, so the outlet sends its last messages again.
"""

import asyncio
import socket
import ssl
from typing import Final, Self

from service.errors import ServiceError
from service.outlets.port import OutletError
from service.outlets.syslog.settings import SyslogSettings

CONNECT_WITHIN_S: Final = 10.0
CONFIRM_WITHIN_S: Final = 10.0
_CLOSE_WITHIN_S: Final = 1.0


class Connection:
    """An open connection; `peer` is for messages to people."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str) -> None:
        self._reader, self._writer, self._peer = reader, writer, peer

    @classmethod
    async def open(cls, settings: SyslogSettings, tls: ssl.SSLContext | None) -> Self:
        """Connect.

        Raises:
            OutletError: nobody answers, or not with the certificate that was expected.
        """
        peer = f"{settings.host} port {settings.port}"
        name = None if tls is None else settings.server_name or settings.host
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                reader, writer = await asyncio.open_connection(
                    settings.host, settings.port, ssl=tls, server_hostname=name
                )
        except TimeoutError:
            raise OutletError(f"{peer} did not answer within {CONNECT_WITHIN_S:g} s") from None
        except (OSError, ssl.SSLError) as error:
            raise OutletError(f"cannot connect to {peer}: {error}") from error
        _give_up_soon(writer.get_extra_info("socket"))
        # drain() waits until the kernel has it all; with a limit of 0 TLS transports never wake it up.
        writer.transport.set_write_buffer_limits(high=1, low=0)
        return cls(reader, writer, peer)

    async def write(self, data: bytes) -> None:
        """Hand over to the kernel.

        Raises:
            OutletError: the connection is over.
        """
        self.check()
        try:
            async with asyncio.timeout(CONFIRM_WITHIN_S):
                self._writer.write(data)
                await self._writer.drain()
        except TimeoutError:
            raise OutletError(f"{self._peer} takes nothing for {CONFIRM_WITHIN_S:g} s") from None
        except (OSError, ssl.SSLError) as error:
            raise OutletError(f"the connection to {self._peer} broke: {error}") from error

    def check(self) -> None:
        """See whether the connection still stands, as far as anybody can know without writing.

        Raises:
            OutletError: it does not.
        """
        # A collector never sends: an end, or an error, is all there is to read.
        if (error := self._reader.exception()) is not None:
            raise OutletError(f"the connection to {self._peer} broke: {error}")
        if self._reader.at_eof():
            raise OutletError(f"{self._peer} closed the connection")

    async def close(self) -> None:
        """Say good-bye; a peer that does not answer is left."""
        self._writer.close()
        try:
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._writer.wait_closed()
        except (OSError, ssl.SSLError, TimeoutError):
            self._writer.transport.abort()


def tls_of(settings: SyslogSettings) -> ssl.SSLContext | None:
    """TLS as the settings want it, None for none.

    Raises:
        ServiceError: a file is missing or holds something else.
    """
    if not settings.tls:
        return None
    context = ssl.create_default_context()
    try:
        if settings.ca_file is not None:
            context = ssl.create_default_context(cafile=str(settings.ca_file))
        if settings.cert_file is not None:
            context.load_cert_chain(settings.cert_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ServiceError(
            f"outlets.syslog: ca_file, cert_file or key_file cannot be used: {error}; PEM is needed"
        ) from error
    return context


def _give_up_soon(connected: socket.socket) -> None:
    """Have the kernel notice a peer that vanished without a word."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    user_timeout = getattr(socket, "TCP_USER_TIMEOUT", None)
    if user_timeout is not None:
        connected.setsockopt(socket.IPPROTO_TCP, user_timeout, round(CONFIRM_WITHIN_S * 1000))
