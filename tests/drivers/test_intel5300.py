"""Intel 5300 records: real captures against the golden decodes, damage, and the way there and back."""

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from drivers import intel5300
from drivers.frame import FrameFlag
from drivers.registry import Parsed
from drivers.scale import scale, total_rss_dbm
from tests.drivers.intel import frames_in_order, make_block, other, records, same

CORNER = {  # frames, skipped, rejected
    "i_all_zero_csi.dat": (20, {}, {}),
    "i_len_mismatch.dat": (19, {}, {"bad_length": 1}),
    "i_mixed_nrx.dat": (40, {}, {}),
    "i_nrx0.dat": (19, {}, {"bad_antennas": 1}),
    "i_perm3.dat": (20, {}, {}),
    "i_trunc.dat": (19, {}, {"truncated": 1}),
    "i_ts_wrap.dat": (20, {}, {}),
    "i_unknown_code.dat": (20, {"non_csi": 1}, {}),
    "i_zero_len.dat": (20, {"empty": 1}, {}),
}


def parsed(data: bytes) -> Parsed:
    """Everything in `data`, with the books checked."""
    found = intel5300.parse(data, final=True)
    assert found.consumed == found.account.total_bytes == len(data)
    assert sum(map(len, found.blocks)) == found.account.frames
    return found


def intel_captures(captures: Path) -> list[Path]:
    found = sorted((captures / "intel5300").glob("*.dat"))
    assert found
    return found


def test_real_captures_equal_the_golden_decodes(captures: Path, shared: Path) -> None:
    compared = 0
    for path in intel_captures(captures):
        found = parsed(path.read_bytes())
        golden_path = shared / "golden" / f"{path.name}.npz"
        if not golden_path.exists():
            continue
        golden = np.load(golden_path)
        assert found.account.frames == len(golden["csi"]), path.name
        for block in found.blocks:
            rows = block.index
            tx = block.shape[2]
            assert np.array_equal(block.csi(), golden["csi"][rows][..., :tx]), path.name
            assert not golden["csi"][rows][..., tx:].any()
            table = block.table
            assert np.array_equal(table["capture_ns"], golden["timestamp_low"][rows].astype(np.int64) * 1000)
            assert np.array_equal(table["sequence"], golden["bfee_count"][rows])
            assert np.array_equal(table["agc_db"], golden["agc"][rows])
            assert np.array_equal(table["rate"], golden["rate"][rows])
            assert np.array_equal(np.isnan(table["noise_dbm"]), golden["noise"][rows] == -127)
            known = table["rssi_dbm"][:, :3] + 44 + table["agc_db"][:, None]
            assert np.array_equal(np.nan_to_num(known, nan=0), golden["rssi"][rows])
            np.testing.assert_allclose(scale(block), golden["scale"][rows], rtol=1e-9)
            np.testing.assert_allclose(total_rss_dbm(block), golden["total_rss_dbm"][rows], rtol=1e-9)
        compared += 1
    assert compared == 26


@pytest.mark.parametrize("name", CORNER)
def test_corner_captures(captures: Path, name: str) -> None:
    found = parsed((captures / "corner" / name).read_bytes())
    frames, skipped, rejected = CORNER[name]
    assert found.account.frames == frames
    assert dict(found.account.skipped) == skipped
    assert dict(found.account.rejected) == rejected


def test_odd_frames_are_flagged_and_kept(captures: Path) -> None:
    for name, flag in (
        ("i_perm3.dat", FrameFlag.BAD_PERMUTATION),
        ("i_all_zero_csi.dat", FrameFlag.ALL_ZERO),
    ):
        blocks = parsed((captures / "corner" / name).read_bytes()).blocks
        assert sum(int((block.table["flags"] & np.uint32(flag) != 0).sum()) for block in blocks) == 1, name


def test_real_frames_survive_encoding(captures: Path) -> None:
    for path in intel_captures(captures):
        for block in parsed(path.read_bytes()).blocks:
            (again,) = parsed(intel5300.encode(block)).blocks
            assert same(again, block), path.name


@pytest.mark.parametrize("ntx", [1, 2, 3])
@pytest.mark.parametrize("antennas", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("frames", [1, 7, 700])
def test_round_trip_is_bit_exact(ntx: int, antennas: tuple[int, ...], wide: bool, frames: int) -> None:
    block = make_block(frames, antennas=antennas, ntx=ntx, wide=wide, seed=ntx)
    (again,) = parsed(intel5300.encode(block)).blocks
    assert same(again, block)
    assert np.array_equal(again.index, np.arange(frames))


def test_every_antenna_order_puts_chains_on_their_rows() -> None:
    """The card's chains come in any order; the record of each order is made by hand from chain order."""
    plain = make_block(40, ntx=1, seed=3)
    stream, wanted = [], []
    for number, (order, record) in enumerate(
        zip([*permutations(range(3))] * 7, records(40, ntx=1, seed=3), strict=False)
    ):
        changed = bytearray(record)
        changed[18] = order[0] | order[1] << 2 | order[2] << 4
        stream.append(bytes(changed))
        rows = np.empty_like(plain.raw[number])
        rows[:, list(order)] = plain.raw[number]
        wanted.append(rows)
    (block,) = parsed(b"".join(stream)).blocks
    assert np.array_equal(block.raw, np.array(wanted))
    assert not block.table["flags"].any()


@pytest.mark.parametrize("sel", [0b000000, 0b110100, 0b000100, 0b111111])
def test_impossible_antenna_order_keeps_chain_order_and_says_so(sel: int) -> None:
    record = bytearray(records(1)[0])
    record[18] = sel
    (block,) = parsed(bytes(record)).blocks
    assert np.array_equal(block.raw, make_block(1).raw)
    assert block.table["flags"][0] == FrameFlag.BAD_PERMUTATION


def test_shapes_are_grouped_and_index_restores_their_order() -> None:
    kinds = [((0, 1, 2), 1), ((0, 2), 2), ((0, 1), 2), ((0, 1, 2), 3)]
    ones = [records(1, antennas=a, ntx=n, seed=i)[0] for i, (a, n) in enumerate(kinds)]
    found = parsed(b"".join(ones * 5))
    assert len(found.blocks) == 4
    alone = [frames_in_order(list(parsed(one).blocks))[0] for one in ones]
    assert frames_in_order(list(found.blocks)) == alone * 5


def test_other_records_are_skipped_by_kind() -> None:
    a, b = records(2)
    data = a + other(0xC1, 131) + other(0xD1, 20) + other(0x77, 50) + b + b"\x00\x00" * 5 + a
    account = parsed(data).account
    assert account.frames == 3
    assert dict(account.skipped) == {"non_csi": 2, "unknown_record": 1, "empty": 5}
    assert not account.rejected


def test_an_mpdu_may_be_longer_than_a_kilobyte_and_hold_csi_records() -> None:
    """A 0xc1 record may carry a capture that somebody sends over the air; it is not ours."""
    a, b = records(2)
    cargo = b"".join(records(4, seed=9))
    mpdu = (len(cargo) + 1).to_bytes(2, "big") + b"\xc1" + cargo
    account = parsed(a + mpdu + b).account
    assert (account.frames, dict(account.skipped)) == (2, {"non_csi": 1})


@pytest.mark.parametrize("size", range(1, 395))
def test_a_record_cut_anywhere_costs_that_record_only(size: int) -> None:
    before, cut, after, last = records(4)
    at_end = parsed(before + cut[:size])
    assert at_end.account.frames == 1
    assert dict(at_end.account.rejected) == {"truncated": 1}
    inside = parsed(before + cut[:size] + after + last)
    assert frames_in_order(list(inside.blocks)) == frames_in_order(list(parsed(before + after + last).blocks))


@pytest.mark.parametrize("byte", range(23))
@pytest.mark.parametrize("value", [0x00, 0x01, 0x7F, 0xFF])
def test_a_damaged_header_costs_that_record_at_most(byte: int, value: int) -> None:
    stream = records(9)
    changed = bytearray(stream[4])
    changed[byte] = value
    found = parsed(b"".join([*stream[:4], bytes(changed), *stream[5:]]))
    whole = frames_in_order(list(parsed(b"".join(stream)).blocks))
    frames = frames_in_order(list(found.blocks))
    assert len(frames) in {8, 9}
    assert frames[:4] == whole[:4]
    assert frames[-4:] == whole[-4:]


@pytest.mark.parametrize("junk", [1, 2, 3, 22, 23, 500, 70_000, 200_000])
def test_bytes_between_records_are_passed_over_and_counted(junk: int) -> None:
    a, b = records(2)
    found = parsed(a + b"\x5a" * junk + b)
    assert found.account.frames == 2
    assert found.account.rejected_bytes["resync"] == junk


def test_zeros_between_records_cost_nothing() -> None:
    a, b = records(2)
    for count in (1, 2, 3, 4, 5, 1000, 140_001):
        assert parsed(a + b"\x00" * count + b).account.frames == 2, count


def test_what_is_no_capture_is_not_taken_for_one() -> None:
    source = Path(intel5300.__file__).read_bytes()
    noise = np.random.default_rng(1).integers(0, 256, 300_000, np.uint8).tobytes()
    for data in (b"", source, noise, b"\x00" * 5000):
        assert intel5300.sniff(data[:65536]) is None
        assert not parsed(data).blocks


def test_sniff_knows_captures_that_start_badly() -> None:
    a, b = records(2)
    for head in (
        a + b,
        a[:100],
        other(0xC1, 131) * 4,
        other(0xC1, 1400) + a,
        b"\x01\x89\xbb" + bytes(400) + a,
    ):
        assert intel5300.sniff(head) is not None


def test_blocks_that_the_card_cannot_have_made_are_refused() -> None:
    block = make_block(2)
    with pytest.raises(ValueError, match="int8"):
        intel5300.encode(replace(block, raw=block.raw.astype(np.int16)))
    with pytest.raises(ValueError, match="used antenna"):
        intel5300.encode(replace(block, present=np.zeros((3, 2), np.bool_)))
