"""Atheros records: real captures against the golden decodes, both byte orders, damage, and live datagrams."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import atheros
from drivers.atheros import bits
from drivers.frame import FrameFlag, mac_text
from drivers.registry import Parsed
from drivers.stream import Stream
from tests.drivers.atheros_frames import SENDER, make_block, record, records, turned
from tests.drivers.intel import Frame, frames_in_order, same

CORNER = {  # frames, skipped, rejected
    "a_csi0.dat": (20, {"no_csi": 1}, {}),
    "a_csilen_lie.dat": (19, {}, {"bad_length": 1}),
    "a_mixed_bw.dat": (21, {}, {}),
    "a_tones200.dat": (19, {}, {"wrong_bandwidth": 1}),
    "a_trunc.dat": (19, {}, {"truncated": 1}),
}
REAL = {  # order, lead bytes, transmitter
    "csiread_ath_csi_1.dat": ("little-endian", 0, "04:f0:21:2c:79:37"),
    "sample_bigEndian.dat": ("big-endian", 1, "ac:29:3a:ed:cc:48"),
}
CSI = bits.pack(make_block(1).raw.astype(np.int16))[0].tobytes()


def parsed(data: bytes) -> Parsed:
    """Everything in `data`, with the books checked."""
    found = atheros.parse(data, final=True)
    assert found.consumed == found.account.total_bytes == len(data)
    assert sum(map(len, found.blocks)) == found.account.frames
    return found


def frames(data: bytes) -> list[Frame]:
    return frames_in_order(list(parsed(data).blocks))


@pytest.mark.shared
@pytest.mark.parametrize("name", REAL)
def test_real_captures_equal_the_golden_decodes(captures: Path, shared: Path, name: str) -> None:
    data = (captures / "atheros" / name).read_bytes()
    golden = np.load(shared / "golden" / f"{name}.npz")
    order, lead, sender = REAL[name]
    why, found = atheros.sniff(data), parsed(data)
    assert why is not None
    assert order in why
    assert found.account.container_bytes == lead
    assert not found.account.rejected
    (block,) = found.blocks
    assert np.array_equal(block.csi(), golden["csi"])
    assert block.raw.dtype == np.int16
    table = block.table
    assert np.array_equal(table["capture_ns"], golden["ts"] * 1000)
    assert np.array_equal(table["rssi_dbm"][:, :3] + 95, golden["rssi"][:, 1:])
    assert np.array_equal(table["centre_mhz"], golden["ch"])
    assert np.array_equal(table["rate"], golden["rate"])
    assert np.isnan(table["noise_dbm"]).all()
    assert {mac_text(int(mac)) for mac in table["transmitter"]} == {sender}
    (again,) = parsed(atheros.encode(block)).blocks
    assert same(again, block)


@pytest.mark.shared
@pytest.mark.parametrize("name", CORNER)
def test_corner_captures(captures: Path, name: str) -> None:
    found = parsed((captures / "corner" / name).read_bytes())
    count, skipped, rejected = CORNER[name]
    assert found.account.frames == count
    assert dict(found.account.skipped) == skipped
    assert dict(found.account.rejected) == rejected


@pytest.mark.shared
def test_streams_share_the_gain_of_their_receive_chain(captures: Path) -> None:
    """Rows of `rx` are receive chains: the level of one chain's streams moves together, others' do not."""
    (block,) = parsed((captures / "atheros" / "csiread_ath_csi_1.dat").read_bytes()).blocks
    level = (np.abs(block.csi()) ** 2).sum(axis=1).reshape(len(block), -1)
    alike = np.corrcoef(level.T).reshape(3, 2, 3, 2)
    for chain in range(3):
        assert alike[chain, 0, chain, 1] > 0.95
        assert alike[chain, 0, chain - 1, 1] < 0.6


@pytest.mark.shared
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_real_captures_damaged_anywhere_in_any_chunks(captures: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(REAL)))
    stream = bytearray((captures / "atheros" / name).read_bytes()[:16_000])
    for _ in range(data.draw(st.integers(0, 6))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(stream)))
    del stream[start : start + data.draw(st.sampled_from([0, 1, 30, 900]))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    cut, blocks = Stream(atheros), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        blocks += cut.feed(bytes(stream[begin:end]))
    blocks += cut.finish()
    whole = Stream(atheros)
    expected = whole.feed(bytes(stream)) + whole.finish()
    assert cut.account.total_bytes == len(stream)
    assert frames_in_order(blocks) == frames_in_order(expected)
    assert cut.account == whole.account


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("nr", [1, 2, 3])
@pytest.mark.parametrize("nc", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 5, 300])
def test_round_trip_is_bit_exact(wide: bool, nr: int, nc: int, count: int) -> None:
    block = make_block(count, wide=wide, nr=nr, nc=nc, seed=nr, sender=SENDER * (nc > 1))
    (again,) = parsed(atheros.encode(block)).blocks
    assert same(again, block)
    assert again.shape == (114 if wide else 56, nr, nc)


def test_values_are_read_bit_by_bit() -> None:
    """The stream of one frame, made with Python's own integers: imaginary first, then rx, tx, tone."""
    rng = np.random.default_rng(5)
    raw = rng.integers(-512, 512, (56, 3, 2, 2))
    stream = at = 0
    for tone in range(56):
        for tx in range(2):
            for rx in range(3):
                for part in (1, 0):
                    stream |= (int(raw[tone, rx, tx, part]) & 1023) << at
                    at += 10
    (block,) = parsed(record(stream.to_bytes(840, "little"))).blocks
    assert np.array_equal(block.raw[0], raw)


@pytest.mark.parametrize("lead", [b"", b"\xff"])
def test_a_big_endian_host_gives_the_same_frames(lead: bytes) -> None:
    ones = records(6, seed=1) + records(3, wide=True, nc=1)
    data = lead + b"".join(map(turned, ones))
    assert frames(data) == frames(b"".join(ones))
    assert parsed(data).account.container_bytes == len(lead)


@pytest.mark.parametrize("cut", range(40))
def test_the_variant_is_decided_once_however_the_start_arrives(cut: int) -> None:
    data = b"\xff" + b"".join(map(turned, records(3)))
    stream = Stream(atheros)
    blocks = stream.feed(data[:cut]) + stream.feed(data[cut:]) + stream.finish()
    assert frames_in_order(blocks) == frames(data)
    assert stream.account.container_bytes == 1
    assert not stream.account.rejected


def test_sniff_names_the_variant() -> None:
    little, wide = b"".join(records(2)), b"".join(map(turned, records(2, wide=True)))
    for data, words in (
        (little, ["little-endian", "no lead byte", "2 with CSI"]),
        (b"\x00" + little, ["little-endian", "lead byte 0x00"]),
        (wide, ["big-endian", "no lead byte"]),
        (b"\xff" + wide, ["big-endian", "lead byte 0xff"]),
        (record(b"", b"\x88" * 100), ["no CSI yet"]),
    ):
        why = atheros.sniff(data)
        assert why is not None
        assert all(word in why for word in words), why
    noise = np.random.default_rng(2).integers(0, 256, 65536, np.uint8).tobytes()
    for strange in (noise, b"\x00" * 65536, Path(__file__).read_bytes()):
        assert atheros.sniff(strange) is None


def test_equal_and_unequal_records_in_any_mixture_come_in_order() -> None:
    ones: list[bytes] = []
    for seed in range(6):
        ones += records(9, seed=seed)
        ones += [record(CSI, b"\x88" * size) for size in (0, 7, 100, 1500)]
        ones += [*records(2, wide=seed % 2 == 0, nr=2, seed=seed), record(b"", b"\x08" * 1924)]
    found = parsed(b"".join(ones))
    alone = [frame for one in ones for frame in frames(one)]
    assert frames_in_order(list(found.blocks)) == alone
    assert dict(found.account.skipped) == {"no_csi": 6}
    assert len(found.blocks) == 3


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("bad_length", {"csi_len": 9000}),
        ("wrong_bandwidth", {"tones": 200}),
        ("wrong_bandwidth", {"bandwidth": 1}),
        ("wrong_bandwidth", {"bandwidth": 1, "tones": 114, "nc": 0}),
        ("bad_antennas", {"nc": 0}),
        ("bad_antennas", {"nr": 4, "nc": 1}),
        ("bad_length", {"nc": 1}),
    ],
)
@pytest.mark.parametrize("turn", [False, True])
def test_fields_that_contradict_cost_that_record_only(reason: str, words: dict[str, int], turn: bool) -> None:
    bad = record(CSI, b"x" * 60, order=">" if turn else "<", **words)  # type: ignore[arg-type]
    ones = [turned(one) if turn else one for one in records(8)]
    found = parsed(b"".join([*ones[:4], bad, *ones[4:]]))
    assert dict(found.account.rejected) == {reason: 1}
    assert found.account.rejected_bytes[reason] == len(bad)
    assert frames_in_order(list(found.blocks)) == frames(b"".join(ones))


def test_an_error_of_the_physical_layer_is_flagged_and_its_sender_not_believed() -> None:
    packet = records(1)[0][27 + len(CSI) :]
    (block,) = parsed(record(CSI, packet) + record(CSI, packet, phyerr=24)).blocks
    assert block.table["flags"].tolist() == [FrameFlag.NONE, FrameFlag.PHY_ERROR]
    assert block.table["transmitter"].tolist() == [SENDER, 0]
    assert np.array_equal(block.raw[0], block.raw[1])
    (again,) = parsed(atheros.encode(block)).blocks
    assert same(again, block)


@pytest.mark.parametrize(
    "payload", [b"", b"\x08\x00" + b"\x11" * 13, b"\xd4\x00" + b"\x11" * 30, b"\xaa" * 40]
)
def test_what_is_no_frame_with_a_sender_names_none(payload: bytes) -> None:
    (block,) = parsed(record(CSI, payload)).blocks
    assert block.table["transmitter"][0] == 0


@pytest.mark.parametrize(
    ("nr", "nc", "chains", "dbm"),
    [
        (3, 2, (40, -128, 3), [-55, np.nan, -92]),
        (2, 3, (40, 41, -128), [-55, -54, np.nan]),
        (2, 3, (-128, 41, 42), [-54, -53, np.nan]),
        (2, 3, (40, 41, 42), [-55, -54, np.nan]),
        (1, 3, (-128, -128, 42), [-53, np.nan, np.nan]),
    ],
)
def test_strength_of_the_chains_in_use(
    nr: int, nc: int, chains: tuple[int, int, int], dbm: list[float]
) -> None:
    csi = bytes(140 * nr * nc)
    (block,) = parsed(record(csi, nr=nr, nc=nc, chains=chains)).blocks
    assert np.array_equal(block.table["rssi_dbm"][0], [*dbm, np.nan], equal_nan=True)
    assert block.table["flags"][0] == FrameFlag.ALL_ZERO


def test_the_clock_runs_on_where_its_32_bits_start_over() -> None:
    stream = Stream(atheros)
    late = [record(CSI, timestamp=stamp) for stamp in (2**32 - 500, 500)]
    (block,) = stream.feed(b"".join(late)) + stream.finish()
    assert np.diff(block.table["capture_ns"]).tolist() == [1_000_000]
    assert not block.table["flags"].any()


@pytest.mark.parametrize("size", [*range(1, 60), 400, 840, 866, 867, 868, 880, 890])
def test_a_record_cut_anywhere_costs_that_record_only(size: int) -> None:
    before, cut, after, last = records(4)
    at_end = parsed(before + cut[:size])
    assert at_end.account.frames == 1
    assert dict(at_end.account.rejected) == {"truncated": 1}
    inside = parsed(before + cut[:size] + after + last)
    assert frames_in_order(list(inside.blocks)) == frames(before + after + last)


@pytest.mark.parametrize("byte", range(27))
@pytest.mark.parametrize("value", [0x00, 0x01, 0x7F, 0xFF])
@pytest.mark.parametrize("place", [0, 4, 8])
def test_a_damaged_header_costs_that_record_at_most(byte: int, value: int, place: int) -> None:
    stream = records(9)
    changed = bytearray(stream[place])
    changed[byte] = value
    found = frames(b"".join([*stream[:place], bytes(changed), *stream[place + 1 :]]))
    whole = frames(b"".join(stream))
    assert len(found) in {8, 9}
    assert found[:place] == whole[:place]
    assert found[len(found) - 8 + place :] == whole[place + 1 :]


@pytest.mark.parametrize("kept", [27, 300])
def test_a_false_length_that_ends_at_a_later_record_costs_none_before(kept: int) -> None:
    stream = records(9)
    size = kept + sum(map(len, stream[3:7]))
    stream[2] = (size - 2).to_bytes(2, "little") + b"\xff" * (kept - 2)
    whole = frames(b"".join([*stream[:2], *stream[3:]]))
    assert len(whole) == 8
    assert frames(b"".join(stream)) == whole


@pytest.mark.parametrize("junk", [1, 2, 26, 27, 500, 70_000, 200_000])
@pytest.mark.parametrize("at_start", [False, True])
def test_bytes_between_records_are_passed_over_and_counted(junk: int, at_start: bool) -> None:
    ones = records(3)
    data = b"\x5a" * junk
    found = parsed(data + b"".join(ones) if at_start else ones[0] + data + ones[1] + ones[2])
    assert found.account.frames == 3
    assert found.account.rejected_bytes["resync"] == junk


def test_a_packet_that_carries_records_is_not_ours() -> None:
    """Records forwarded over the same WiFi stand in the payload of others."""
    ones, cargo = records(4), b"".join(records(2, seed=9))
    carrier = record(CSI, b"\x88" * 24 + cargo, timestamp=5_000)
    for data in (ones[0] + carrier + ones[1] + ones[2], ones[0] + carrier):
        found = parsed(data)
        assert found.account.frames == data.count(ones[0]) + 1 + 2 * (ones[2] in data)
        assert not found.account.rejected
    stream = Stream(atheros)
    blocks = stream.feed(ones[0] + carrier) + stream.feed(ones[1] + ones[2]) + stream.finish()
    assert frames_in_order(blocks) == frames(ones[0] + carrier + ones[1] + ones[2])


def test_a_live_record_is_not_held_back() -> None:
    stream = Stream(atheros)
    for one in records(20):
        assert sum(map(len, stream.feed(one))) == 1


@pytest.mark.parametrize("form", ["device", "bare", "file"])
@pytest.mark.parametrize("turn", [False, True])
def test_live_datagrams_of_both_orders_become_one_file(form: str, turn: bool) -> None:
    ones = records(4) + records(2, wide=True)
    live = b""
    for one in ones:
        sent = turned(one) if turn else one
        datagram = {"device": sent[2:] + sent[:2], "bare": sent[2:], "file": sent}[form]
        live += atheros.wrap(datagram, 0)
    assert live == b"".join(ones)


def test_odd_datagrams_cost_nothing_but_themselves() -> None:
    ones = records(3)
    odd = [b"", b"\x07", b"printf text", b"\x00" * 70_000, ones[0][2:300]]
    live = b"".join(atheros.wrap(data, 0) for one in ones for data in [one[2:], *odd])
    found = parsed(live)
    assert found.account.frames == 3
    assert not found.account.skipped


def test_blocks_that_the_card_cannot_have_made_are_refused() -> None:
    block = make_block(2)
    values = {name: getattr(block, name) for name in block.__dataclass_fields__}
    with pytest.raises(ValueError, match="int16"):
        atheros.encode(type(block)(**{**values, "raw": block.raw.astype(np.int32)}))
    with pytest.raises(ValueError, match="10 bits"):
        atheros.encode(type(block)(**{**values, "raw": block.raw + np.int16(512)}))
