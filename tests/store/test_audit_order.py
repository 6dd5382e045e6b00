"""The audit as a log to follow: in the order of ids, whatever the clocks of its writers say."""

import threading
import time

import sqlalchemy as sa

from service.store.audit import read_audit, read_last_audit, record
from service.store.engine import Store
from service.store.schema import audit

HOUR = 3600 * 10**9


def note(store: Store, actor: str, *, ahead_ns: int = 0) -> None:
    with store.write() as connection:
        record(connection, actor=actor, action="key.create", target="x")
        newest = connection.execute(sa.select(sa.func.max(audit.c.id))).scalar_one()
        at = sa.update(audit).where(audit.c.id == newest)
        connection.execute(at.values(time_ns=time.time_ns() + ahead_ns))


def test_an_entry_of_a_host_whose_clock_is_wrong_is_not_passed_over(store: Store) -> None:
    for actor, ahead_ns in (("right", 0), ("ahead", HOUR), ("behind", -HOUR), ("right", 0)):
        note(store, actor, ahead_ns=ahead_ns)
    first = read_audit(store, after=0, limit=2)
    then = read_audit(store, after=first[-1].id, limit=9)
    assert [row.actor for row in first + then] == ["right", "ahead", "behind", "right"]


def test_the_last_ones_are_read_in_order(store: Store) -> None:
    for number in range(6):
        note(store, str(number))
    ids = [row.id for row in read_audit(store, after=0, limit=9)]
    last = read_last_audit(store, after=ids[0], up_to=ids[4], limit=3)
    assert [row.id for row in last] == ids[2:5]


def test_a_follower_misses_nothing_of_many_writers(store: Store) -> None:
    def fill() -> None:
        for _ in range(25):
            note(store, "writer")

    writers, seen = [threading.Thread(target=fill) for _ in range(3)], list[int]()
    for writer in writers:
        writer.start()
    busy = True
    while busy:
        busy = any(writer.is_alive() for writer in writers)
        while rows := read_audit(store, after=seen[-1] if seen else 0, limit=7):
            seen += [row.id for row in rows]
    assert len(seen) == 75
