"""Per NIC, what the conformance suite needs: frames as the card could give them, and its live datagrams."""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.frame import FrameBlock
from drivers.registry import load
from tests.drivers import atheros_frames, esp32_frames, feitcsi_frames, nexmon_frames
from tests.drivers.intel import make_block


@dataclass(frozen=True, slots=True)
class Sample:
    """Test material of one NIC.

    `block` makes that many frames of one shape. `datagram` cuts a capture file's record down to what one read
    of the live transport gives, the inverse of `Nic.wrap`. The last `line_end` bytes of a record say nothing.
    """

    block: Callable[[int], FrameBlock]
    datagram: Callable[[bytes], bytes]
    line_end: int = 0

    def file(self, frames: int) -> bytes:
        """A capture file of so many frames."""
        block = self.block(frames)
        nic = load(block.nic)
        return nic.opening() + nic.encode(block)


SAMPLES: dict[str, Sample] = {
    "atheros": Sample(atheros_frames.make_block, lambda record: record[2:] + record[:2]),
    "esp32": Sample(esp32_frames.make_block, lambda record: record[:-1], line_end=1),
    "feitcsi": Sample(feitcsi_frames.make_block, bytes),
    "intel5300": Sample(make_block, lambda record: record[2:]),
    "nexmon": Sample(nexmon_frames.make_block, lambda record: record[16 + nexmon_frames.HEADERS_BYTES :]),
}
