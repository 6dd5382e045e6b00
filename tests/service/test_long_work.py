"""Who has threads of his own: downloads and erasures, which hold up nobody else, and reads of states."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
import structlog

from service.api.app import THREADS
from service.api.long_work import AT_ONCE, LongWork
from service.api.readers import Readers
from service.api.routes import privacy
from tests.service.running import Running, wait_for

EXPORT = "/v1/admin/rooms/lab/export"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("long")) as running:
        running.put_room("lab")
        yield running


class Slow:
    """Stands in for an export or an erasure over a slow disk; counts how many are at it at once."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.busy, self.most = 0, 0
        self._lock = threading.Lock()

    def work(self) -> None:
        with self._lock:
            self.busy += 1
            self.most = max(self.most, self.busy)
        assert self.go_on.wait(30)
        with self._lock:
            self.busy -= 1

    def export(self, *_: object) -> Iterator[bytes]:
        self.work()
        yield b"whole\n"

    def erase(self, *_: object, **__: object) -> dict[str, int]:
        self.work()
        return {}


def test_many_slow_downloads_hold_up_nobody_else(api: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, many = Slow(), THREADS + 4
    monkeypatch.setattr(privacy, "export_room", slow.export)
    monkeypatch.setattr(privacy, "erase", slow.erase)
    with ThreadPoolExecutor(many) as callers:
        asked: list[Any] = [callers.submit(api.client.get, EXPORT) for _ in range(many - 2)]
        asked += [callers.submit(api.client.post, "/v1/admin/rooms/lab/erase", json={}) for _ in range(2)]
        try:
            waiting = api.context.long_work._limiter
            wait_for(lambda: waiting.statistics().tasks_waiting == many - AT_ONCE, "all to have asked")
            assert [api.client.get("/v1/rooms/lab/state").status_code for _ in range(3)] == [200] * 3
            assert not any(one.done() for one in asked)
        finally:
            slow.go_on.set()
        answers = [one.result(30) for one in asked]
    assert [answer.status_code for answer in answers] == [200] * many, "all come to their turn"
    assert {answer.text for answer in answers[: many - 2]} == {"whole\n"}
    assert slow.most == AT_ONCE


def test_states_are_told_while_all_others_wait_for_a_writer(api: Running) -> None:
    with ThreadPoolExecutor(THREADS + 2) as callers:
        with api.store.write():
            rooms = [f"/v1/rooms/waits-{number}" for number in range(THREADS + 2)]
            asked = [callers.submit(api.client.put, room, json={}) for room in rooms]
            pool: Any = api.store.engine.pool
            wait_for(lambda: pool.checkedout() > THREADS, "all threads to be taken")
            api.context.keys.forget()
            for path in ("/v1/rooms/lab/state", "/v1/state"):
                assert api.client.get(path).status_code == 200
            assert not any(one.done() for one in asked)
        assert {one.result(30).status_code for one in asked} == {201}


async def test_a_download_holds_no_thread_while_its_caller_reads_slowly() -> None:
    work, parts = LongWork(), [bytes([number]) * 30_000 for number in range(10)]
    slow = [work.pieces(iter(parts)) for _ in range(AT_ONCE + 1)]
    first = [await anext(one) for one in slow]
    assert {len(piece) for piece in first} == {90_000}, "small parts go together"
    with anyio.fail_after(30):
        assert await work.run(lambda: "done") == "done"
    assert first[0] + b"".join([piece async for piece in slow[0]]) == b"".join(parts)


async def test_trouble_in_the_middle_ends_a_download() -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 70_000
        raise OSError("the disk is gone")

    pieces = LongWork().pieces(broken())
    assert len(await anext(pieces)) == 70_000
    with pytest.raises(OSError, match="gone"):
        await anext(pieces)


def test_what_a_read_logs_tells_of_its_request() -> None:
    async def told() -> str:
        with structlog.contextvars.bound_contextvars(request_id="r-7"):
            return await Readers().run(lambda: str(structlog.contextvars.get_contextvars()["request_id"]))

    assert anyio.run(told) == "r-7"
