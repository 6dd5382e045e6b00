"""When a rule counts: an iCalendar recurrence (RFC 5545, 3.3.10), how long each lasts, and a time zone.

Only what can be looked up quickly is taken: at most 24 beginnings a day, no seconds, no positions in a set,
and no recurrence that never happens. Everything is reckoned on the host's clock.
"""

import calendar
import re
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_PARTS: Final = (
    "FREQ",
    "INTERVAL",
    "UNTIL",
    "BYMONTH",
    "BYMONTHDAY",
    "BYDAY",
    "BYHOUR",
    "BYMINUTE",
    "WKST",
)
MOST_A_DAY: Final = 24
_LEAP_YEAR: Final = 2024
_RRULE = re.compile(r"[A-Z]+=[A-Z0-9,+-]+(;[A-Z]+=[A-Z0-9,+-]+)*")
_NUMBERS = re.compile(r"[+-]?\d{1,2}(,[+-]?\d{1,2})*")
_DAYS = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU))*")
_START = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
_LOOK_AHEAD = timedelta(days=1)
_CLOCK_CHANGE = timedelta(hours=3)
"""More than any clock is ever put forward or back."""


def _rrule(text: str) -> str:
    if not _RRULE.fullmatch(text):
        raise ValueError("write e.g. FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=18;BYMINUTE=0")
    parts = _parts(text)
    if len(parts) != text.count("=") or (unknown := set(parts) - set(_PARTS)):
        raise ValueError(
            f"takes each once: {', '.join(_PARTS)}" + (f"; not {min(unknown)}" if unknown else "")
        )
    if parts.get("FREQ") not in FREQUENCIES:
        raise ValueError(f"FREQ is one of {', '.join(FREQUENCIES)}")
    _check_numbers(parts)
    _check_days(parts)
    return text


def _parts(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(";"))


def _check_numbers(parts: dict[str, str]) -> None:
    if not re.fullmatch(r"[1-9]\d{0,2}", parts.get("INTERVAL", "1")):
        raise ValueError("INTERVAL is a whole number from 1 to 999")
    for name in ("BYMONTH", "BYMONTHDAY", "BYHOUR", "BYMINUTE"):
        if not _NUMBERS.fullmatch(parts.get(name, "0")):
            raise ValueError(f"{name} is a list of numbers")
    beginnings = [len(parts.get(name, "0").split(",")) for name in ("BYHOUR", "BYMINUTE")]
    if beginnings[0] * beginnings[1] > MOST_A_DAY:
        raise ValueError(f"BYHOUR and BYMINUTE give more than {MOST_A_DAY} beginnings a day")


def _check_days(parts: dict[str, str]) -> None:
    """See that the days named can come at all: what never happens would be looked for without an end."""
    days = {"BYMONTH", "BYMONTHDAY", "BYDAY"} & set(parts)
    if not _DAYS.fullmatch(parts.get("BYDAY", "MO")):
        raise ValueError(
            "BYDAY is a list of MO, TU, WE, TH, FR, SA, SU, each with a number of 1 to 5 at most"
        )
    if parts["FREQ"] == "DAILY" and parts.get("INTERVAL", "1") != "1" and days:
        raise ValueError(f"FREQ=DAILY with an INTERVAL takes no {min(days)}")
    if parts["FREQ"] == "WEEKLY" and "BYMONTHDAY" in days:
        raise ValueError("FREQ=WEEKLY takes no BYMONTHDAY")
    months = [int(one) for one in parts.get("BYMONTH", "1").split(",")]
    monthdays = [abs(int(one)) for one in parts.get("BYMONTHDAY", "1").split(",")]
    if not all(1 <= month <= 12 for month in months):
        raise ValueError("BYMONTH is 1 to 12")
    if not any(0 < day <= _days_in(month) for month, day in product(months, monthdays)):
        raise ValueError("no such day in these months")


def _days_in(month: int) -> int:
    return calendar.monthrange(_LEAP_YEAR, month)[1]


def _start(text: str) -> str:
    if not _START.fullmatch(text):
        raise ValueError("write local time without an offset, e.g. 2026-01-05T18:00")
    datetime.fromisoformat(text)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, LookupError, OSError) as error:
        raise ValueError("no time zone of that name; write e.g. Europe/Berlin or UTC") from error
    return name


class Schedule(BaseModel):
    """Spans of local time that recur: each begins as `rrule` says and lasts `duration_s` of real time.

    `start` is the first beginning at the earliest (DTSTART), local time; it also says the time of day where
    `rrule` does not.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    rrule: Annotated[str, StringConstraints(max_length=200), AfterValidator(_rrule)]
    start: Annotated[str, AfterValidator(_start)] = "2026-01-05T00:00"
    duration_s: Annotated[int, Field(ge=60, le=7 * 86400)]
    timezone: Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)] = "UTC"

    @model_validator(mode="after")
    def _happens(self) -> Self:
        try:
            first = next(iter(self._recurrence(self._begin)), None)
        except (ValueError, LookupError, TypeError, ArithmeticError) as error:
            raise ValueError(f"rrule: {error}") from error
        if first is None:
            raise ValueError("rrule: never happens from `start` on")
        return self

    def at(self, now_ns: int) -> tuple[bool, int]:
        """Whether a span covers this moment, and the next moment at which that may change (Unix ns)."""
        zone, now = ZoneInfo(self.timezone), datetime.fromtimestamp(now_ns / 1e9, UTC)
        local = now.astimezone(zone).replace(tzinfo=None)
        length = timedelta(seconds=self.duration_s)
        earliest = local - length - _CLOCK_CHANGE
        found = self._recurrence(earliest).between(earliest, local + _LOOK_AHEAD + _CLOCK_CHANGE, inc=True)
        begins = [one.replace(tzinfo=zone).astimezone(UTC) for one in found]
        inside = any(begin <= now < begin + length for begin in begins)
        edges = [edge for begin in begins for edge in (begin, begin + length) if edge > now]
        return inside, round(min([*edges, now + _LOOK_AHEAD]).timestamp() * 1e9)

    @property
    def _begin(self) -> datetime:
        return datetime.fromisoformat(self.start)

    def _recurrence(self, earliest: datetime) -> Any:  # noqa: ANN401 - dateutil has no types
        """The recurrence, begun by whole intervals shortly before this: what was years ago is not counted."""
        parts, begin = _parts(self.rrule), self._begin
        days = {"DAILY": 1, "WEEKLY": 7}.get(parts["FREQ"])
        if days is not None and earliest > begin:
            interval = timedelta(days=days * int(parts.get("INTERVAL", "1")))
            begin += (earliest - begin) // interval * interval
        return rrulestr(self.rrule, dtstart=begin)
