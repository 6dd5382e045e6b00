"""Capture files of every kind, link layer and damage: which packets are found, where the bytes went."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import pcap
from drivers.pcap import Packets
from drivers.pcap.blocks import MAX_INTERFACES
from tests.drivers import pcap_files as made

PACKETS = [made.ethernet(made.ip_udp(bytes([at]) * size)) for at, size in enumerate((9, 9, 9, 40, 9, 9))]


def read(data: bytes, *, final: bool = True) -> tuple[list[bytes], Packets]:
    """The packets in `data`, with the books checked."""
    found = pcap.read(data, final=final)
    assert found.account.total_bytes + found.record.sum() == found.consumed
    assert found.consumed == len(data) or not final
    ends = found.start + found.size
    return [data[start:end] for start, end in zip(found.start, ends, strict=True)], found


def classic(order: str = "<", **words: object) -> bytes:
    return made.header(order, **words) + b"".join(made.record(packet, order) for packet in PACKETS)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("nano", "unix_ns"), [(False, 1_600_000_005_000), (True, 1_600_000_000_005)])
def test_classic_files_of_both_orders_and_clocks(order: str, nano: bool, unix_ns: int) -> None:
    packets, found = read(classic(order, nano=nano))
    assert packets == PACKETS
    assert (found.unix_ns == unix_ns).all()
    assert found.account.container_bytes == 24
    assert not found.cut.any()


@pytest.mark.parametrize("order", ["<", ">"])
def test_ng_sections_interfaces_clocks_and_blocks_that_are_no_packets(order: str) -> None:
    data = made.section(order) + made.interface(order) + made.enhanced(PACKETS[0], order)
    data += made.interface(order, link=101, resolution=9) + made.enhanced(PACKETS[1], order, number=1)
    data += made.block(5, bytes(12), order) + made.block(0x123, bytes(8), order)
    data += made.simple(PACKETS[3], order)
    data += (
        made.section("<") + made.interface("<", resolution=0x80 | 10) + made.enhanced(PACKETS[4], ticks=2048)
    )
    packets, found = read(data)
    assert packets == [PACKETS[0], PACKETS[1], PACKETS[3], PACKETS[4]]
    assert found.unix_ns.tolist() == [1_600_000_005_000, 1_600_000_005, 1_600_000_005, 2_000_000_000]
    assert found.link.tolist() == [1, 101, 1, 1]
    assert found.account.skipped == {"unknown_record": 1}
    assert not found.account.rejected


def test_a_simple_packet_is_cut_at_the_snaplen() -> None:
    body = struct.pack("<I", len(PACKETS[3])) + PACKETS[3][:20]
    packets, found = read(made.section() + made.interface(snaplen=20) + made.block(3, body))
    assert packets == [PACKETS[3][:20]]
    assert found.cut.all()


def test_interfaces_without_end_are_refused() -> None:
    more = made.interface(link=101) * (MAX_INTERFACES + 5)
    packet = made.enhanced(PACKETS[0], number=MAX_INTERFACES - 1)
    behind = made.enhanced(PACKETS[0], number=MAX_INTERFACES)
    packets, found = read(made.section() + made.interface() + more + packet + behind)
    assert packets == [PACKETS[0]]
    assert found.account.rejected == {"bad_interface": 7}


def test_files_one_behind_the_other() -> None:
    ng = made.section() + made.interface() + made.enhanced(PACKETS[0])
    packets, found = read(classic() + classic(">", nano=True) + ng + classic())
    assert packets == [*PACKETS, *PACKETS, PACKETS[0], *PACKETS]
    assert found.account.container_bytes == 24 * 3 + 28 + 20
    assert found.unix_ns[6] == 1_600_000_000_005


def test_long_runs_are_read_to_their_end() -> None:
    """Runs longer than each step of the search for their end, and a shorter record behind."""
    for count in (1, 2, 3, 63, 64, 65, 66, 67, 320, 321, 322, 400):
        records = [made.record(PACKETS[0], at=(at, at)) for at in range(count)]
        packets, found = read(made.header() + b"".join(records) + made.record(PACKETS[3], at=(count, count)))
        assert packets == [PACKETS[0]] * count + [PACKETS[3]]
        assert found.unix_ns.tolist() == [at * 1_000_001_000 for at in range(count + 1)]


@pytest.mark.parametrize(("place", "value"), [(8, 200), (8, 3), (11, 255), (12, 1), (15, 9)])
def test_a_length_that_lies_costs_that_record(place: int, value: int) -> None:
    """`place` in the header of the second record; what is cut short is a packet of its own, cut."""
    data = bytearray(classic())
    data[24 + 16 + len(PACKETS[0]) + place] = value
    packets, found = read(bytes(data))
    assert [packet for packet in packets if packet in PACKETS] == [PACKETS[0], *PACKETS[2:]]
    assert sum(found.account.rejected.values()) + int(found.cut.sum()) >= 1


def test_both_lengths_that_lie_cost_that_record() -> None:
    for lie in (len(PACKETS[1]) + 30, len(PACKETS[1]) + 300):
        records = [made.record(packet) for packet in PACKETS]
        records[1] = struct.pack("<IIII", 1600, 5, lie, lie) + PACKETS[1]
        packets, found = read(made.header() + b"".join(records))
        assert packets == [PACKETS[0], *PACKETS[2:]]
        assert found.account.rejected == {"truncated": 1}


def test_a_record_that_lost_bytes_costs_no_other() -> None:
    records = [made.record(packet) for packet in PACKETS]
    records[3] = records[3][:-11]
    packets, found = read(made.header() + b"".join(records))
    assert packets == [*PACKETS[:3], *PACKETS[4:]]
    assert found.account.rejected == {"truncated": 1}


def test_a_record_that_lost_bytes_is_noticed_though_the_chunk_ends_where_it_says() -> None:
    """Found by mutated captures read in chunks as long as a record."""
    records = [made.record(packet) for packet in PACKETS]
    start = len(made.header() + b"".join(records[:3]))
    data = made.header() + b"".join(records[:3]) + records[3][:-50] + b"".join(records[4:])
    packets, found = read(data[: start + len(records[3])], final=False)
    assert packets == PACKETS[:3]
    assert found.account.rejected == {"truncated": 1}
    assert found.consumed == start + len(records[3]) - 50


def test_small_numbers_in_a_packet_are_no_record() -> None:
    """Real CSI holds such; a live record, which ends where the buffer does, must not be lost for them."""
    packet = made.ethernet(
        made.ip_udp(struct.pack("<IIII", 3, 7, 40, 40) + bytes(12) + b"\x08\x00" + bytes(40))
    )
    data = made.header() + made.record(packet, at=(1_600_000_000, 5))
    for final in (False, True):
        packets, found = read(data, final=final)
        assert packets == [packet]
        assert not found.account.rejected


@pytest.mark.parametrize("lost", range(3, 8))  # less is not told from the end of the one before
def test_a_record_that_lost_its_first_bytes_costs_not_the_one_before(lost: int) -> None:
    records = [made.record(packet, at=(1_600_000_000, 5)) for packet in PACKETS]
    packets, _ = read(made.header() + records[0] + records[1][lost:] + b"".join(records[2:]))
    assert packets == [PACKETS[0], *PACKETS[2:]]


def test_rubbish_between_records_is_passed_over() -> None:
    records = [made.record(packet) for packet in PACKETS]
    packets, found = read(made.header() + records[0] + b"\xff" * 333 + b"".join(records[1:]))
    assert packets == PACKETS
    assert found.account.rejected_bytes == {"bad_length": 333}


def test_zeros_are_empty_records() -> None:
    packets, found = read(classic() + bytes(160))
    assert packets == PACKETS
    assert found.account.skipped == {"empty": 10}


def test_a_file_without_a_header_is_given_up() -> None:
    data = b"\x01" + classic()[1:]
    packets, found = read(data)
    assert packets == []
    assert found.account.rejected_bytes == {"resync": len(data)}


@pytest.mark.parametrize("place", [4, 8, -1, -4])
def test_a_damaged_ng_block_costs_that_block(place: int) -> None:
    blocks = [made.section(), made.interface(), *(made.enhanced(packet) for packet in PACKETS)]
    damaged = bytearray(blocks[3])
    damaged[place] ^= 0x41
    blocks[3] = bytes(damaged)
    packets, found = read(b"".join(blocks))
    assert packets == [PACKETS[0], *PACKETS[2:]]
    assert sum(found.account.rejected.values()) == 1


LINKS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "ethernet": (1, made.ethernet),
    "vlan": (1, lambda packet: made.ethernet(packet, tags=(0x8100,))),
    "stacked": (1, lambda packet: made.ethernet(packet, tags=(0x88A8, 0x8100))),
    "padded": (1, lambda packet: made.ethernet(packet, padding=22)),
    "cooked": (113, made.cooked),
    "cooked 2": (276, made.cooked_2),
    "raw": (101, bytes),
    "raw of BSD": (12, bytes),
}


@pytest.mark.parametrize("options", [b"", b"\x01" * 8])
@pytest.mark.parametrize("link", LINKS)
def test_udp_in_every_link_layer(link: str, options: bytes) -> None:
    number, wrapped = LINKS[link]
    packets = [wrapped(made.ip_udp(b"payload", options=options)) for _ in range(3)]
    data = made.header(link=number) + b"".join(map(made.record, packets))
    udp = pcap.find_udp(data, pcap.read(data, final=True))
    assert udp.is_udp.all()
    assert udp.length.tolist() == [7, 7, 7]
    assert [data[at : at + 7] for at in udp.at] == [b"payload"] * 3
    assert udp.port.tolist() == [5500] * 3


def test_what_is_no_udp_is_said_to_be_something_else() -> None:
    good = made.ip_udp(b"payload")
    others = {
        "arp": made.ethernet(bytes(28), protocol=0x0806),
        "ipv6": made.ethernet(b"\x60" + bytes(40), protocol=0x86DD),
        "tcp": made.ethernet(good[:9] + b"\x06" + good[10:]),
        "fragment": made.ethernet(good[:6] + b"\x20\x00" + good[8:]),
        "later fragment": made.ethernet(good[:6] + b"\x00\x10" + good[8:]),
        "version 5": made.ethernet(b"\x55" + good[1:]),
        "short header": made.ethernet(b"\x44" + good[1:]),
    }
    data = made.header() + b"".join(map(made.record, others.values()))
    udp = pcap.find_udp(data, pcap.read(data, final=True))
    assert not udp.is_udp.any()
    assert dict(zip(others, udp.is_other.tolist(), strict=True)) == dict.fromkeys(others, True)


def test_lengths_of_ip_and_udp_that_disagree_are_noticed() -> None:
    packet = made.ip_udp(b"payload")
    data = made.header() + made.record(made.ethernet(packet[:24] + b"\x00\x30" + packet[26:]))
    assert pcap.find_udp(data, pcap.read(data, final=True)).length.tolist() == [-1]


def test_a_header_that_does_not_fit_is_neither() -> None:
    data = made.header() + b"".join(made.record(PACKETS[0][:size]) for size in range(1, 42))
    udp = pcap.find_udp(data, pcap.read(data, final=True))
    assert not udp.is_udp.any()


def verdicts(packets: list[bytes]) -> list[tuple[int, ...]]:
    """All that is found out of each of these packets; places count from its start."""
    data = made.header() + b"".join(map(made.record, packets))
    found = pcap.read(data, final=True)
    udp = pcap.find_udp(data, found)
    columns = udp.is_udp, udp.is_other, udp.at - found.start, udp.end - found.start, udp.length, udp.port
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("place", range(12, 42))
def test_packets_alike_are_judged_as_those_in_mixed_company(place: int) -> None:
    good, other = made.ethernet(made.ip_udp(b"payload")), made.ethernet(bytes(28), protocol=0x0806)
    for flipped in (0x01, 0x08, 0x40, 0x80, 0xFF):
        bad = good[:place] + bytes([good[place] ^ flipped]) + good[place + 1 :]
        for packets in ([good, good, bad], [bad, good, good], [bad, bad, bad], [good, good[:41], bad]):
            assert verdicts(packets) == verdicts([other, *packets])[1:]


def test_written_files_are_read_back() -> None:
    headers = bytearray(PACKETS[0][:42])
    packet = pcap.udp_packet(b"hello", bytes(headers))
    assert sum(struct.unpack(">10H", packet[14:34])) % 0xFFFF == 0  # the checksum of IP
    data = pcap.file_header() + pcap.record(packet, 1_234_567_891_234) + pcap.record(packet[:30], -5, 47)
    packets, found = read(data)
    assert packets == [packet, packet[:30]]
    assert found.unix_ns.tolist() == [1_234_567_891_234, 0]
    assert found.cut.tolist() == [False, True]


PIECES = [
    *(made.record(packet) for packet in PACKETS),
    made.record(PACKETS[3][:30], length=len(PACKETS[3])),
    made.header(),
    made.section() + made.interface(),
    made.enhanced(PACKETS[0]),
    made.simple(PACKETS[3]),
    bytes(16),
    b"\xff" * 37,
]


@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=12),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4),
    cuts=st.lists(st.floats(0, 1), max_size=5),
)
@settings(max_examples=200, deadline=None)
def test_packets_do_not_depend_on_the_chunks(
    pieces: list[bytes], changes: list[tuple[float, int]], cuts: list[float]
) -> None:
    data = bytearray(made.header() + b"".join(pieces))
    for place, value in changes:
        data[24 + int(place * (len(data) - 25)) if len(data) > 25 else 0] = value
    whole, at_once = read(bytes(data))
    packets: list[bytes] = []
    times: list[int] = []
    left, state = b"", None
    for start, stop in zip(
        [0, *sorted(int(c * len(data)) for c in cuts)],
        [*sorted(int(c * len(data)) for c in cuts), len(data)],
        strict=True,
    ):
        left += bytes(data[start:stop])
        found = pcap.read(left, final=stop == len(data) and start <= stop, state=state)
        packets += [left[at : at + size] for at, size in zip(found.start, found.size, strict=True)]
        times += found.unix_ns.tolist()
        left, state = left[found.consumed :], found.state
    assert packets == whole
    assert np.array_equal(times, at_once.unix_ns)
