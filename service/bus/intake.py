"""What every bus does with the parts of a message: understand it, or count why not."""

from collections import Counter
from collections.abc import Sequence

from drivers.errors import WireError
from drivers.wire import BLOCK, FLUSH, HELLO, MAX_RAW_BYTES, Flush, Hello, unpack_block, unpack_control
from service.bus.port import Delivery

MAX_PART_BYTES = MAX_RAW_BYTES + 64 * 1024
MAX_PARTS = 4
MAX_BATCH = 256
"""Most messages one `poll` returns, so that a flood cannot keep the worker from its other duties."""


def understand(
    peer: bytes, parts: Sequence[bytes], received_ns: int, rejected: Counter[str]
) -> Delivery | None:
    """The delivery in these multipart frames; None, and one more in `rejected`, if there is none.

    Reasons: ``unknown_topic`` (not a message of ours), ``damaged`` (ours, but contradicts itself).
    """
    topic = parts[0] if parts else b""
    if topic not in (BLOCK, HELLO, FLUSH):
        rejected["unknown_topic"] += 1
        return None
    try:
        if topic == BLOCK:
            return Delivery(peer, received_ns, unpack_block(list(parts)))
        control = unpack_control(list(parts))
    except WireError:
        rejected["damaged"] += 1
        return None
    return Delivery(peer, received_ns, control) if isinstance(control, Hello | Flush) else None
