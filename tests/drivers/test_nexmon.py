"""Nexmon datagrams: real captures against the golden decodes, headers, chips, damage, there and back."""

import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import nexmon
from drivers.frame import FrameBlock, FrameFlag, Tone
from drivers.nexmon.layout import FLOAT_4358, FLOAT_4366, Packing
from drivers.nexmon.packed import Unpacker, pack
from drivers.nexmon.tones import subcarrier_index, tones
from drivers.nexmon.values import values
from drivers.registry import Parsed
from drivers.stream import Stream
from tests.drivers import pcap_files as made
from tests.drivers.intel import frames_in_order, same
from tests.drivers.nexmon_frames import datagram, make_block, plus_datagram, records

CORNER = {  # frames, container bytes, skipped, rejected
    "n_bigendian.pcap": (20, 24, {}, {}),
    "n_mixed_bw.pcap": (23, 24, {}, {}),
    "n_nano.pcap": (20, 24, {}, {}),
    "n_noncsi_last.pcap": (20, 24, {"non_csi": 1}, {}),
    "n_noncsi_mid.pcap": (20, 24, {"non_csi": 1}, {}),
    "n_pcapng.pcap": (20, 48, {}, {}),
    "n_pcapng.pcapng": (20, 48, {}, {}),
    "n_rawip.pcap": (20, 24, {}, {}),
    "n_short_frame.pcap": (20, 24, {"non_csi": 1}, {}),
    "n_trunc.pcap": (19, 24, {}, {"truncated": 1}),
    "n_zero_payload.pcap": (20, 24, {"empty": 1}, {}),
}
GOOD = datagram()


def parsed(data: bytes) -> Parsed:
    """Everything in `data`, with the books checked."""
    found = nexmon.parse(data, final=True)
    assert found.consumed == found.account.total_bytes == len(data)
    assert sum(map(len, found.blocks)) == found.account.frames
    return found


def capture(*datagrams: bytes) -> bytes:
    return nexmon.opening() + b"".join(nexmon.wrap(one, at * 10_000_000) for at, one in enumerate(datagrams))


def only(data: bytes) -> FrameBlock:
    (block,) = parsed(data).blocks
    return block


@pytest.mark.shared
def test_real_captures_equal_the_golden_decodes(captures: Path, shared: Path) -> None:
    paths = sorted((captures / "nexmon").glob("*.pcap"))
    assert paths
    for path in paths:
        golden, block = np.load(shared / "golden" / f"{path.name}.npz"), only(path.read_bytes())
        assert np.array_equal(block.csi()[:, :, 0, 0], golden["csi"]), path.name
        table = block.table
        assert np.array_equal(table["sequence"], golden["seq"] >> 4)
        assert np.array_equal(table["core"], golden["core"])
        assert np.array_equal(table["stream"], golden["ss"])
        assert np.array_equal(np.nan_to_num(table["rssi_dbm"][:, 0], nan=-128), golden["rssi"])
        assert [int(mac.replace(":", ""), 16) for mac in golden["src"]] == table["transmitter"].tolist()
        assert np.allclose(table["capture_ns"] / 1e9, golden["t"], rtol=0, atol=1e-6)
        assert nexmon.sniff(path.read_bytes()[:65536])


@pytest.mark.shared
def test_corner_cases_lose_only_what_is_damaged(captures: Path) -> None:
    whole = frames_in_order(parsed((captures / "corner" / "n_bigendian.pcap").read_bytes()).blocks)
    for name, expected in CORNER.items():
        found = parsed((captures / "corner" / name).read_bytes())
        account = found.account
        assert (account.frames, account.container_bytes, account.skipped, account.rejected) == expected, name
        wide = [block for block in found.blocks if block.bandwidth_mhz == 80]
        values = sorted(raw for block in wide for raw in map(np.ndarray.tobytes, block.raw))
        assert values == sorted(raw for _, raw, _ in whole[: len(values)]), name


@pytest.mark.shared
def test_overwritten_bins_hold_what_the_firmware_puts_there(captures: Path) -> None:
    """The upper byte of bin 1 repeats the header's RSSI, as it does in firmware of this era."""
    for name in ("csikit_example_43455c0.pcap", "csidata_40mhz_1600085286.pcap"):
        block = only((captures / "nexmon" / name).read_bytes())
        assert np.flatnonzero(block.tones == Tone.OVERWRITTEN).tolist() == [0, 1, 2]
        upper = block.raw[:, 1, 0, 0, 0].view(np.uint16) >> 8
        assert np.array_equal(upper.astype(np.uint8).view(np.int8), block.table["rssi_dbm"][:, 0])


@pytest.mark.parametrize("bandwidth", [20, 40, 80, 160])
@pytest.mark.parametrize(("floats", "rssi"), [(False, True), (False, False), (True, True), (True, False)])
def test_there_and_back(bandwidth: int, floats: bool, rssi: bool) -> None:
    members = ((0, 0), (0, 1), (3, 2))
    block = make_block(30, bandwidth=bandwidth, floats=floats, rssi=rssi, members=members)
    found = only(nexmon.opening() + nexmon.encode(block))
    assert same(found, block)
    assert found.bandwidth_mhz == bandwidth
    assert found.raw.dtype == (np.float32 if floats else np.int16)


def test_the_plus_header_is_told_by_the_length() -> None:
    block = only(capture(plus_datagram(), plus_datagram(sequence=8)))
    assert block.table["rssi_dbm"][0, 0] == -61
    assert block.table["transmitter"].tolist() == [0x0016EA123456] * 2
    assert (block.table["core"] == 1).all()
    assert (block.table["stream"] == 2).all()
    assert block.table["sequence"].tolist() == [7, 8]
    assert block.raw[0].tobytes() == bytes(range(256)) * 4
    assert not (block.table["flags"] & FrameFlag.IQ_SUSPECT).any()
    assert not (block.tones == Tone.OVERWRITTEN).any()


def test_the_old_magic_has_no_rssi_and_is_suspect_for_int16_only() -> None:
    old = b"\x11\x11\x11\x11" + GOOD[4:]
    block = only(capture(old))
    assert np.isnan(block.table["rssi_dbm"]).all()
    assert block.table["flags"].tolist() == [FrameFlag.IQ_SUSPECT]
    assert not (block.tones == Tone.OVERWRITTEN).any()
    floats = only(capture(b"\x11\x11\x11\x11" + datagram(chip=0x6A)[4:]))
    assert not floats.table["flags"].any()


@pytest.mark.parametrize(("word", "place"), [(0, (0, 0)), (9, (1, 1)), (0x0100, (1, 0)), (0x1300, (3, 2))])
def test_core_and_stream_swapped_or_not(word: int, place: tuple[int, int]) -> None:
    table = only(capture(datagram(stream=word))).table
    assert (table["core"][0], table["stream"][0]) == place


REJECTED = {
    "bad_stream": datagram(stream=0x0101),
    "unsupported_chip": datagram(chip=0x4242),
    "wrong_bandwidth": datagram(bytes(512), bandwidth=80),
    "bad_length": GOOD[:-3],
    "too_short": GOOD[:12],
}


@pytest.mark.parametrize("reason", REJECTED)
def test_what_cannot_be_true_is_rejected_by_reason(reason: str) -> None:
    found = parsed(capture(GOOD, REJECTED[reason], GOOD))
    assert found.account.rejected == {reason: 1}
    assert found.account.frames == 2


def test_other_packets_are_skipped() -> None:
    text, other_port = b"printf of the firmware\n", made.ethernet(made.ip_udp(GOOD[:100], port=53))
    arp = made.ethernet(bytes(46), protocol=0x0806)
    data = capture(GOOD, text, b"", GOOD) + nexmon.wrap(arp, 0, link_layer=True)
    data += nexmon.wrap(other_port, 0, link_layer=True)
    found = parsed(data)
    assert found.account.frames == 2
    assert found.account.skipped == {"non_csi": 3, "empty": 1}
    assert not found.account.rejected


def test_a_packet_that_the_capture_tool_cut_is_no_frame() -> None:
    packet = made.ethernet(made.ip_udp(GOOD))
    sizes = (10, 40, 43, 58, 60, 300, len(packet) - 1)
    cut = b"".join(made.record(packet[:size], length=len(packet)) for size in sizes)
    found = parsed(made.header() + made.record(packet) + cut + made.record(packet))
    assert found.account.frames == 2
    assert found.account.rejected == {"truncated": len(sizes)}


def test_padding_behind_the_datagram_is_not_csi() -> None:
    packet = made.ethernet(made.ip_udp(GOOD), padding=22)
    cut = made.record(packet[:-20], length=len(packet))  # within the padding
    block = only(made.header() + made.record(packet) + cut)
    assert [raw.tobytes() for raw in block.raw] == [bytes(range(256)) * 4] * 2


@pytest.mark.parametrize(
    ("chanspec", "centre"),
    [
        *[(0xE02A, 5210), (0xD826, 5190), (0x1006, 2437), (0x100E, 2484), (0x602A, 0), (0xE872, 5570)],
        *[(0x10B0, 0), (0x100F, 0), (0x1000, 0), (0xD001, 0), (0xD0B1, 5885), (0xD0C4, 0), (0xF02A, 0)],
    ],
)
def test_the_channel_is_read(chanspec: int, centre: int) -> None:
    size = {2: 256, 3: 512, 4: 1024, 5: 2048, 6: 2048}[chanspec >> 11 & 7]
    block = only(capture(datagram(bytes(range(1, 129)) * (size // 128), chanspec=chanspec)))
    assert block.table["centre_mhz"].tolist() == [centre]
    assert len(block.subcarrier_index) == size // 4


def test_bandwidths_of_one_file_are_frames_of_their_own_shape() -> None:
    found = parsed(capture(GOOD, datagram(bytes(range(128)) * 4, bandwidth=40), GOOD))
    assert sorted((block.bandwidth_mhz, block.index.tolist()) for block in found.blocks) == [
        (40, [1]),
        (80, [0, 2]),
    ]


def test_frames_without_a_value_are_flagged() -> None:
    flags = only(capture(datagram(bytes(1024)), datagram(bytes(1020) + b"\x01\0\0\0"))).table["flags"]
    assert flags.tolist() == [FrameFlag.ALL_ZERO, FrameFlag.SEQUENCE_REPEATED]


def test_repeated_numbers_are_flagged_where_they_are_odd_however_the_stream_is_cut() -> None:
    numbers = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 0), (2, 0), (2, 2), (3, 1), (3, 1), (0, 0), (0, 0)]
    pieces = [datagram(sequence=number, stream=stream << 3) for number, stream in numbers]
    expected = [False] * 5 + [True, True, False, False, True, False, True]
    data = capture(*pieces)
    size = len(nexmon.wrap(GOOD, 0))
    for step in (1, 2, 5, 12):
        stream, flags = Stream(nexmon, as_recorded=True), []
        for start in range(0, len(pieces), step):
            begin = 24 + start * size if start else 0
            for block in stream.feed(data[begin : 24 + (start + step) * size]):
                flags += (block.table["flags"] & FrameFlag.SEQUENCE_REPEATED != 0).tolist()
        assert flags == expected


def test_two_senders_repeat_no_numbers() -> None:
    one, two = records(6), records(6, transmitter=5)
    data = nexmon.opening() + b"".join(piece for pair in zip(one, two, strict=True) for piece in pair)
    assert not only(data).table["flags"].any()


def test_numbers_run_on_where_they_wrap() -> None:
    stream = Stream(nexmon)
    (block,) = stream.feed(nexmon.opening() + nexmon.encode(make_block(40, first=4080)))
    assert np.array_equal(block.table["sequence"], np.arange(4080, 4120))


def exact(words: np.ndarray, packing: Packing) -> np.ndarray:
    """Values of packed words, one bit field after the other, in Python's own numbers."""
    values = []
    bits, low = packing.magnitude, packing.exponent
    for word in words.tolist():
        exponent = word & (1 << low) - 1
        exponent -= (exponent >> low - 1) << low
        pair = []
        for at in (low + bits + 1, low):
            size = (word >> at & (1 << bits) - 1) * 2.0**exponent
            pair.append(-size if word >> at + bits & 1 else size)
        values.append(pair)
    return np.array(values, np.float64).reshape(-1, 2)


@given(words=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_packed_floats_are_exact(words: list[int]) -> None:
    for packing in (FLOAT_4358, FLOAT_4366):
        some = np.array(words, np.uint32)
        out = np.empty((len(some), 2), np.float32)
        Unpacker(packing).unpack(some, out.view(np.complex64)[:, 0])
        assert np.array_equal(out.astype(np.float64), exact(some, packing))
        again = np.empty_like(out)
        Unpacker(packing).unpack(pack(out, packing), again.view(np.complex64)[:, 0])
        assert np.array_equal(again, out)


def packed_frames(count: int) -> tuple[bytes, np.ndarray]:
    """Words of packed floats, 256 a frame, and where the frames start."""
    words = np.random.default_rng(0).integers(0, 2**32, 256 * count, dtype=np.uint32)
    return words.astype("<u4").tobytes(), np.arange(count) * 1024


@pytest.mark.parametrize("packing", [FLOAT_4358, FLOAT_4366])
def test_many_words_are_unpacked_as_few_are(packing: Packing) -> None:
    data, at = packed_frames(300)
    whole = values(data, at, 1024, packing)
    parts = [values(data, at[start : start + 7], 1024, packing) for start in range(0, len(at), 7)]
    assert np.array_equal(whole, np.concatenate(parts))
    words = np.frombuffer(data, "<u4")[-256 * 3 :].astype(np.uint32)
    assert np.array_equal(whole[-3:].reshape(-1, 2).astype(np.float64), exact(words, packing))


def test_threads_unpack_side_by_side() -> None:
    data, at = packed_frames(1000)
    expected = values(data, at, 1024, FLOAT_4358)
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda _: np.array_equal(values(data, at, 1024, FLOAT_4358), expected), range(100))
        assert all(found)


@pytest.mark.parametrize(
    "pair", [(1.0, 4096.0), (2049.0, 0.0), (2.0**-40, 0.0), (np.nan, 0.0), (np.inf, 1.0)]
)
def test_what_the_card_cannot_say_is_not_encoded(pair: tuple[float, float]) -> None:
    block = make_block(1, floats=True)
    block.raw[0, 9, 0, 0] = pair
    with pytest.raises(ValueError, match="card cannot report"):
        nexmon.encode(block)


def test_blocks_that_are_not_of_this_card_are_not_encoded() -> None:
    suspect, block = make_block(2), make_block(2)
    suspect.table["flags"] = FrameFlag.IQ_SUSPECT
    other = replace(block, raw=block.raw.astype(np.int32))
    with pytest.raises(ValueError, match="IQ_SUSPECT"):
        nexmon.encode(suspect)
    with pytest.raises(ValueError, match="numbered 0 to 3"):
        nexmon.encode(make_block(1, members=((4, 0),)))
    with pytest.raises(ValueError, match="nexmon takes int16 or float32"):
        nexmon.encode(other)


def test_tone_plans_have_as_many_tones_as_the_standard_says() -> None:
    for bandwidth, data, pilots in ((20, 52, 4), (40, 108, 6), (80, 234, 8), (160, 468, 16)):
        plan, index = tones(bandwidth, False), subcarrier_index(bandwidth).astype(int)
        assert ((plan == Tone.DATA).sum(), (plan == Tone.PILOT).sum()) == (data, pilots)
        assert set(index[plan == Tone.PILOT]) == set(-index[plan == Tone.PILOT])
    assert subcarrier_index(20)[tones(20, True) == Tone.OVERWRITTEN].tolist() == [28, 29, 30]


def test_a_datagram_too_long_for_udp_is_counted() -> None:
    found = parsed(capture(b"\x11\x11" + bytes(70_000)))
    assert found.account.rejected == {"bad_length": 1}


def test_what_is_sniffed() -> None:
    assert nexmon.sniff(capture(datagram(chip=0x4242))) is not None
    assert nexmon.sniff(capture(b"text")) is None
    assert nexmon.sniff(nexmon.opening()) is None
    assert nexmon.sniff(made.section() + made.interface() + made.enhanced(made.ethernet(made.ip_udp(GOOD))))


@given(
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    cuts=st.lists(st.floats(0, 1), max_size=5),
)
@settings(max_examples=100, deadline=None)
def test_frames_do_not_depend_on_the_chunks(changes: list[tuple[float, int]], cuts: list[float]) -> None:
    pieces = [
        *records(3, members=((0, 0), (0, 1))),
        *records(2, bandwidth=20),
        *records(3, floats=True, seed=1),
    ]
    data = bytearray(nexmon.opening() + b"".join(pieces))
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    results = []
    for ends in ([len(data)], [*sorted(int(cut * len(data)) for cut in cuts), len(data)]):
        stream, start, blocks = Stream(nexmon), 0, []
        for end in ends:
            blocks += stream.feed(bytes(data[start:end]))
            start = end
        blocks += stream.finish()
        assert stream.account.total_bytes == len(data)
        results.append((frames_in_order(blocks), stream.account))
    assert results[0] == results[1]


def test_a_real_header_byte_for_byte() -> None:
    """What `wrap` writes is what the firmware's tunnel sends."""
    packet = nexmon.wrap(GOOD, 5)[16:]
    assert packet[:14] == b"\xff" * 6 + b"NEXMON\x08\x00"
    assert struct.unpack(">BBHHHBB", packet[14:24]) == (0x45, 0, len(GOOD) + 28, 1, 0, 1, 17)
    assert packet[24:26] == b"\xa1\xab"
    assert packet[26:34] == bytes([10, 10, 10, 10, 255, 255, 255, 255])
    assert struct.unpack(">HHHH", packet[34:42]) == (5500, 5500, len(GOOD) + 8, 0)
    assert packet[42:] == GOOD
