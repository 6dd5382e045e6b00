"""Several links in a room: what each says by itself, and how many of them agree with the room's answer.

A room's answer comes from all links at once: streams are pooled under a mask (`models.signal.inputs`), so a
link that is missing is left out, not guessed. Where there are two links or more, each is asked alone too.
"""

from collections.abc import Callable, Hashable, Mapping

import numpy as np
import numpy.typing as npt

from models.prediction import JsonValue
from models.signal.view import View
from models.tasks.base import Reader

Logits = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


def agreement(
    model: Reader, view: View, answer: Hashable, decide: Callable[[Logits], Hashable]
) -> Mapping[str, JsonValue]:
    """Extras `links` and `agreement` (0..1): how many links could answer, and which share says the same.

    Nothing with fewer than two links: one cannot disagree with itself.

    Args:
        model: that gave the room's answer.
        view: of the window.
        answer: the room's.
        decide: an answer from logits, as the room's was made.
    """
    if len(view.window.links) < 2:
        return {}
    alone = [model.read(view.of_link(link)) for link in view.window.links]
    return shared(answer, [decide(logits) for logits in alone if logits is not None])


def shared(answer: Hashable, answers: list[Hashable]) -> Mapping[str, JsonValue]:
    """Extras `links` and `agreement` of answers that links gave alone; nothing with fewer than two."""
    if len(answers) < 2:
        return {}
    return {"links": len(answers), "agreement": round(answers.count(answer) / len(answers), 3)}
