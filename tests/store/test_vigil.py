"""That the worker is gone is an event like any other: numbered, durable, and once."""

import asyncio

import anyio
import pytest
import sqlalchemy as sa
import structlog

from service.api.stream.hub import Hub
from service.api.vigil import Vigil
from service.events import EventType
from service.store.engine import Store
from service.store.eventlog import read_events
from service.view.watch import WORKER_SILENT_S, Watch

LOST, BACK = EventType.WORKER_LOST.value, EventType.WORKER_BACK.value


class Process:
    """One that watches: its own clock, its own ears."""

    def __init__(self, store: Store, *, patience_s: float = 30.0) -> None:
        self.now = 100.0
        self.watch = Watch(lambda: self.now)
        self.vigil = Vigil(store, self.watch, Hub(store), patience_s=patience_s)

    def hear(self) -> None:
        self.watch.hear({"part": "worker"})

    def look(self, times: int = 1) -> None:
        async def looks() -> None:
            for _ in range(times):
                await self.vigil.look()

        anyio.run(looks)


def told(store: Store) -> list[str]:
    return [event.type for event in read_events(store, after=0, limit=100).events]


def test_a_worker_that_falls_silent_and_is_back_is_told_once_each(store: Store) -> None:
    first, second = Process(store), Process(store)
    for one in (first, second):
        one.hear()
        one.look(3)
        one.now += WORKER_SILENT_S
    assert told(store) == []
    for one in (first, second, first):
        one.look(3)
    assert told(store) == [LOST]
    for one in (second, first):
        one.hear()
        one.look(3)
    assert told(store) == [LOST, BACK]
    lost, back = read_events(store, after=0, limit=9).events
    assert lost.severity == back.severity == "warning"
    assert lost.data["since"] == back.data["since"] is not None
    assert lost.room is back.room is None


def test_one_look_without_a_sign_of_life_is_not_enough(store: Store) -> None:
    process = Process(store)
    process.hear()
    process.now += WORKER_SILENT_S
    process.look()
    process.hear()
    process.look()
    process.now += WORKER_SILENT_S
    process.look()
    assert told(store) == []
    process.look()
    assert told(store) == [LOST]


def test_who_hears_the_worker_has_the_last_word(store: Store) -> None:
    deaf, hearing = Process(store), Process(store)
    for one in (deaf, hearing):
        one.hear()
        one.look()
    deaf.now += WORKER_SILENT_S
    deaf.look(2)
    hearing.look()
    deaf.look(5)
    assert told(store) == [LOST, BACK]


def test_a_worker_that_was_lost_before_we_came_is_told_to_be_back(store: Store) -> None:
    gone = Process(store, patience_s=-1)
    gone.look(2)
    assert told(store) == [LOST]
    after = Process(store)
    after.look(5)
    after.hear()
    after.look()
    assert told(store) == [LOST, BACK]


def test_a_worker_that_was_never_heard_is_waited_for_and_nobody_knows_since_when(store: Store) -> None:
    Process(store).look(5)
    assert told(store) == []
    Process(store, patience_s=-1).look(2)
    (lost,) = read_events(store, after=0, limit=9).events
    assert (lost.type, lost.data["since"]) == (LOST, None)


def test_what_cannot_be_written_is_tried_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(store, patience_s=-1)

    def down(*_args: object, **_facts: object) -> bool:
        raise sa.exc.OperationalError("insert", {}, Exception("gone"))

    with monkeypatch.context() as patch:
        patch.setattr("service.api.vigil.note_lost", down)
        with pytest.raises(sa.exc.OperationalError):
            process.look(2)
    assert told(store) == []
    process.look()
    assert told(store) == [LOST]


@pytest.mark.parametrize(
    "error", [sa.exc.OperationalError("insert", {}, Exception("gone")), ValueError("odd")]
)
def test_lasting_trouble_is_logged_once_and_again_after_it_was_over(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("service.api.vigil.LOOK_S", 0.0)
    vigil, outcomes = Process(store).vigil, [error, error, error, None, error, error]

    async def look() -> None:
        if not outcomes:
            raise asyncio.CancelledError
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    monkeypatch.setattr(vigil, "look", look)
    with structlog.testing.capture_logs() as logged, pytest.raises(asyncio.CancelledError):
        asyncio.run(vigil.run())
    assert len(logged) == 2
    assert {one["log_level"] for one in logged} == {"warning"}
