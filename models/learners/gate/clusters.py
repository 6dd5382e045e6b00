"""Two clusters of rows, which of them is the reference, and whether they are two at all.

K-means with K = 2, judged by its sum of squared errors as Wi-Metal is (ICC 2016): SSE is the sum over
clusters of squared distances to their centre. K-means cuts anything in two, so the errors are compared with
those of rows drawn from one Gaussian of the same covariance (after SigClust: Liu, Hayes, Nobel, Marron, JASA
103, 2008), both along the line from centre to centre: across it there is the same noise in either.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

from models.errors import SelectionError

LEAST_ROWS = 8
AXES = 4
"""Most principal axes that rows are cut on: across all others lies noise, and all distances look alike."""
ALPHA = 0.05
"""Most chance that one heap of rows is cut in two as well as these."""
PURITY = 0.9
"""Least share of the reference that one cluster must hold."""
SMALLEST = 0.05
"""Least share of all rows in a cluster; fewer are outliers."""

_TRIES, _DRAWS, _MOST_DRAWN = 4, 39, 400
_TINY = 1e-6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Two clusters of standardised rows, the reference first.

    Attributes:
        mean, scale: of the rows, ``[feature]``; rows less `mean` over `scale` are standardised.
        axes: principal axes on which standardised rows are cut, ``[feature, axis]``.
        centres: of the clusters, ``[2, axis]``.
        sse: sum of squared distances to the nearer centre.
        spread: the same, a row.
        index: errors over the sum of squared distances to the one mean, along the line from centre to centre:
            0 for two points, 0.36 for a Gaussian.
        chance: share of one-heap draws that are cut as well (`ALPHA` is the most that is believed).
        smaller: share of rows in the smaller cluster.
        purity: share of the reference rows in the first cluster.
    """

    mean: Floats
    scale: Floats
    axes: Floats
    centres: Floats
    sse: float
    spread: float
    index: float
    chance: float
    smaller: float
    purity: float

    @property
    def doubt(self) -> str:
        """Why the clusters are not believed; empty where they are."""
        if self.chance > ALPHA:
            return (
                f"one heap of rows is cut as well by chance in {self.chance:.0%} of draws "
                f"(errors {self.index:.2f} of the variance; at most {ALPHA:.0%} is taken)"
            )
        if self.purity < PURITY:
            return f"reference rows lie in both, {self.purity:.0%} in one; {PURITY:.0%} is asked for"
        if self.smaller < SMALLEST:
            return f"one holds {self.smaller:.1%} of the rows: outliers; {SMALLEST:.0%} is asked for"
        return ""

    def standard(self, rows: Floats) -> Floats:
        """Rows as the centres are."""
        return np.asarray((rows - self.mean) / self.scale @ self.axes, np.float64)

    def apart(self, rows: Floats) -> Floats:
        """Squared distances to both centres over `spread`, ``[row, 2]``."""
        gaps = self.standard(rows)[:, None] - self.centres
        return np.asarray((gaps**2).sum(axis=2) / self.spread, np.float64)


def clustered(rows: Floats, reference: npt.NDArray[np.bool_], seed: int) -> Clusters:
    """Cut rows ``[row, feature]`` in two; the first cluster is that of most reference rows.

    Raises:
        SelectionError: too few rows, or all rows alike.
    """
    cut = _cut(rows, seed)
    share = float(cut.labels[reference].mean())
    return _named(cut, int(share > 0.5), max(share, 1 - share))


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """What K-means found, not yet named."""

    mean: Floats
    scale: Floats
    axes: Floats
    centres: Floats
    labels: npt.NDArray[np.int64]
    sse: float
    index: float
    chance: float


def _cut(rows: Floats, seed: int) -> _Cut:
    if len(rows) < LEAST_ROWS:
        raise SelectionError(f"two clusters of {len(rows)} rows mean nothing; {LEAST_ROWS} are asked for")
    mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), _TINY)
    standard = (rows - mean) / scale
    if np.ptp(standard, axis=0).max() < 1e-3:
        raise SelectionError(f"all {len(rows)} rows are alike; there is nothing to cut in two")
    axes = np.linalg.svd(standard, full_matrices=False)[2][: min(AXES, len(rows) // 2)].T
    on_axes = standard @ axes
    found = KMeans(2, n_init=_TRIES, random_state=seed).fit(on_axes)
    index = _index(on_axes, found)
    labels, chance = found.labels_.astype(np.int64), _chance(on_axes, index, seed)
    return _Cut(mean, scale, axes, found.cluster_centers_, labels, float(found.inertia_), index, chance)


def _index(standard: Floats, cut: KMeans) -> float:
    """Share of the variance along the line from centre to centre that is left within the clusters."""
    along = standard @ (cut.cluster_centers_[1] - cut.cluster_centers_[0])
    within = along - np.array([along[cut.labels_ == one].mean() for one in (0, 1)])[cut.labels_]
    return float((within**2).sum() / ((along - along.mean()) ** 2).sum())


def _chance(standard: Floats, index: float, seed: int) -> float:
    """Share of draws from one Gaussian of this covariance that K-means cuts to as low an index."""
    rng = np.random.default_rng([seed, 13])
    values, axes = np.linalg.eigh(np.atleast_2d(np.cov(standard.T)))
    spread = np.sqrt(np.maximum(values, 0))[:, None] * axes.T
    as_low = 0
    for draw in range(_DRAWS):
        heap = rng.standard_normal((min(len(standard), _MOST_DRAWN), len(values))) @ spread
        heap -= heap.mean(axis=0)
        cut = KMeans(2, n_init=_TRIES, random_state=draw).fit(heap)
        as_low += _index(heap, cut) <= index
    return (as_low + 1) / (_DRAWS + 1)


def _named(cut: _Cut, first: int, purity: float) -> Clusters:
    count = len(cut.labels)
    larger = max(cut.labels.mean(), 1 - cut.labels.mean())
    return Clusters(
        mean=cut.mean,
        scale=cut.scale,
        axes=cut.axes,
        centres=cut.centres[[first, 1 - first]],
        sse=cut.sse,
        spread=max(cut.sse / count, _TINY),
        index=cut.index,
        chance=cut.chance,
        smaller=float(1 - larger),
        purity=purity,
    )
