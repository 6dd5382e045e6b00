"""Recurring times: by the clock on the wall, through changes of clocks, and bounded whatever is asked."""

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.rooms.schedule import Schedule

H = 3600
WORKDAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=18"


def at(text: str, zone: str = "Europe/Vienna", fold: int = 0) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(moment.timestamp()) * 10**9


def nights(**more: object) -> Schedule:
    return Schedule.model_validate(
        {"rrule": "FREQ=DAILY;BYHOUR=22", "duration_s": 8 * H, "time_zone": "Europe/Vienna", **more}
    )


def test_every_evening_of_a_working_day() -> None:
    evening = Schedule(rrule=WORKDAYS, duration_s=12 * H, time_zone="Europe/Vienna")
    assert evening.covers(at("2026-11-20T18:00"))
    assert evening.covers(at("2026-11-21T05:59:59"))
    assert not evening.covers(at("2026-11-21T06:00"))
    assert not evening.covers(at("2026-11-21T19:00")), "a Saturday"
    assert evening.next_after(at("2026-11-21T19:00")) == (at("2026-11-23T18:00"), at("2026-11-24T06:00"))


@pytest.mark.parametrize(("evening", "morning"), [("2026-03-28", "2026-03-29"), ("2026-10-24", "2026-10-25")])
def test_a_night_ends_at_the_same_hour_when_clocks_change(evening: str, morning: str) -> None:
    there = nights().at(at(f"{morning}T01:00"))
    assert there == (at(f"{evening}T22:00"), at(f"{morning}T06:00"))
    hours = (there[1] - there[0]) // (H * 10**9)
    assert hours == (7 if morning == "2026-03-29" else 9)


def test_a_time_that_is_left_out_and_one_that_comes_twice() -> None:
    early = nights(rrule="FREQ=DAILY;BYHOUR=2;BYMINUTE=30", duration_s=30 * 60)
    left_out = early.at(at("2026-03-29T03:30"))
    assert left_out is not None
    assert left_out[1] - left_out[0] == 30 * 60 * 10**9
    twice = early.at(at("2026-10-25T02:45", fold=0))
    assert twice == (at("2026-10-25T02:30", fold=0), at("2026-10-25T03:00")), "from the first 02:30 to 03:00"


@settings(deadline=None)
@given(
    day=st.integers(0, 3000),
    zone=st.sampled_from(["UTC", "Europe/Vienna", "Australia/Lord_Howe", "Asia/Gaza"]),
)
def test_each_night_is_covered_at_both_ends(day: int, zone: str) -> None:
    asked = nights(time_zone=zone)
    begin = asked.next_after(1_700_000_000 * 10**9 + day * 86400 * 10**9)
    assert begin is not None
    assert asked.covers(begin.from_ns)
    assert asked.covers(begin.to_ns - 1)
    assert not asked.covers(begin.to_ns)
    assert not asked.covers(begin.from_ns - 1)


def test_every_other_week_counts_from_the_start() -> None:
    other = nights(rrule="FREQ=WEEKLY;INTERVAL=2", start="2026-01-07T20:00:00", duration_s=H)
    found = [day for day in range(1, 32) if other.covers(at(f"2026-01-{day:02}T20:30"))]
    assert found == [7, 21]
    assert other.covers(at("2036-01-09T20:30")) != other.covers(at("2036-01-16T20:30"))


def test_until_and_count_end_it() -> None:
    until = nights(rrule="FREQ=DAILY;BYHOUR=22;UNTIL=20260105T210000Z")
    assert until.covers(at("2026-01-05T22:30")), "21:00 UTC is 22:00 in Vienna, and included"
    assert not until.covers(at("2026-01-06T22:30"))
    assert until.next_after(at("2026-01-06T22:30")) is None
    three = nights(rrule="FREQ=DAILY;COUNT=3", start="2026-01-01T22:00")
    assert three.next_after(at("2026-01-03T23:00")) is None
    assert nights(rrule="FREQ=DAILY;BYHOUR=22;UNTIL=20260105").covers(at("2026-01-05T23:00"))


@pytest.mark.parametrize(
    ("rrule", "why"),
    [
        ("FREQ=SECONDLY", "FREQ"),
        ("FREQ=MINUTELY", "FREQ"),
        ("FREQ=HOURLY", "FREQ"),
        ("BYHOUR=3", "FREQ"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL"),
        ("FREQ=DAILY;COUNT=100000", "COUNT"),
        ("FREQ=DAILY;BYHOUR=25", "rrule"),
        ("FREQ=DAILY;BYHOUR=x", "rrule"),
        ("FREQ=DAILY;BYDAY=", "part"),
        ("FREQ=DAILY;BYDAY=XX", "rrule"),
        ("FREQ=DAILY;BYEASTER=1", "part"),
        ("FREQ=DAILY;FREQ=DAILY", "twice"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL"),
        ("FREQ=DAILY\nDTSTART:20260101T000000", "FREQ"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "never"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "never"),
        (f"FREQ=DAILY;BYMINUTE={','.join(map(str, range(60)))};BYHOUR=1,2", "times a day"),
    ],
)
def test_what_cannot_be_or_never_is_is_refused_soon(rrule: str, why: str) -> None:
    begun = time.process_time()
    with pytest.raises(ValidationError, match=why):
        nights(rrule=rrule)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "more",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": ""},
        {"duration_s": 0},
        {"duration_s": 10**9},
        {"start": "2026-02-30"},
        {"start": "1999-01-01"},
        {"other": 1},
    ],
)
def test_other_fields_are_checked(more: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        nights(**more)


_VALUES = st.sampled_from(
    ["0", "-1", "1", "31", "366", "MO", "-5FR", "1,2,,", "99999999999999999999", "é", ""]
)
_NAMES = st.sampled_from(
    ["INTERVAL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYHOUR", "BYSETPOS", "UNTIL"]
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_NAMES, _VALUES, max_size=4), st.sampled_from(["DAILY", "MONTHLY", "YEARLY"]))
def test_any_rule_is_refused_or_answers(parts: dict[str, str], often: str) -> None:
    rule = ";".join(["FREQ=" + often, *(f"{name}={value}" for name, value in parts.items())])
    try:
        asked = Schedule(rrule=rule, duration_s=3600)
    except ValidationError:
        return
    asked.covers(at("2026-11-21T12:00"))
