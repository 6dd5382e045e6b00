"""Frame numbers that each transmitter counts for itself (802.11 sequence numbers)."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import intel5300, nexmon, numbering
from drivers.frame import FrameBlock, FrameFlag
from drivers.numbering import LATE, Numbering
from drivers.stream import Stream
from tests.drivers.nexmon_frames import make_block, records

A, B = 0x0016EA000001, 0x0016EA000002


def in_order(blocks: list[FrameBlock], column: str) -> list[int]:
    order = np.argsort(np.concatenate([block.index for block in blocks]))
    found: list[int] = np.concatenate([block.table[column] for block in blocks])[order].tolist()
    return found


def unwrap(numbers: list[int], senders: list[int]) -> tuple[list[int], list[int]]:
    values, flags = Numbering(nexmon).unwrap(np.array(numbers, np.int64), np.array(senders, np.uint64))
    return values.tolist(), [0] * len(numbers) if flags is None else flags.tolist()


@pytest.mark.parametrize("bandwidths", [(80, 80), (80, 20)])
def test_senders_in_turn_are_counted_each_for_itself(bandwidths: tuple[int, int]) -> None:
    """Of one shape (one block) and of two."""
    mine = records(20, transmitter=A, first=4090, bandwidth=bandwidths[0])
    others = records(20, transmitter=B, first=70, bandwidth=bandwidths[1])
    data = nexmon.opening() + b"".join(x + y for x, y in zip(mine, others, strict=True))
    stream = Stream(nexmon)
    blocks = [block for at in range(0, len(data), 9000) for block in stream.feed(data[at : at + 9000])]
    blocks += stream.finish()
    assert in_order(blocks, "sequence") == [n for k in range(20) for n in (4090 + k, 70 + k)]
    assert not any(flag & FrameFlag.SEQUENCE_RESET for flag in in_order(blocks, "flags"))


def test_a_late_frame_is_no_reset() -> None:
    assert unwrap([4094, 1, 4095, 2, 3], [A] * 5) == ([4094, 4097, 4095, 4098, 4099], [0] * 5)
    numbers = [1000, 1000 - LATE, 1000, 1000 - LATE - 1, 936]
    values, flags = unwrap(numbers, [A] * 5)
    assert values == [1000, 1000 - LATE, 1000, 1001, 1002]
    assert flags == [0, 0, 0, FrameFlag.SEQUENCE_RESET, 0]


def test_a_card_that_counts_itself_knows_no_late_frames_and_no_senders() -> None:
    count, senders = np.array([5, 6, 7, 6], np.int64), np.array([A, B, A, B], np.uint64)
    values, flags = Numbering(intel5300).unwrap(count, senders)
    assert values.tolist() == [5, 6, 7, 8]
    assert flags is not None
    assert flags.tolist() == [0, 0, 0, FrameFlag.SEQUENCE_RESET]


def test_a_few_senders_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbering, "MAX_TRANSMITTERS", 2)
    made = Numbering(nexmon)
    made.unwrap(np.array([4000, 50, 4090]), np.array([A, B, A], np.uint64))
    made.unwrap(np.array([9]), np.array([77], np.uint64))  # B is forgotten
    values, _ = made.unwrap(np.array([100, 8]), np.array([A, B], np.uint64))
    assert values.tolist() == [4196, 8]


@given(st.lists(st.tuples(st.integers(0, 4095), st.integers(1, 5)), max_size=40), st.integers(0, 40))
@settings(max_examples=200, deadline=None)
def test_cutting_changes_nothing(frames: list[tuple[int, int]], cut: int) -> None:
    """With more senders than are kept, too."""
    numbers = np.array([number for number, _ in frames], np.int64)
    senders = np.array([sender for _, sender in frames], np.uint64)
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "MAX_TRANSMITTERS", 3)
        for cuts in ([0, len(frames)], [0, cut, len(frames)]):
            made = Numbering(nexmon)
            values: list[int] = []
            flags: list[int] = []
            for start, stop in pairwise(cuts):
                some, odd = made.unwrap(numbers[start:stop], senders[start:stop])
                values += some.tolist()
                flags += [0] * len(some) if odd is None else odd.tolist()
            found.append((values, flags))
    assert found[0] == found[1]


def test_the_block_of_one_sender_is_as_before() -> None:
    block = make_block(10, first=4090)
    (made,) = Stream(nexmon).feed(nexmon.opening() + nexmon.encode(block))
    assert made.table["sequence"].tolist() == list(range(4090, 4100))
