"""A dead webhook is turned off though its site is off every night: hours are counted until one succeeds."""

import pytest

from service.outlets.webhooks.client import Answer
from service.outlets.webhooks.health import Health

HOUR = 3600 * 10**9
YEAR_2026 = 56 * 365 * 24 * HOUR
GOOD, BAD = Answer(204, None, 0.1), Answer(503, None, 0.1)


def hours_until_off(health: Health, on_h: int, days: int = 40) -> int | None:
    """Hours in which it was tried, twice each, the site being on for so many of every day."""
    tried = [day * 24 + hour for day in range(days) for hour in range(on_h)]
    for count, hour in enumerate(tried, 1):
        for half in (0, 1):
            if health.note(BAD, YEAR_2026 + hour * HOUR + half * HOUR // 2):
                return count
    return None


@pytest.mark.parametrize("on_h", [1, 8, 21, 22, 24])
def test_off_after_a_day_of_trying_whatever_the_nights(on_h: int) -> None:
    assert hours_until_off(Health(), on_h) == 25


def test_a_success_begins_the_count_anew() -> None:
    health = Health()
    assert hours_until_off(health, 8, days=3) is None
    health.note(GOOD, YEAR_2026 + 2 * 24 * HOUR + 8 * HOUR)
    assert health.failed_hours == []
    for hour in range(24):
        assert health.note(BAD, YEAR_2026 + (100 + 2 * hour) * HOUR) is None
    assert health.note(BAD, YEAR_2026 + 148 * HOUR) is not None


def test_what_was_stored_before_hours_were_counted_goes_on() -> None:
    health = Health()
    for hour in range(10):
        health.note(GOOD if hour == 3 else BAD, YEAR_2026 + hour * HOUR)
    old = health.document()
    del old["failed_hours"]
    assert Health.read(old) == health
    assert Health.read({}) == Health()
    assert Health.read({"hours": {"1": [0, 1]}}).failed_hours == []


def test_what_is_stored_comes_back() -> None:
    health = Health()
    hours_until_off(health, 8, days=2)
    assert len(health.failed_hours) == 16
    assert Health.read(health.document()) == health
