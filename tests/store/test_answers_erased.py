"""An answer that was in coming while its room was erased or deleted leaves nothing of the room behind."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from service.store.answers import Answer, begin, finish
from service.store.engine import Store
from service.store.erasing import Range, erase
from service.store.idempotency import Once
from service.store.rooms import delete_room
from service.store.schema import answers
from service.store.standing import standing_of
from tests.store.filled import put

ONCE = Once("key:abcdefgh", "order-1", "digest")
ANSWER = Answer(200, {"location": "/v1/alerts/a1"}, b'{"room":"lab","alert_id":"a1"}')
BARE = Answer(200, {}, None)


def erased(store: Store) -> None:
    erase(store, "lab", Range(), actor="me")


def gone(store: Store) -> None:
    delete_room(store, "lab", check=lambda _: None, actor="me")


def made_anew(store: Store) -> None:
    gone(store)
    put(store, "lab")


def other(store: Store) -> None:
    erase(store, "hall", Range(), actor="me")


def answered(store: Store, room_of_path: str | None, meanwhile: Callable[[Store], None]) -> Answer | None:
    """What is told again of an answer in whose coming this happened."""
    for room in ("lab", "hall"):
        put(store, room)
    standing = standing_of(store, "lab")
    assert begin(store, ONCE, room_of_path) is None
    meanwhile(store)
    finish(store, ONCE, ANSWER, "lab", standing)
    return begin(store, ONCE, room_of_path)


@pytest.mark.parametrize("room_of_path", [None, "lab"])
@pytest.mark.parametrize("meanwhile", [erased, gone, made_anew])
def test_nothing_of_it_is_kept(
    store: Store, room_of_path: str | None, meanwhile: Callable[[Store], None]
) -> None:
    assert answered(store, room_of_path, meanwhile) == BARE
    with store.read() as connection:
        assert connection.execute(sa.select(answers.c.room)).scalars().all() == [None]


def test_what_happens_to_another_room_is_of_no_account(store: Store) -> None:
    assert answered(store, None, other) == ANSWER


def test_of_a_room_that_nobody_saw_before_nothing_is_kept(store: Store) -> None:
    assert begin(store, ONCE, None) is None
    finish(store, ONCE, ANSWER, "lab")
    assert begin(store, ONCE, None) == BARE
