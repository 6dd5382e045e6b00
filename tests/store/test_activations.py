"""Rolling back undoes just the last activation, on both databases and in stores of the release before."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from models.adapt.head import RoomHead
from service.store import engine as opening
from service.store.engine import Store, open_store
from service.store.erasing import Range, erase
from service.store.migrations import MIGRATIONS
from service.store.schema import activations, versions
from service.store.versions import activate, add_version, list_versions, refuse, roll_back
from tests.store.filled import put

BEFORE = 6
"""The last step without activations."""
HEAD = RoomHead.of("softmax", (np.zeros(3), np.ones(3)), (np.ones((3, 2)), np.zeros(2)))


def add(store: Store, room: str = "lab", model: str = "m") -> int:
    with store.write() as connection:
        return add_version(
            connection,
            room=room,
            task="presence",
            head=HEAD,
            model=(model, "d"),
            method="head_refit",
            provisional=False,
            doc={},
            job=None,
        )


def serve(store: Store, *numbers: int) -> None:
    for number in numbers:
        with store.write() as connection:
            activate(connection, number, actor="me", why="test")


def back(store: Store, room: str = "lab", there: set[tuple[str, str]] | None = None) -> int | None:
    with store.write() as connection:
        done = roll_back(connection, room, "presence", actor="me", there=there)
    assert done is not None
    return done.active


def active(store: Store, room: str = "lab") -> list[int]:
    return [one.version for one in list_versions(store, room) if one.state == "active"]


def test_what_was_left_is_not_come_back_to(store: Store) -> None:
    good, bad = add(store), add(store)
    serve(store, good, bad)
    assert back(store) == good
    third = add(store)
    serve(store, third)
    assert [back(store), back(store)] == [good, None]
    assert active(store) == []


def test_a_lower_number_that_was_activated_later_is_left_for_the_higher_one(store: Store) -> None:
    first, second = add(store), add(store)
    serve(store, second, first)
    assert [back(store), back(store)] == [second, None]


def test_each_change_is_undone_once(store: Store) -> None:
    first, second = add(store), add(store)
    serve(store, first, second, first, first, second)
    assert [back(store) for _ in range(4)] == [first, second, first, None]
    with store.write() as connection:
        assert roll_back(connection, "lab", "presence", actor="me") is None
        assert connection.execute(sa.select(activations)).all() == []


def test_rooms_have_each_their_own_order(store: Store) -> None:
    here, there = add(store), add(store, "hall")
    serve(store, here, there)
    assert back(store) is None
    assert active(store, "hall") == [there]


def test_a_version_whose_model_is_gone_is_passed_over(store: Store) -> None:
    first, second, third = add(store), add(store, model="gone"), add(store)
    serve(store, first, second, third)
    there = {("m", "d")}
    assert [back(store, there=there) for _ in range(2)] == [first, None]


def test_a_version_that_was_erased_is_passed_over(store: Store) -> None:
    put(store, "lab")
    first, second, third = add(store), add(store), add(store)
    serve(store, first, second, first, third)
    with store.write() as connection:
        connection.execute(sa.update(versions).values(created_ns=versions.c.version * 1000))
    assert erase(store, "lab", Range(second * 1000, second * 1000 + 1), actor="me")
    assert [back(store), back(store)] == [first, None]  # not to `first` from `first`


def test_a_range_in_which_only_the_activation_lies_leaves_the_order(store: Store) -> None:
    put(store, "lab")
    first, second = add(store), add(store)
    serve(store, first)
    with store.write() as connection:
        connection.execute(sa.update(versions).values(created_ns=versions.c.version * 1000))
        connection.execute(sa.update(activations).values(activated_ns=10**9))
    assert erase(store, "lab", Range(10**9, 10**9 + 1), actor="me")
    serve(store, second)
    assert back(store) == first


def test_erasing_a_room_erases_the_order(store: Store) -> None:
    put(store, "lab")
    serve(store, add(store))
    gone = erase(store, "lab", Range(), actor="me")
    assert gone is not None
    assert (gone["versions"], gone["activations"]) == (1, 1)


def test_only_a_candidate_is_refused(store: Store) -> None:
    served = add(store)
    serve(store, served)
    candidate = add(store)
    with store.write() as connection:
        refuse(connection, served)
        refuse(connection, candidate)
    found = {one.version: one.state for one in list_versions(store, "lab")}
    assert found == {served: "active", candidate: "refused"}


def old_version(room: str, state: str, activated_ns: int | None) -> dict[str, Any]:
    return {
        "room": room,
        "task": "presence",
        "state": state,
        "provisional": False,
        "model": "m",
        "model_digest": "d",
        "method": "head_refit",
        "digest": "x",
        "doc": {},
        "shadow": {},
        "job": None,
        "created_ns": 1,
        "activated_ns": activated_ns,
        "head": b"head",
    }


OLD = (
    ("lab", "retired", 20),  # 1
    ("lab", "retired", 10),  # 2, somebody activated 1 after it
    ("lab", "refused", 25),  # 3, lost its place though it had served
    ("lab", "active", 30),  # 4
    ("lab", "retired", None),  # 5, never served
    ("hall", "retired", 40),  # 6, was rolled back from
)


@pytest.fixture
def upgraded(empty_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store of the release before, opened with today's code."""
    url = empty_url()
    with monkeypatch.context() as then:
        then.setattr(opening, "MIGRATIONS", MIGRATIONS[:BEFORE])
        before = open_store(url)
    with before.write() as connection:
        for one in OLD:
            connection.execute(sa.insert(versions).values(old_version(*one)))
    before.close()
    store = open_store(url)
    yield store
    store.close()


def test_a_store_of_the_release_before_rolls_back_by_time(upgraded: Store) -> None:
    assert [back(upgraded) for _ in range(3)] == [1, 2, None]
    serve(upgraded, 6)
    assert back(upgraded, "hall") is None
