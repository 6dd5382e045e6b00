"""From a NIC's bytes to frames as a link shall have them: parse, then one stage after the other."""

import time

from drivers.account import Account
from drivers.errors import OptionError
from drivers.frame import FrameBlock
from drivers.group import Grouper
from drivers.host_clock import HostClock
from drivers.iq import IqOrder, in_order
from drivers.registry import Nic
from drivers.stream import Stream
from drivers.transmitter import ANY, AUTO, TransmitterFilter

TICK_S = 1.5
"""Longer than the transmitter filter waits by a clock that runs; one that stands still must not hold it."""

GROUP_TICK_S = 0.2
"""Longer than the records of one frame take to come."""


class Pipeline:
    """Bytes of one source in, frames of one link out; the frames do not depend on how the bytes were cut.

    Args:
        nic: whose bytes these are.
        transmitter: ``"auto"`` (the sender that most frames are from), a MAC address, or ``"any"``.
        iq_order: ``"as_recorded"``, or ``"imag_first"`` for firmware that wrote the imaginary part first.
        group: put the records of one frame together, where a NIC writes several.
        as_recorded: keep clock and counter where they step back, as `Stream` does.

    Attributes:
        nic, iq_order: as given.
        stream: the parser's end.
        clock: the NIC's clock against the host's, for live bytes.

    Raises:
        OptionError: no such transmitter, or the NIC does not tell transmitters apart.
    """

    def __init__(
        self,
        nic: Nic,
        *,
        transmitter: str = AUTO,
        iq_order: IqOrder = "as_recorded",
        group: bool = True,
        as_recorded: bool = False,
    ) -> None:
        self.nic, self.iq_order = nic, iq_order
        self.stream = Stream(nic, as_recorded=as_recorded)
        self._sender = _filter_of(nic, transmitter)
        self.clock = HostClock()
        within_ns = nic.GROUP_WITHIN_NS if group else None
        self._grouper = None if within_ns is None else Grouper(within_ns)
        self._parsed = 0.0

    @property
    def account(self) -> Account:
        """Where every byte went so far."""
        return self.stream.account

    @property
    def rejected(self) -> dict[str, int]:
        """Records and frames that were not taken, by reason."""
        return dict(self.account.rejected + self._sender.rejected)

    @property
    def transmitter(self) -> int:
        """MAC address that is followed, 0 while there is none."""
        return self._sender.followed

    @property
    def roamed(self) -> int:
        """How often another sender took the followed one's place."""
        return self._sender.roamed

    @property
    def groups(self) -> int:
        """Frames put together from records (each may be one); 0 where that is not done."""
        return 0 if self._grouper is None else self._grouper.groups

    @property
    def incomplete(self) -> int:
        """Of these, frames of which records never came."""
        return 0 if self._grouper is None else self._grouper.incomplete

    def feed(self, data: bytes | memoryview, host_ns: int | None = None) -> list[FrameBlock]:
        """Frames that these bytes complete.

        Capture times are the NIC's own; Unix times where `host_ns` tells when live bytes were read.
        """
        return self._pass_on(self.stream.feed(data), host_ns)

    def tick(self) -> list[FrameBlock]:
        """Frames that waited long enough for others; call it when a live source has nothing to read."""
        waited_s = time.monotonic() - self._parsed
        grouper = self._grouper
        if self._sender.holds and waited_s >= TICK_S:
            return self._grouped(self._sender.flush())
        if grouper is not None and grouper.holds and waited_s >= GROUP_TICK_S:
            return grouper.flush()
        return []

    def finish(self, host_ns: int | None = None) -> list[FrameBlock]:
        """Everything that is left."""
        last = self._pass_on(self.stream.finish(), host_ns) + self._grouped(self._sender.flush())
        return last if self._grouper is None else last + self._grouper.flush()

    def _pass_on(self, blocks: list[FrameBlock], host_ns: int | None) -> list[FrameBlock]:
        if blocks and not self._sender.holds:
            self._parsed = time.monotonic()
        if host_ns is not None:
            self.clock.on_host_time(blocks, host_ns)
        return self._grouped(self._sender.take([in_order(block, self.iq_order) for block in blocks]))

    def _grouped(self, blocks: list[FrameBlock]) -> list[FrameBlock]:
        return blocks if self._grouper is None else self._grouper.take(blocks)


def _filter_of(nic: Nic, transmitter: str) -> TransmitterFilter:
    """The filter asked for, if the NIC gives what it needs."""
    chosen = TransmitterFilter(transmitter)
    if transmitter not in {AUTO, ANY} and not nic.TELLS_TRANSMITTER:
        raise OptionError(
            f"the records of {nic.TITLE} do not say who sent a frame, so transmitter {transmitter} cannot be "
            "told from others: leave --tx out, and filter on the card's host"
        )
    return chosen
