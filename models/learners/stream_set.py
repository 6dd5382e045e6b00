"""The set network over a room's streams, with its own ways of adapting (`models.training.methods`)."""

from collections.abc import Mapping, Sequence

from models.data.samples import Samples
from models.learners.base import Learner, Method, Problem, Share, unseen
from models.signal.variation import VERSION
from models.training.fit import Fitted, fit
from models.training.methods import METHODS, applicable
from models.training.task import task_spec


class StreamSetLearner(Learner):
    """Ordinal head on pooled features of how the channel varies (after METHODS B #2)."""

    NAME = "stream_set"
    TITLE = "network over the set of streams, on variation of CSI (after Zhou et al. 2020)"
    TASKS = ("presence", "counting")
    INPUTS = (VERSION,)

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> Fitted:
        """Fit on all of these windows; epochs come from a part held out first."""
        task = "presence" if "occupied" in samples.classes else "counting"
        return fit(samples, task_spec(task, samples.classes), seed, progress=progress)

    def methods(self) -> Mapping[str, Method]:
        """See `models.training.methods`."""
        return METHODS

    def baselines(self, problem: Problem) -> Sequence[str]:
        """Those that apply (DESIGN A6)."""
        return applicable(problem)
