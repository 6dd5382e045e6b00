"""Where a device stands, from the phases between its antennas and between the sender's streams.

At 2.4 GHz an Intel 5300 starts each packet with its receive chains a whole number of quarter turns apart
(seen in this set: phases of antenna pairs within a log lie in four heaps a quarter turn apart; those between
streams of one antenna lie in one). Trees do not mind: four heaps are four leaves. Where copies are learned,
the turns are drawn anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier

from models.data.device_loc import CHANNEL
from models.data.samples import Samples
from models.learners.base import Found, Inputs, Learner, Share, unseen
from models.learners.ensemble import LEAST, Ensemble
from models.learners.fingerprint.views import Views, check_labelled, softmax
from models.training.judge import units
from models.training.selection import hold_out

TREES = 100
GAIN, TILT, STREAM_GAIN = 0.15, 0.15, 0.1
"""Standard deviations in nepers: a chain, its tilt from middle to edge of the band, a stream."""

_DAYS = 4
_SHARPNESSES = np.geomspace(1.0, 16.0, 25)

Rows = npt.NDArray[np.float32]
Channel = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class View:
    """How a view is made of a channel ``[row, subcarrier, rx, tx]``, and what of it is moved for learning."""

    of: Callable[[Channel], Channel]
    turned: bool = False
    jittered: bool = False


class AntennaPhases(Learner):
    """Extra trees on four views of a packet, logarithms of probability averaged over views and packets."""

    NAME = "antenna_phases"
    TITLE = "extra trees on phases between antennas, products between streams and steps over frequency"
    TASKS = ("localization",)
    INPUTS = (CHANNEL,)

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> Views:
        """Fit a forest a view.

        Raises:
            SelectionError: the packets are all of one class.
        """
        check_labelled(samples)
        sharpness = _sharpness(samples, seed)
        progress(0.4)
        forests = _forests(samples, seed)
        progress(1.0)
        return Views(views, forests, sharpness)

    def vectors(self, fitted: Any, inputs: Inputs) -> Found:  # noqa: ANN401
        """Steps over frequency: blind to quarter turns, so that a mean of them means something."""
        del fitted
        return np.asarray(_real(steps(level(inputs[CHANNEL]))), np.float64)


def _forests(samples: Samples, seed: int) -> list[Ensemble]:
    """A fitted forest a view."""
    rng = np.random.default_rng(seed)
    fitted = []
    for name, view in VIEWS.items():
        rows = _real(view.of(level(moved(samples.inputs[CHANNEL], view, rng))))
        forest = ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=seed)
        fitted.append(Ensemble([forest.fit(rows, samples.label)], name, len(samples.classes)))
    return fitted


def _sharpness(samples: Samples, seed: int) -> float:
    """What answers to whole logs must be sharpened by, from every fourth day left out; 1 for a few days."""
    if len(np.unique(samples.domain)) < _DAYS:
        return 1.0
    known, held = hold_out(samples)
    answers = np.log(np.maximum(Views(views, _forests(known, seed)).predict(held.inputs), LEAST))
    logs = np.stack([answers[rows].mean(axis=0) for rows in units(held, None)])
    label = np.array([held.label[rows[0]] for rows in units(held, None)])

    def loss(sharpness: float) -> float:
        right = softmax(sharpness * logs)[np.arange(len(label)), label]
        return float(-np.log(np.maximum(right, 1e-6)).mean())

    return float(min(_SHARPNESSES, key=loss))


def views(inputs: Inputs) -> dict[str, Rows]:
    """Rows ``[row, feature]`` by name of view."""
    channel = level(inputs[CHANNEL])
    return {name: _real(view.of(channel)) for name, view in VIEWS.items()}


def level(channel: Channel) -> Channel:
    """Every packet over its root mean square."""
    power = (np.abs(channel) ** 2).mean(axis=(1, 2, 3), keepdims=True)
    return np.asarray(channel / np.sqrt(np.maximum(power, 1e-9)), np.complex64)


def moved(channel: Channel, view: View, rng: np.random.Generator) -> Channel:
    """The same packets with other quarter turns, gains and tilts, as far as the view is learned that way."""
    packets, subcarriers, antennas, streams = channel.shape
    factor = np.ones((packets, 1, antennas, 1), np.complex64)
    if view.turned:
        factor = 1j ** rng.integers(0, 4, factor.shape)
    if view.jittered:
        gain = GAIN * rng.standard_normal((packets, 1, antennas, 1))
        gain = gain + STREAM_GAIN * rng.standard_normal((packets, 1, 1, streams))
        tilt = TILT * rng.standard_normal((packets, 1, antennas, streams))
        band = np.linspace(-1, 1, subcarriers)[:, None, None]
        factor = factor * np.exp(gain + tilt * band)
    return np.asarray(channel * factor, np.complex64)


def antenna_products(channel: Channel) -> Channel:
    """Each receive antenna times the conjugate of each other one, ``[row, subcarrier, pair, tx]``."""
    pairs = combinations(range(channel.shape[2]), 2)
    return np.stack([channel[:, :, one] * channel[:, :, other].conj() for one, other in pairs], axis=2)


def stream_products(channel: Channel) -> Channel:
    """Each stream times the conjugate of each other one, ``[row, subcarrier, rx, pair]``."""
    pairs = combinations(range(channel.shape[3]), 2)
    return np.stack([channel[..., one] * channel[..., other].conj() for one, other in pairs], axis=-1)


def steps(channel: Channel) -> Channel:
    """Each subcarrier times the conjugate of the one before, less the delay that all antennas share."""
    product = channel[:, 1:] * channel[:, :-1].conj()
    common = product.sum(axis=(1, 2, 3), keepdims=True)
    return np.asarray(product * common.conj() / np.maximum(np.abs(common), 1e-9), np.complex64)


def _even(product: Channel, floor: float, power: float) -> Channel:
    """A product with its size drawn towards 1, so that strong subcarriers do not drown the rest."""
    return np.asarray(product / (np.abs(product) + floor) ** power, np.complex64)


def _real(values: Channel) -> Rows:
    flat = values.reshape(len(values), -1)
    return np.concatenate([flat.real, flat.imag], axis=1).astype(np.float32)


VIEWS: Mapping[str, View] = {
    "antenna phases": View(lambda channel: _even(antenna_products(channel), 0.1, 1.0)),
    "antenna products": View(lambda channel: _even(antenna_products(channel), 0.01, 0.5), turned=True),
    "stream products": View(lambda channel: _even(stream_products(channel), 0.01, 0.5), jittered=True),
    "steps": View(steps, jittered=True),
}
