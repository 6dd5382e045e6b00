"""Where a person stands, from the amplitudes of a few links: power and its slope over frequency.

In EXP2_sub2 of dfl_fingerprints_4links the last 64 of the 184 rows of every place are another state of the
channel, unlike any row of EXP2_sub1: what is learned there finds the place in the first 120 alone.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

from models.data.dfl import AMPLITUDE
from models.data.samples import Samples
from models.learners.base import Found, Inputs, Learner, Share, unseen
from models.learners.ensemble import Ensemble
from models.learners.fingerprint.choice import MEMBERS, USUAL, Pair, best_pairs
from models.learners.fingerprint.views import Floats, Views, check_labelled

COPIES = 2
GAIN, TILT = 0.05, 0.1
"""Standard deviation of a link's gain, and of its tilt from middle to edge of the band, in nepers."""
_SMOOTH = 1.0  # subcarriers: the fading of a room is wider
_POWER = 1.5  # between amplitude and power
_BESIDE = 3.0  # slopes are about a third as large as values


class LinkFingerprints(Learner):
    """Views of a packet and classifiers on them, of which those answer that carry best on the source.

    A packet is taken relative to its own root mean square over all links: which link is strong tells the
    place. Powers near the square add up what each path brings, so that a static path shifts and does not bend
    them; slopes over frequency do not see a link's level. Each row is learned three times, with the gain and
    tilt of every link moved a little.
    """

    NAME = "link_fingerprints"
    TITLE = "state-aware LDA and SVMs on power and its slope over frequency, chosen by states left out"
    TASKS = ("localization",)
    INPUTS = (AMPLITUDE,)

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> Views:
        """Choose among classifiers by states of the channel left out, and fit the chosen ones on all rows.

        Raises:
            SelectionError: the rows are all of one class.
        """
        check_labelled(samples)
        chosen = best_pairs(views(samples.inputs), samples.label, seed, lambda share: progress(share / 2))
        return self._fitted(chosen, samples, seed, progress)

    def fit_as_usual(self, samples: Samples, seed: int) -> Views:
        """Fit the pairs that are taken where there are too few rows to choose."""
        check_labelled(samples)
        return self._fitted(USUAL, samples, seed, unseen)

    def _fitted(self, chosen: Sequence[Pair], samples: Samples, seed: int, progress: Share) -> Views:
        rng = np.random.default_rng(seed)
        amplitude = samples.inputs[AMPLITUDE]
        copies = [amplitude, *(moved(amplitude, rng) for _ in range(COPIES))]
        label = np.tile(samples.label, len(copies))
        rows = views({AMPLITUDE: np.concatenate(copies)})
        fitted = []
        for done, (view, member) in enumerate(chosen):
            one = MEMBERS[member](rows[view], label, seed)
            fitted.append(Ensemble([one], view, len(samples.classes)))
            progress(0.5 + (done + 1) / len(chosen) / 2)
        return Views(views, fitted)

    def vectors(self, fitted: Any, inputs: Inputs) -> Found:  # noqa: ANN401
        """Slopes of power over frequency: of all views they carry best from room to room."""
        del fitted
        return views(inputs)["slopes"]


def views(inputs: Inputs) -> dict[str, Floats]:
    """Rows ``[row, feature]`` by name; "own" is relative to each link's level, else to the packet's."""
    amplitude = np.asarray(inputs[AMPLITUDE], np.float64)
    values, own = over_level(amplitude, (1, 2)) ** _POWER, slope(over_level(amplitude, (2,)) ** _POWER)
    made = {
        "values": values,
        "slopes": slope(values),
        "steep slopes": slope(over_level(amplitude, (1, 2)) ** 2),
        "own slopes": own,
        "values, own slopes": np.concatenate([values, _BESIDE * own], axis=2),
    }
    return {name: one.reshape(len(one), -1) for name, one in made.items()}


def over_level(amplitude: Floats, axes: tuple[int, ...]) -> Floats:
    """Amplitude over its root mean square along these axes."""
    level = np.sqrt((amplitude**2).mean(axis=axes, keepdims=True))
    return np.asarray(amplitude / np.maximum(level, 1e-9), np.float64)


def slope(power: Floats) -> Floats:
    """Steps from subcarrier to subcarrier, ``[row, link, subcarrier - 1]``, of power smoothed a little."""
    return np.asarray(np.diff(gaussian_filter1d(power, _SMOOTH, axis=2), axis=2), np.float64)


def moved(amplitude: Floats, rng: np.random.Generator) -> Floats:
    """The same rows with another gain and another tilt over frequency of every link."""
    rows, links, subcarriers = amplitude.shape
    gain, tilt = GAIN * rng.standard_normal((rows, links, 1)), TILT * rng.standard_normal((rows, links, 1))
    return np.asarray(amplitude * np.exp(gain + tilt * np.linspace(-1, 1, subcarriers)), np.float64)
