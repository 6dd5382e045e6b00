"""Records of one core and stream each become frames: complete, incomplete, repeated, however they are cut."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import nexmon
from drivers.batch import merge
from drivers.frame import FrameBlock, FrameFlag
from drivers.group import Grouper
from drivers.stream import Stream
from tests.drivers.nexmon_frames import make_block, records

FOUR = ((0, 0), (0, 1), (1, 0), (1, 1))
WITHIN_NS = nexmon.GROUP_WITHIN_NS or 0


def grouped(blocks: list[FrameBlock], cuts: tuple[int, ...] = ()) -> tuple[list[FrameBlock], Grouper]:
    """Frames of one block (cut at these rows), with the rest flushed."""
    grouper, done = Grouper(WITHIN_NS), []
    for block in blocks:
        for start, stop in zip((0, *cuts), (*cuts, len(block)), strict=True):
            if start < stop:
                done += grouper.take([block.take(slice(start, stop))])
    return done + grouper.flush(), grouper


def frames(blocks: list[FrameBlock]) -> list[tuple[Any, ...]]:
    """Every frame with its shape and what is present, in stream order; they are numbered without a gap."""
    assert sorted(np.concatenate([block.index for block in blocks])) == list(range(sum(map(len, blocks))))
    return sorted(
        (int(block.index[row]), block.table[row].tobytes(), block.raw[row].tobytes(), *block.present.tolist())
        for block in blocks
        for row in range(len(block))
    )


def without(block: FrameBlock, *rows: int) -> FrameBlock:
    return block.take(np.setdiff1d(np.arange(len(block)), rows))


def test_complete_frames_hold_every_core_and_stream_where_it_belongs() -> None:
    records_ = make_block(40, members=FOUR)
    blocks, grouper = grouped([records_])
    (block,) = merge(blocks)
    assert block.shape == (256, 2, 2)
    assert block.present.all()
    assert not block.table["flags"].any()
    assert (grouper.groups, grouper.incomplete) == (10, 0)
    for number, (core, stream) in enumerate(FOUR):
        assert np.array_equal(block.raw[:, :, core, stream], records_.raw[number::4, :, 0, 0])
    for core, first in ((0, 0), (1, 2)):
        assert np.array_equal(block.table["rssi_dbm"][:, core], records_.table["rssi_dbm"][first::4, 0])
    assert np.isnan(block.table["rssi_dbm"][:, 2:]).all()
    assert np.array_equal(block.table["capture_ns"], records_.table["capture_ns"][::4])
    assert np.array_equal(block.index, np.arange(10))


def test_records_of_a_frame_may_come_in_any_order() -> None:
    """A frame's time is that of the record that came first, whichever came first in other frames."""
    block = make_block(80, members=FOUR)
    rows = np.concatenate([np.random.default_rng(0).permutation(4) + start for start in range(0, 80, 4)])
    shuffled = block.take(rows)
    shuffled = replace(shuffled, table=shuffled.table.copy(), index=block.index)
    shuffled.table["capture_ns"] = block.table["capture_ns"]
    blocks, _ = grouped([shuffled])
    (joined,) = merge(blocks)
    assert np.array_equal(joined.table["capture_ns"], block.table["capture_ns"][::4])
    assert np.array_equal(joined.raw, merge(grouped([block])[0])[0].raw)
    for size in (1, 3, 30):
        assert frames(grouped([shuffled], tuple(range(size, 80, size)))[0]) == frames(blocks)


def test_missing_records_are_absent_and_said_so() -> None:
    records_ = make_block(40, members=FOUR)
    blocks, grouper = grouped([without(records_, 18, 23, 32)])
    assert (grouper.groups, grouper.incomplete) == (10, 3)
    whole = [block for block in blocks if block.present.all()]
    assert sum(map(len, whole)) == 7
    (one,) = [block for block in blocks if 4 in block.index]
    assert one.shape == (256, 2, 2)
    assert one.present.tolist() == [[True, True], [False, True]]
    assert not one.raw[:, :, 1, 0].any()
    assert (one.table["flags"] & FrameFlag.INCOMPLETE).all()
    assert not any((block.table["flags"] & FrameFlag.INCOMPLETE).any() for block in whole)


def test_a_clock_that_stands_still_does_not_hold_frames_for_good() -> None:
    """As of packets that tell no time (pcapng's simple blocks)."""
    whole, cut = make_block(8, members=FOUR, transmitter=1), make_block(1, transmitter=1, first=9)
    others = make_block(1200, bandwidth=20, transmitter=2, step_ns=0)
    for block in (whole, cut, others):
        block.table["capture_ns"] = 0
    grouper, given = Grouper(WITHIN_NS), 0
    for start in range(0, 1200, 50):
        blocks = [others.take(slice(start, start + 50))] if start else [whole]
        given += sum(map(len, grouper.take(blocks)))
        if not start:
            given += sum(map(len, grouper.take([cut])))
    assert given > 1200 - 400
    assert grouper.incomplete == 1


def test_the_same_core_and_stream_again_is_another_frame() -> None:
    records_ = make_block(343, step_ns=100_000)
    records_.table["sequence"] = 0
    blocks, grouper = grouped([records_])
    assert grouper.groups == sum(map(len, blocks)) == 343
    assert grouper.incomplete == 0
    assert frames(blocks) == frames([records_])


def test_single_records_pass_untouched_and_at_once() -> None:
    records_ = make_block(20, members=((2, 1),))
    grouper = Grouper(WITHIN_NS)
    assert grouper.take([records_.take(slice(0, 1))]) == []  # the first: nobody knows yet
    out = []
    for row in range(1, 20):
        out += grouper.take([records_.take(slice(row, row + 1))])
        if row >= 3:
            assert sum(map(len, out)) == row + 1
    assert not grouper.holds
    assert frames(out) == frames([records_])
    rest = make_block(500, members=((2, 1),), first=20)
    rest.index[:] += 20
    assert grouper.take([rest])[0] is rest
    assert grouper.groups == 520


def test_a_frame_closes_as_soon_as_it_is_as_large_as_those_before() -> None:
    records_ = make_block(80, members=FOUR, step_ns=50_000_000)
    grouper, given_out = Grouper(WITHIN_NS), []
    for row in range(80):
        done = grouper.take([records_.take(slice(row, row + 1))])
        given_out.append(sum(map(len, done)))
    assert given_out[:8] == [0, 0, 0, 0, 1, 0, 0, 1]  # what a frame holds is known from the second on
    assert given_out[8:] == [0, 0, 0, 1] * 18


def test_records_that_come_too_late_are_another_frame() -> None:
    records_ = make_block(12, members=FOUR, step_ns=50_000_000)
    records_.table["capture_ns"][7] = records_.table["capture_ns"][4] + WITHIN_NS + 1
    _, grouper = grouped([records_])
    assert (grouper.groups, grouper.incomplete) == (4, 2)


def test_a_pattern_that_grows_is_noticed() -> None:
    """Streams that appear later are first frames of their own, then members; who lost them waits for them."""
    alone, both = (
        make_block(20),
        make_block(40, members=FOUR[:2], first=20, start_ns=1_600_000_000_400_000_000),
    )
    grouper = Grouper(WITHIN_NS)
    out = grouper.take([alone]) + grouper.take([both]) + grouper.flush()
    shapes = [block.shape for block in out for _ in range(len(block))]
    assert shapes.count((256, 1, 2)) >= 19
    assert shapes[-1] == (256, 1, 2)


def test_two_senders_do_not_mix() -> None:
    one, two = make_block(40, members=FOUR), make_block(40, members=FOUR, transmitter=0x112233445566, seed=1)
    order = np.arange(40)
    both = merge([one, two])[0]
    mixed = both.take(np.stack([order, order + 40], axis=1).ravel())
    mixed.index[:] = np.arange(80)
    blocks, grouper = grouped([mixed])
    assert (grouper.groups, grouper.incomplete) == (20, 0)
    for block in blocks:
        for row in range(len(block)):
            source = one if block.table["transmitter"][row] == one.table["transmitter"][0] else two
            at = int(block.table["sequence"][row]) * 4
            assert np.array_equal(block.raw[row, :, 0, 0], source.raw[at, :, 0, 0])


def test_bandwidths_do_not_mix() -> None:
    wide, narrow = make_block(8, members=FOUR), make_block(8, members=FOUR, bandwidth=40)
    wide.index[:], narrow.index[:] = np.arange(0, 16, 2), np.arange(1, 16, 2)
    grouper = Grouper(WITHIN_NS)
    blocks = grouper.take([wide, narrow]) + grouper.flush()
    assert {block.shape for block in blocks} == {(256, 2, 2), (128, 2, 2)}
    assert sum(map(len, blocks)) == 4


def test_what_waits_is_bounded_and_holds_no_blocks() -> None:
    records_ = make_block(2000, step_ns=0)
    grouper = Grouper(WITHIN_NS)
    out = grouper.take([records_]) + grouper.flush()
    assert sum(map(len, out)) == 2000


def test_a_group_measures_nothing_only_if_none_of_its_records_does() -> None:
    records_ = make_block(12, members=FOUR)
    records_.table["flags"][[4, 8, 9, 10, 11]] = FrameFlag.ALL_ZERO
    records_.table["flags"][[5]] = FrameFlag.CLOCK_STUCK
    blocks, _ = grouped([records_])
    flags = np.concatenate([block.table["flags"] for block in blocks])
    assert flags.tolist() == [0, 0, FrameFlag.ALL_ZERO]


@given(
    gone=st.sets(st.integers(0, 79), max_size=40),
    doubled=st.sets(st.integers(0, 79), max_size=5),
    size=st.sampled_from((1, 2, 3, 4)),
    step_ms=st.sampled_from((0, 1, 10, 50)),
    cuts=st.lists(st.integers(0, 80), max_size=8),
)
@settings(max_examples=80, deadline=None)
def test_frames_do_not_depend_on_the_calls(
    gone: set[int], doubled: set[int], size: int, step_ms: int, cuts: list[int]
) -> None:
    everything = make_block(80, members=FOUR[:size], step_ns=step_ms * 1_000_000)
    rows = [row for row in range(80) if row not in gone for _ in range(1 + (row in doubled))]
    if not rows:
        return
    some = everything.take(np.array(rows))
    some.index[:] = np.arange(len(rows))
    whole, at_once = grouped([some])
    parts, by_call = grouped([some], tuple(sorted(min(cut, len(rows)) for cut in cuts)))
    assert frames(parts) == frames(whole)
    assert (by_call.groups, by_call.incomplete) == (at_once.groups, at_once.incomplete)
    found = sum(int(block.present.sum()) * len(block) for block in whole)
    assert found == len(rows)  # no record is lost, none is there twice


def test_records_of_a_stream_that_lost_some() -> None:
    pieces = records(120, members=FOUR[:3])
    data = nexmon.opening() + b"".join(piece for at, piece in enumerate(pieces) if at != 50)
    stream, grouper = Stream(nexmon), Grouper(WITHIN_NS)
    blocks = grouper.take(stream.feed(data)) + grouper.take(stream.finish()) + grouper.flush()
    assert sum(map(len, blocks)) == grouper.groups == 40
    assert grouper.incomplete == 1


@pytest.mark.shared
def test_real_triplets_come_together(captures: Path) -> None:
    data = (captures / "nexmon" / "csikit_example_4339.pcap").read_bytes()
    stream, grouper = Stream(nexmon, as_recorded=True), Grouper(WITHIN_NS)
    blocks = grouper.take(stream.feed(data)) + grouper.flush()
    assert grouper.groups == 950
    assert {block.shape for block in blocks} == {(256, 1, 3)}
