"""What is made for a room is kept only if the room stands as it did when the work began."""

import pytest
import sqlalchemy as sa

from service.store.engine import Store
from service.store.erasing import Range, erase
from service.store.rooms import delete_room
from service.store.samples import ACCEPTED, UPLOAD, Answer, Asked, add, ask
from service.store.schema import samples
from service.store.standing import RoomErasedError, RoomGoneError, Standing, check_standing, standing_of
from tests.store.filled import put


def gone(store: Store) -> None:
    delete_room(store, "lab", check=lambda _: None, actor="test")


def made_anew(store: Store) -> None:
    gone(store)
    put(store, "lab")


def erased(store: Store) -> None:
    erase(store, "lab", Range(), actor="test")


def began(store: Store) -> Standing:
    put(store, "lab")
    put(store, "other")
    found = standing_of(store, "lab")
    assert found is not None
    return found


@pytest.mark.parametrize("before", [lambda _: None, erased], ids=["never erased", "erased before"])
@pytest.mark.parametrize(
    ("meanwhile", "error"),
    [(gone, RoomGoneError), (made_anew, RoomGoneError), (erased, RoomErasedError)],
    ids=["deleted", "made anew", "erased"],
)
def test_nothing_is_kept_of_a_room_that_changed_meanwhile(
    store: Store, before: object, meanwhile: object, error: type[Exception]
) -> None:
    assert callable(before)
    assert callable(meanwhile)
    began(store)
    before(store)
    asked = Asked("lab", "presence", "vacant", 1, 2, "me", standing=standing_of(store, "lab"))
    meanwhile(store)
    with pytest.raises(error, match="meanwhile"):
        add(store, asked, Answer("", ACCEPTED, {"accepted": True}, UPLOAD, b"clip"))
    with pytest.raises(error, match="meanwhile"):
        ask(store, asked)
    with store.read() as connection:
        assert connection.execute(sa.select(samples)).all() == []


def test_what_happens_to_another_room_or_to_its_setup_is_of_no_account(store: Store) -> None:
    standing = began(store)
    erase(store, "other", Range(), actor="test")
    put(store, "lab", name="told otherwise")
    with store.write() as connection:
        check_standing(connection, standing)
    assert standing_of(store, "nowhere") is None
