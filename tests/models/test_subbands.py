"""Frames of any NIC on the grid: narrower ones, those with members missing, those that report floats."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drivers.frame import FRAME_TABLE, FrameBlock, Tone
from drivers.registry import load
from drivers.stream import Stream
from models.signal.grid import SUBCARRIERS
from models.signal.subbands import split
from models.signal.window import RoomBuffer, Window, WindowSpec

from . import make

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures"
INDEX = np.r_[np.arange(0, 128), np.arange(-128, 0)].astype(np.int16)
EDGES_80 = np.where((abs(INDEX) < 2) | (abs(INDEX) > 122), Tone.NULL, Tone.DATA).astype(np.uint8)


def block(raw: np.ndarray, present: np.ndarray | None = None) -> FrameBlock:
    """Frames of 80 MHz in FFT order, 50 a second, that hold these values ``[frame, 256, rx, tx]``."""
    table = np.zeros(len(raw), FRAME_TABLE)
    table["capture_ns"] = make.EPOCH_NS + np.arange(len(raw)) * 20_000_000
    return FrameBlock(
        nic="nexmon",
        table=table,
        raw=np.stack([raw.real, raw.imag], axis=-1).astype(np.float32),
        subcarrier_index=INDEX,
        tones=EDGES_80,
        bandwidth_mhz=80,
        present=np.ones(raw.shape[2:], np.bool_) if present is None else present,
        index=np.arange(len(raw)),
    )


def sent_in(
    parts: tuple[int, ...], frames: int = 200, *, below_db: float = 30.0, seed: int = 0
) -> np.ndarray:
    """A channel that fills these 20 MHz sub-bands, and noise so far below it elsewhere."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(frames, 256)) + 1j * rng.normal(size=(frames, 256))
    level = np.full(256, 1000 * 10 ** (-below_db / 20))
    level[np.isin((INDEX + 128) // 64, parts)] = 0
    channel = 1000 * np.exp(1j * INDEX / 30) * (2 + np.sin(INDEX / 17)) / 2
    made: np.ndarray = (np.where(level > 0, 0, channel) + noise * level)[:, :, None, None]
    return made


@pytest.mark.parametrize(
    ("parts", "low", "bandwidth"),
    [((0,), 0, 20), ((3,), 3, 20), ((0, 1), 0, 40), ((2, 3), 2, 40), ((0, 1, 2, 3), 0, 80), ((1, 2), 0, 80)],
)
def test_a_frame_is_known_by_the_part_of_the_band_that_it_fills(
    parts: tuple[int, ...], low: int, bandwidth: int
) -> None:
    ((part, found),) = split(block(sent_in(parts)))
    assert (part, found.bandwidth_mhz, len(found)) == ((low, bandwidth // 20), bandwidth, 200)
    if bandwidth == 20:
        assert np.array_equal(np.sort(abs(found.subcarrier_index)), np.repeat(np.arange(1, 29), 2))


def test_noise_of_the_unfilled_bands_does_not_reach_the_grid() -> None:
    quiet, loud = (window_of(block(sent_in((2,), below_db=db))).parts[0] for db in (90.0, 25.0))
    assert quiet.bandwidth_mhz == loud.bandwidth_mhz == 20
    assert np.array_equal(quiet.power, loud.power)
    expected = (2 + np.sin((np.r_[-28:0:2, -1, 1:28:2, 28] + 32) / 17)) ** 2
    assert np.allclose(loud.power[0, 0, 0], expected / expected.mean(), rtol=0.01)


def test_one_faded_sub_band_is_no_narrower_frame() -> None:
    faded = sent_in((0, 1, 2, 3))
    faded[:, (INDEX + 128) // 64 == 1] /= 30
    assert [part for part, _ in split(block(faded))] == [(0, 4)]


def test_widths_are_never_mixed_in_a_window() -> None:
    every_fourth = (np.arange(400) % 4 == 0)[:, None, None, None]
    mixed = block(np.where(every_fourth, sent_in((0,), 400), sent_in((0, 1, 2, 3), 400)))
    assert [(part, len(found)) for part, found in split(mixed)] == [((0, 1), 100), ((0, 4), 300)]
    window = window_of(mixed)
    assert (window.parts[0].bandwidth_mhz, window.frames) == (80, 150)


def test_other_frames_are_left_as_they_are() -> None:
    intel = make.recording(1, 1)
    ((part, found),) = split(intel)
    assert found is intel
    assert part == (0, 1)


def window_of(frames: FrameBlock) -> Window:
    buffer = RoomBuffer(WindowSpec())
    count = buffer.push("l1", frames)
    assert count.accepted == len(frames)
    return buffer.closed(flush=True)[-1]


def test_missing_members_are_left_out() -> None:
    rng = np.random.default_rng(0)
    raw = np.round(900 * (rng.normal(size=(200, 256, 2, 2)) + 1j * rng.normal(size=(200, 256, 2, 2))))
    present = np.array([[True, True], [True, False]])
    pairs = window_of(block(np.where(present, raw, 0), present)).parts[0].power
    assert pairs.shape == (150, 3, 1, SUBCARRIERS)
    whole = window_of(block(raw)).parts[0].power
    shape = pairs / pairs.mean(axis=(1, 2, 3), keepdims=True)
    kept = whole[:, present][:, :, None]
    assert np.allclose(shape, kept / kept.mean(axis=(1, 2, 3), keepdims=True), rtol=1e-5)
    one_stream = np.array([[True, False], [True, False]])
    assert window_of(block(np.where(one_stream, raw, 0), one_stream)).parts[0].power.shape == (150, 2, 1, 30)


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_floats_of_any_size_give_the_same(size: float) -> None:
    raw = sent_in((0, 1, 2, 3)).astype(np.complex128)
    found = block(raw * size)
    found.raw[:, EDGES_80 == Tone.NULL] = 3e38
    assert np.allclose(
        window_of(found).parts[0].power, window_of(block(raw)).parts[0].power, rtol=1e-4, atol=1e-6
    )


def test_frames_without_a_usable_subcarrier_are_refused_with_a_reason() -> None:
    frames = block(sent_in((0,), 5))
    nothing = replace(frames, tones=np.full(256, Tone.NULL, np.uint8))
    assert RoomBuffer(WindowSpec()).push("l1", nothing).rejected == {"unusable": 5}
    absent = replace(frames, present=np.zeros((1, 1), np.bool_))
    assert RoomBuffer(WindowSpec()).push("l1", absent).rejected == {"unusable": 5}
    garbage = block(np.zeros((5, 256, 1, 1), np.complex128))
    garbage.raw[:, 0] = 30000
    assert RoomBuffer(WindowSpec()).push("l1", garbage).rejected == {"all_zero": 5}


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "bandwidth", "share"),
    [
        ("csikit_example_4339", 20, 0.99),
        ("csikit_example_43455c0", 40, 0.95),
        ("csikit_example_4366c0", 20, 1.0),
        ("csidata_40mhz_1600085286", 20, 1.0),
        ("csidata_walk_1597159475", 80, 0.9),
        ("seemoo_4358_80MHz_example", 80, 1.0),
    ],
)
def test_real_frames_fill_what_was_sent(name: str, bandwidth: int, share: float) -> None:
    path = CAPTURES / "nexmon" / f"{name}.pcap"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    stream = Stream(load("nexmon"))
    found = [one for many in stream.feed(path.read_bytes()) + stream.finish() for _, one in split(many)]
    fitting = sum(len(one) for one in found if one.bandwidth_mhz == bandwidth)
    assert fitting >= share * sum(map(len, found))
