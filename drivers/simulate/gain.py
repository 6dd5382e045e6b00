"""Gain control, and what comes over a card now and then: interference and jumps of the gain."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.simulate.radio import Radio
from drivers.simulate.room import Floats

MAX_AGC_DB = 63
_HOLD_DB = 0.7  # the level may move this far before the gain follows
_SENSE_DB = 0.08  # error of the level that the gain control sees


@dataclass(slots=True)
class GainControl:
    """Brings the strongest antenna to `target_dbm` in steps of a whole decibel, with hysteresis."""

    target_dbm: float
    _gain: int | None = None

    def follow(self, strongest_dbm: Floats, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Gain in dB of each packet whose strongest antenna has this power ``[packet]``."""
        wanted = self.target_dbm - strongest_dbm + rng.normal(0, _SENSE_DB, len(strongest_dbm))
        gain = round(float(wanted[0])) if self._gain is None else self._gain
        held = np.empty(len(wanted), np.int64)
        for row, want in enumerate(wanted.tolist()):
            if abs(want - gain) > _HOLD_DB:
                gain = round(want)
            held[row] = gain
        self._gain = gain
        return held


@dataclass(slots=True)
class Spells:
    """Spells that begin at random and last a while, each with a strength of its own.

    Attributes:
        rate_hz: how many begin a second.
        mean_s: how long they last on average.
        levels: strengths to draw from.
    """

    rate_hz: float
    mean_s: float
    levels: tuple[float, ...]
    _until: float = -1.0
    _level: float = 0.0
    _last: float = 0.0

    def at(self, times: Floats, rng: np.random.Generator) -> Floats:
        """Strength at each of these rising times, 0 outside the spells ``[time]``."""
        strength = np.zeros(len(times))
        chance = rng.random(len(times))
        for row, now in enumerate(times.tolist()):
            if chance[row] < self.rate_hz * (now - self._last):
                self._until = now + float(rng.exponential(self.mean_s))
                self._level = self.levels[int(rng.integers(len(self.levels)))]
            strength[row] = self._level if now <= self._until else 0.0
            self._last = now
        return strength


def interference(radio: Radio) -> Spells:
    """Bursts of other senders: extra noise in dB."""
    return Spells(radio.burst_rate, radio.burst_s, (radio.burst_db,))


def gain_jumps(radio: Radio) -> Spells:
    """Moments at which the gain control goes wrong: extra gain in dB."""
    return Spells(radio.agc_jump_rate, 0.2, (-5.0, -4.0, -3.0, -2.0, 2.0, 3.0, 4.0, 5.0))
