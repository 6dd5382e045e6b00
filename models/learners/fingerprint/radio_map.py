"""Where a device stands, in metres, by a map of what every access point is expected to sound like.

A Gaussian process over the floor says, for each band of each access point, which level to expect anywhere and
how surely (Ferris, Haehnel and Fox, RSS 2006). Bayes' rule turns a row's levels into a probability of every
spot of a fine grid; its mean is the answer, its spread the radius. Where nobody ever stood a map helps most:
it fills in between its neighbours.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from models.data.metric import LEVEL
from models.data.samples import Samples
from models.errors import SelectionError
from models.learners.base import Found, Inputs, Learner, Share, unseen

BANDS = 7
STEP_M, MARGIN_M = 0.25, 0.25
"""Grid of spots, and how far it reaches beyond the outermost places."""
_WIDTHS_M, _HEIGHTS, _NOISES = (0.7, 1.0, 1.5, 2.0, 3.0), (0.3, 1.0), (0.05, 0.1, 0.2, 0.4, 0.8)
_LEAST = 5
"""Places that a map needs."""
_FOLDS = 5
_HELD = 2 / 3
"""Share of errors that a radius holds."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kernel:
    """How levels at two spots go together: a smooth part, a slope over the floor, and what is in no map."""

    width_m: float
    height: float
    noise: float

    def __call__(self, ours: Floats, theirs: Floats, centre: Floats) -> Floats:
        """Covariance ``[ours, theirs]`` less the noise, of levels whose variance over the places is 1."""
        apart = ((ours[:, None] - theirs) ** 2).sum(axis=2)
        slope = ((ours - centre) @ (theirs - centre).T) / 4
        return np.asarray(self.height * np.exp(-0.5 * apart / self.width_m**2) + slope + 1, np.float64)


class RadioMap(Learner):
    """Gaussian-process map of levels, inverted by Bayes' rule."""

    NAME = "radio_map"
    TITLE = "Gaussian-process radio map and the posterior over the floor (after Ferris et al. 2006)"
    TASKS = ("localization",)
    INPUTS = (LEVEL,)

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> "Map":
        """Draw the map; its kernel has the highest marginal likelihood, its radius is set on left-out places.

        Raises:
            SelectionError: the labels are no metres, or there are too few places.
        """
        if samples.classes:
            raise SelectionError("learner radio_map needs places in metres; these rows have classes")
        levels = bands(samples.inputs[LEVEL])
        places, number = np.unique(samples.label, axis=0, return_inverse=True)
        if len(places) < _LEAST:
            raise SelectionError(f"a radio map needs {_LEAST} places or more; there are {len(places)}")
        fold = np.random.default_rng(seed).permutation(len(places))[number.ravel()] % _FOLDS
        ratios = []
        for held in range(_FOLDS):
            known, asked = fold != held, fold == held
            found = drawn(levels[known], samples.label[known]).locate(levels[asked])
            ratios.append(np.linalg.norm(found[:, :2] - samples.label[asked], axis=1) / found[:, 2])
            progress((held + 1) / (_FOLDS + 1))
        return drawn(levels, samples.label, float(np.quantile(np.concatenate(ratios), _HELD)))


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Levels expected at every spot, and how surely.

    Attributes:
        spots: x and y in metres, ``[spot, 2]``.
        expected, variance: of standardised levels, ``[spot, level]``.
        mean, scale: of levels over the places, ``[level]``.
        factor: radius that holds two thirds of errors, over the spread of the answer.
    """

    spots: Floats
    expected: Floats
    variance: Floats
    mean: Floats
    scale: Floats
    factor: float

    def predict(self, inputs: Inputs) -> Found:
        """Metres and radius ``[row, 3]``, every row by itself."""
        return self.locate(bands(inputs[LEVEL]))

    def locate(self, levels: Floats) -> Found:
        """The same of levels ``[row, level]``.

        Bands of one access point rise and fall together: all of them count as one look, not as `BANDS`.
        """
        rows, sure = (levels - self.mean) / self.scale, 1 / self.variance
        miss = rows**2 @ sure.T - 2 * rows @ (self.expected * sure).T + (self.expected**2 * sure).sum(axis=1)
        logs = -0.5 * (miss + np.log(self.variance).sum(axis=1)) / BANDS
        likely = np.exp(logs - logs.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        place = likely @ self.spots
        spread = likely @ (self.spots**2).sum(axis=1) - (place**2).sum(axis=1)
        radius = self.factor * np.sqrt(np.maximum(spread, STEP_M**2))
        return np.concatenate([place, radius[:, None]], axis=1)


def bands(level: npt.NDArray[np.floating]) -> Floats:
    """Mean level of `BANDS` bands of each access point, ``[row, access point x band]``."""
    edges = np.linspace(0, level.shape[2], BANDS + 1).astype(int)[:-1]
    width = np.diff(np.append(edges, level.shape[2]))
    return np.asarray(np.add.reduceat(level, edges, axis=2) / width, np.float64).reshape(len(level), -1)


def drawn(levels: Floats, label: Floats, factor: float = 1.0) -> Map:
    """The map of rows at known places; rows of one place count once, by their mean."""
    places, number = np.unique(label, axis=0, return_inverse=True)
    means = np.stack([levels[number.ravel() == one].mean(axis=0) for one in range(len(places))])
    mean, scale = means.mean(axis=0), np.maximum(means.std(axis=0), 1e-6)
    known, centre = (means - mean) / scale, places.mean(axis=0)
    kernel = likeliest(known, places, centre)
    spots = _spots(places)
    across = kernel(spots, places, centre)
    gain = np.linalg.solve(kernel(places, places, centre) + kernel.noise * np.eye(len(places)), across.T)
    alone = kernel.height + ((spots - centre) ** 2).sum(axis=1) / 4 + 1
    left = np.maximum(alone - (across.T * gain).sum(axis=0), 0) + kernel.noise
    variance = np.repeat(left[:, None], known.shape[1], axis=1)
    return Map(spots, gain.T @ known, variance, mean, scale, factor)


def likeliest(known: Floats, places: Floats, centre: Floats) -> Kernel:
    """The kernel under which the levels at the places are most probable (marginal likelihood)."""
    return max(
        (Kernel(*one) for one in product(_WIDTHS_M, _HEIGHTS, _NOISES)),
        key=lambda kernel: _likelihood(kernel, known, places, centre),
    )


def _likelihood(kernel: Kernel, known: Floats, places: Floats, centre: Floats) -> float:
    lower = np.linalg.cholesky(kernel(places, places, centre) + kernel.noise * np.eye(len(places)))
    white = np.linalg.solve(lower, known)
    return float(-0.5 * (white**2).sum() - known.shape[1] * np.log(np.diag(lower)).sum())


def _spots(places: Floats) -> Floats:
    low, high = places.min(axis=0) - MARGIN_M, places.max(axis=0) + MARGIN_M + 1e-6
    axes = np.meshgrid(np.arange(low[0], high[0], STEP_M), np.arange(low[1], high[1], STEP_M))
    return np.stack([one.ravel() for one in axes], axis=1)
