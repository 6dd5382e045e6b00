"""CURVE keys for adapters whose frames cross hosts, and why a handshake with a service fails.

`roomtone links enroll` prints the keys of one link as 128 hexadecimal digits (they travel through shells and
unit files unharmed): the service's public key, then the adapter's own secret key, 32 bytes each.
"""

import os
from dataclasses import dataclass, field
from typing import Self

import zmq
from zmq.utils import z85

from drivers.errors import DeliveryError

ENVIRONMENT = "ROOMTONE_CURVE"
_BYTES = 32
_SURE_AFTER = 3  # failed handshakes in a row
HANDSHAKE_EVENTS = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


@dataclass(frozen=True, slots=True)
class CurveKeys:
    """What an adapter needs to talk to one service: Z85 text, as ZeroMQ takes it."""

    server_public: bytes
    public: bytes
    secret: bytes = field(repr=False)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The keys in these 128 hexadecimal digits.

        Raises:
            DeliveryError: it is something else, or this ZeroMQ knows no CURVE.
        """
        try:
            raw = bytes.fromhex(text.strip())
        except ValueError:
            raw = b""
        if len(raw) != 2 * _BYTES:
            raise DeliveryError(
                f"CURVE keys are {4 * _BYTES} hexadecimal digits as `roomtone links enroll` prints them "
                f"({ENVIRONMENT}); these are {len(text.strip())} characters"
            )
        if not zmq.has("curve"):
            raise DeliveryError("this ZeroMQ was built without CURVE: install pyzmq's wheel, or libsodium")
        server, secret = z85.encode(raw[:_BYTES]), z85.encode(raw[_BYTES:])
        return cls(server, zmq.curve_public(secret), secret)

    @classmethod
    def from_environment(cls) -> Self | None:
        """The keys in `ROOMTONE_CURVE`, None if it is not set.

        Raises:
            DeliveryError: as `from_text`.
        """
        text = os.environ.get(ENVIRONMENT, "")
        return cls.from_text(text) if text else None

    @property
    def text(self) -> str:
        """As `from_text` takes it; holds the secret."""
        return (z85.decode(self.server_public) + z85.decode(self.secret)).hex()

    def secure(self, socket: "zmq.Socket[bytes]") -> None:
        """Make the socket, not connected yet, talk to this service only, encrypted."""
        socket.curve_serverkey = self.server_public
        socket.curve_publickey = self.public
        socket.curve_secretkey = self.secret


class Handshake:
    """Follows a socket's monitored handshakes, and says in words why they fail.

    A service drops whoever it cannot read without a word: another key, or none where it wants some, looks
    like a broken connection, and so does a service that stops just then. So it takes a few.

    Args:
        has_keys: whether the socket has CURVE keys.

    Attributes:
        given_up: whether ZeroMQ does not try this endpoint again by itself: told no, or not understood.
    """

    def __init__(self, *, has_keys: bool) -> None:
        self.given_up = False
        self._has_keys, self._failed, self._last = has_keys, 0, 0

    def note(self, event: int) -> None:
        """Take one event of the monitor."""
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.given_up, self._failed = False, 0
        elif event & HANDSHAKE_EVENTS:
            self.given_up = event != zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
            self._failed += 1
            self._last = event

    @property
    def problem(self) -> str | None:
        """What is wrong and what to do, None while nothing is known to be."""
        if not self._failed or (not self.given_up and self._failed < _SURE_AFTER):
            return None
        if self._last == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            return "the service does not know this key: enrol the link again (`roomtone links enroll`)"
        if self._has_keys:
            return (
                "the handshake fails: the service has another key than the one enrolled with, or takes no "
                f"CURVE keys; enrol the link again (`roomtone links enroll`), or unset {ENVIRONMENT}"
            )
        return (
            "the handshake fails: the service wants CURVE keys (`roomtone links enroll` prints them, "
            f"{ENVIRONMENT} takes them), or it is no Roomtone service"
        )
