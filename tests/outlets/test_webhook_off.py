"""A webhook is turned off for what it met, never for time that nobody tried in."""

import pytest

from service.outlets.webhooks.client import Answer
from service.outlets.webhooks.health import Health

HOUR = 3600 * 10**9
YEAR_2026 = 56 * 365 * 24 * HOUR
GOOD, BAD = Answer(204, None, 0.1), Answer(503, None, 0.1)


def try_for(health: Health, hours: int, from_ns: int) -> list[str | None]:
    """An attempt each minute, all of them failing."""
    return [health.note(BAD, from_ns + minute * HOUR // 60) for minute in range(hours * 60)]


@pytest.mark.parametrize("off_h", [25, 48, 30 * 24])
def test_a_service_that_was_off_for_more_than_a_day_tries_again(off_h: int) -> None:
    health = Health()
    health.note(BAD, YEAR_2026)
    back_ns = YEAR_2026 + off_h * HOUR
    assert try_for(health, 22, back_ns) == [None] * 22 * 60


def test_a_clock_that_jumps_over_years_turns_nothing_off() -> None:
    health = Health()
    assert try_for(health, 1, 0) == [None] * 60  # a board that boots in 1970
    assert health.note(BAD, YEAR_2026) is None
    health.note(GOOD, YEAR_2026 + 1)
    assert health.failing_since_ns is None


def test_who_fails_from_then_on_is_turned_off_all_the_same() -> None:
    health = Health()
    health.note(BAD, YEAR_2026)
    verdicts = try_for(health, 25, YEAR_2026 + 48 * HOUR)
    assert verdicts[: 23 * 60] == [None] * 23 * 60
    assert "no delivery succeeded for 24 hours" in str(verdicts[-1])


def test_a_clock_that_is_set_back_leaves_nothing_of_the_future_behind() -> None:
    health = Health()
    try_for(health, 20, 2 * YEAR_2026)
    verdicts = try_for(health, 25, YEAR_2026)
    assert verdicts[: 23 * 60] == [None] * 23 * 60
    assert "no delivery succeeded for 24 hours" in str(verdicts[-1])
    assert set(health.hours) == {str(YEAR_2026 // HOUR + hour) for hour in range(25)}
    assert health.failing_since_ns == YEAR_2026
