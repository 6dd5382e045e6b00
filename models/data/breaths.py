"""Windows of 30 s of simulated people who only breathe; nothing measured, and models of these say so."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from drivers.simulate.corpus_breathing import breathing_windows
from models.data.registry import Progress, quiet
from models.data.samples import MASK, Samples, rows
from models.data.windows import windows_of
from models.errors import DatasetError
from models.signal.fading import Fading
from models.signal.grid import SUBCARRIERS
from models.signal.inputs import BANDS
from models.signal.window import Window, WindowSpec

SERIES = "breathing-series-1"
RATE_HZ, LENGTH_S = 5.0, 30.0
STEPS = round(RATE_HZ * LENGTH_S)
CLASSES = ("none", "slow", "normal", "fast")
"""Of breathing; the grown-up at rest takes 12 to 20 breaths a minute."""
SLOW, FAST = 12.0, 20.0
"""Below and above these breaths a minute somebody breathes slowly, or fast."""
_RANGE = (7.0, 28.0)
_SPEC = WindowSpec(LENGTH_S, 2.0)
_RECORDED_S = LENGTH_S + 3.0  # the first window starts 2 s after the first frame
_PACKETS_HZ = 25.0

Floats = npt.NDArray[np.float32]


def breath_class(per_minute: float | None) -> int:
    """Number in `CLASSES` of a rate; None is nobody."""
    if per_minute is None:
        return 0
    return 1 if per_minute < SLOW else 2 if per_minute <= FAST else 3


def breaths(
    rooms: int, *, seed: int, people: int = 12, empty: int = 4, progress: Progress = quiet
) -> Samples:
    """One window of each of `people` breathing alone, and `empty` of nobody, in each room; room = domain.

    Rates are drawn evenly from 7 to 28 a minute. Its input is `SERIES`, float32 ``[row, stream, 10, 150]``.

    Raises:
        DatasetError: there is nothing to make, or a simulated card reported too little.
    """
    if rooms < 1 or people + empty < 1:
        raise DatasetError(f"{rooms} rooms with {people} people and {empty} empty windows hold nothing")
    recorded = breathing_windows(seed, rooms, people, _RECORDED_S, _RANGE, empty=empty, rate_hz=_PACKETS_HZ)
    parts = []
    for number, (room, rate, blocks) in enumerate(recorded):
        progress(room, number / (rooms * (people + empty)))
        values = slow_series(_first(room, windows_of(blocks, _SPEC)))
        inputs = {SERIES: values[None], SERIES + MASK: np.ones((1, len(values)), np.bool_)}
        label = np.array([breath_class(rate)], np.int64)
        turn = f"{room}/{number % (people + empty)}"
        parts.append(rows("breathing", inputs, label, CLASSES, domain=room, session=[turn], block=[turn]))
    return replace(Samples.join(parts), length_s=LENGTH_S, nics=("intel5300",))


def _first(room: str, windows: Sequence[Window]) -> Window:
    """The window of a recording that has one.

    Raises:
        DatasetError: it has none.
    """
    if not windows:
        raise DatasetError(f"simulated room {room}: {_RECORDED_S:g} s hold no whole window of {LENGTH_S:g} s")
    return windows[0]


def slow_series(window: Window) -> Floats:
    """Power relative to its mean over the window, less 1, float32 ``[stream, band, step]``, 0.2 s a step.

    Each step is the mean over its packets; a step without any is 0.
    """
    return np.concatenate([_slow(Fading(part, window.start_ns, window.end_ns)) for part in window.parts])


def _slow(fading: Fading) -> Floats:
    edges = np.arange(STEPS) * len(fading.mask) // STEPS
    total = np.add.reduceat(fading.centred, edges, axis=0)
    count = np.add.reduceat(fading.mask.astype(np.float32), edges)
    mean = total / np.maximum(count, 1)[:, None]
    bands = mean.reshape(STEPS, -1, BANDS, SUBCARRIERS // BANDS).mean(axis=-1)
    return np.ascontiguousarray(np.moveaxis(bands, 0, -1), np.float32)
