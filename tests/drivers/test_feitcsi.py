"""FeitCSI: grids, clocks, what a damaged record costs, and every value of the real files."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import feitcsi
from drivers.feitcsi import FTM_TICKS_A_US
from drivers.feitcsi.framing import HEADER_BYTES, SEARCH_BYTES
from drivers.feitcsi.grids import GRIDS, HE, VHT, grid_of
from drivers.frame import FrameBlock, Tone
from drivers.stream import Stream
from tests.drivers.feitcsi_frames import make_block, records
from tests.drivers.intel import frames_in_order, same

COUNTS = {  # IEEE 802.11: subcarriers in use of each format and bandwidth
    (1, 20): 52,
    (2, 20): 56,
    (2, 40): 114,
    (3, 20): 56,
    (3, 40): 114,
    (3, 80): 242,
    (3, 160): 484,
    (4, 20): 242,
    (4, 40): 484,
    (4, 80): 996,
    (4, 160): 1992,
}
CAPTURES = {  # frames, shape, bandwidth
    "feitcsi_HT20_2452.csi": (48, (56, 2, 1), 20),
    "feitcsi_VHT80_5500.csi": (40, (242, 2, 1), 80),
    "feitcsi_HESU160_5500.csi": (26, (1992, 2, 1), 160),
}


def counted(data: bytes) -> tuple[int, dict[str, int]]:
    account = feitcsi.parse(data, final=True).account
    assert account.total_bytes == len(data)
    return account.frames, dict(account.rejected)


def test_every_grid_has_the_subcarriers_of_the_standard() -> None:
    assert {key: len(grid.index) for key, grid in GRIDS.items()} == COUNTS
    for grid in GRIDS.values():
        assert (np.diff(grid.index) > 0).all()
        assert np.array_equal(grid.index, -grid.index[::-1])
        assert np.array_equal(grid.tones, grid.tones[::-1])


@pytest.mark.parametrize(
    ("key", "places"),
    [
        ((1, 20), [5, 19, 32, 46]),
        ((2, 20), [7, 21, 34, 48]),
        ((2, 40), [5, 33, 47, 66, 80, 108]),
        ((3, 80), [19, 47, 83, 111, 130, 158, 194, 222]),
        ((4, 20), [6, 32, 74, 100, 141, 167, 209, 235]),
        ((4, 80), [32, 100, 166, 234, 274, 342, 408, 476, 519, 587, 653, 721, 761, 829, 895, 963]),
    ],
)
def test_pilots_hold_no_channel(key: tuple[int, int], places: list[int]) -> None:
    """Places as FeitCSI's Csi.h lists them."""
    assert np.flatnonzero(GRIDS[key].tones == Tone.OVERWRITTEN).tolist() == places


@pytest.mark.parametrize("key", GRIDS)
@pytest.mark.parametrize("antennas", [(1, 1), (2, 2)])
def test_every_format_comes_back(key: tuple[int, int], antennas: tuple[int, int]) -> None:
    block = make_block(3, kind=key[0], width=key[1], rx=antennas[0], tx=antennas[1])
    (found,) = feitcsi.parse(feitcsi.encode(block), final=True).blocks
    assert same(found, block)


def test_rate_flags_beyond_the_known_are_no_grid() -> None:
    assert grid_of(5 << 8) is None
    assert grid_of(HE << 8 | 4 << 11) is None


@pytest.mark.parametrize("lost", [1, 3, 4, 40, 96, 200, 400])
def test_a_cut_record_costs_itself(lost: int) -> None:
    one, two, three = records(3)
    assert counted(one + two[:-lost] + three) == (2, {"truncated": 1})


def test_damage_in_a_header_costs_one_record() -> None:
    one, two, three = records(3)
    for at, value, reason in [(46, 9, "resync"), (0, 1, "resync"), (93, 5, "unsupported_format")]:
        bad = bytearray(two)
        bad[at] = value
        assert counted(one + bytes(bad) + three) == (2, {reason: 1})


def test_a_number_of_subcarriers_that_the_format_has_not_is_unsupported() -> None:
    """Firmware writes 2020 subcarriers of HE160, 28 of them empty; FeitCSI takes these out."""
    record = bytearray(records(1, kind=HE, width=160)[0])
    record[:4], record[52:56] = struct.pack("<I", 4 * 2020 * 2), struct.pack("<I", 2020)
    good = records(1)[0]
    assert counted(good + bytes(record) + bytes(4 * 28 * 2) + good) == (2, {"unsupported_format": 1})


@given(
    cuts=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 500)), max_size=3),
    sizes=st.lists(st.integers(1, 1500), min_size=1, max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_records_cut_anywhere_give_the_same_in_any_chunks(
    cuts: list[tuple[int, int]], sizes: list[int]
) -> None:
    pieces = [*records(3), *records(2, kind=VHT, width=80, seed=1)]
    for place, lost in cuts:
        pieces[place] = pieces[place][:-lost]
    data = b"".join(pieces)
    whole, stream, blocks, at, turn = Stream(feitcsi), Stream(feitcsi), [], 0, 0
    expected = [*whole.feed(data), *whole.finish()]
    while at < len(data):
        blocks += stream.feed(data[at : at + sizes[turn % len(sizes)]])
        at, turn = at + sizes[turn % len(sizes)], turn + 1
    blocks += stream.finish()
    assert frames_in_order(blocks) == frames_in_order(expected)
    assert stream.account == whole.account
    made = frames_in_order([make_block(3)]) + frames_in_order([make_block(2, kind=VHT, width=80, seed=1)])
    assert {frame[1] for frame in frames_in_order(blocks)} <= {frame[1] for frame in made}


def test_noise_is_passed_over_in_bounded_pieces() -> None:
    noise = np.random.default_rng(1).integers(0, 256, 3 * SEARCH_BYTES, np.uint8).tobytes()
    stream = Stream(feitcsi)
    for at in range(0, len(noise), 999):
        stream.feed(noise[at : at + 999])
        assert stream.left_over < 2 * SEARCH_BYTES
    assert len(stream.feed(records(1)[0]) + stream.finish()) == 1


def test_encode_refuses_other_shapes() -> None:
    block = make_block(1)
    fields = {name: getattr(block, name) for name in FrameBlock.__slots__}
    with pytest.raises(ValueError, match="feitcsi takes int16"):
        feitcsi.encode(FrameBlock(**fields | {"raw": block.raw.astype(np.int8)}))
    with pytest.raises(ValueError, match="known grid"):
        feitcsi.encode(FrameBlock(**fields | {"bandwidth_mhz": 40}))


@pytest.mark.shared
@pytest.mark.parametrize("name", CAPTURES)
def test_real_files_value_by_value(captures: Path, name: str) -> None:
    data = (captures / "other" / name).read_bytes()
    parsed = feitcsi.parse(data, final=True)
    (block,) = parsed.blocks
    assert (len(block), block.shape, block.bandwidth_mhz) == CAPTURES[name]
    assert parsed.account.total_bytes == len(data)
    subcarriers, rx, _ = block.shape
    at = 0
    for frame in range(len(block)):
        size, ftm = struct.unpack_from("<I4xI", data, at)
        values = struct.unpack_from(f"<{size // 2}h", data, at + HEADER_BYTES)
        expected = np.array(values).reshape(rx, subcarriers, 2)
        assert np.array_equal(block.raw[frame, :, :, 0], expected.transpose(1, 0, 2))
        assert block.table["rssi_dbm"][frame, 0] == -struct.unpack_from("<I", data, at + 60)[0]
        drift = (int(block.table["capture_ns"][frame]) // 1000 * FTM_TICKS_A_US - ftm) % 2**32
        if frame == 0:
            first = drift
        assert abs((drift - first + 2**31) % 2**32 - 2**31) <= 5 * FTM_TICKS_A_US
        at += HEADER_BYTES + size
    assert not block.raw[:, block.tones == Tone.OVERWRITTEN].any()
    assert np.abs(block.csi()[:, block.usable]).mean(axis=(0, 2, 3)).min() > 30
