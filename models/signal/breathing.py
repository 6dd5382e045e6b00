"""Breathing of somebody who is still: a slow, regular change of the channel, told from noise and from drift.

|H|^2 on ten bands a stream is averaged to four values a second over the last 20 s. The spectra of all series
are combined, each weighed by its own share at the common peak (maximal ratio combining, after Zhang et al.,
"SMARS: Sleep Monitoring via Ambient Radio Signals", IEEE TMC 2021); what counts is the share of the combined
power that lies at the peak within the breathing band. White noise spreads its power evenly, drift has its
peak at the band's lower edge, and larger movement has no single one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.signal.grid import SUBCARRIERS
from models.signal.link_buffer import LinkFrames

RATE_HZ = 4.0
LENGTH_S, LEAST_S = 20.0, 12.0
"""How far it looks back, and how much of that it needs."""
BAND_HZ = (0.15, 0.6)
"""9 to 36 breaths a minute."""
WIDE_HZ = (0.12, 1.9)
LEAST_SHARE = 0.5
"""Least share of power at the peak: white noise stays below 0.3, the empty rooms we have below 0.48."""
LEAST_VARIANCE = 0.001
"""Least relative variance of |H|^2: below it quantisation makes patterns of its own."""
LEAST_FILLED = 0.7
_BANDS = 10
_POINTS = 512
_SLOTS = round(LENGTH_S * RATE_HZ)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Breathing:
    """What was seen of one link: breaths a minute, and the share 0..1 of power that they explain."""

    per_minute: float
    share: float


class BreathingTrack:
    """Slow series of one link; bounded, and the same however its frames were cut into pieces."""

    def __init__(self) -> None:
        self._sums = np.zeros((_SLOTS, 0))
        self._counts = np.zeros(_SLOTS)
        self._newest: int | None = None
        self._last_ns = -1

    def push(self, frames: LinkFrames) -> None:
        """Take the frames that are newer than all before; another shape, or a long gap, starts over."""
        new = frames.time_ns > self._last_ns
        if not new.any():
            return
        series = _banded(frames.power[new])
        slots = (frames.time_ns[new] * RATE_HZ // 1e9).astype(np.int64)
        self._last_ns = int(frames.time_ns[-1])
        if series.shape[1] != self._sums.shape[1] or self._newest is None or slots[0] - self._newest > _SLOTS:
            self._sums, self._counts = np.zeros((_SLOTS, series.shape[1])), np.zeros(_SLOTS)
            self._newest = int(slots[0])
        self._advance(int(slots[-1]))
        kept = slots > self._newest - _SLOTS
        np.add.at(self._sums, slots[kept] % _SLOTS, series[kept])
        np.add.at(self._counts, slots[kept] % _SLOTS, 1)

    def _advance(self, newest: int) -> None:
        """Forget what lies further back than the ring is long."""
        if self._newest is None or newest <= self._newest:
            return
        passed = np.arange(max(self._newest + 1, newest - _SLOTS + 1), newest + 1) % _SLOTS
        self._sums[passed], self._counts[passed] = 0.0, 0.0
        self._newest = newest

    def found(self) -> Breathing | None:
        """Breathing in the time kept so far; None where there is none, or too little to tell."""
        if self._newest is None:
            return None
        order = np.arange(self._newest - _SLOTS + 1, self._newest) % _SLOTS  # the newest is not full yet
        counts = self._counts[order]
        held = np.flatnonzero(counts)
        if not len(held) or len(order) - held[0] < LEAST_S * RATE_HZ:
            return None
        counts, sums = counts[held[0] :], self._sums[order][held[0] :]
        if np.count_nonzero(counts) < LEAST_FILLED * len(counts):
            return None
        return breathing(_filled(sums, counts))


def breathing(series: Floats) -> Breathing | None:
    """Breathing in power series ``[time, series]`` at `RATE_HZ`; None where it does not stand out."""
    relative = series / np.maximum(series.mean(axis=0), 1e-9) - 1
    if relative.var(axis=0).mean() < LEAST_VARIANCE:
        return None
    spectra, frequency = _spectra(relative)
    inside = np.flatnonzero((frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1]))
    peak = int(inside[spectra[inside].mean(axis=1).argmax()])
    weight = spectra[peak] + 1e-12
    combined = (spectra * weight).sum(axis=1) / weight.sum()
    peak = int(inside[combined[inside].argmax()])
    reach = max(1, _POINTS // len(series))
    share = float(combined[max(peak - reach, 0) : peak + reach + 1].sum())
    if share < LEAST_SHARE or peak in {int(inside[0]), int(inside[-1])}:
        return None
    return Breathing(float(frequency[peak] * 60), share)


def _spectra(relative: Floats) -> tuple[Floats, Floats]:
    """Power shares ``[frequency, series]`` of series less their straight line, and the frequencies."""
    time = np.linspace(-1, 1, len(relative))
    slope = (time @ relative) / (time @ time)
    level = relative - relative.mean(axis=0) - np.outer(time, slope)
    power = np.abs(np.fft.rfft(level * np.hanning(len(level))[:, None], _POINTS, axis=0)) ** 2
    frequency = np.fft.rfftfreq(_POINTS, 1 / RATE_HZ)
    wide = (frequency >= WIDE_HZ[0]) & (frequency <= WIDE_HZ[1])
    shares: Floats = power[wide] / (power[wide].sum(axis=0) + 1e-12)
    return shares, np.asarray(frequency[wide], np.float64)


def _filled(sums: Floats, counts: Floats) -> Floats:
    """Means; slots without a frame lie on the line between their neighbours, slow as all this is."""
    there = np.flatnonzero(counts)
    means = sums[there] / counts[there, None]
    if len(there) == len(counts):
        return means
    place = np.arange(len(counts))
    return np.stack([np.interp(place, there, column) for column in means.T], axis=1)


def _banded(power: npt.NDArray[np.float32]) -> Floats:
    """Power ``[frame, …, 30]`` averaged over three neighbouring subcarriers, ``[frame, series]``."""
    bands = power.reshape(len(power), -1, _BANDS, SUBCARRIERS // _BANDS).mean(axis=-1)
    return np.asarray(bands.reshape(len(power), -1), np.float64)
