"""Numbers of rooms and of the device on BACnet, on both databases: over delete, add and restart."""

from concurrent.futures import ThreadPoolExecutor

from service.store.bacnet import MAX_INSTANCE, device, known_device, known_numbers, room_numbers
from service.store.engine import Store, open_store
from service.store.rooms import delete_room, list_rooms
from tests.store.filled import put


def numbers(store: Store) -> dict[str, int]:
    return room_numbers(store, list_rooms(store))


def test_a_number_is_kept_and_never_given_twice(url: str) -> None:
    store = open_store(url)
    for room in ("a", "b", "c"):
        put(store, room)
    assert numbers(store) == {"a": 1, "b": 2, "c": 3}
    put(store, "b", name="another name")
    delete_room(store, "c", check=lambda _: None, actor="me")
    store.close()
    store = open_store(url)
    assert numbers(store) == {"a": 1, "b": 2}
    put(store, "c")
    put(store, "d")
    assert known_numbers(store, list_rooms(store)) == {"a": 1, "b": 2}, "looking gives none"
    assert numbers(store) == {"a": 1, "b": 2, "c": 4, "d": 5}
    delete_room(store, "d", check=lambda _: None, actor="me")
    put(store, "d")
    assert numbers(store)["d"] == 6
    store.close()


def test_two_that_ask_at_once_get_the_same(store: Store) -> None:
    for index in range(20):
        put(store, f"r{index}")
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: numbers(store), range(8)))
    assert all(one == told[0] for one in told)
    assert len(set(told[0].values())) == 20


def test_the_device_keeps_its_number_and_counts_changes_of_its_objects(url: str) -> None:
    store = open_store(url)
    assert known_device(store) is None
    first = device(store, instance=None, objects="one")
    assert 1 <= first.instance <= MAX_INSTANCE
    store.close()
    store = open_store(url)
    assert device(store, instance=None, objects="one") == first == known_device(store)
    second = device(store, instance=None, objects="two")
    assert (second.instance, second.revision) == (first.instance, 2)
    assert device(store, instance=0, objects="two").instance == 0, "settings win"
    assert device(store, instance=None, objects="two").instance == 0
    store.close()
