"""What the worker remembers: whole, in order, bounded for each room and for all together."""

import numpy as np
import pytest

from drivers.wire import Source
from models.signal.window import Window, WindowSpec
from service.worker.recent import Recent, Span
from tests.models import make

T0, S = make.EPOCH_NS, 1_000_000_000


def windows(seconds: float, start_s: float = 0, link: str = "l1") -> list[Window]:
    block = make.recording(seconds, 1)
    block.table["capture_ns"] += round(start_s * S)
    return make.windows(block)


def filled(*windows: Window, minutes: float = 10, megabytes: float = 64) -> Recent:
    recent = Recent(minutes, megabytes)
    for window in windows:
        recent.take("lab", window, Source.LIVE)
    return recent


def test_windows_that_overlap_are_held_once() -> None:
    seen = windows(20)
    recent = filled(*seen)
    span = recent.span("lab")
    assert span == Span(seen[0].start_ns, seen[-1].end_ns)
    clip, source = recent.cut("lab", span)
    assert source is Source.LIVE
    (track,) = clip.tracks
    assert np.unique(track.slots).size == len(track.slots)
    whole = {one.end_ns: one for one in clip.windows(WindowSpec())}
    assert [one.occupancy for one in seen] == pytest.approx([whole[one.end_ns].occupancy for one in seen])


def test_a_room_looks_back_so_many_minutes_and_no_further() -> None:
    recent = filled(*windows(40), minutes=0.25)
    span = recent.span("lab")
    assert span is not None
    assert (span.from_ns - T0, span.to_ns - T0) == (24 * S, 39 * S)
    assert recent.nbytes == filled(*windows(40)[23:], minutes=0.25).nbytes


def test_the_oldest_of_all_rooms_goes_when_there_is_too_much() -> None:
    recent = Recent(10, 0.5)
    for number, (one, other) in enumerate(zip(windows(30), windows(30), strict=True)):
        recent.take("old", one, Source.LIVE)
        if number >= 20:
            recent.take("new", other, Source.LIVE)
        assert recent.nbytes <= 0.5 * 2**20
    old, new = recent.span("old"), recent.span("new")
    assert old is not None
    assert new is not None
    assert old.from_ns > T0 + 10 * S
    assert new.from_ns == T0 + (20 + 1 - 4) * S, "the younger room keeps all"
    recent.keep_only({"new"})
    assert recent.span("old") is None
    recent.forget("new")
    assert (recent.nbytes, recent.span("new")) == (0, None)


def test_a_room_whose_time_begins_anew_forgets_what_was() -> None:
    recent = filled(*windows(20, start_s=100))
    recent.take("lab", windows(6)[-1], Source.REPLAY)
    span = recent.span("lab")
    assert span is not None
    assert span.to_ns <= T0 + 6 * S


def test_a_gap_is_held_as_a_gap_and_the_least_live_source_speaks() -> None:
    recent = filled(*windows(10))
    for window in windows(10, start_s=60):
        recent.take("lab", window, Source.SIMULATED)
    span = recent.span("lab")
    assert span is not None
    clip, source = recent.cut("lab", span)
    assert source is Source.SIMULATED
    ends = [(one.end_ns - T0) // S for one in clip.windows(WindowSpec())]
    assert not set(ends) & set(range(14, 60))
    assert recent.cut("lab", Span(T0, T0 + 8 * S))[1] is Source.LIVE
