"""What a model may be fed of a window, by name: training and serving both call these functions.

A card's `features` names one of them. Each gives one array a stream (link x rx x tx) and a mask of the
streams that are measured; streams come in order of link name, receive antenna and transmit stream.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.signal.bands import BANDS as PARTS
from models.signal.bands import VERSION as BANDED
from models.signal.bands import bands
from models.signal.fading import Fading
from models.signal.grid import SUBCARRIERS
from models.signal.motion import MIN_PAIRS
from models.signal.variation import NAMES
from models.signal.variation import VERSION as VARIATION
from models.signal.view import View

PROFILE = "profile-1"
AMPLITUDE = "amplitude-1"
BANDS, TIME_BINS = 10, 100
"""Bands of three subcarriers and bins of time in `amplitude-1`: 40 ms each in a window of 4 s."""
_FLOOR = 1e-3

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One input of a window: float32 ``[stream, ...]`` and the mask ``[stream]`` of measured streams."""

    values: Floats
    mask: npt.NDArray[np.bool_]


def _variation(view: View) -> Measured:
    """Features of how the channel varies (`models.signal.variation`), ``[stream, feature]``."""
    found = view.variation
    return Measured(found.features, found.mask)


def _profile(view: View) -> Measured:
    """Static mean log amplitude, ``[stream, 30]``: a fingerprint of places, and of the recording itself."""
    rows = [
        np.log(np.sqrt(part.power).mean(axis=0).reshape(-1, SUBCARRIERS) + _FLOOR)
        for part in view.window.parts
    ]
    return _joined(rows, (SUBCARRIERS,))


def _amplitude(view: View) -> Measured:
    """Power relative to its mean over the window, less 1, ``[stream, 10, 100]``; 0 where no frame is."""
    rows = [_over_time(one) for one in view.fading.values() if one.filled >= 2 * MIN_PAIRS]
    return _joined(rows, (BANDS, TIME_BINS))


def _banded(view: View) -> Measured:
    """How each part of the band fades (`models.signal.bands`), ``[stream, 10]``."""
    rows = [bands(one) for one in view.fading.values() if one.filled >= 2 * MIN_PAIRS]
    return _joined(rows, (2 * PARTS,))


def _over_time(fading: Fading) -> Floats:
    """Bins of the window averaged to `TIME_BINS`, over those that hold frames, ``[stream, 10, 100]``."""
    edges = np.arange(TIME_BINS) * len(fading.mask) // TIME_BINS
    total = np.add.reduceat(fading.centred, edges, axis=0)
    count = np.add.reduceat(fading.mask.astype(np.float32), edges)
    mean = total / np.maximum(count, 1)[:, None]
    bands = mean.reshape(TIME_BINS, -1, BANDS, SUBCARRIERS // BANDS).mean(axis=-1)
    return np.ascontiguousarray(np.moveaxis(bands, 0, -1), np.float32)


def _joined(rows: list[Floats], shape: tuple[int, ...]) -> Measured:
    """Streams of all links; without any, one that is masked out."""
    if not rows:
        return Measured(np.zeros((1, *shape), np.float32), np.zeros(1, np.bool_))
    values = np.concatenate(rows).astype(np.float32, copy=False)
    return Measured(values, np.ones(len(values), np.bool_))


INPUTS: Mapping[str, Callable[[View], Measured]] = {
    VARIATION: _variation,
    PROFILE: _profile,
    AMPLITUDE: _amplitude,
    BANDED: _banded,
}
"""Name of an input -> how it is made of a window."""

SHAPES: Mapping[str, tuple[int, ...]] = {
    VARIATION: (len(NAMES),),
    PROFILE: (SUBCARRIERS,),
    AMPLITUDE: (BANDS, TIME_BINS),
    BANDED: (2 * PARTS,),
}
"""Name of an input -> shape of one stream in it."""
