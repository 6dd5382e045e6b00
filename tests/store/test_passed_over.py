"""A roll-back forgets nothing that it passes over: a shelf that is not mounted now may be later."""

from service.store.engine import Store
from service.store.erasing import Range, erase
from service.store.schema import activations
from service.store.versions import RolledBack, roll_back
from tests.store.filled import put
from tests.store.test_activations import active, add, back, serve

HERE = {("m", "d")}
ALL = {("m", "d"), ("away", "d")}


def stack(store: Store) -> list[int]:
    """Versions, the one on top first."""
    with store.read() as connection:
        rows = connection.execute(activations.select().order_by(activations.c.activation.desc()))
        return [row.version for row in rows]


def test_it_is_gone_back_to_when_its_model_is_there_again(store: Store) -> None:
    first, second, third, fourth = (add(store, model=model) for model in ("m", "away", "away", "m"))
    serve(store, first, second, third, fourth)
    with store.write() as connection:
        done = roll_back(connection, "lab", "presence", actor="me", there=HERE)
    assert done == RolledBack(fourth, first, (third, second))
    assert stack(store) == [first, third, second]
    assert [back(store, there=ALL) for _ in range(3)] == [third, second, None]
    assert stack(store) == []


def test_what_serves_now_comes_before_what_was_passed_over(store: Store) -> None:
    first, second, third, fourth = (add(store, model=model) for model in ("m", "away", "m", "m"))
    serve(store, first, second, third)
    assert back(store, there=HERE) == first
    serve(store, fourth)
    assert [back(store, there=ALL) for _ in range(3)] == [first, second, None], "what served before, first"


def test_with_nothing_else_to_go_back_to_it_stays_as_well(store: Store) -> None:
    first, second, third = (add(store, model=model) for model in ("away", "m", "m"))
    serve(store, first, second)
    assert back(store, there=HERE) is None
    assert (active(store), stack(store)) == ([], [first])
    serve(store, third)
    assert back(store, there=ALL) == first
    assert back(store, there=ALL) is None


def test_activated_by_hand_it_is_left_for_what_is_below(store: Store) -> None:
    first, second, third = (add(store, model=model) for model in ("m", "away", "m"))
    serve(store, first, second, third)
    assert back(store, there=HERE) == first
    serve(store, second)
    assert [back(store, there=ALL) for _ in range(2)] == [first, None]


def test_what_was_left_is_forgotten_though_others_are_passed_over(store: Store) -> None:
    first, bad, away = (add(store, model=model) for model in ("m", "m", "away"))
    serve(store, first, bad, away, bad)
    assert back(store, there=HERE) == first
    assert [back(store, there=ALL) for _ in range(2)] == [away, None], "nobody asked for the bad one again"


def test_other_rooms_and_times_stay_as_they_are(store: Store) -> None:
    put(store, "lab")
    first, second, third = (add(store, model=model) for model in ("m", "away", "m"))
    elsewhere = add(store, "hall")
    serve(store, first, elsewhere, second, third)
    with store.read() as connection:
        times = {row.version: row.activated_ns for row in connection.execute(activations.select())}
    assert back(store, there=HERE) == first
    assert stack(store) == [first, second, elsewhere]
    with store.read() as connection:
        after = {row.version: row.activated_ns for row in connection.execute(activations.select())}
    assert after == {number: at for number, at in times.items() if number != third}
    assert erase(store, "lab", Range(times[first], times[first] + 1), actor="me")
    assert first in stack(store), "the order stays with the version"
