"""A pause that was accepted takes effect, whatever the clock says and whoever was quicker to the store."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from service.rooms.config import RoomConfig
from service.rooms.pause import Pause
from service.store import pausing
from service.store.pausing import change_pause, resumed
from service.store.rooms import put_room
from service.store.schema import pauses
from tests.service.bench import Bench
from tests.service.frames import S

Clock = Callable[[int], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Puts the clock of who pauses so many seconds ahead."""

    def put(seconds: int) -> None:
        there = SimpleNamespace(time_ns=lambda: time.time_ns() + seconds * S)
        monkeypatch.setattr(pausing, "time", there)

    return put


def pause(bench: Bench, room: str) -> None:
    change_pause(bench.store, room, lambda _, now: Pause(now), actor="test", action="room.paused")


def make(bench: Bench, *names: str) -> None:
    """Rooms about whose pauses something was said already."""
    for name in names:
        put_room(bench.store, name, RoomConfig(), check=lambda _: None, actor="test", nics={})
        change_pause(bench.store, name, resumed, actor="test", action="room.resumed")
    bench.api.publish("rooms", {})
    bench.turn()


def paused(bench: Bench) -> list[bool]:
    return [bench.worker.building.is_paused(name) for name in ("a", "b")]


def test_a_pause_counts_though_a_later_one_was_quicker_to_the_store(bench: Bench, clock: Clock) -> None:
    make(bench, "a", "b")
    pause(bench, "b")
    bench.turn(1)
    clock(-2)
    pause(bench, "a")
    bench.turn(1)
    assert paused(bench) == [True, True]


def test_a_pause_counts_though_the_clock_was_put_back(bench: Bench, clock: Clock) -> None:
    make(bench, "a", "b")
    clock(-3600)
    pause(bench, "a")
    bench.turn(1)
    assert paused(bench) == [True, False]


def test_the_time_of_a_pause_is_taken_when_it_is_written(bench: Bench) -> None:
    make(bench, "a", "b")
    waiting = threading.Thread(target=pause, args=(bench, "a"))
    with bench.store.write():
        waiting.start()
        time.sleep(0.2)
        until_ns = time.time_ns()
    waiting.join(10)
    times = {row["room"]: row["updated_ns"] for row in bench.rows(pauses)}
    assert times["a"] >= until_ns
