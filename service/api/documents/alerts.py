"""Bodies about alerts, their rules, and secondary screenings."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from service.api.documents.common import Body, Cursor, Moment, ignoring
from service.api.documents.samples import Sample
from service.rooms.alerting.rules import MOST_RULES, AlertRule, SeverityName, without_kind

StateName = Literal["raised", "acknowledged", "snoozed", "dismissed", "cleared"]
KindName = Literal["occupied", "inactivity", "count_over", "suspicious_object", "link_lost", "drift", ""]

_ALERT: dict[str, Any] = {
    "alert_id": "9f2c4e6a8b0d1f35",
    "rule": "after_hours",
    "kind": "occupied",
    "room": "lab",
    "severity": "warning",
    "state": "acknowledged",
    "raised_at": "2026-01-31T19:12:04.000Z",
    "updated_at": "2026-01-31T19:13:10.000Z",
    "cleared_at": None,
    "snoozed_until": None,
    "acknowledged": {"by": "key:4f1c2a9e", "at": "2026-01-31T19:13:10.000Z"},
    "dismissed": None,
    "task": "presence",
    "source": "live",
    "reached": {"warning": "2026-01-31T19:12:04.000Z"},
}
_RULES: dict[str, Any] = {
    "items": [
        {
            "id": "after_hours",
            "kind": "occupied",
            "severity": "warning",
            "tags": {"floor": "3"},
            "hold_s": 20,
            "cooldown_s": 600,
            "escalation": [{"severity": "critical", "after_s": 900}],
            "schedule": {
                "rrule": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=18",
                "duration_s": 43200,
                "time_zone": "Europe/Vienna",
            },
        },
        {
            "id": "crowded",
            "kind": "count_over",
            "severity": "warning",
            "rooms": ["lab"],
            "limit": 12,
            "hold_s": 300,
            "escalation": [{"severity": "critical", "limit": 20}],
        },
    ]
}


class Done(BaseModel):
    """Who did something about an alert, and when."""

    model_config = ConfigDict(extra="allow")

    by: str
    at: str


class Dismissed(Done):
    """Who dismissed an alert. `sample` and `reason`: what became of the label of a false alarm."""

    false_alarm: bool
    sample: str | None = None
    reason: str | None = None


class Alert(BaseModel):
    """An alert; `reached` says when it became how severe.

    What it is about (`task`, `link`, `after`) stands beside.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": _ALERT})

    alert_id: str
    rule: str
    kind: KindName
    room: str | None
    severity: SeverityName
    state: StateName
    raised_at: str
    updated_at: str
    cleared_at: str | None
    snoozed_until: str | None
    acknowledged: Done | None
    dismissed: Dismissed | None


class AlertPage(BaseModel):
    """Alerts, newest first."""

    items: list[Alert]
    next_cursor: Cursor


class SnoozeBody(Body):
    """For how long nobody wants to hear of an alert: one of both."""

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, json_schema_extra={"example": {"for_s": 1800}}
    )

    for_s: Annotated[float, Field(ge=1, le=30 * 86400)] | None = None
    until: Moment | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.for_s is None) == (self.until is None):
            raise ValueError("give one of for_s and until")
        return self


class DismissBody(Body):
    """`false_alarm`: what the alert said was not so, and its windows are to be learned from.

    `count` says how many people there were, for an alert about a number of people.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"example": {"false_alarm": True}}
    )

    false_alarm: bool = False
    count: Annotated[int, Field(ge=0, le=9999)] | None = None


class Dismissal(BaseModel):
    """The alert, and the sample that a false alarm became; `reason` says why none or not accepted."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "alert": {
                    **_ALERT,
                    "state": "dismissed",
                    "dismissed": {
                        "by": "key:4f1c2a9e",
                        "at": "2026-01-31T19:20:00.000Z",
                        "false_alarm": True,
                        "sample": None,
                        "reason": "of room lab is held: nothing",
                    },
                },
                "sample": None,
                "reason": "of room lab is held: nothing",
            }
        }
    )

    alert: Alert
    sample: Sample | None
    reason: str | None


def _named(value: Any, check: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401 - whatever was sent
    """Check one rule, and name it in what is wrong with it."""
    try:
        return check(value)
    except ValidationError as error:
        name = value.get("id") if isinstance(value, dict) else None
        told = [_in_rule(name, one) for one in error.errors(include_url=False)]
        raise ValidationError.from_exception_data(error.title, told) from error


def _in_rule(name: object, found: ErrorDetails) -> InitErrorDetails:
    # Half a surrogate pair can be sent, not told.
    named = f"rule {name[:64]}: ".encode("ascii", "replace").decode() if isinstance(name, str) else ""
    words = {"rule": named, "why": found["msg"].removeprefix("Value error, ")}
    kind = PydanticCustomError("rule_error", "{rule}{why}", words)
    return InitErrorDetails(type=kind, loc=without_kind(found["loc"]), input=None)


class RuleList(Body):
    """All alert rules."""

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, json_schema_extra={"example": _RULES}
    )

    items: Annotated[list[Annotated[AlertRule, WrapValidator(_named)]], Field(max_length=MOST_RULES)]

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        ids = [rule.id for rule in self.items]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"rule {twice[0]!r} stands twice")
        return self


RulesBody = Annotated[RuleList, ignoring({"next_cursor"})]
"""What GET gave can be changed and PUT back."""


class RulePage(BaseModel):
    """Alert rules."""

    model_config = ConfigDict(json_schema_extra={"example": {**_RULES, "next_cursor": None}})

    items: list[AlertRule]
    next_cursor: Cursor


class Screening(BaseModel):
    """A secondary screening; `from` and `to` are the walk it is about, capture time.

    `sample` is what the outcome was learned as, `reason` why it was not.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "scr-9f2c4e6a8b0d1f35",
                "alert_id": "9f2c4e6a8b0d1f35",
                "room": "gate",
                "state": "closed",
                "found": "metal",
                "from": "2026-01-31T12:00:02.100Z",
                "to": "2026-01-31T12:00:06.900Z",
                "opened_at": "2026-01-31T12:00:07.400Z",
                "closed_at": "2026-01-31T12:01:30.000Z",
                "actor": "key:4f1c2a9e",
                "sample": "smp-0123456789abcdef",
                "reason": None,
            }
        }
    )

    id: str
    alert_id: str
    room: str
    state: Literal["open", "closed"]
    found: str | None
    start: Annotated[str | None, Field(alias="from")]
    end: Annotated[str | None, Field(alias="to")]
    opened_at: str
    closed_at: str | None
    actor: str | None
    sample: str | None
    reason: str | None


class ScreeningPage(BaseModel):
    """Screenings, newest first."""

    items: list[Screening]
    next_cursor: Cursor


class OutcomeBody(Body):
    """What the search found."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"found": "none"}})

    found: Literal["metal", "liquid", "none"]
