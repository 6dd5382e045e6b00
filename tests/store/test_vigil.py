"""That the worker is gone is an event like any other: numbered, durable, and once."""

import anyio
import pytest
import sqlalchemy as sa

from service.api.stream.hub import Hub
from service.api.vigil import Vigil
from service.events import EventType
from service.store.engine import Store
from service.store.eventlog import read_events
from service.view.watch import WORKER_SILENT_S, Watch

LOST, BACK = EventType.WORKER_LOST.value, EventType.WORKER_BACK.value


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> Watch:
    return Watch(clock)


def told(store: Store) -> list[str]:
    return [event.type for event in read_events(store, after=0, limit=100).events]


def look(*vigils: Vigil) -> None:
    async def all_of_them() -> None:
        for vigil in vigils:
            await vigil.look()

    anyio.run(all_of_them)


def test_a_worker_that_falls_silent_and_is_back_is_told_once_each(
    store: Store, watch: Watch, clock: Clock
) -> None:
    hub = Hub(store)
    first, second = (Vigil(store, watch, hub) for _ in range(2))
    watch.hear({"part": "worker"})
    look(first, second)
    assert told(store) == []
    clock.now += WORKER_SILENT_S
    look(first, second, first)
    assert told(store) == [LOST]
    third = Vigil(store, watch, hub)
    look(third)
    assert told(store) == [LOST]
    watch.hear({"part": "worker"})
    look(third, second, first)
    assert told(store) == [LOST, BACK]
    lost, back = read_events(store, after=0, limit=9).events
    assert lost.severity == back.severity == "warning"
    assert lost.data["since"] == back.data["since"]
    assert lost.room is back.room is None


def test_a_worker_that_was_never_heard_is_waited_for(store: Store, watch: Watch) -> None:
    look(Vigil(store, watch, Hub(store)))
    assert told(store) == []
    look(Vigil(store, watch, Hub(store), patience_s=-1))
    assert told(store) == [LOST]


def test_what_cannot_be_written_is_tried_again(
    store: Store, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    vigil = Vigil(store, watch, Hub(store), patience_s=-1)

    def down(*_args: object, **_facts: object) -> bool:
        raise sa.exc.OperationalError("insert", {}, Exception("gone"))

    with monkeypatch.context() as patch:
        patch.setattr("service.api.vigil.note_worker", down)
        look(vigil)
    assert told(store) == []
    look(vigil)
    assert told(store) == [LOST]
