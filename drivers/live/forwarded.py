"""What a forwarder on an old host says over TLS (`deploy/forwarder`): greeting, messages, counts of a run.

Client first, one line: ``roomtone-forward 1 token|session SECRET NIC LINK RUN``. Answered with
``session SECRET`` (the token was right; message A says that the secret is kept), ``ok``, or ``refused WHY``.
Then messages: one byte of kind, 4 bytes of length (big-endian), body.

    A  the session secret is kept       B  counts up to the end of the last connection
    R  age in us (4 bytes), record      C  counts now, every second

Counts are ``sent=N dropped=N enobufs=N`` since the forwarder started; RUN names that start.
"""

import re
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

VERSION = 1
MAX_GREETING = 512
MAX_RECORD = 65_535
MAX_COUNTS = 256
_MAX_COUNT = 2**53
_HEAD = struct.Struct(">cI")
_AGE = struct.Struct(">I")
_LIMITS = {b"A": 0, b"B": MAX_COUNTS, b"C": MAX_COUNTS, b"R": _AGE.size + MAX_RECORD}
_COUNT = re.compile(rb"([a-z_]{1,32})=([0-9]{1,16})")
_COUNTED = {"dropped": "forwarder_queue", "enobufs": "socket_overflow"}
"""What the forwarder counts, and what it is called among a source's losses."""


class ForwardError(Exception):
    """A forwarder that is not taken. `reason` is stable and told to it; it never holds what was received."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, repr=False)
class Greeting:
    """How a forwarder introduces itself. `kind` says what `secret` is: the one-time token, or a session's."""

    kind: str
    secret: str
    nic: str
    link: str
    run: str


def read_greeting(line: bytes) -> Greeting:
    """The greeting in this line.

    Raises:
        ForwardError: ``bad_greeting`` or, from a newer forwarder, ``version``.
    """
    words = line.decode("ascii", "replace").split()
    if words[:1] != ["roomtone-forward"] or len(words) < 2:
        raise ForwardError("bad_greeting")
    if words[1] != str(VERSION):
        raise ForwardError("version")
    if len(words) != 7 or words[2] not in {"token", "session"}:
        raise ForwardError("bad_greeting")
    return Greeting(*words[2:])


class Messages:
    """Cuts a connection's bytes into messages; holds at most one message and one read."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Kind and body of each message that these bytes complete.

        Raises:
            ForwardError: ``bad_message``, no such kind or longer than its kind may be.
        """
        self._held += data
        at = 0
        while len(self._held) - at >= _HEAD.size:
            kind, size = _HEAD.unpack_from(self._held, at)
            if size > _LIMITS.get(kind, -1):
                raise ForwardError("bad_message")
            end = at + _HEAD.size + size
            if len(self._held) < end:
                break
            yield kind, bytes(self._held[at + _HEAD.size : end])
            at = end
        del self._held[:at]


def read_record(body: bytes, now_ns: int) -> tuple[bytes, int]:
    """Record of a message R, and when (Unix ns) the forwarder read it: its age is told, not its clock.

    Raises:
        ForwardError: ``bad_message``, it holds no record.
    """
    if len(body) <= _AGE.size:
        raise ForwardError("bad_message")
    return body[_AGE.size :], now_ns - _AGE.unpack_from(body)[0] * 1000


@dataclass(slots=True)
class Run:
    """One start of a forwarder as this adapter knows it: what came, what it says it lost, what the way lost.

    An adapter that started later than the forwarder takes what was told to the one before it as given.
    """

    name: str
    received: int = 0
    _known: dict[str, int] = field(default_factory=dict)
    _fresh: bool = True

    def resume(self, body: bytes) -> Counter[str]:
        """Message B: what earlier connections lost on the way."""
        told = _counts(body)
        missing = 0 if self._fresh else max(told.get("sent", 0) - self.received, 0)
        if self._fresh:
            self._known = told
        self._fresh = False
        self.received = told.get("sent", 0)
        return Counter(connection_lost=missing) if missing else Counter()

    def count(self, body: bytes) -> Counter[str]:
        """Message C: what the forwarder lost since it was told last."""
        told = _counts(body)
        lost: Counter[str] = Counter()
        self._fresh = False
        for name, reason in _COUNTED.items():
            lost[reason] = max(told.get(name, 0) - self._known.get(name, 0), 0)
            self._known[name] = max(told.get(name, 0), self._known.get(name, 0))
        return +lost


def _counts(body: bytes) -> dict[str, int]:
    found = {name.decode(): int(value) for name, value in _COUNT.findall(body)}
    if any(value > _MAX_COUNT for value in found.values()):
        raise ForwardError("bad_message")
    return found
