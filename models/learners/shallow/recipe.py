"""A shallow recipe by name: ``denoise+reduce+head``, such as ``lof+pca+svc``."""

from dataclasses import dataclass

from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from models.errors import SelectionError
from models.learners.shallow.factors import Factors

DENOISERS = ("none", "dbscan", "iforest", "lof")
REDUCERS = ("none", "pca", "nmf", "select")
HEADS = ("svc", "svr", "knn", "forest")
PENALTIES = (1.0, 10.0, 100.0)
"""C of a support vector machine; which is chosen on a part of the source that is held out."""
_TREES = 60


@dataclass(frozen=True, slots=True)
class Recipe:
    """One choice of each step."""

    denoiser: str = "none"
    reducer: str = "pca"
    head: str = "svc"

    @classmethod
    def named(cls, text: str) -> "Recipe":
        """The recipe of this name.

        Raises:
            SelectionError: there is no such step.
        """
        steps = text.split("+")
        if len(steps) != 3 or steps[0] not in DENOISERS or steps[1] not in REDUCERS or steps[2] not in HEADS:
            raise SelectionError(
                f"shallow recipe {text!r} is not DENOISE+REDUCE+HEAD of {'|'.join(DENOISERS)} + "
                f"{'|'.join(REDUCERS)} + {'|'.join(HEADS)}; write e.g. shallow:lof+pca+svc"
            )
        return cls(*steps)

    def penalties(self) -> tuple[float, ...]:
        """Penalties to choose from; one for heads that have none."""
        return PENALTIES if self.head in {"svc", "svr"} else (1.0,)

    def pipeline(self, width: int, rows: int, penalty: float, seed: int, *, metres: bool) -> Pipeline:
        """Unfitted steps for rows of `width` features.

        Raises:
            SelectionError: the head does not answer what the labels are.
        """
        if (self.head == "svr") != metres and self.head in {"svc", "svr"}:
            raise SelectionError(
                f"head {self.head} does not fit labels in {'metres' if metres else 'classes'}"
            )
        reduced = max(2, min(12, width, rows - 1))
        steps: list[tuple[str, BaseEstimator]] = [("scale", StandardScaler())]
        if self.reducer == "pca":
            steps.append(("reduce", PCA(reduced, svd_solver="full")))
        elif self.reducer == "nmf":
            steps = [("reduce", Factors(reduced, seed)), ("scale", StandardScaler())]
        elif self.reducer == "select":
            steps.append(("reduce", SelectKBest(f_classif, k=reduced)))
        return Pipeline([*steps, ("head", self._head(penalty, seed, metres=metres))])

    def _head(self, penalty: float, seed: int, *, metres: bool) -> BaseEstimator:
        if self.head == "svc":
            return OneVsRestClassifier(SVC(C=penalty, class_weight="balanced"))
        if self.head == "svr":
            return MultiOutputRegressor(SVR(C=penalty))
        if self.head == "knn":
            return KNeighborsRegressor(5) if metres else KNeighborsClassifier(5)
        if metres:
            return RandomForestRegressor(_TREES, max_depth=8, random_state=seed)
        return RandomForestClassifier(_TREES, max_depth=8, class_weight="balanced", random_state=seed)
