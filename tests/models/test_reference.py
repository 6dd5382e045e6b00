"""Features and motion beside their definitions, written out plainly: quicker code must say the same."""

import numpy as np
import pytest

from drivers.frame import FrameBlock
from models.signal.variation import LAGS, NAMES, QUANTILES, SPACINGS
from models.tasks import View

from . import make

TINY, STILL, FLOOR = 1e-5, 0.01, 1e-3
BINS, STEP_NS = 200, 20_000_000


def binned_power(frames: FrameBlock) -> list[np.ndarray | None]:
    """Mean |H|^2 of each 20 ms of the window [0 s, 4 s), ``[30, rx * tx]``; None where no frame is."""
    csi = frames.raw[..., 0].astype(float) + 1j * frames.raw[..., 1]
    power = np.abs(csi) ** 2
    power /= power.mean(axis=(1, 2, 3), keepdims=True)
    place = (frames.table["capture_ns"] - make.EPOCH_NS) // STEP_NS
    return [
        power[place == one].mean(axis=0).reshape(30, -1) if (place == one).any() else None
        for one in range(BINS)
    ]


def pairs_at(series: list[float | None], lag: int) -> tuple[np.ndarray, np.ndarray]:
    both = [(a, b) for a, b in zip(series, series[lag:], strict=False) if a is not None and b is not None]
    return np.array([a for a, _ in both]), np.array([b for _, b in both])


def autocorrelation(series: list[float | None], lag: int) -> tuple[float, float]:
    head, tail = pairs_at(series, lag)
    scale = np.sqrt((head**2).sum() * (tail**2).sum())
    return (head * tail).sum() / scale if scale > 0 else 0.0, (head * tail).mean() if len(head) else 0.0


def less(series: list[float | None], amount: float) -> list[float | None]:
    return [None if one is None else one - amount for one in series]


def stream_features(power: list[np.ndarray | None], stream: int) -> dict[str, float]:
    """Features of one stream but for `joint_rank`, mean over subcarriers before the logarithm."""
    rows: list[dict[str, float]] = []
    centred = np.empty((sum(one is not None for one in power), 30))
    for subcarrier in range(30):
        series = [None if one is None else one[subcarrier, stream] for one in power]
        level = np.mean([one for one in series if one is not None])
        relative = [None if one is None else one / level for one in series]
        values = np.array([one for one in relative if one is not None])
        logs = [None if one is None else 0.5 * np.log(max(one, FLOOR)) for one in relative]
        log_values = np.array([one for one in logs if one is not None])
        centred[:, subcarrier] = values - 1
        second = max(np.mean((values - 1) ** 2), TINY)
        ordered = np.sort(log_values)
        rows.append(
            {
                "variance": values.var(),
                "log_variance": 4 * log_values.var(),
                "moved": autocorrelation(less(relative, 1), 1)[1],
                "log_moved": 4 * autocorrelation(less(logs, log_values.mean()), 1)[1],
                "skewness": np.mean((values - 1) ** 3) / second**1.5,
                "kurtosis": np.mean((values - 1) ** 4) / second**2,
                **{f"quantile_{round(100 * q)}": ordered[round(q * (len(ordered) - 1))] for q in QUANTILES},
                **{f"rho_{lag}": autocorrelation(less(relative, 1), lag)[0] for lag in LAGS},
            }
        )
    mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    for lag in LAGS:
        mean[f"structure_{lag}"] = np.log(2 * mean["variance"] * max(1 - mean[f"rho_{lag}"], 0) + STILL)
    for name in ("variance", "log_variance", "moved", "log_moved"):
        mean[name] = np.log(max(mean[name], 0) + STILL)
    return mean | {"kurtosis": np.log(mean["kurtosis"] + TINY)} | across_frequency(centred)


def across_frequency(centred: np.ndarray) -> dict[str, float]:
    covariance = centred.T @ centred / len(centred)
    total = np.trace(covariance) / 30 + TINY
    values = np.sort(np.maximum(np.linalg.eigvalsh(covariance), 0))[::-1]
    share = values / (values.sum() + TINY)
    return {
        **{f"spread_{spacing}": np.diagonal(covariance, spacing).mean() / total for spacing in SPACINGS},
        **{f"eigenvalue_{i}": np.log(share[i] + TINY) for i in range(3)},
        "eigen_rank": -np.log((share**2).sum() + TINY),
    }


def joint_rank(power: list[np.ndarray | None]) -> float:
    values = np.array([one.ravel() for one in power if one is not None])
    gram = (values / values.mean(axis=0) - 1) @ (values / values.mean(axis=0) - 1).T
    return float(np.log(np.trace(gram) ** 2 / ((gram**2).sum() + TINY) + TINY))


@pytest.fixture(
    params=[(50, 0.0, 1.0), (50, 0.9, 0.8), (100, 0.9, 0.9), (230, 0.9, 1.0)],
    ids=["even", "holes", "two a bin", "many a bin"],
)
def frames(request: pytest.FixtureRequest) -> FrameBlock:
    rate_hz, jitter, kept = request.param
    whole = make.recording(4, 2, rate_hz=rate_hz, jitter=jitter)
    return whole.take(np.random.default_rng(9).uniform(size=len(whole)) < kept)


def test_features_are_what_their_definitions_say(frames: FrameBlock) -> None:
    power = binned_power(frames)
    expected = [stream_features(power, k) | {"joint_rank": joint_rank(power)} for k in range(6)]
    found = View(make.full_window(frames)).variation.features
    rows = np.array([[one[name] for name in NAMES] for one in expected])
    assert np.allclose(found, rows, rtol=1e-5, atol=2e-6), dict(
        zip(NAMES, abs(found - rows).max(axis=0), strict=True)
    )


def test_motion_is_what_its_definition_says(frames: FrameBlock) -> None:
    power = binned_power(frames)
    rho, moved = [], []
    for series in range(180):
        values = [None if one is None else one.ravel()[series] for one in power]
        level = np.mean([one for one in values if one is not None])
        one, covariance = autocorrelation(less(values, float(level)), 1)
        rho.append(one)
        moved.append(covariance / level**2)
    (found,) = View(make.full_window(frames)).motions.values()
    assert found.statistic == pytest.approx(np.mean(rho), rel=1e-5)
    assert found.moved == pytest.approx(np.median(moved), rel=1e-5)
    assert found.lag_s == pytest.approx(0.02)
    assert found.pairs == len(pairs_at(values, 1)[0])
