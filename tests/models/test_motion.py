import numpy as np
import pytest

from models.signal.baseline import Baseline
from models.signal.fading import Fading, autocorrelation
from models.signal.motion import Motion, motion
from models.tasks.presence import log_odds

from . import make


def seen(csi: np.ndarray, rate_hz: float = 50.0, jitter: float = 0.3) -> Motion:
    when = make.times(4, rate_hz, jitter)
    window = make.full_window(make.block(when, csi))
    found = motion(Fading(window.parts[0], window.start_ns, window.end_ns))
    assert found is not None
    return found


def test_two_rays_one_moving_have_the_autocorrelation_of_its_doppler() -> None:
    """|1 + a exp(j 2 pi f t)|^2 varies as cos(2 pi f t): rho(dt) = cos(2 pi f dt), variance 2 a^2."""
    when = make.times(4, 50)
    t = (when - make.EPOCH_NS) / 1e9
    csi = 80 * (1 + 0.2 * np.exp(2j * np.pi * 5 * t))[:, None, None, None] * np.ones((1, 30, 3, 1))
    csi[:, ::2] = 80  # half the subcarriers still, or the whole change would be level
    found = seen(csi, jitter=0.0)
    assert found.lag_s == pytest.approx(0.02)
    assert found.statistic == pytest.approx(np.cos(2 * np.pi * 5 * 0.02), abs=0.05)


def test_an_empty_room_with_noise_shows_nothing_and_a_walker_does() -> None:
    empty = seen(make.static() + make.noise(200))
    walker = seen(make.static() + make.moving(make.times(4, 50, 0.3), 1) + make.noise(200))
    assert (empty.statistic < 0.1, walker.statistic > 0.6) == (True, True)
    assert (empty.moved < 0.001, walker.moved > 0.02) == (True, True)
    assert log_odds(empty, None) < -2 < 2 < log_odds(walker, None)


def test_gain_that_all_subcarriers_share_neither_fakes_nor_hides_motion() -> None:
    rng = np.random.default_rng(0)
    steps = np.repeat(rng.uniform(0.4, 1.0, 20), 10)[:, None, None, None]  # AGC holds for 200 ms, then jumps
    jumpy = rng.uniform(0.4, 1.0, 200)[:, None, None, None]
    walk = make.moving(make.times(4, 50, 0.3), 1)
    assert seen(steps * make.static() + make.noise(200)).moved < 0.002
    assert seen(jumpy * (make.static() + walk) + make.noise(200)).statistic > 0.6


def test_slow_links_use_the_lag_they_have_and_too_few_frames_give_nothing() -> None:
    when = make.times(4, 10)
    window = make.full_window(make.block(when, make.static() + make.noise(40)))
    found = motion(Fading(window.parts[0], window.start_ns, window.end_ns))
    assert found is not None
    assert found.lag_s == pytest.approx(0.1)
    assert found.statistic < 0.2
    window = make.full_window(make.block(when[::6], (make.static() + make.noise(40))[::6]))
    assert motion(Fading(window.parts[0], window.start_ns, window.end_ns)) is None


def test_autocorrelation_knows_its_holes() -> None:
    """An AR(1) process with rho 0.8, every third bin missing: no interpolation, no bias."""
    rng = np.random.default_rng(1)
    values = np.zeros((4000, 8), np.float32)
    for row in range(1, len(values)):
        values[row] = 0.8 * values[row - 1] + 0.6 * rng.standard_normal(8)
    mask = rng.uniform(size=len(values)) > 0.33
    values[~mask] = 0
    (rho, later), (covariance, _) = autocorrelation(values, values**2, mask, [1, 2])
    assert rho.mean() == pytest.approx(0.8, abs=0.03)
    assert covariance.mean() == pytest.approx(0.8, abs=0.08)
    assert later.mean() == pytest.approx(0.64, abs=0.05)


def test_a_baseline_follows_the_room() -> None:
    fan = [Motion(0.8, 0.02 * np.exp(0.1 * np.sin(i)), 0.02, 100) for i in range(20)]
    baseline = Baseline.of(fan)
    assert log_odds(fan[0], None) > 0 > log_odds(fan[0], baseline)
    assert log_odds(Motion(0.9, 0.3, 0.02, 100), baseline) > 0
    quiet = Baseline.of([Motion(0.0, 1e-5, 0.02, 100)] * 12)
    faint = Motion(0.6, 0.003, 0.02, 100)
    assert log_odds(faint, None) < 0 < log_odds(faint, quiet)
    assert Baseline.from_json(baseline.to_json()) == baseline


def test_a_quiet_room_whose_motion_wanders_over_decades_is_no_restless_room() -> None:
    still = [Motion(0.1, float(10.0 ** -(4 + one % 3)), 0.02, 100) for one in range(60)]
    walker = Motion(0.8, 0.03, 0.02, 100)
    assert log_odds(walker, Baseline.of(still)) > log_odds(walker, None) > 0


@pytest.mark.parametrize(
    "document",
    [
        None,
        3,
        {},
        {"log_moved": "x", "spread": 0.1, "windows": 5},
        {"log_moved": float("nan"), "spread": 0.1, "windows": 5},
    ],
)
def test_a_stored_document_that_is_no_baseline_is_none(document: object) -> None:
    assert Baseline.from_json(document) is None  # type: ignore[arg-type]


def test_a_baseline_needs_windows() -> None:
    with pytest.raises(ValueError, match="needs 10 windows, got 1"):
        Baseline.of([Motion(0.1, 0.001, 0.02, 50)])
