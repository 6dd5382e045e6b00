"""What every live source is: an iterator of byte chunks that says what it lost."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator

from drivers.closing import Closing
from drivers.registry import Nic
from drivers.wire import MAX_BLOCK_AGE_S

IDLE_S = MAX_BLOCK_AGE_S
"""A source that has nothing says so after this long, so that its reader never stands still."""
GATHER_S = 0.005
"""What comes within this time after the first record is read with it: at 2,000 records a second that halves
the cost, and nobody waits for it (blocks are filled for 50 ms)."""


class LiveSource(Closing):
    """Bytes of a card as they come; a context manager, read by one thread.

    Iterating gives `Nic.opening` first, then records as a capture file would hold them; ``b""`` means that
    nothing came for `IDLE_S`. The end of the iteration is the end of the source.

    Args:
        nic: whose bytes these are.
        description: the source in a few words, for people.

    Attributes:
        lost: what the transport lost, by reason: ``socket_overflow``, ``bad_datagram``, ``device_gone`` …
        ignored: what was left out on purpose, by reason: ``unlisted_sender`` …
        received: datagrams, records or reads taken so far.
        unauthenticated: whether anybody on the network could have sent these bytes.
        trouble: what is wrong right now, in words; None while all is well.
    """

    def __init__(self, nic: Nic, description: str) -> None:
        self.nic, self.description = nic, description
        self.lost: Counter[str] = Counter()
        self.ignored: Counter[str] = Counter()
        self.received = 0
        self.unauthenticated = False
        self.trouble: str | None = None

    @property
    def opening(self) -> bytes:
        """What comes before the first record; a transport that carries a whole file has none."""
        return self.nic.opening()

    def __iter__(self) -> Iterator[bytes]:
        if opening := self.opening:
            yield opening
        while (chunk := self.read()) is not None:
            yield chunk

    @abstractmethod
    def read(self) -> bytes | None:
        """The next bytes, ``b""`` if none came for `IDLE_S`, None at the end.

        Raises:
            SourceError: the source cannot be read any more; the message says what to do.
        """

    def lose(self, reason: str, count: int) -> None:
        """Count records that the transport lost; none leave no trace."""
        if count:
            self.lost[reason] += count

    @abstractmethod
    def close(self) -> None:
        """Give the transport back; calling it again does nothing."""
