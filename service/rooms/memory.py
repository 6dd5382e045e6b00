"""What a state machine remembers. It is stored with every state, so that a restart changes no outcome."""

from typing import Any, Self

import msgspec

from models.prediction import JsonValue, Prediction
from service.rooms.observation import Observation
from service.rooms.pause import PAUSED
from service.state import LastKnown, ModelInfo, Status, TaskState, rfc3339

Interval = tuple[float, float]
Json = Any  # JsonValue; msgspec does not read that recursive alias


class Said(msgspec.Struct, frozen=True):
    """A value a model gave for one window, as a state shows it."""

    value: Json
    probability: float | None
    interval: Interval | None
    to_ns: int
    observed_ns: int
    extras: dict[str, Json] = {}
    model: dict[str, Json] | None = None

    @classmethod
    def of(cls, observation: Observation) -> Self:
        """The value of an observation that has one."""
        said = observation.prediction
        return cls(
            value=said.value,
            probability=said.probability,
            interval=said.interval,
            to_ns=observation.to_ns,
            observed_ns=observation.observed_ns,
            extras=dict(said.extras),
            model=model_document(said),
        )


class Memory(msgspec.Struct, frozen=True):
    """All a machine knows: the state it shows, and what it is waiting for.

    Attributes:
        task: name of the task.
        reason: why the state is unknown; None while it holds a value.
        shown: the value shown; while unknown, the last one that was (None if there never was one).
        since_ns: host time since when value or reason is as it is.
        window: capture time of the newest window, from and to.
        observed_ns: host time of the newest prediction.
        received_ns: host time of the newest frame behind the state.
        source: where those frames came from.
        model: model of the newest prediction.
        extras: further facts of the newest prediction.
        waiting: the other value that the windows have been giving since this capture time (presence).
        recent: values of the latest windows, oldest first (counting).
    """

    task: str
    reason: str | None
    shown: Said | None
    since_ns: int
    window: tuple[int, int] | None = None
    observed_ns: int | None = None
    received_ns: int | None = None
    source: str | None = None
    model: dict[str, Json] | None = None
    extras: dict[str, Json] = {}
    waiting: tuple[Json, int] | None = None
    recent: tuple[Said, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the state holds a value."""
        return self.reason is None

    @property
    def value(self) -> JsonValue:
        """The value shown; None while unknown."""
        return self.shown.value if self.ok and self.shown else None

    def to_json(self) -> dict[str, Any]:
        """As stored beside the state."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        return document

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Inverse of `to_json`.

        Raises:
            msgspec.ValidationError: not such a document.
        """
        return msgspec.convert(document, cls)


def fresh(task: str, now_ns: int, reason: str) -> Memory:
    """The memory of a task nothing is known about yet."""
    return Memory(task=task, reason=reason, shown=None, since_ns=now_ns)


def document(memory: Memory, stale_after_s: float) -> TaskState:
    """The state as the API shows it (DESIGN A3); a task's own facts stand beside, never in place of these."""
    shown = memory.shown
    known = shown if memory.ok else None
    stale_ns = memory.received_ns and memory.received_ns + round(stale_after_s * 1e9)
    return TaskState(
        task=memory.task,
        status=_status(memory),
        reason=memory.reason,
        value=known.value if known else None,
        probability=known.probability if known else None,
        interval=known.interval if known else None,
        since=rfc3339(memory.since_ns),
        observed_at=rfc3339(memory.observed_ns) if memory.observed_ns else None,
        window=_span(memory.window),
        stale_after=rfc3339(stale_ns) if stale_ns else None,
        last_known=None if memory.ok or shown is None else _last_known(shown),
        model=ModelInfo.model_validate(memory.model) if memory.model else None,
        source=memory.source,
        **{name: fact for name, fact in memory.extras.items() if name not in TaskState.model_fields},
    )


def _status(memory: Memory) -> Status:
    if memory.ok:
        return Status.OK
    return Status.PAUSED if memory.reason == PAUSED else Status.UNKNOWN


def model_document(prediction: Prediction) -> dict[str, Json] | None:
    """The model behind a prediction, as a state shows it."""
    return None if prediction.model is None else msgspec.to_builtins(prediction.model)


def _span(window: tuple[int, int] | None) -> dict[str, str] | None:
    return None if window is None else {"from": rfc3339(window[0]), "to": rfc3339(window[1])}


def _last_known(said: Said) -> LastKnown:
    return LastKnown(
        value=said.value,
        probability=said.probability,
        interval=said.interval,
        observed_at=rfc3339(said.observed_ns),
    )
