from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.signal import link_buffer
from models.signal.window import RoomBuffer, Window, WindowSpec

from . import make

S = 1_000_000_000


def same(first: list[Window], second: list[Window]) -> bool:
    return len(first) == len(second) and all(
        (a.start_ns, a.end_ns, a.links, a.nics, a.frames, a.occupancy)
        == (b.start_ns, b.end_ns, b.links, b.nics, b.frames, b.occupancy)
        and all(np.array_equal(p.power, q.power) for p, q in zip(a.parts, b.parts, strict=True))
        for a, b in zip(first, second, strict=True)
    )


def test_windows_end_on_the_hop_and_hold_their_frames() -> None:
    found = make.windows(make.recording(8, 1, rate_hz=50))
    assert [(one.end_ns - make.EPOCH_NS) // S for one in found] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.frames for one in found] == [50, 100, 150, 200, 200, 200, 200]
    assert all(one.end_ns - one.start_ns == 4 * S for one in found)
    assert found[0].occupancy == pytest.approx(0.25)
    assert found[-1].occupancy == 1
    assert found[-1].links == ("l1",)
    assert found[-1].nics == ("intel5300",)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=12))
def test_blocks_of_any_size_give_the_same_windows(sizes: list[int]) -> None:
    frames = make.recording(7, 1, rate_hz=40, jitter=0.9)
    buffer, found, start = RoomBuffer(WindowSpec()), [], 0
    for size in [*sizes, len(frames)]:
        buffer.push("l1", frames.take(slice(start, start + size)))
        found += buffer.closed()
        start += size
    assert same(found + buffer.closed(flush=True), make.windows(frames, size=1))


def test_frames_out_of_order_within_the_lateness_change_nothing() -> None:
    frames = make.recording(7, 1, rate_hz=50)
    order = np.arange(len(frames))
    order[10:-10] = order[10:-10].reshape(-1, 5)[:, ::-1].ravel()  # at most 80 ms late
    assert same(make.windows(frames.take(order), size=3), make.windows(frames))


def test_late_frames_are_counted_and_kept_out() -> None:
    frames = make.recording(8, 0, rate_hz=50)
    buffer = RoomBuffer(WindowSpec())
    buffer.push("l1", frames)
    closed = buffer.closed()
    late = buffer.push("l1", frames.take(slice(0, 100)))
    assert (late.accepted, late.late, dict(late.rejected)) == (0, 100, {})
    assert closed[-1].end_ns == make.EPOCH_NS + 7 * S


def test_frames_that_measure_nothing_are_rejected_with_a_reason() -> None:
    frames = make.recording(5, 0)
    raw = frames.raw.copy()
    raw[::2] = 0
    count = RoomBuffer(WindowSpec()).push("l1", replace(frames, raw=raw))
    assert count.rejected == {"all_zero": 125}
    assert count.accepted + count.late + sum(count.rejected.values()) == len(frames)


def test_of_a_gap_only_the_first_empty_window_comes_out() -> None:
    frames = make.recording(30, 0, rate_hz=50)
    second = (frames.table["capture_ns"] - make.EPOCH_NS) / 1e9
    found = make.windows(frames.take((second < 6) | (second >= 21.5)))
    ends = [(one.end_ns - make.EPOCH_NS) // S for one in found]
    assert [end for end, one in zip(ends, found, strict=True) if one.frames == 0] == [10]
    assert ends == [*range(1, 11), *range(22, 30)]
    low = {end: one.occupancy for end, one in zip(ends, found, strict=True)}
    assert (low[7], low[9], low[10]) == (0.75, 0.25, 0)
    assert low[22] == pytest.approx(0.125)


def test_a_few_frames_after_a_gap_are_no_slow_link() -> None:
    frames = make.recording(30, 0, rate_hz=50)
    second = (frames.table["capture_ns"] - make.EPOCH_NS) / 1e9
    drip = (second >= 15) & (np.arange(len(frames)) % 50 == 0)
    found = make.windows(frames.take((second < 10) | drip))
    assert max(one.occupancy for one in found if one.start_ns > make.EPOCH_NS + 12 * S) < 0.2


def test_skip_to_leaves_out_what_was_predicted_before() -> None:
    frames = make.recording(9, 0)
    buffer = RoomBuffer(WindowSpec())
    buffer.skip_to(make.EPOCH_NS + 5 * S)
    buffer.push("l1", frames)
    found = buffer.closed(flush=True)
    assert [(one.end_ns - make.EPOCH_NS) // S for one in found] == [6, 7, 8]
    assert all(one.frames == 200 for one in found)


def test_several_links_are_pooled_and_a_missing_one_is_tolerated() -> None:
    frames = make.recording(6, 0)
    buffer = RoomBuffer(WindowSpec())
    for start in range(0, len(frames), 10):
        some = frames.take(slice(start, start + 10))
        buffer.push("b", some)
        if start < 200:
            buffer.push("a", some)
    found = buffer.closed(flush=True)
    assert found[3].links == ("a", "b")
    assert found[3].frames == 400
    assert buffer.push("b", frames.take(slice(0, 1))).late == 1


def test_only_the_commonest_shape_of_a_link_is_used() -> None:
    frames = make.recording(5, 0, rate_hz=50)
    other = make.block(make.times(5, 5), make.static(tx=1) + make.noise(25, tx=1))
    buffer = RoomBuffer(WindowSpec())
    buffer.push("l1", frames)
    buffer.push("l1", other)
    window = buffer.closed(flush=True)[-1]
    assert window.frames == 200
    assert window.parts[0].power.shape == (200, 3, 2, 30)


def test_memory_is_bounded_when_nobody_takes_the_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_buffer, "MAX_FRAMES", 120)
    frames = make.recording(6, 0)
    buffer = RoomBuffer(WindowSpec())
    counts = [buffer.push("l1", frames.take(slice(i, i + 50))) for i in range(0, 300, 50)]
    assert sum(count.accepted for count in counts) == 120
    assert counts[-1].rejected == {"buffer_full": 50}


def test_a_window_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="window of 1"):
        WindowSpec(length_s=1, hop_s=2)
