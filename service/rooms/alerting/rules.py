"""Alert rules: what a person wants to see as an alert. Documents that people edit, kept in the store.

A further kind is one more class: what it is about, and from which value on it holds.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from models.prediction import JsonValue
from service.events import Severity
from service.rooms.config import Name, RoomConfig
from service.rooms.schedule import Schedule

SeverityName = Literal["info", "warning", "critical"]
Hold = Annotated[float, Field(ge=0, le=86400)]
MOST_RULES: Final = 200
LINK, DRIFT, PRESENCE = "link", "drift", "presence"
"""What rules are about that are no tasks, and the task that drift hangs on."""
_NOTHING: Final = "none"


def tells(config: RoomConfig, about: str) -> bool:
    """Whether a room tells this: a task of its own, its links; drift where presence says when it is empty."""
    drift = {DRIFT} if PRESENCE in config.tasks else set[str]()
    return about in {LINK, *drift, *config.tasks}


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Escalation(_Document):
    """A step up: once the alert has stood for `after_s` unacknowledged, or the count has passed `limit`."""

    severity: SeverityName
    after_s: Annotated[float, Field(gt=0, le=7 * 86400)] | None = None
    limit: Annotated[int, Field(ge=0, le=10_000)] | None = None

    @model_validator(mode="after")
    def _one_reason(self) -> Self:
        if (self.after_s is None) == (self.limit is None):
            raise ValueError("give one of after_s and limit")
        return self


class _Rule(_Document):
    """What all kinds have in common.

    `rooms` and `tags` say where it counts: rooms of these names, with all of these tags; null is no
    condition. `hold_s` is how long the condition must be known to hold before anybody is told: capture time
    for what rooms show, host time for links and drift. For `cooldown_s` (host time) after an alert was raised
    no other of the same room, kind and severity is. `schedule` with `when` says at what times it counts; null
    is always.
    """

    id: Name
    enabled: bool = True
    rooms: Annotated[list[Name], Field(min_length=1, max_length=1000)] | None = None
    tags: dict[Annotated[str, StringConstraints(max_length=100)], str] | None = None
    severity: SeverityName
    hold_s: Hold = 0.0
    cooldown_s: Hold = 0.0
    escalation: Annotated[list[Escalation], Field(max_length=5)] = []
    schedule: Schedule | None = None
    when: Literal["inside", "outside"] = "inside"

    about: ClassVar[str]
    in_host_time: ClassVar[bool] = False
    takes_limits: ClassVar[bool] = False
    tells_values: ClassVar[bool] = False
    """Whether an open alert is updated when the value changes and the condition still holds."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        for step in self.escalation:
            if Severity(step.severity).rank <= Severity(self.severity).rank:
                raise ValueError(f"escalation: {step.severity} is not above the rule's {self.severity}")
            if step.limit is not None and not self.takes_limits:
                raise ValueError("escalation: limit is for rules that count")
        return self

    def holds(self, value: JsonValue) -> bool:
        """Whether the condition holds of a known value."""
        raise NotImplementedError

    def counts_at(self, now_ns: int) -> bool:
        """Whether it counts at this moment of host time."""
        return self.schedule is None or self.schedule.covers(now_ns) == (self.when == "inside")

    def covers(self, room: str, tags: Mapping[str, str]) -> bool:
        """Whether it is about this room."""
        named = self.rooms is None or room in self.rooms
        return named and all(tags.get(name) == value for name, value in (self.tags or {}).items())

    def asks(self, room: str, config: RoomConfig) -> bool:
        """Whether it is about this room, and the room tells what it asks for."""
        return self.covers(room, config.tags) and tells(config, self.about)

    def severity_of(self, value: JsonValue, stood_s: float) -> Severity:
        """How severe an alert is at this value, after so many seconds without anybody's answer."""
        steps = [
            Severity(step.severity)
            for step in self.escalation
            if (step.after_s is not None and stood_s >= step.after_s)
            or (step.limit is not None and isinstance(value, int) and value > step.limit)
        ]
        return max([Severity(self.severity), *steps], key=lambda one: one.rank)


class OccupiedRule(_Rule):
    """Somebody is in the room; with a schedule: after hours."""

    kind: Literal["occupied"]
    about = "presence"

    def holds(self, value: JsonValue) -> bool:
        """Presence says occupied."""
        return value == "occupied"


class InactivityRule(_Rule):
    """Nobody was seen for `hold_s` in a room that should be used."""

    kind: Literal["inactivity"]
    hold_s: Annotated[float, Field(ge=60, le=86400)] = 1800.0
    about = "presence"

    def holds(self, value: JsonValue) -> bool:
        """Presence says vacant."""
        return value == "vacant"


class CountOverRule(_Rule):
    """More than `limit` people for `hold_s`."""

    kind: Literal["count_over"]
    limit: Annotated[int, Field(ge=0, le=10_000)]
    about = "counting"
    takes_limits = True

    def holds(self, value: JsonValue) -> bool:
        """More people than the limit."""
        return isinstance(value, int) and value > self.limit


class SuspiciousObjectRule(_Rule):
    """Somebody carries something; `objects` null: whatever it is."""

    kind: Literal["suspicious_object"]
    objects: Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(min_length=1)] | None = (
        None
    )
    about = "suspicious_object"
    tells_values = True

    def holds(self, value: JsonValue) -> bool:
        """The model names an object that is asked about."""
        return value != _NOTHING if self.objects is None else value in self.objects


class LinkLostRule(_Rule):
    """A link of the room fell silent."""

    kind: Literal["link_lost"]
    about = LINK
    in_host_time = True

    def holds(self, value: JsonValue) -> bool:
        """The link is lost."""
        return value is True


class DriftRule(_Rule):
    """The room has drifted from its calibration: a recalibration is suggested."""

    kind: Literal["drift"]
    about = DRIFT
    in_host_time = True

    def holds(self, value: JsonValue) -> bool:
        """A recalibration is suggested."""
        return value is True


AlertRule = Annotated[
    OccupiedRule | InactivityRule | CountOverRule | SuspiciousObjectRule | LinkLostRule | DriftRule,
    Field(discriminator="kind"),
]
_RULE: TypeAdapter[AlertRule] = TypeAdapter(AlertRule)
_KINDS: Final = frozenset({"occupied", "inactivity", "count_over", "suspicious_object", "link_lost", "drift"})


def rule_of(document: Mapping[str, Any]) -> AlertRule:
    """The rule in a stored document.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return _RULE.validate_python(document)


def without_kind(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Where a key of a rule stands: validation names the rule's kind in between, before its keys."""
    return tuple(
        part
        for place, part in enumerate(loc)
        if part not in _KINDS or not (place == 0 or isinstance(loc[place - 1], int))
    )


BUILT_IN: Final[tuple[AlertRule, ...]] = (
    OccupiedRule(id="room_occupied", kind="occupied", severity="info"),
    SuspiciousObjectRule(id="suspicious_object", kind="suspicious_object", severity="critical"),
    LinkLostRule(id="link_lost", kind="link_lost", severity="warning"),
    DriftRule(id="recalibration_suggested", kind="drift", severity="warning"),
)
"""What a new store begins with (DESIGN A4); migration 4 writes them once, people change them at will."""
