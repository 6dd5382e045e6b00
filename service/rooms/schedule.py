"""When something holds: an iCal recurrence rule, how long each time, and the time zone of its clock.

RFC 5545, 3.3.10, expanded by python-dateutil. Times of day are those of the clock on the wall, so "22:00 for
8 h" ends at 06:00 also in the night in which clocks change; a time that such a night leaves out is read with
the offset before it, one that comes twice is the first of them (RFC 5545, 3.3.5).
"""

import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final, NamedTuple, Self

from dateutil.rrule import rrule, rrulestr
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

LONGEST_S: Final = 31 * 86400
MOST_TIMES_A_DAY: Final = 96
_DAY_NS: Final = 86_400_000_000_000
_STEP: Final = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}
_TIMES: Final = ("BYHOUR", "BYMINUTE", "BYSECOND")
_PARTS: Final = (
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS"),
    *_TIMES,
)
_UNTIL: Final = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_CYCLE_YEARS: Final = 400
"""The Gregorian calendar repeats, weekdays and all; dateutil looks for a next time up to the year 9999."""


class Occurrence(NamedTuple):
    """[from_ns, to_ns), Unix nanoseconds."""

    from_ns: int
    to_ns: int


class Schedule(BaseModel):
    """Times at which something holds.

    Attributes:
        rrule: RFC 5545 recurrence, e.g. ``FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=18``; days or longer
            periods only, hours and minutes by BYHOUR and BYMINUTE.
        duration_s: how long each time, by the clock on the wall.
        time_zone: IANA name.
        start: local date and time of the first occurrence (DTSTART): what the rule leaves open (time of day,
            weekday) is taken from it, INTERVAL and COUNT count from it. The default is a Monday, midnight.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "rrule": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=18",
                    "duration_s": 43200,
                    "time_zone": "Europe/Vienna",
                }
            ]
        },
    )

    rrule: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    duration_s: Annotated[int, Field(ge=60, le=LONGEST_S)]
    time_zone: Annotated[str, StringConstraints(max_length=64)] = "UTC"
    start: Annotated[str, StringConstraints(pattern=r"^20\d\d-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$")] = (
        "2024-01-01T00:00:00"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        _zone(name)
        return name

    @field_validator("start")
    @classmethod
    def _real_start(cls, text: str) -> str:
        datetime.fromisoformat(text)
        return text

    @model_validator(mode="after")
    def _happens(self) -> Self:
        """It can be read, and happens at all: a rule that never does would be searched for without end."""
        start = datetime.fromisoformat(self.start)
        later = start.replace(year=start.year + (9998 - start.year) // _CYCLE_YEARS * _CYCLE_YEARS)
        parts = parts_of(self.rrule)
        if next(iter(_rule({**parts, "UNTIL": ""}, later, self.time_zone)), None) is None:
            raise ValueError(f"rrule {self.rrule!r} never happens: no day fits all of its parts")
        _rule(parts, start, self.time_zone)
        return self

    def covers(self, time_ns: int) -> bool:
        """Whether it holds at this moment."""
        return self.at(time_ns) is not None

    def at(self, time_ns: int, *, begun_since_ns: int = 0) -> Occurrence | None:
        """The occurrence that holds at this moment and began no earlier; of several the longest to come."""
        there = (
            one
            for one in _of_day(self, time_ns // _DAY_NS)
            if begun_since_ns <= one.from_ns <= time_ns < one.to_ns
        )
        return max(there, key=lambda one: one.to_ns, default=None)

    def next_after(self, time_ns: int) -> Occurrence | None:
        """The first occurrence that begins later than this moment; None where COUNT or UNTIL ended it."""
        begin = _local(time_ns, self.time_zone)
        found = _rule_near(self, begin).after(begin)
        return None if found is None else _occurrence(self, found)


def parts_of(text: str) -> dict[str, str]:
    """The parts of a recurrence rule by name.

    Raises:
        ValueError: not such a rule, or one that asks for too much; it says which part.
    """
    parts: dict[str, str] = {}
    for pair in text.removeprefix("RRULE:").upper().split(";"):
        name, equals, value = pair.partition("=")
        if name not in _PARTS or not equals or not value or name in parts:
            raise ValueError(
                f"{pair[:40]!r} is no part of a rule, or stands twice; known: {', '.join(_PARTS)}"
            )
        parts[name] = value
    _check_bounds(parts)
    return parts


def _check_bounds(parts: dict[str, str]) -> None:
    if parts.get("FREQ") not in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}:
        raise ValueError("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY; several times a day go by BYHOUR")
    for name in ("INTERVAL", "COUNT"):
        if name in parts and not (parts[name].isdecimal() and 1 <= int(parts[name]) <= 1000):
            raise ValueError(f"{name} must be a number from 1 to 1000")
    times = 1
    for name in _TIMES:
        times *= parts.get(name, "").count(",") + 1
    if times > MOST_TIMES_A_DAY:
        raise ValueError(f"{times} times a day, at most {MOST_TIMES_A_DAY}")


def _rule(parts: dict[str, str], start: datetime, zone: str) -> rrule:
    """The rule in local time without a zone.

    Raises:
        ValueError: a part does not fit.
    """
    said = {**parts, "UNTIL": _local_until(parts["UNTIL"], zone)} if parts.get("UNTIL") else parts
    text = ";".join(f"{name}={value}" for name, value in said.items() if value)
    try:
        found = rrulestr(text, dtstart=start)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"rrule: {error}") from error
    if not isinstance(found, rrule):
        raise ValueError("rrule: one rule, nothing else")  # noqa: TRY004 - pydantic reads ValueError
    return found


def _local_until(text: str, zone: str) -> str:
    """UNTIL by the clock of the zone; a day alone includes all of it.

    Raises:
        ValueError: neither a day nor a date-time of RFC 5545.
    """
    match = _UNTIL.fullmatch(text)
    if match is None:
        raise ValueError("UNTIL is written 20261231 or 20261231T180000Z")
    moment = datetime.strptime(match[1] + (match[2] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - local
    if match[3]:
        moment = moment.replace(tzinfo=UTC).astimezone(_zone(zone)).replace(tzinfo=None)
    return f"{moment:%Y%m%dT%H%M%S}"


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no time zone {name!r}; IANA names are e.g. Europe/Vienna, UTC") from error


@lru_cache(maxsize=16384)
def _of_day(schedule: Schedule, day: int) -> tuple[Occurrence, ...]:
    """Occurrences that touch a day, counted from 1970 in UTC."""
    before = _local(day * _DAY_NS, schedule.time_zone) - timedelta(seconds=schedule.duration_s, days=1)
    after = _local((day + 1) * _DAY_NS, schedule.time_zone) + timedelta(days=1)
    begins = _rule_near(schedule, before).between(before, after, inc=True)
    found = (_occurrence(schedule, begin) for begin in begins)
    return tuple(one for one in found if one.from_ns < (day + 1) * _DAY_NS and one.to_ns > day * _DAY_NS)


def _rule_near(schedule: Schedule, moment: datetime) -> rrule:
    """The rule, begun not long before the moment: years of days since its start are not counted through."""
    parts, start = parts_of(schedule.rrule), datetime.fromisoformat(schedule.start)
    step = _STEP.get(parts["FREQ"])
    if step is not None and "COUNT" not in parts and moment > start:
        step *= int(parts.get("INTERVAL", "1"))
        start += (moment - start) // step * step
    return _rule(parts, start, schedule.time_zone)


def _occurrence(schedule: Schedule, begin: datetime) -> Occurrence:
    """From the local begin to the local end; where a change of clocks leaves nothing between, exact time."""
    from_ns = _unix_ns(begin, schedule.time_zone)
    to_ns = _unix_ns(begin + timedelta(seconds=schedule.duration_s), schedule.time_zone)
    return Occurrence(from_ns, to_ns if to_ns > from_ns else from_ns + schedule.duration_s * 1_000_000_000)


def _local(time_ns: int, zone: str) -> datetime:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, _zone(zone)).replace(tzinfo=None)


def _unix_ns(local: datetime, zone: str) -> int:
    return round(local.replace(tzinfo=_zone(zone)).timestamp()) * 1_000_000_000
