import numpy as np
import pytest

from models.signal.resample import bins, occupancy
from models.signal.variation import NAMES
from models.tasks import View

from . import make

S = 1_000_000_000


def test_bins_take_means_and_leave_holes() -> None:
    cut = bins(np.array([0, 1, 25, 26, 27, 99]), 0, 100, 25e-9)
    assert cut.count == 4
    assert cut.mask().tolist() == [True, True, False, True]
    means = cut.mean(np.array([1, 3, 6, 6, 9, 5], np.float32))
    assert means.tolist() == [2, 7, 5]
    assert cut.spread(means).tolist() == [2, 7, 0, 5]


@pytest.mark.parametrize(
    ("rate_hz", "nominal_hz", "expected"),
    [(100, 100, 1.0), (10, 10, 1.0), (5, 100, 0.5), (5, 5, 1.0), (2, 5, 0.8)],
)
def test_occupancy_by_nominal_rate(rate_hz: float, nominal_hz: float, expected: float) -> None:
    when = make.times(4, rate_hz)
    found = occupancy(when, make.EPOCH_NS, make.EPOCH_NS + 4 * S, nominal_hz)
    assert found == pytest.approx(expected)


def test_occupancy_counts_a_gap() -> None:
    when = make.times(4, 100)
    held = when[(when < make.EPOCH_NS + S) | (when >= make.EPOCH_NS + 3 * S)]
    assert occupancy(held, make.EPOCH_NS, make.EPOCH_NS + 4 * S, 100) == pytest.approx(0.5)
    assert occupancy(held[:0], make.EPOCH_NS, make.EPOCH_NS + 4 * S, 100) == 0


def test_jittered_and_lost_packets_tell_the_same_story() -> None:
    """One physical process, sampled evenly and unevenly: features agree because time, not index, counts."""
    views, statistics = [], []
    for jitter, keep in ((0.0, 1.0), (0.9, 1.0), (0.9, 0.8)):
        when = make.times(4, 100, jitter)
        when = when[np.random.default_rng(5).uniform(size=len(when)) < keep]
        csi = make.static() + make.moving(when, 2) + make.noise(len(when))
        window = make.full_window(make.block(when, csi))
        view = View(window)
        views.append(view.variation.features.mean(axis=0))
        statistics.append(view.motions["l1"].statistic)
    assert np.ptp(statistics) < 0.05
    even = views[0]
    for other in views[1:]:
        gap = dict(zip(NAMES, abs(other - even), strict=True))
        assert max(gap[f"rho_{lag}"] for lag in (1, 2, 4, 8)) < 0.1
        assert gap["variance"] < 0.1
