"""What is too old goes, the rest stays, and readers of the log are told the truth."""

from typing import Any

import pytest
import sqlalchemy as sa

from service.store import retention
from service.store.audit import audit_page, record
from service.store.engine import Store
from service.store.eventlog import read_events, read_head
from service.store.history import prediction_page
from service.store.log import append_event
from service.store.retention import DAY_NS, forget_old
from service.store.samples import REJECTED, UPLOAD, Answer, add, sample_page
from service.store.schema import alerts, audit, events, idempotency, samples
from service.store.settings import RetentionSettings
from service.worker.retention import Broom
from tests.service.running import wait_for
from tests.store.filled import NOW, S, put, turn, write
from tests.store.test_learning import ASKED

SETTINGS = RetentionSettings(events_days=10, audit_days=100)
ALERT = {"rule": "r", "room": "lab", "severity": "info", "doc": {}, "raised_ns": 1, "updated_ns": 1}


def sweep(store: Store, settings: RetentionSettings = SETTINGS) -> int:
    return sum(forget_old(store, settings, NOW))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)


@pytest.mark.usefixtures("small_batches")
def test_predictions_go_by_their_rooms_own_days(store: Store) -> None:
    put(store, "short", retention_days=1)
    put(store, "long", retention_days=30)
    for room in ("short", "long"):
        for hours in range(0, 50, 5):
            write(store, turn(room, NOW / S - hours * 3600))
    assert sweep(store) == 5
    assert len(prediction_page(store, "short", limit=50)[0]) == 5
    assert len(prediction_page(store, "long", limit=50)[0]) == 10
    assert sweep(store) == 0


@pytest.mark.usefixtures("small_batches")
def test_the_log_goes_from_its_old_end(store: Store) -> None:
    kept = []
    for days in (30, 29, 28, 20, 11, 9, 30, 1):  # one event with a clock that was wrong
        with store.write() as connection:
            data: dict[str, Any] = {"days": days}
            time_ns = NOW - days * DAY_NS
            kept.append(append_event(connection, "x", room=None, data=data, time_ns=time_ns))  # type: ignore[arg-type]
    assert sweep(store) == 5
    page = read_events(store, after=kept[4], limit=9)
    assert page.complete
    assert [event.sequence for event in page.events] == kept[5:]
    assert not read_events(store, after=kept[3], limit=9).complete
    with store.write() as connection:
        connection.execute(sa.update(events).values(time_ns=1))
    sweep(store)
    assert read_head(store) == kept[-1]


def test_open_alerts_stay_and_cleared_ones_go(store: Store) -> None:
    put(store, "lab")
    with store.write() as connection:
        for name, state in (("a", "raised"), ("b", "cleared")):
            connection.execute(sa.insert(alerts).values(**ALERT, alert_id=name, state=state))
    assert sweep(store) == 1
    with store.read() as connection:
        assert list(connection.execute(sa.select(alerts.c.alert_id)).scalars()) == ["a"]


def test_the_audit_log_and_old_requests_go_by_the_site(store: Store) -> None:
    with store.write() as connection:
        for _ in range(2):
            record(connection, actor="me", action="a", target="t")
        newest = sa.select(sa.func.max(audit.c.id)).scalar_subquery()
        connection.execute(sa.update(audit).where(audit.c.id < newest).values(time_ns=NOW - 101 * DAY_NS))
        for key, days in (("old", 2), ("new", 0)):
            row = {"actor": "me", "key": key, "digest": "d", "room": "lab", "made": key}
            connection.execute(sa.insert(idempotency).values(**row, created_ns=NOW - days * DAY_NS))
    assert sweep(store) == 2
    assert len(audit_page(store, limit=9, before=None)[0]) == 1
    with store.read() as connection:
        assert list(connection.execute(sa.select(idempotency.c.key)).scalars()) == ["new"]


def test_samples_stay_unless_the_site_says_otherwise(store: Store) -> None:
    add(store, ASKED, Answer("", REJECTED, {}, UPLOAD))
    with store.write() as connection:
        connection.execute(sa.update(samples).values(created_ns=1))
    assert sweep(store) == 0
    assert len(sample_page(store, "lab", task=None, limit=9, before=None)[0]) == 1
    assert sweep(store, SETTINGS.model_copy(update={"samples_days": 30})) == 1
    assert sample_page(store, "lab", task=None, limit=9, before=None)[0] == []
    assert audit_page(store, limit=1, before=None)[0][0]["actor"] == "retention"


def test_the_worker_sweeps_in_the_background(store: Store) -> None:
    put(store, "lab", retention_days=1)
    write(store, turn("lab", 10))
    with Broom(store, SETTINGS):
        wait_for(lambda: not prediction_page(store, "lab", limit=9)[0], "the broom")
