"""Clips give nearly the windows they were made of, are small, and are refused when they are damaged."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.signal.clip import Clip, clip_of, joined, piece_of
from models.signal.inputs import INPUTS, PROFILE
from models.signal.view import View
from models.signal.window import RoomBuffer, Window, WindowSpec

from . import make

S = 1_000_000_000
SPEC = WindowSpec()


def kept(windows: list[Window]) -> Clip:
    clip = clip_of(windows)
    assert clip is not None
    return clip


def pairs(windows: list[Window], clip: Clip) -> list[tuple[Window, Window]]:
    """Windows that lie inside the clip, beside those that are cut from it."""
    cut = {one.end_ns: one for one in clip.windows(SPEC)}
    return [(one, cut[one.end_ns]) for one in windows if one.end_ns in cut]


@pytest.mark.parametrize("rate", [17, 50, 120])
@pytest.mark.parametrize("people", [0, 2])
def test_a_clips_windows_say_what_the_windows_said(rate: int, people: int) -> None:
    windows = make.windows(make.recording(10, people, rate_hz=rate))
    found = pairs(windows, Clip.unpack(kept(windows).pack()))
    assert [one.end_ns for one, _ in found] == [one.end_ns for one in windows]
    for live, again in found:
        assert (again.start_ns, again.links, again.nics) == (live.start_ns, live.links, live.nics)
        assert again.occupancy == pytest.approx(live.occupancy, abs=0.11)
        assert (again.occupancy >= 0.7) == (live.occupancy >= 0.7)
        for name, make_input in INPUTS.items():
            one, other = make_input(View(live)), make_input(View(again))
            assert np.array_equal(one.mask, other.mask)
            np.testing.assert_allclose(other.values, one.values, atol=0.05 if name == PROFILE else 0.01)
        before, after = View(live).motions, View(again).motions
        assert list(before) == list(after)
        for link, motion in before.items():
            assert after[link].statistic == pytest.approx(motion.statistic, abs=0.01)
            assert after[link].moved == pytest.approx(motion.moved, rel=0.02, abs=1e-5)


def test_gaps_stay_gaps() -> None:
    frames = make.recording(12, 1)
    seconds = (frames.table["capture_ns"] - make.EPOCH_NS) / S
    windows = make.windows(frames.take((seconds < 5) | (seconds > 6.9)))
    found = pairs(windows, kept(windows))
    assert {live.occupancy >= 0.7 for live, _ in found} == {True, False}
    for live, again in found:
        assert again.occupancy == pytest.approx(live.occupancy, abs=0.026)


def test_links_and_shapes_are_kept_apart() -> None:
    buffer, frames = RoomBuffer(SPEC), make.recording(9, 1)
    narrow = replace(frames, raw=frames.raw[..., :1, :], present=np.ones((3, 1), bool))
    buffer.push("b", frames)
    buffer.push("a", frames.take(slice(0, 225)))
    buffer.push("a", narrow.take(slice(225, 450)))
    windows = buffer.closed(flush=True)
    clip = kept(windows)
    assert [(one.link, one.streams) for one in clip.tracks] == [("a", (3, 1)), ("a", (3, 2)), ("b", (3, 2))]
    for live, again in pairs(windows, clip):
        assert again.links == ("a", "b")
        if not 4 * S < live.end_ns - make.EPOCH_NS < 9 * S:  # those around the change know one shape alone
            assert [part.power.shape for part in again.parts] == [part.power.shape for part in live.parts]


def test_a_span_is_cut_out_of_pieces_and_nothing_outside_it_is_kept() -> None:
    windows = make.windows(make.recording(20, 1))
    pieces: list[Clip] = []
    for window in windows:
        pieces.append(piece_of(window, pieces[-1].end_ns if pieces else 0))
    clip = joined(pieces, make.EPOCH_NS + 5 * S + 1, make.EPOCH_NS + 12 * S + 1)
    assert clip.start_ns == make.EPOCH_NS + 5 * S + 20_000_000, "whole bins inside the span"
    assert clip.end_ns == make.EPOCH_NS + 12 * S
    (track,) = clip.tracks
    assert track.slots.min() * 20_000_000 >= clip.start_ns
    assert (track.slots.max() + 1) * 20_000_000 <= clip.end_ns
    assert [(one.end_ns - make.EPOCH_NS) // S for one in clip.windows(SPEC)] == [10, 11, 12]
    assert clip.seconds == pytest.approx(6.98)


def test_a_minute_of_six_streams_at_fifty_hertz_takes_little_more_than_a_megabyte() -> None:
    clip = kept(make.windows(make.recording(60, 1)))
    assert len(clip.pack()) < 1.2e6
    assert clip.nbytes < 1.2e6


def test_of_nothing_there_is_no_clip() -> None:
    assert clip_of([]) is None
    empty = Clip.unpack(Clip(0, S).pack())
    assert (empty.tracks, empty.windows(SPEC)) == ((), [])


PACKED = kept(make.windows(make.recording(5, 1))).pack()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(PACKED) - 1), st.integers(1, 255))
def test_a_damaged_byte_is_found_or_harmless(place: int, change: int) -> None:
    data = bytearray(PACKED)
    data[place] ^= change
    clip = None
    with suppress(ValueError):
        clip = Clip.unpack(bytes(data))
    assert clip is None or clip.pack() == PACKED, "a byte of the archive's own that nobody reads"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", PACKED[:-30], PACKED[: len(PACKED) // 2], b"\0" * 5000])
def test_half_a_clip_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match="damaged clip"):
        Clip.unpack(data)


def test_arrays_that_do_not_fit_together_are_no_clip() -> None:
    clip = kept(make.windows(make.recording(5, 1)))
    (track,) = clip.tracks
    for wrong in (
        replace(track, slots=track.slots[::-1].copy()),
        replace(track, piece=track.piece + np.int32(99)),
        replace(track, relative=track.relative[:, :-1]),
        replace(track, levels=track.levels.astype(np.float64)),
        replace(track, streams=(1, 1)),
    ):
        with pytest.raises(ValueError, match="damaged clip"):
            Clip.unpack(replace(clip, tracks=(wrong,)).pack())
