"""What models say of a room that is to be calibrated as empty: who sees people there, and who tells nothing.

Only an answer is evidence. Presence that failed, or was not asked, says nothing of the room. Where it is not
calibrated yet, the motion statistic has the word: a calibration is made for such rooms. Models of places and
activities are not heard: many of them know no empty room.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from models.prediction import Prediction, Reason
from models.tasks.counting import Counting
from models.tasks.presence import STATISTIC, Presence

CONFIDENT: Final = 0.8
"""Least probability at which a model is believed that somebody is there, though nothing moves."""
NOT_YET: Final = frozenset({Reason.UNCALIBRATED, Reason.NO_MODEL})
"""Presence is unknown because nobody has taught it this room, not because anything went wrong."""
_ALMOST_1 = 1 - 1e-9


class Doubt(NamedTuple):
    """Why a window does not show an empty room: a word, and a sentence."""

    reason: str
    detail: str


def people_seen(made: Sequence[Prediction], by_baseline: float) -> Doubt | None:
    """Which model sees somebody, if one does and is sure of it.

    Args:
        made: what was said about the window.
        by_baseline: log-odds of motion that only the baseline adds which serves now. It is to be replaced, so
            they do not count.
    """
    said = {one.task: one for one in made if one.reason is None}
    presence, count = said.get(Presence.name), said.get(Counting.name)
    if presence is not None and "breathing_per_minute" in presence.extras:
        return Doubt("breathing_seen", "somebody is still there: breathing is seen")
    if presence is not None and _is_occupied(presence, by_baseline):
        return Doubt("occupied_seen", f"presence is occupied, though nothing moves{_by(presence)}")
    if count is not None and _is_some(count):
        return Doubt("people_counted", f"{count.value} people are counted, though nothing moves{_by(count)}")
    return None


def presence_silent(made: Sequence[Prediction]) -> Doubt | None:
    """Why nothing was learned from presence; None where it spoke, or cannot speak before a calibration."""
    said = next((one for one in made if one.task == Presence.name), None)
    if said is None:
        return Doubt("not_predicted", "nothing is said about presence")
    if said.reason is None or said.reason in NOT_YET:
        return None
    return Doubt(said.reason.value, f"presence is unknown ({said.reason.value}){_by(said)}")


def _is_occupied(said: Prediction, by_baseline: float) -> bool:
    """Whether presence would be occupied, and sure of it, without what only the baseline adds."""
    if said.value != "occupied":
        return False
    share = 1.0 if said.model == STATISTIC else 0.5  # a learned classifier has an equal say with motion
    return _log_odds(said.probability) - share * by_baseline >= _log_odds(CONFIDENT)


def _is_some(said: Prediction) -> bool:
    if not isinstance(said.value, int) or said.value < 1:
        return False
    surely_some = said.interval is not None and said.interval[0] >= 1
    return surely_some or _log_odds(said.probability) >= _log_odds(CONFIDENT)


def _log_odds(probability: float | None) -> float:
    """Of an answer; one without a probability is taken at its word."""
    sure = _ALMOST_1 if probability is None else min(max(probability, 1 - _ALMOST_1), _ALMOST_1)
    return math.log(sure / (1 - sure))


def _by(said: Prediction) -> str:
    return "" if said.model is None else f"; so says model {said.model.name} {said.model.version}"
