"""The reader of the log behind every outlet: where it begins, what it skips, what comes again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import pytest

from service.outlets import cursor, follow
from service.outlets.follow import Follower
from service.outlets.port import OutletError, SiteView
from service.outlets.resend import Reach, Resend
from service.outlets.tail import Tail
from service.outlets.views import Views
from service.store.engine import Store, open_store
from service.store.eventlog import StoredEvent, forget
from service.store.outlets import cursors, open_cursor
from service.view.watch import Watch
from tests.outlets.site import append


class Recorder:
    """Takes events; before each page it asks `refuse`, which may raise."""

    name = "recorder"
    wants_view = False

    def __init__(
        self, refuse: Callable[[Sequence[StoredEvent]], None] = lambda _: None, reach: Reach | None = None
    ) -> None:
        self.refuse = refuse
        self.resend = None if reach is None else Resend(reach)
        self.got: list[int] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to leave."""

    async def deliver(self, page: Sequence[StoredEvent]) -> None:
        self.refuse(page)
        self.got += [event.sequence for event in page]

    async def show(self, view: SiteView) -> None:
        raise AssertionError(f"nobody asked for a view: {view.site}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    yield opened
    opened.close()


@asynccontextmanager
async def following(store: Store, outlet: Recorder) -> AsyncIterator[Follower]:
    tail = Tail(store)
    views = Views(store, Watch(), allow_non_live=False)
    follower = Follower(outlet, store, tail, views, allow_non_live=False)
    tasks = [asyncio.create_task(tail.run()), asyncio.create_task(follower.run())]
    yield follower
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not look():  # noqa: ASYNC110 - some of it is in the store, which wakes nobody
            await asyncio.sleep(0.01)


async def test_a_new_outlet_begins_at_the_head(store: Store) -> None:
    append(store, 3)
    recorder = Recorder()
    async with following(store, recorder):
        await until(lambda: "recorder" in cursors(store))
        sent = append(store, 2)
        await until(lambda: recorder.got == sent)
    assert cursors(store)["recorder"] == sent[-1]


async def test_what_went_out_of_retention_is_counted_and_the_rest_delivered(store: Store) -> None:
    open_cursor(store, "recorder")
    sent = append(store, 10)
    with store.write() as connection:
        forget(connection, sent[3])
    recorder = Recorder()
    async with following(store, recorder) as follower:
        await until(lambda: recorder.got == sent[4:])
    assert follower.report()["lost"] == 4


async def test_what_arrived_before_the_trouble_does_not_come_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_cursor(store, "recorder")
    sent = append(store, 6)
    seen: list[list[int]] = []

    def refuse(page: Sequence[StoredEvent]) -> None:
        seen.append([event.sequence for event in page])
        if len(seen) == 1:
            raise OutletError("the peer went away", done=sent[3])

    monkeypatch.setattr(follow, "PAGE", 5)
    recorder = Recorder(refuse)
    async with following(store, recorder) as follower:
        await until(lambda: recorder.got == sent[4:])
        await until(lambda: follower.report()["trouble"] is None)
    assert seen[:2] == [sent[:5], sent[4:]]


async def test_a_bug_of_an_outlet_is_told_and_tried_again(store: Store) -> None:
    open_cursor(store, "recorder")
    sent = append(store, 2)
    met: list[str] = []

    def refuse(page: Sequence[StoredEvent]) -> None:
        if not met:
            met.append("bug")
            raise ZeroDivisionError(f"{len(page)} events")

    recorder = Recorder(refuse)
    async with following(store, recorder) as follower:
        await until(lambda: follower.report()["trouble"] == "ZeroDivisionError: 2 events")
        await until(lambda: recorder.got == sent)
        assert follower.report()["failed"] == 1


async def test_the_cursor_moves_past_what_may_not_leave(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cursor, "SAVE_IDLE_S", 0.0)
    open_cursor(store, "recorder")
    sent = append(store, 3, source="simulated")
    recorder = Recorder()
    async with following(store, recorder):
        await until(lambda: cursors(store)["recorder"] == sent[-1])
    assert recorder.got == []


async def test_the_last_events_come_again_in_order_and_the_cursor_stays(store: Store) -> None:
    open_cursor(store, "recorder")
    first = append(store, 2) + append(store, 1, source="simulated") + append(store, 2)
    seen: list[list[int]] = []

    def refuse(page: Sequence[StoredEvent]) -> None:
        seen.append([event.sequence for event in page])
        if len(seen) == 2:
            raise OutletError("the peer went away")

    recorder = Recorder(refuse, Reach(count=3, age_s=60, gap_s=1000))
    async with following(store, recorder) as follower:
        await until(lambda: len(seen) == 1)
        second = append(store)
        await until(lambda: len(seen) == 4)
        await until(lambda: follower.report()["position"] == second[0])
    mine = [number for number in first if number != first[2]]
    assert seen == [mine, second, mine[-3:], second]
    assert cursors(store)["recorder"] == second[0]


async def test_what_a_killed_process_delivered_comes_again_unless_it_is_erased(store: Store) -> None:
    append(store, 3)
    open_cursor(store, "recorder")
    with store.write() as connection:
        forget(connection, 1)
    recorder = Recorder(reach=Reach(count=10, age_s=60, gap_s=0.01))
    async with following(store, recorder):
        await until(lambda: recorder.got == [2, 3, 2, 3])


async def test_a_new_outlet_has_nothing_to_send_again(store: Store) -> None:
    append(store, 3)
    recorder = Recorder(reach=Reach(count=10, age_s=60, gap_s=0.01))
    async with following(store, recorder):
        await until(lambda: "recorder" in cursors(store))
        sent = append(store, 1)
        await until(lambda: recorder.got[:1] == sent)
