import numpy as np
import pytest

from models.signal.variation import NAMES
from models.tasks import View

from . import make


def of(csi: np.ndarray, jitter: float = 0.3) -> dict[str, float]:
    window = make.full_window(make.block(make.times(4, 50, jitter), csi))
    view = View(window).variation
    assert view.mask.all()
    assert view.features.shape == (6 if csi.shape[3] == 2 else 3, len(NAMES))
    return dict(zip(NAMES, view.features.mean(axis=0).tolist(), strict=True))


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_more_people_move_more() -> None:
    when = make.times(4, 50, 0.3)
    seen = [of(make.static() + make.moving(when, n, share=0.15) + make.noise(200)) for n in (0, 1, 4)]
    for name in ("variance", "log_variance", "moved", "log_moved"):
        assert seen[0][name] < seen[1][name] < seen[2][name]
    assert seen[2]["quantile_5"] < seen[1]["quantile_5"] < seen[0]["quantile_5"]


def test_scintillation_index_of_one_moving_echo() -> None:
    """Variance of |1 + a exp(j phi)|^2 over its squared mean is 2 a^2 / (1 + a^2)^2."""
    t = (make.times(4, 50) - make.EPOCH_NS) / 1e9
    turn = np.exp(2j * np.pi * (3 * t[:, None] + np.arange(30) / 30))  # phases differ, so the sum stays level
    csi = 80 * (1 + 0.3 * turn)[:, :, None, None] * np.ones((1, 1, 3, 2))
    expected = 2 * 0.3**2 / (1 + 0.3**2) ** 2
    assert np.exp(of(csi, 0.0)["variance"]) - 0.01 == pytest.approx(expected, rel=0.1)


def test_rayleigh_fading_has_its_skewness_and_kurtosis() -> None:
    rng = np.random.default_rng(2)
    csi = 40 * (rng.standard_normal((200, 30, 3, 2)) + 1j * rng.standard_normal((200, 30, 3, 2)))
    seen = of(csi.clip(-120 - 120j, 120 + 120j))
    assert seen["skewness"] == pytest.approx(2, abs=0.5)  # exponential power
    assert np.exp(seen["kurtosis"]) == pytest.approx(9, abs=3)
    assert abs(seen["rho_1"]) < 0.1


def test_level_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    csi = make.static() + make.moving(make.times(4, 50, 0.3), 2)
    gain = rng.uniform(0.7, 1.0, 200)[:, None, None, None]
    plain, jumpy = of(csi), of(gain * csi)
    assert all(abs(plain[name] - jumpy[name]) < 0.15 for name in NAMES)


def test_a_channel_that_never_changes_gives_finite_numbers() -> None:
    seen = of(np.repeat(make.static()[None], 200, axis=0))
    assert np.isfinite(list(seen.values())).all()


def test_too_few_frames_give_no_stream() -> None:
    window = make.full_window(make.recording(5, 0, rate_hz=4))
    assert not View(window).variation.mask.any()
