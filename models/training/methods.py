"""Ways to carry a source model into a target domain, and the baselines that stand beside every figure."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from models.data.samples import Samples
from models.errors import SelectionError
from models.learners.base import Problem
from models.networks.stream_set import StreamSet
from models.tasks.ordinal import class_probabilities
from models.training.fit import Fitted, fit, logits_of
from models.training.head import refit_head
from models.training.support import GUARD_S

Probabilities = npt.NDArray[np.float64]


def none(problem: Problem, fitted: Fitted, seed: int) -> Probabilities:
    """The source model as it is."""
    del seed
    return fitted.probabilities(problem.query)


def standardised(problem: Problem, fitted: Fitted, seed: int) -> Probabilities:
    """Mean and scale of the features taken from the target: per-room standardisation."""
    del seed
    if problem.unlabelled is None:
        raise SelectionError("method standardised needs --transductive or --support: windows of the target")
    network = _copy(fitted.network)
    network.standardise(
        torch.from_numpy(problem.unlabelled.features), torch.from_numpy(problem.unlabelled.mask).float()
    )
    return class_probabilities(logits_of(network, problem.query), fitted.temperature)


def matched(problem: Problem, fitted: Fitted, seed: int) -> Probabilities:
    """Thresholds moved until the unlabelled target windows show, on average, the class shares of the source.

    It supposes that classes are about as common in the target as in the source, and says nothing of which
    window is what: one shift a threshold, from the mean of its probability.
    """
    del seed
    if problem.unlabelled is None:
        raise SelectionError("method matched needs --transductive or --support: windows of the target")
    labels = problem.spec.labels(problem.source)
    seen, judged = fitted.logits(problem.unlabelled), fitted.logits(problem.query)
    shift = [
        threshold_shift(seen[:, above] / fitted.temperature, float((labels > above).mean()))
        for above in range(seen.shape[1])
    ]
    return class_probabilities(judged / fitted.temperature + np.array(shift))


def threshold_shift(logits: npt.NDArray[np.float64], share: float, reach: float = 20.0) -> float:
    """What to add to `logits` so that their mean probability is `share` (bisection, within `reach`)."""
    low, high = -reach, reach
    for _ in range(50):
        middle = (low + high) / 2
        mean = float(np.mean(1 / (1 + np.exp(-(logits + middle)))))
        low, high = (middle, high) if mean < share else (low, middle)
    return (low + high) / 2


def head_only(problem: Problem, fitted: Fitted, seed: int) -> Probabilities:
    """Backbone frozen, head refitted on the support, pulled towards the source head."""
    network = refit_head(_copy(fitted.network), _needed(problem), problem.spec, seed)
    return class_probabilities(logits_of(network, problem.query), fitted.temperature)


def target_only(problem: Problem, fitted: Fitted, seed: int) -> Probabilities:
    """Trained on the support alone, no source."""
    del fitted
    return fit(_needed(problem), problem.spec, seed).probabilities(problem.query)


def frozen_random(problem: Problem, fitted: Fitted, seed: int) -> Probabilities:
    """Backbone of random weights, head fitted on the support, or on the source where there is none."""
    del fitted
    torch.manual_seed(1000 + seed)
    network = StreamSet(problem.spec.columns, len(problem.spec.classes))
    source = problem.source
    network.standardise(torch.from_numpy(source.features), torch.from_numpy(source.mask).float())
    labelled = problem.support if problem.support is not None else source
    network = refit_head(network, labelled, problem.spec, seed, pull=0.0)
    return class_probabilities(logits_of(network, problem.query))


def auto(problem: Problem, fitted: Fitted, seed: int) -> Probabilities:
    """The best on held-out support; without support `matched` where allowed, else `none`."""
    if problem.support is None:
        return (none if problem.unlabelled is None else matched)(problem, fitted, seed)
    return METHODS[choose(problem, fitted, seed)](problem, fitted, seed)


def choose(problem: Problem, fitted: Fitted, seed: int) -> str:
    """Name of the candidate with the least error on the later part of the support, fitted on the earlier."""
    support = _needed(problem)
    early, late = _halves(support)
    if not early.any() or not late.any():
        return "none"
    trial = Problem(
        source=problem.source,
        query=support.take(late),
        support=support.take(early),
        unlabelled=problem.unlabelled,
        spec=problem.spec,
    )
    labels = problem.spec.labels(trial.query)
    losses = {
        name: _log_loss(METHODS[name](trial, fitted, seed), labels)
        for name in ("none", "standardised", "matched", "head_only")
    }
    return min(losses, key=losses.__getitem__)


def _halves(support: Samples) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Early and late windows of every session of the support that share no frames (short ones: no guard)."""
    last = {one: float(support.start_s[support.session == one].max()) for one in np.unique(support.session)}
    ends = np.array([last[one] for one in support.session])
    gap = min(GUARD_S, support.length_s)
    return support.start_s <= (ends - gap) / 2, support.start_s >= (ends + gap) / 2


def _log_loss(probabilities: Probabilities, labels: npt.NDArray[np.int64]) -> float:
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-3)).mean())


def _needed(problem: Problem) -> Samples:
    if problem.support is None:
        raise SelectionError("this method adapts on labelled target windows; give --support DOMAIN:AMOUNT")
    return problem.support


def _copy(network: StreamSet) -> StreamSet:
    twin = StreamSet(network.columns.tolist(), len(network.thresholds) + 1)
    twin.load_state_dict(network.state_dict())
    return twin


METHODS: dict[str, Callable[[Problem, Fitted, int], Probabilities]] = {
    "auto": auto,
    "none": none,
    "standardised": standardised,
    "matched": matched,
    "head_only": head_only,
    "frozen_random": frozen_random,
    "target_only": target_only,
}


def applicable(problem: Problem) -> list[str]:
    """Names of the methods that stand beside every figure (DESIGN A6)."""
    found = ["none", "frozen_random"]
    found += ["standardised", "matched"] if problem.unlabelled is not None else []
    return found + (["head_only", "target_only"] if problem.support is not None else [])
