"""Features of how the channel moves during one clip of some ten seconds, free of level and of the still room.

They are made of two sets of series: the logarithm of the amplitude, packet level removed, less its mean over
the clip; and the products of neighbouring antennas' channels (one conjugated), which are free of the phase
errors that antennas share, less their mean. Of each set: energy, how it lies over Doppler frequency and over
time (around the strongest moment, and sorted), how regular it is, auto-correlation and structure function
(after Zhang et al., WiDetect, IMWUT 2019), spectrum of the covariance, and what has changed for good.
The mean itself, which knows the room, the recording and where somebody sits, is never a feature.
"""

import numpy as np
import numpy.typing as npt

VERSION = "clip-motion-1"
FRAME, STEP = 32, 8
"""Length and step of the spectra, frames: 1.6 s and 0.4 s at 20 frames a second."""
AROUND = 10
"""Spectra on either side of the strongest one."""
LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
BANDS = ((1, 3), (3, 6), (6, 10), (10, 17))
"""Doppler bins; one is 0.6 Hz at 20 frames a second."""
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_EIGENVALUES = 8
_TINY = 1e-9

Floats = npt.NDArray[np.float64]
Series = npt.NDArray[np.float64] | npt.NDArray[np.complex128]


def clip_motion(csi: npt.NDArray[np.complex64]) -> npt.NDArray[np.float32]:
    """Features ``[feature]`` of the CSI of one clip ``[rx, subcarrier, frame]``, evenly sampled.

    Raises:
        ValueError: fewer than two antennas, or fewer frames than one spectrum takes.
    """
    if len(csi) < 2 or csi.shape[-1] < 2 * FRAME:
        raise ValueError(f"a clip of {csi.shape}: two antennas and {2 * FRAME} frames are needed")
    found = np.concatenate([_of_set(_log_amplitudes(csi)), _of_set(_products(csi))])
    return np.asarray(found, np.float32)


def _log_amplitudes(csi: npt.NDArray[np.complex64]) -> Floats:
    size = np.abs(csi).astype(np.float64)
    level = np.sqrt((size**2).mean(axis=(0, 1), keepdims=True)) + 1e-6
    logs = np.log(size / level + 0.05)
    moved: Floats = logs - logs.mean(axis=-1, keepdims=True)
    return moved.reshape(-1, csi.shape[-1])


def _products(csi: npt.NDArray[np.complex64]) -> npt.NDArray[np.complex128]:
    pairs = [(a, b) for b in range(len(csi)) for a in range(b)]
    products = np.stack([csi[a] * np.conj(csi[b]) for a, b in pairs]).astype(np.complex128)
    scaled = products / np.sqrt((np.abs(products) ** 2).mean(axis=-1, keepdims=True) + _TINY)
    moved = scaled - scaled.mean(axis=-1, keepdims=True)
    return np.asarray(moved.reshape(-1, csi.shape[-1]), np.complex128)


def _of_set(series: Series) -> Floats:
    """Features of series ``[series, frame]`` that belong together."""
    energy = (np.abs(series) ** 2).mean(axis=-1)
    mean = float(energy.mean())
    spectra = _spectra(series)
    over_time = spectra[:, 1:].sum(axis=1)
    parts = (
        np.log(np.array([mean, np.median(energy), np.quantile(energy, 0.9)]) + 1e-4),
        _doppler(spectra),
        _course(spectra, over_time),
        _rhythm(series),
        _correlation(series, mean),
        _patterns(series),
        _shape(series),
        _change(series, int(over_time.argmax()), mean),
    )
    return np.concatenate(parts)


def _spectra(series: Series) -> Floats:
    """Power by Doppler frequency without its sign, mean over series, ``[time, frequency]``."""
    starts = range(0, series.shape[-1] - FRAME + 1, STEP)
    window = np.hanning(FRAME)
    frames = np.stack([series[:, start : start + FRAME] * window for start in starts], axis=1)
    power = np.abs(np.fft.fft(frames, axis=-1)) ** 2
    mirrored = np.concatenate([power[..., :1], power[..., :0:-1]], axis=-1)
    half = FRAME // 2 + 1
    return np.asarray((power + mirrored)[..., :half].mean(axis=0), np.float64)


def _doppler(spectra: Floats) -> Floats:
    """Mean spectrum, and as shares."""
    mean = spectra.mean(axis=0)
    return np.concatenate([np.log(mean / mean.sum() + 1e-4), np.log(mean + 1e-3)])


def _course(spectra: Floats, over_time: Floats) -> Floats:
    """How energy, and how fast what moves, lie over the clip."""
    bands = np.log(np.stack([spectra[:, low:high].sum(axis=1) for low, high in BANDS]) + 1e-3)
    logs, quiet = np.log(over_time + 1e-3), np.quantile(over_time, 0.1)
    peak, count = int(over_time.argmax()), len(over_time)
    around = np.full(2 * AROUND + 1, np.log(quiet + 1e-3))
    for offset in range(max(-AROUND, -peak), min(AROUND, count - 1 - peak) + 1):
        around[offset + AROUND] = logs[peak + offset]
    share, time = over_time / over_time.sum(), np.arange(count)
    centre = (share * time).sum()
    speed = (spectra * np.arange(spectra.shape[1])).sum(axis=1) / (spectra.sum(axis=1) + _TINY)
    lively = over_time > quiet + 0.2 * (over_time.max() - quiet)
    facts = [
        np.sqrt((share * (time - centre) ** 2).sum()),
        (share**2).sum(),
        -(share * np.log(share + _TINY)).sum(),
        *np.quantile(speed, [0.1, 0.5, 0.9]),
        speed[peak],
        lively.mean(),
        np.count_nonzero(np.diff(lively.astype(int)) == 1),
    ]
    quantiles = np.quantile(bands, _QUANTILES, axis=1).ravel()
    peaks = [*(around - around[AROUND]), around[AROUND]]
    return np.concatenate([quantiles, np.sort(logs)[::-1][::2], peaks, facts])


def _rhythm(series: Series) -> Floats:
    """Auto-correlation of how much changes from frame to frame: waving and walking come in strokes."""
    change = np.sqrt((np.abs(np.diff(series, axis=-1)) ** 2).mean(axis=0))
    smooth = np.convolve(change, np.ones(3) / 3, "same")
    centred = smooth - smooth.mean()
    whole = np.correlate(centred, centred, "full")[len(centred) - 1 :]
    return np.asarray((whole / (whole[0] + _TINY))[2:60:3], np.float64)


def _correlation(series: Series, energy: float) -> Floats:
    """Auto-correlation and structure function at `LAGS`."""
    products = [float((series[:, lag:] * np.conj(series[:, :-lag])).real.mean()) for lag in LAGS]
    structure = [np.log(2 * max(energy - one, 0) + 1e-4) for one in products]
    return np.concatenate([np.array(products) / (energy + 1e-6), structure])


def _patterns(series: Series) -> Floats:
    """Of how many patterns the movement is made: largest eigenvalues of the covariance, as shares."""
    gram = (series @ np.conj(series.T)).real / series.shape[-1]
    values = np.maximum(np.linalg.eigvalsh(gram)[::-1][:_EIGENVALUES], 0)
    shares = np.zeros(_EIGENVALUES)
    shares[: len(values)] = values / (np.trace(gram) + _TINY)
    return np.log(shares + 1e-4)


def _shape(series: Series) -> Floats:
    """Skewness and kurtosis, median over series."""
    real = np.real(series)
    spread = real.std(axis=-1) + 1e-6
    skewness = np.median((real**3).mean(axis=-1) / spread**3)
    return np.array([skewness, np.log(np.median((real**4).mean(axis=-1) / spread**4))])


def _change(series: Series, peak: int, energy: float) -> Floats:
    """What is another at the end than at the start, and after the strongest moment than before it."""
    frames = series.shape[-1]
    edge = 30 * frames // 200
    ends = (np.abs(series[:, :edge].mean(axis=1) - series[:, -edge:].mean(axis=1)) ** 2).mean()
    middle, margin = int(np.clip(peak * STEP + FRAME // 2, frames // 5, 4 * frames // 5)), frames // 10
    before, after = series[:, : middle - margin].mean(axis=1), series[:, middle + margin :].mean(axis=1)
    moved = (np.abs(before - after) ** 2).mean()
    return np.log(np.array([ends, ends / (energy + 1e-6), moved]) + 1e-4)
