"""The numbered log: order over writers, holes, and what retention leaves of it."""

import threading
from collections.abc import Callable

import sqlalchemy as sa

from service.events import EventType
from service.store.engine import Store, open_store
from service.store.eventlog import forget, read_events, read_head, site_id
from service.store.log import append_event
from service.store.schema import events


def append(connection: sa.Connection, room: str = "lab") -> int:
    return append_event(connection, EventType.ROOM_CHANGED, room=room, data={"room": room}, time_ns=1)


def fill(store: Store, count: int) -> list[int]:
    numbers = []
    for _ in range(count):
        with store.write() as connection:
            numbers.append(append(connection))
    return numbers


def test_a_number_is_never_seen_before_a_smaller_one(store: Store) -> None:
    """Two writers, the first one slow to commit: the second must not become visible before it."""
    took_number, may_commit, begun = threading.Event(), threading.Event(), threading.Event()
    numbers = dict[str, int]()

    def slow() -> None:
        with store.write() as connection:
            numbers["slow"] = append(connection)
            took_number.set()
            may_commit.wait(10)

    def quick() -> None:
        begun.set()
        with store.write() as connection:
            numbers["quick"] = append(connection)

    writers = [threading.Thread(target=slow), threading.Thread(target=quick)]
    writers[0].start()
    assert took_number.wait(10)
    writers[1].start()
    assert begun.wait(10)
    writers[1].join(0.2)
    assert writers[1].is_alive(), "the second writer waits for the first one"
    assert read_events(store, after=0, limit=9).events == []
    may_commit.set()
    for writer in writers:
        writer.join(10)
    assert numbers["slow"] < numbers["quick"]
    assert [event.sequence for event in read_events(store, after=0, limit=9).events] == sorted(
        numbers.values()
    )


def test_a_follower_misses_nothing_of_many_writers(store: Store) -> None:
    done, seen, after = threading.Event(), list[int](), 0
    writers = [threading.Thread(target=fill, args=(store, 25)) for _ in range(3)]
    for writer in writers:
        writer.start()
    while not done.is_set() or after < read_head(store):
        page = read_events(store, after=after, limit=7)
        assert page.complete
        seen += [event.sequence for event in page.events]
        after = page.next_after
        if not any(writer.is_alive() for writer in writers):
            done.set()
    assert len(seen) == 75
    with store.read() as connection:
        assert seen == list(
            connection.execute(sa.select(events.c.sequence).order_by(events.c.sequence)).scalars()
        )


def test_the_log_is_read_by_type_and_room(store: Store) -> None:
    with store.write() as connection:
        first, _, last = append(connection, "a"), append(connection, "b"), append(connection, "a")
    page = read_events(store, after=0, limit=5, types=["org.roomtone.room.changed"], rooms=["a"])
    assert [event.sequence for event in page.events] == [first, last]
    assert page.events[0].data == {"room": "a"}
    assert read_events(store, after=0, limit=1, rooms=["a"]).next_after == first
    assert read_events(store, after=last, limit=5, types=["no.such"]).next_after == last


def test_a_number_lost_by_a_failed_write_is_no_hole(store: Store) -> None:
    with store.write() as connection:
        append(connection)
        connection.rollback()
    (number,) = fill(store, 1)
    page = read_events(store, after=0, limit=5)
    assert (page.complete, page.next_after) == (True, number)


def test_what_retention_took_is_a_hole_and_the_head_stays(store: Store) -> None:
    numbers = fill(store, 6)
    with store.write() as connection:
        assert forget(connection, numbers[3]) == 4
        assert forget(connection, numbers[1]) == 0, "the mark never goes back"
    assert not read_events(store, after=numbers[2], limit=9).complete
    page = read_events(store, after=numbers[3], limit=9)
    assert page.complete
    assert [event.sequence for event in page.events] == numbers[4:]
    with store.write() as connection:
        forget(connection, numbers[5])
    assert read_head(store) == numbers[5]
    assert read_events(store, after=numbers[5], limit=9).complete
    assert not read_events(store, after=numbers[5] + 1, limit=9).complete, "a number of another store"
    assert fill(store, 1)[0] > numbers[5]


def test_the_site_keeps_its_name(store: Store, empty_url: Callable[[], str]) -> None:
    other = open_store(empty_url())
    assert site_id(store) == site_id(store) != site_id(other)
    other.close()
