"""Which training rows are kept: outliers of their class or place are left out, never rows that are judged."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from sklearn.cluster import DBSCAN
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import StandardScaler

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]
FEWEST = 20
"""A class with fewer rows than this is kept whole: outliers cannot be told from so few."""
_NEIGHBOURS = 10


def kept(denoiser: str, values: Floats, groups: npt.NDArray[np.int64], seed: int) -> Kept:
    """Which rows ``[row, feature]`` stay, judged within each group (class, or place of reference)."""
    stay = np.ones(len(values), np.bool_)
    if denoiser == "none":
        return stay
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        if len(rows) >= FEWEST:
            inliers = DENOISERS[denoiser](StandardScaler().fit_transform(values[rows]), seed)
            stay[rows] = inliers if inliers.any() else True
    return stay


def _dbscan(values: Floats, seed: int) -> Kept:
    """After Zhou et al. 2017: rows in no dense region are noise; how dense comes from the rows."""
    del seed
    near = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(values)
    reach = np.median(near.kneighbors(values)[0][:, -1])
    return np.asarray(DBSCAN(eps=1.5 * float(reach), min_samples=_NEIGHBOURS).fit(values).labels_ >= 0)


def _isolation_forest(values: Floats, seed: int) -> Kept:
    """Rows that random splits isolate early are noise (Liu, Ting, Zhou, ICDM 2008; as in AdapLoc, #5)."""
    forest = IsolationForest(n_estimators=100, contamination=0.05, random_state=seed)
    return np.asarray(forest.fit_predict(values) == 1)


def _local_outliers(values: Floats, seed: int) -> Kept:
    """Rows less dense than their neighbours are noise (Breunig et al., SIGMOD 2000; as in #12)."""
    del seed
    return np.asarray(
        LocalOutlierFactor(n_neighbors=_NEIGHBOURS, contamination=0.05).fit_predict(values) == 1
    )


DENOISERS: Mapping[str, Callable[[Floats, int], Kept]] = {
    "dbscan": _dbscan,
    "iforest": _isolation_forest,
    "lof": _local_outliers,
}
