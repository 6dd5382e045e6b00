"""What a learner's models say of domains they never saw: the ground of calibration and of cards."""

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.errors import SelectionError
from models.learners import Learner
from models.learners.base import Exportable, Found
from models.tasks.decode import probabilities
from models.training.selection import hold_out
from models.zoo import Output

FOLDS = 4
_TEMPERATURES = np.geomspace(0.5, 8.0, 33)

Rows = npt.NDArray[np.intp]


def folds(samples: Samples) -> list[tuple[Rows, Rows]]:
    """Rows to learn from and rows to judge, so that each domain is judged once by models that saw none of it.

    With one domain alone the last third of each recording is judged.

    Raises:
        SelectionError: one domain alone, and too short for that.
    """
    names = list(dict.fromkeys(samples.domain.tolist()))
    if len(names) < 2:
        numbered = samples.relabelled(samples.task, np.arange(len(samples)), samples.classes)
        known, asked = hold_out(numbered)
        if not len(known) or not len(asked):
            raise SelectionError(
                f"held-out rows need two domains, or recordings over three guards ({3 * samples.guard:g} "
                f"s); there is only {names}"
            )
        return [(known.label, asked.label)]
    groups = [names[i::FOLDS] for i in range(min(FOLDS, len(names)))]
    held = [np.isin(samples.domain, group) for group in groups]
    return [(np.flatnonzero(~one), np.flatnonzero(one)) for one in held]


def held_out_logits(learner: Learner, samples: Samples, seed: int) -> tuple[Found, Rows]:
    """Logits of the judged rows ``[row, output]``, and which rows those are.

    Raises:
        SelectionError: the learner's models cannot be exported.
    """
    pairs, found = folds(samples), []
    for known, asked in pairs:
        model = learner.fit(samples.take(known), seed)
        if not isinstance(model, Exportable):
            raise SelectionError(
                f"learner {learner.NAME} stays offline: its models cannot be exported; "
                "judge it with `roomtone evaluate`"
            )
        found.append(model.logits(samples.take(asked).inputs))
    return np.concatenate(found), np.concatenate([asked for _, asked in pairs])


def temperature(logits: Found, labels: npt.NDArray[np.int64], output: Output) -> float:
    """Temperature of least log loss, classes weighed equally (after Guo et al., ICML 2017)."""
    share = np.bincount(labels) / len(labels)
    weight = 1 / share[labels]

    def loss(value: float) -> float:
        found = probabilities(logits, output, value)[np.arange(len(labels)), labels]
        return float(np.mean(-np.log(np.maximum(found, 1e-6)) * weight))

    return float(min(_TEMPERATURES, key=loss))


def radius(found: Found, places: npt.NDArray[np.float64], share: float = 0.68) -> float:
    """Radius in metres that holds this share of the true places around those found (split conformal)."""
    apart = np.linalg.norm(found[:, :2] - places, axis=1)
    rank = min(int(np.ceil(share * (len(apart) + 1))), len(apart)) - 1
    return float(np.sort(apart)[rank])
