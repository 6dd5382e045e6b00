"""One TLS connection of a forwarder, or of a stranger, as `drivers.live.tls` sees it."""

import selectors
import ssl
import time
from contextlib import suppress

from drivers.live.enrolment import Enrolment
from drivers.live.forwarded import Greeting, Messages

GREET_WITHIN_S = 5.0
_READ_BYTES = 64 * 1024  # more than a TLS record, so that nothing waits where select does not look
_READS_AT_ONCE = 16


class Peer:
    """One connection, from TLS handshake over greeting to records.

    Args:
        sock: accepted, non-blocking, its handshake not done yet.
        address: where it comes from, for people.

    Attributes:
        deadline: when its silence is too long, by `time.monotonic`.
        secured: whether the TLS handshake is done.
        line: bytes so far that may become a greeting; `greeting`: who it is, once that is known and right.
        offered: a session secret that the forwarder has not said it keeps; `known`: the enrolment it fits.
        messages: cuts what follows the greeting.
    """

    def __init__(self, sock: ssl.SSLSocket, address: str) -> None:
        self.sock, self.address = sock, address
        self.deadline = time.monotonic() + GREET_WITHIN_S
        self.secured = False
        self.line = b""
        self.greeting: Greeting | None = None
        self.offered: str | None = None
        self.known: Enrolment | None = None
        self.messages = Messages()

    def receive(self) -> tuple[bytes, bool]:
        """What is there, up to a bound, and whether the connection goes on."""
        pieces: list[bytes] = []
        try:
            if not self.secured:
                self.sock.do_handshake()
                self.secured = True
            for _ in range(_READS_AT_ONCE):
                piece = self.sock.recv(_READ_BYTES)
                if not piece:
                    return b"".join(pieces), False
                pieces.append(piece)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:  # reset, no TLS, an older TLS: gone, with what came before still good
            return b"".join(pieces), False
        return b"".join(pieces), True

    def say(self, line: str) -> None:
        """Answer; a peer that does not even take a line is gone, which the next read shows."""
        with suppress(OSError):
            self.sock.send(line.encode() + b"\n")

    def has_more(self) -> bool:
        """Whether bytes wait in the connection."""
        with selectors.DefaultSelector() as look:
            look.register(self.sock, selectors.EVENT_READ)
            return bool(look.select(0))

    def close(self) -> None:
        """Say that it is over, if the other side still listens, and close."""
        with suppress(OSError, ValueError):
            self.sock.unwrap()
        self.sock.close()
