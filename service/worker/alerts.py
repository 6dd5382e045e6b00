"""Alerts in the worker: rules and what people did are read of the store, changes go into the turn's batch."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue
from service.rooms.alerting.alert import Alert, AlertChange, Cause
from service.rooms.alerting.book import AlertBook
from service.rooms.alerting.rules import AlertRule
from service.rooms.config import RoomConfig
from service.rooms.memory import Memory
from service.state import rfc3339
from service.store.alert_book import read_cases, read_lately, read_marks
from service.store.alert_rules import read_documents, readable
from service.store.engine import Store
from service.store.schema import states
from service.worker.batch import Batch, Event

_BY_FACTS = frozenset({Cause.CONDITION, Cause.RESUMED, Cause.VALUE})
"""Causes whose events show what the alert is about, before and after; others show the alert itself."""


class Alerts:
    """The book of alerts of a site, and the rules it judges by.

    Attributes:
        book: which conditions hold and which alerts are open.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.read() as connection:
            self._documents: list[dict[str, Any]] = read_documents(connection)
        self._rules: list[AlertRule] = readable(self._documents)
        self.book = AlertBook(read_cases(store, _newest(store)), read_lately(store))

    def read(self, rooms: Mapping[str, RoomConfig], now_ns: int, batch: Batch) -> None:
        """Take rules and what people did as the store has them now.

        At the start of a turn, when no change of an alert waits to be written.
        """
        with self._store.read() as connection:
            documents, marks = read_documents(connection), read_marks(connection)
        if documents != self._documents:
            self._documents, self._rules = documents, readable(documents)
        self.book.mark(marks)
        self.cover(rooms, now_ns, batch)

    def cover(self, rooms: Mapping[str, RoomConfig], now_ns: int, batch: Batch) -> None:
        """Take the rooms that there are now."""
        tell(self.book.read(self._rules, rooms, now_ns), now_ns, batch)

    def look(self, now_ns: int, batch: Batch) -> None:
        """What the hour does to alerts."""
        tell(self.book.look(now_ns), now_ns, batch)

    def hand_over(self, batch: Batch) -> None:
        """Have what waits written with the turn."""
        batch.waits |= self.book.waits
        self.book.waits.clear()


def tell(changes: Iterable[AlertChange], now_ns: int, batch: Batch) -> None:
    """Have changes of alerts written, and told where people are told."""
    for change in changes:
        if change.kind is None:
            batch.settled.append(change)
        else:
            batch.append(Event(change.kind, change.alert.room, _told(change), now_ns, change))


def _told(change: AlertChange) -> dict[str, JsonValue]:
    """Data of the event (service.events)."""
    alert = change.alert
    told: dict[str, JsonValue] = {
        **change.data,
        "alert_id": alert.alert_id,
        "rule": alert.key.rule,
        "kind": alert.kind,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "cause": change.cause.value,
    }
    if change.cause not in _BY_FACTS and change.before is not None:
        told |= {"before": _facets(change.before), "after": _facets(alert)}
    return told


def _facets(alert: Alert) -> dict[str, JsonValue]:
    until_ns = alert.snoozed_until_ns
    return {
        "state": alert.state.value,
        "severity": alert.severity.value,
        "snoozed_until": None if until_ns is None else rfc3339(until_ns),
    }


def _newest(store: Store) -> dict[tuple[str, str], int]:
    """End of the newest window by room and task, capture time."""
    with store.read() as connection:
        rows = connection.execute(sa.select(states.c.room, states.c.task, states.c.memory)).all()
    found = {}
    for row in rows:
        window = Memory.from_json(row.memory).window
        if window is not None:
            found[row.room, row.task] = window[1]
    return found
