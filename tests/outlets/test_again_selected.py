"""What comes again after a break is what the outlet sends: what it passes over uses up nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.events import EventType
from service.outlets import last
from service.outlets.again import Again
from service.outlets.cursor import Cursor
from service.outlets.last import read_last_fitting
from service.outlets.resend import Reach, Resend
from service.outlets.settings import OutletSettings
from service.outlets.syslog.outlet import make
from service.outlets.syslog.settings import SyslogSettings
from service.settings import Settings
from service.store.engine import Store, open_store
from service.store.eventlog import StoredEvent
from service.view.leaving import may_leave
from tests.outlets.site import append


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(Settings(data_dir=tmp_path).store_url)
    yield opened
    opened.close()


def leaves(event: StoredEvent) -> bool:
    return may_leave(event, allow_non_live=False)


async def after_a_break(resend: Resend, store: Store, newest: int) -> list[int]:
    """The numbers of what comes again, when all was delivered."""
    cursor = Cursor(store, "syslog")
    await cursor.open()
    cursor.position = newest
    again = Again(resend, store, cursor, leaves)
    await again.connected()
    again.delivered(0)
    again.lost()
    await again.connected()
    return [event.sequence for event in await again.due()]


async def test_an_alert_comes_again_though_much_else_followed_it(store: Store, tmp_path: Path) -> None:
    syslog = SyslogSettings(host="localhost", resend=2)
    outlet = make(Settings(data_dir=tmp_path, outlets=OutletSettings(syslog=syslog)), store)
    alerts = append(store, 3)
    append(store, 5, source="simulated")
    newest = append(store, 5, kind=EventType.PREDICTION_CHANGED)[-1]
    assert outlet.resend is not None
    assert await after_a_break(outlet.resend, store, newest) == alerts[-2:]


async def test_what_may_not_leave_uses_up_nothing(store: Store) -> None:
    alerts = append(store, 3)
    newest = append(store, 5, source="simulated")[-1]
    assert await after_a_break(Resend(Reach(2, 60, 15, breaks_only=True)), store, newest) == alerts[-2:]


def test_it_is_looked_for_page_by_page_and_not_for_ever(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = append(store, 20)
    wanted = set(numbers[::3])

    def found(limit: int, after: int = 0) -> list[int]:
        events = read_last_fitting(
            store, lambda one: one.sequence in wanted, after=after, up_to=numbers[-2], limit=limit
        )
        return [event.sequence for event in events]

    expected = sorted(wanted)
    for page in (1, 2, 7, 1000):
        monkeypatch.setattr(last, "PAGE", page)
        assert found(100) == expected
        assert found(3) == expected[-3:]
        assert found(100, after=expected[2]) == expected[3:]
    monkeypatch.setattr(last, "LOOKED_THROUGH", 6)
    assert found(100) == expected[-2:]
