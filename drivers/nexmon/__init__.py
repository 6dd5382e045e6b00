"""Broadcom chips with nexmon_csi (Raspberry Pi, Nexus, Asus routers): UDP datagrams in pcap and pcapng.

A frame is what one packet holds: one receive core and one spatial stream, all FFT bins. `drivers.group` puts
those of one WiFi frame together. Times are those of the capture, Unix time.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers import pcap
from drivers.account import Account
from drivers.nexmon.blocks import blocks
from drivers.nexmon.judge import REASONS, SKIPS, judge
from drivers.nexmon.repeats import LastFrame, find_repeats
from drivers.nexmon.write import HEADERS
from drivers.nexmon.write import encode as encode
from drivers.registry import Parsed

NAME = "nexmon"
TITLE = "Broadcom (nexmon_csi)"
CLOCK_WRAP_NS: int | None = None
SEQUENCE_WRAP: int | None = 4096
GROUP_WITHIN_NS: int | None = 20_000_000
"""The packets of one 4 x 4 frame arrive over some 12 ms."""
TELLS_TRANSMITTER = True


@dataclass(frozen=True, slots=True)
class State:
    """Between two buffers: what the capture file said, and the frame that its last packet belongs to."""

    container: pcap.Container | None = None
    last: LastFrame | None = None


def sniff(head: bytes) -> str | None:
    """Why these first bytes are a Nexmon capture, or None: the file is pcap and holds CSI datagrams."""
    packets = pcap.read(head, final=True)
    if packets.state is None or not len(packets):
        return None
    judged = judge(head, packets, pcap.find_udp(head, packets))
    frames = len(judged.fields)
    damaged = int((judged.reason > len(SKIPS)).sum())
    kind = "pcapng" if packets.state.is_ng else "pcap"
    if frames:
        return f"{kind} with {frames} CSI datagrams of nexmon_csi"
    like = judged.reason == REASONS.index("unsupported_chip")
    like |= judged.reason == REASONS.index("wrong_bandwidth")
    if like.any():
        return f"{kind} with {damaged} datagrams that start like those of nexmon_csi, none of them sound"
    return None


def parse(data: bytes | memoryview, *, final: bool, state: object = None) -> Parsed:
    """All frames in `data`, grouped by bandwidth, number format and overwritten bins. Never raises.

    Skipped: ``non_csi`` (other packets, text of the firmware), ``empty``, ``unknown_record``. Rejected:
    ``truncated`` (cut by the capture tool or the file's end), ``too_short``, ``bad_length``,
    ``unsupported_chip``, ``wrong_bandwidth`` (channel and length contradict each other), ``bad_stream``,
    ``bad_interface``, ``resync``.
    """
    before = state if isinstance(state, State) else State()
    packets = pcap.read(data, final=final, state=before.container)
    judged = judge(data, packets, pcap.find_udp(data, packets))
    _settle(packets.account, packets, judged.reason)
    repeated, last = find_repeats(judged.fields, before.last)
    unix_ns = packets.unix_ns[judged.fields["packet"]]
    found = list(blocks(NAME, data, judged.fields, unix_ns, repeated))
    return Parsed(found, packets.consumed, packets.account, State(packets.state, last))


def _settle(account: Account, packets: pcap.Packets, reason: npt.NDArray[np.uint8]) -> None:
    """Account for the packets' records."""
    if not reason.any():
        account.frame(len(packets), int(packets.record.sum()))
        return
    counts = np.bincount(reason, minlength=len(REASONS)).tolist()
    sizes = np.bincount(reason, packets.record, len(REASONS)).astype(np.int64).tolist()
    account.frame(counts[0], sizes[0])
    for name, count, size in list(zip(REASONS, counts, sizes, strict=True))[1:]:
        if count:
            (account.skip if name in SKIPS else account.reject)(name, size, count)


def opening() -> bytes:
    """The header of a pcap file: nanoseconds, Ethernet."""
    return pcap.file_header()


def wrap(datagram: bytes, host_ns: int, *, link_layer: bool = False) -> bytes:
    """A pcap record with the headers that the firmware gave the datagram, or with the frame as it is.

    Which headers they were is known; the bytes are made anew, and say nothing of who forwarded them.
    """
    if link_layer:
        return pcap.record(datagram, host_ns)
    packet = pcap.udp_packet(datagram, HEADERS)
    return pcap.record(packet, host_ns, len(HEADERS) + len(datagram))
