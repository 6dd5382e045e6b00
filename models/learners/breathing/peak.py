"""The simple way to a breathing rate: the highest peak of the spectrum, if it stands out far enough."""

import numpy as np

from models.data.breaths import CLASSES, RATE_HZ, SERIES, breath_class
from models.data.samples import MASK, Samples
from models.learners.base import Found, Inputs

_POINTS = 2048
_BAND_HZ = (0.1, 0.6)
_WIDE_HZ = (0.08, 2.4)
_REACH_HZ = 1 / 30  # what 30 s can tell apart
_THRESHOLDS = 60


class PeakModel:
    """Spectral peak with a threshold on the share of power that lies at it.

    Args:
        samples: rows of `models.data.breaths`, on which the threshold with the best balanced accuracy is
            chosen.
    """

    def __init__(self, samples: Samples) -> None:
        rates, shares = peaks(samples.inputs)
        tried = np.unique(np.quantile(shares, np.linspace(0, 1, _THRESHOLDS)))
        scores = [balanced_accuracy(_classes(rates, shares, one), samples.label) for one in tried]
        self.threshold = float(tried[int(np.argmax(scores))])

    def predict(self, inputs: Inputs) -> Found:
        """1 for the class of the peak, 0 for the others, ``[row, class]``."""
        rates, shares = peaks(inputs)
        return np.asarray(np.eye(len(CLASSES))[_classes(rates, shares, self.threshold)], np.float64)


def peaks(inputs: Inputs) -> tuple[Found, Found]:
    """Breaths a minute at the peak, and the share 0..1 of power around it, ``[row]`` each.

    Spectra of all measured series of a row are combined, each weighed by its own share at the common peak
    (maximal ratio combining, after Zhang et al., "SMARS", IEEE TMC 2021).
    """
    found = [_peak(row[seen]) for row, seen in zip(inputs[SERIES], inputs[SERIES + MASK], strict=True)]
    rates, shares = np.array(found, np.float64).reshape(-1, 2).T
    return rates, shares


def balanced_accuracy(found: np.ndarray, label: np.ndarray) -> float:
    """Mean over classes of the share of their rows that are found."""
    return float(np.mean([(found[label == one] == one).mean() for one in np.unique(label)]))


def _peak(streams: np.ndarray) -> tuple[float, float]:
    series = streams.reshape(-1, streams.shape[-1]).astype(np.float64)
    series = series - series.mean(axis=-1, keepdims=True)
    power = np.abs(np.fft.rfft(series * np.hanning(series.shape[-1]), _POINTS)) ** 2
    frequency = np.fft.rfftfreq(_POINTS, 1 / RATE_HZ)
    wide = (frequency >= _WIDE_HZ[0]) & (frequency <= _WIDE_HZ[1])
    frequency, power = frequency[wide], power[:, wide]
    share = power / (power.sum(axis=1, keepdims=True) + 1e-12)
    inside = np.flatnonzero((frequency >= _BAND_HZ[0]) & (frequency <= _BAND_HZ[1]))
    weight = share[:, inside[share[:, inside].mean(axis=0).argmax()]] + 1e-12
    combined = weight @ share / weight.sum()
    at = inside[combined[inside].argmax()]
    near = np.abs(frequency - frequency[at]) <= _REACH_HZ
    return float(frequency[at] * 60), float(combined[near].sum())


def _classes(rates: Found, shares: Found, threshold: float) -> np.ndarray:
    told = zip(rates, shares, strict=True)
    return np.array([breath_class(float(rate) if share >= threshold else None) for rate, share in told])
