"""What a room's window means: every task's prediction, under the rules of who may speak for which frames.

The rules (DESIGN A6): a simulated source is served only by models trained on simulation or by the motion
statistic, else `no_model`. On live or replayed frames a model trained only on simulation answers
`uncalibrated`; the motion statistic is exempt. So do models of the shelf `local`: nobody but a room's own
samples can tell how good they are. A head that passed the gate on these (DESIGN B6) speaks in its room.
Too few frames is `unknown`, never a guess, and a model that fails is `model_error`, never an empty room. A
model speaks only for the NICs that its card names, simulated or not: how a NIC levels, rounds and times its
frames is in the features too.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from drivers.wire import Source
from models.bare import bare
from models.errors import TaskError
from models.memory import RoomMemory
from models.prediction import JsonValue, Prediction, Reason
from models.runtime import Backbone, Base, RoomModel, RoomReader
from models.signal.window import MIN_OCCUPANCY, Window
from models.tasks import Evidence, Reader, Task, View, task_of
from models.zoo import LOCAL, Card, shelved

_log = logging.getLogger(__name__)


class Sensing:
    """All loaded models, shared by all rooms. Not for use by several threads at once."""

    def __init__(self, backbones: Sequence[Backbone]) -> None:
        self._backbones = tuple(backbones)

    @classmethod
    def load(cls, shelves: Sequence[str], local: Path | None = None) -> Self:
        """Sensing with the models of these shelves, later shelves preferred; one session a model.

        Args:
            shelves: names.
            local: folder of the shelf `local`.

        Raises:
            CardError: a shipped model and its card do not fit.
        """
        return cls([Backbone(model) for model in shelved(shelves, local)])

    def cards(self) -> list[Card]:
        """Cards of the loaded models."""
        return [backbone.card for backbone in self._backbones]

    def predict(
        self,
        window: Window,
        tasks: Sequence[str],
        *,
        source: Source,
        baselines: Mapping[str, JsonValue] | None = None,
        room: str = "",
        memory: RoomMemory | None = None,
        own: Mapping[str, RoomModel] | None = None,
    ) -> list[Prediction]:
        """One prediction a task, in order.

        Args:
            window: frames of one room.
            tasks: names of tasks; one that nothing is known about is `no_model`.
            source: where the frames come from; it decides which models may speak.
            baselines: empty-room baselines of the room by link (`models.signal.baseline`).
            room: its name; a model of the places of one room speaks there alone.
            memory: of the room, whose windows come in order of time; without it each stands alone.
            own: heads of the room's own by task, that passed the gate on its samples (DESIGN B6).
        """
        asked = _Asked(View(window), source, baselines or {}, room, memory, own or {})
        return [self._one(asked, name) for name in tasks]

    def _one(self, asked: "_Asked", name: str) -> Prediction:
        window = asked.view.window
        if window.frames == 0:
            return Prediction.unknown(name, Reason.NO_FRAMES)
        if window.occupancy < MIN_OCCUPANCY:
            return Prediction.unknown(name, Reason.LOW_OCCUPANCY)
        task = task_of(name)
        if task is None:
            return Prediction.unknown(name, Reason.NO_MODEL)
        model = self._reader(name, asked)
        if model is None and task.needs_model:
            return Prediction.unknown(name, self._why_silent(name, asked))
        return _guarded(task, Evidence(asked.view, model, asked.baselines, asked.memory))

    def _reader(self, name: str, asked: "_Asked") -> Reader | None:
        """The room's own head where it has one that fits these frames; else the model that may speak."""
        own = asked.own.get(name)
        if own is not None and own.simulated == (asked.source is Source.SIMULATED):
            for backbone in self._candidates(name, asked):
                if (backbone.card.name, backbone.card.digest) == own.model:
                    return RoomReader(backbone, own)
            if own.model == (bare(name).card.name, bare(name).card.digest):
                return RoomReader(bare(name), own)
        return self._model(name, asked)

    def base_of(self, task: str, nics: Sequence[str], room: str, *, simulated: bool) -> Base:
        """What a head of this room should stand on, whether or not it may speak by itself.

        A backbone that was trained on frames of the same kind, real or simulated, is preferred, then the last
        one; where none was trained on these NICs, features alone.
        """
        fitting = [
            one
            for one in self._backbones
            if one.card.task == task
            and set(nics) <= set(one.card.nics)
            and room in (one.card.rooms or (room,))
        ]
        return max(fitting, key=lambda one: one.card.simulated == simulated, default=bare(task))

    def _candidates(self, name: str, asked: "_Asked") -> list[Backbone]:
        """Models of the task whose cards name every NIC of the window (its links are pooled) and the room."""
        return [
            backbone
            for backbone in self._backbones
            if backbone.card.task == name
            and set(asked.view.window.nics) <= set(backbone.card.nics)
            and asked.room in (backbone.card.rooms or (asked.room,))
        ]

    def _model(self, name: str, asked: "_Asked") -> Backbone | None:
        """The last loaded model that may speak for these frames."""
        simulated = asked.source is Source.SIMULATED
        fitting = [b for b in self._candidates(name, asked) if _may_speak(b.card, simulated=simulated)]
        return fitting[-1] if fitting else None

    def _why_silent(self, name: str, asked: "_Asked") -> Reason:
        found = self._candidates(name, asked)
        local = any(one.card.shelf == LOCAL for one in found)
        if found and (local or asked.source is not Source.SIMULATED):
            return Reason.UNCALIBRATED
        return Reason.NO_MODEL


@dataclass(frozen=True, slots=True)
class _Asked:
    """A window, and what is known of where it is from."""

    view: View
    source: Source
    baselines: Mapping[str, JsonValue]
    room: str
    memory: RoomMemory | None
    own: Mapping[str, RoomModel]


def _may_speak(card: Card, *, simulated: bool) -> bool:
    """Whether a model may speak without having passed the gate of a room."""
    return card.simulated == simulated and card.shelf != LOCAL


def _guarded(task: Task, evidence: Evidence) -> Prediction:
    """The boundary around models: whatever breaks inside one is logged and becomes `model_error`."""
    try:
        return _named(task, task.predict(evidence))
    except Exception:  # noqa: BLE001 - a model is foreign code; this is where it ends
        model = evidence.model.ref if evidence.model else None
        _log.exception("task %s failed on a window of links %s", task.name, evidence.view.window.links)
        return Prediction.unknown(task.name, Reason.MODEL_ERROR, model)


def _named(task: Task, found: Prediction) -> Prediction:
    """The prediction, if it is of this task: states are kept by its name."""
    if found.task != task.name:
        raise TaskError(f"task {task.name!r} answered for {found.task!r}")
    return found
