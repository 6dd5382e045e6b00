"""What is too old goes, a few rows a transaction: predictions and alerts by their room, the log by the site.

Samples, versions and baselines are kept until somebody erases them, or `retention.samples_days` is set.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from models.task_names import names
from service.adaptation.states import JobState
from service.store.audit import record
from service.store.engine import Store
from service.store.eventlog import forget
from service.store.idempotency import KEPT_S
from service.store.rooms import RoomRecord, list_rooms
from service.store.schema import (
    alerts,
    answers,
    audit,
    events,
    idempotency,
    jobs,
    login_tokens,
    predictions,
    samples,
    screenings,
)
from service.store.scrubbing import owe_scrub
from service.store.settings import RetentionSettings

BATCH: Final = 500
"""Rows of one transaction: the worker's own wait for it, so it is over in milliseconds."""
DAY_NS: Final = 24 * 3600 * 10**9


@dataclass(frozen=True, slots=True)
class Old:
    """Rows of a table that are too old."""

    table: sa.Table
    where: sa.ColumnElement[bool]


def forget_old(store: Store, settings: RetentionSettings, now_ns: int | None = None) -> Iterator[int]:
    """Delete what is too old; after each transaction the number of rows that went with it.

    Who iterates decides on the pace, and may stop at any time. What went is owed a scrub.
    """
    now = time.time_ns() if now_ns is None else now_ns
    for record_ in list_rooms(store):
        for old in _of_room(record_, now):
            yield from _delete(store, old)
    for old in _of_site(settings, now):
        yield from _delete(store, old)
    yield from _forget_events(store, now - settings.events_days * DAY_NS)
    if settings.samples_days is not None:
        yield from _forget_samples(store, now - settings.samples_days * DAY_NS)


def _of_room(room: RoomRecord, now: int) -> list[Old]:
    since = now - room.config.retention_days * DAY_NS
    mine = predictions.c.room == room.room
    # One a task: each walks the index of unique windows, from its old end.
    tasks = dict.fromkeys([*names(), *room.config.tasks])
    windows = [
        Old(predictions, mine & (predictions.c.task == task) & (predictions.c.to_ns < since))
        for task in tasks
    ]
    done = (alerts.c.state == "cleared") | ((alerts.c.state == "dismissed") & ~alerts.c.holds)
    over = (alerts.c.room == room.room) & done & (alerts.c.updated_ns < since)
    seen = (screenings.c.room == room.room) & (screenings.c.closed_ns < since)
    return [*windows, Old(alerts, over), Old(screenings, seen)]


def _of_site(settings: RetentionSettings, now: int) -> list[Old]:
    audited = now - settings.audit_days * DAY_NS
    ended = jobs.c.state.in_([state.value for state in JobState if state.over])
    return [
        Old(audit, audit.c.time_ns < audited),
        Old(jobs, ended & (jobs.c.updated_ns < audited)),
        Old(idempotency, idempotency.c.created_ns < now - KEPT_S * 10**9),
        Old(answers, answers.c.created_ns < now - KEPT_S * 10**9),
        Old(login_tokens, login_tokens.c.expires_ns < now),
    ]


def _delete(store: Store, old: Old) -> Iterator[int]:
    key = list(old.table.primary_key)
    some = sa.select(*key).where(old.where).limit(BATCH)
    while True:
        # Looked for as a reader: where nothing is too old, no writer waits for us.
        with store.read() as connection:
            found = connection.execute(some).all()
        if not found:
            return
        these = (
            sa.tuple_(*key).in_([tuple(row) for row in found])
            if len(key) > 1
            else key[0].in_([row[0] for row in found])
        )
        with store.write() as connection:
            gone = connection.execute(sa.delete(old.table).where(these & old.where)).rowcount
            owe_scrub(connection)
        yield gone
        if len(found) < BATCH:
            return


def _forget_events(store: Store, since_ns: int) -> Iterator[int]:
    """The log goes from its old end, without holes: a reader is told exactly from where on it is whole."""
    oldest = sa.select(events.c.sequence, events.c.time_ns).order_by(events.c.sequence).limit(BATCH)
    while True:
        with store.read() as connection:
            found = connection.execute(oldest).all()
        last = 0
        for row in found:
            if row.time_ns >= since_ns:
                break
            last = row.sequence
        if not last:
            return
        with store.write() as connection:
            gone = forget(connection, last)
            owe_scrub(connection)
        yield gone


def _forget_samples(store: Store, since_ns: int) -> Iterator[int]:
    facts: list[Any] = [samples.c[name] for name in ("sample", "room", "task", "label")]
    query = sa.select(*facts).where(samples.c.created_ns < since_ns).limit(BATCH)
    with store.read() as connection:
        found = connection.execute(query).mappings().all()
    for row in found:
        with store.write() as connection:
            connection.execute(sa.delete(samples).where(samples.c.sample == row["sample"]))
            detail = {name: row[name] for name in ("sample", "task", "label")}
            record(connection, actor="retention", action="sample.deleted", target=row["room"], detail=detail)
            owe_scrub(connection)
        yield 1
