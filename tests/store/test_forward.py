"""A store that the release before wrote opens with today's code: every row is kept and can be read."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from service.rooms.alerting.rules import BUILT_IN
from service.rooms.config import RoomConfig
from service.store import engine as opening
from service.store.alert_book import read_cases
from service.store.alert_rules import list_rules
from service.store.alerts import alert_page
from service.store.audit import audit_page
from service.store.baselines import read_fresh
from service.store.engine import Store, open_store
from service.store.eventlog import read_events
from service.store.history import prediction_page
from service.store.idempotency import Once, made_before
from service.store.jobs import get_job
from service.store.keys import digest, list_keys
from service.store.links import list_links
from service.store.log import append_event
from service.store.migrate import applied
from service.store.migrations import MIGRATIONS
from service.store.rooms import list_rooms
from service.store.samples import load_windows, sample_page
from service.store.sessions import session_principal
from service.store.states import read_states
from service.store.versions import list_versions
from tests.store.filled import NOW, put, turn, write

BEFORE = 3
"""The last step of the release before."""
ROWS: dict[str, dict[str, Any]] = {
    "site": {"key": "id", "value": "0123456789abcdef"},
    "rooms": {"room": "lab", "revision": 4, "doc": {}, "created_ns": 1, "updated_ns": 2},
    "links": {
        "link": "l1",
        "room": "lab",
        "nic": "atheros",
        "revision": 2,
        "doc": {"assigned_by": "header"},
        "last_capture_ns": NOW,
        "created_ns": 1,
        "updated_ns": 2,
        "transmitter": 2**48 - 1,
    },
    "states": {
        "room": "lab",
        "task": "presence",
        "sequence": 1,
        "doc": {"task": "presence", "value": "vacant"},
        "memory": {"task": "presence", "reason": "no_frames", "shown": None, "since_ns": 1},
        "received_ns": NOW,
        "updated_ns": NOW,
    },
    "predictions": {
        "room": "lab",
        "task": "presence",
        "from_ns": NOW - 4,
        "to_ns": NOW,
        "observed_ns": NOW,
        "doc": {"value": "vacant", "source": "live"},
    },
    "events": {
        "time_ns": NOW,
        "type": "org.roomtone.room.changed",
        "room": "lab",
        "severity": None,
        "data": {"room": "lab"},
    },
    "alerts": {
        "alert_id": "a1",
        "rule": "room_occupied",
        "room": "lab",
        "severity": "info",
        "state": "raised",
        "raised_ns": NOW,
        "updated_ns": NOW,
        "cleared_ns": None,
        "doc": {"task": "presence", "source": "live"},
    },
    "baselines": {"room": "lab", "task": "presence", "doc": {"l1": {"made_ns": 1}}, "updated_ns": 1},
    "keys": {
        "key_id": "abcd2345",
        "hash": digest("secret"),
        "role": "admin",
        "room": None,
        "name": "panel",
        "created_ns": 1,
        "expires_ns": None,
        "revoked_ns": None,
    },
    "login_tokens": {
        "hash": digest("cookie"),
        "role": "admin",
        "kind": "session",
        "key_id": None,
        "expires_ns": NOW * 2,
    },
    "audit": {"time_ns": NOW, "actor": "me", "action": "key.create", "target": "x", "detail": {"a": 1}},
    "samples": {
        "sample": "smp-1",
        "room": "lab",
        "task": "presence",
        "label": "vacant",
        "state": "accepted",
        "origin": "live",
        "from_ns": 1,
        "to_ns": 2,
        "verdict": {"accepted": True},
        "bytes": 3,
        "actor": "me",
        "created_ns": 1,
        "windows": b"\x00\x01\xff",
    },
    "jobs": {
        "job": "job-1",
        "room": "lab",
        "task": "presence",
        "kind": "adaptation",
        "state": "activated",
        "request": {},
        "doc": {"progress": 1.0},
        "attempts": 1,
        "actor": "me",
        "created_ns": 1,
        "updated_ns": 2,
    },
    "versions": {
        "room": "lab",
        "task": "presence",
        "state": "active",
        "provisional": True,
        "model": "m",
        "model_digest": "d",
        "method": "head_refit",
        "digest": "x",
        "doc": {},
        "shadow": {},
        "job": "job-1",
        "created_ns": 1,
        "activated_ns": 2,
        "head": b"head",
    },
    "idempotency": {
        "actor": "me",
        "key": "k",
        "digest": "d",
        "room": "lab",
        "made": "smp-1",
        "created_ns": NOW,
    },
}


def written_before(url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """A store with the steps of the release before, a row in every table; all rows as they are there."""
    with monkeypatch.context() as then:
        then.setattr(opening, "MIGRATIONS", MIGRATIONS[:BEFORE])
        store = open_store(url)
    tables = sa.MetaData()
    with store.write() as connection:
        tables.reflect(connection)
        ours = set(tables.tables) - {"schema_migrations", "sqlite_sequence"}
        assert ours == set(ROWS), "a row in every table of that release"
        for name, row in ROWS.items():
            connection.execute(sa.insert(tables.tables[name]).values(row))
    with store.read() as connection:
        found = {name: _rows(connection, tables.tables[name]) for name in ROWS}
    store.close()
    return found


def _rows(connection: sa.Connection, table: sa.Table) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


@pytest.fixture
def before(url_before: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    return written_before(url_before, monkeypatch)


@pytest.fixture
def url_before(empty_url: Callable[[], str]) -> str:
    return empty_url()


@pytest.fixture
def upgraded(before: dict[str, Any], url_before: str) -> Iterator[Store]:
    assert before
    store = open_store(url_before)
    yield store
    store.close()


def test_every_row_and_column_is_kept(before: dict[str, list[dict[str, Any]]], upgraded: Store) -> None:
    tables = sa.MetaData()
    with upgraded.read() as connection:
        tables.reflect(connection)
        assert applied(connection) == {step.number: step.name for step in MIGRATIONS}
        for name, rows in before.items():
            now = _rows(connection, tables.tables[name])
            assert [{key: row[key] for key in old} for row, old in zip(now, rows, strict=True)] == rows, name


def test_todays_code_reads_all_of_it(upgraded: Store) -> None:
    (room,) = list_rooms(upgraded)
    assert (room.room, room.revision, room.config) == ("lab", 4, RoomConfig(links=["l1"]))
    assert [link.transmitter for link in _links(upgraded)] == [2**48 - 1]
    assert list_links(upgraded)[0].last_capture_ns == NOW
    assert read_states(upgraded)[0].stored["presence"].doc["value"] == "vacant"
    assert prediction_page(upgraded, "lab", limit=5)[0][0]["value"] == "vacant"
    asked: dict[str, Any] = {"severities": None, "rooms": None, "from_ns": None, "limit": 5}
    assert alert_page(upgraded, states=["raised"], **asked)[0][0]["alert_id"] == "a1"
    (standing,) = read_cases(upgraded, {})
    assert (standing.key.subject, standing.alert and standing.alert.kind) == ("presence", "occupied")
    assert list_rules(upgraded) == list(BUILT_IN)
    assert read_events(upgraded, after=0, limit=5).events[0].data == {"room": "lab"}
    assert read_fresh(upgraded, "lab") == {"l1": {"made_ns": 1}}
    assert [key.name for key in list_keys(upgraded)] == ["panel"]
    assert session_principal(upgraded, "cookie") is not None
    assert audit_page(upgraded, limit=5, before=None)[0][0]["detail"] == {"a": 1}
    assert sample_page(upgraded, "lab", task=None, limit=5, before=None)[0][0].sample == "smp-1"
    assert load_windows(upgraded, "smp-1") == b"\x00\x01\xff"
    assert get_job(upgraded, "job-1") is not None
    assert [version.provisional for version in list_versions(upgraded, "lab")] == [True]
    with upgraded.read() as connection:
        assert made_before(connection, Once("me", "k", "d")) == "smp-1"


def test_todays_code_writes_on(upgraded: Store) -> None:
    put(upgraded, "lab", name="still mine")
    last = write(upgraded, turn("lab", NOW / 1e9 + 1))
    with upgraded.write() as connection:
        kind: Any = "x"
        assert append_event(connection, kind, room=None, data={}, time_ns=1) > last > 1


def _links(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(sa.text("SELECT transmitter FROM links")))
