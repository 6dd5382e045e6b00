"""The client's stream: it begins with how things stand, and goes on over kills, overflows and resets."""

import asyncio
import contextlib
import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

import roomtone_client as rt
from roomtone_client.follow import Follower
from service.api.stream.outbox import StreamEnd
from service.events import EventType
from service.settings import Settings
from service.store.engine import Store, open_store
from service.store.keys import Role, create_key
from service.store.log import append_event
from tests.ports import free_port
from tests.service.running import Running, wait_for

QUICK = rt.Retry(attempts=3, first_s=0.02, longest_s=0.1)
ROOMTONE = Path(sys.executable).with_name("roomtone")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("stream")) as running:
        running.put_room("lab")
        yield running


def numbers(found: Any, count: int) -> list[int]:
    """Numbers of so many events; what a stream begins with is passed over."""
    return [one.number for one in itertools.islice(found, count)]


def close(following: Iterator[Any]) -> None:
    assert isinstance(following, Generator)
    following.close()


def test_it_begins_with_how_things_stand_and_resumes_after_a_number(api: Running) -> None:
    before = api.append(alert_id="before")
    with rt.Client(api.base, api.key, retry=QUICK) as client:
        following = client.stream(types=["alert"])
        snapshot = next(following)
        assert isinstance(snapshot, rt.Snapshot)
        assert (snapshot.number, snapshot.reason) == (before, "")
        assert [room.room for room in snapshot.rooms] == ["lab"]
        written = [api.append(alert_id=str(number)) for number in range(3)]
        assert numbers(following, 3) == written
        close(following)
        again = client.stream(after=written[0], rooms=["lab"], min_severity="info")
        assert numbers(again, 2) == written[1:]
        close(again)


def test_one_that_could_not_keep_up_comes_back_and_misses_nothing(api: Running) -> None:
    with rt.Client(api.base, api.key, retry=QUICK) as client:
        following = client.stream()
        next(following)
        first = [api.append(alert_id="a") for _ in range(3)]
        assert numbers(following, 1) == first[:1]
        loop, ended = (
            api.context.hub._loop,
            StreamEnd(4408, "overflow", {"type": "overflow", "detail": "slow"}),
        )
        assert loop is not None
        for one in list(api.context.hub.clients):
            loop.call_soon_threadsafe(one.outbox.end, ended)
        second = [api.append(alert_id="b") for _ in range(3)]
        assert numbers(following, 5) == first[1:] + second
        close(following)


async def test_events_that_are_gone_for_good_are_told_as_a_snapshot(api: Running) -> None:
    async with rt.AsyncClient(api.base, api.key, retry=QUICK) as client:
        following = client.stream(after=10**9)
        found = await anext(following)
        assert isinstance(found, rt.Snapshot)
        assert "no event 1000000000 yet" in found.reason
        written = api.append(alert_id="c")
        assert (await anext(following)).number == written
        await following.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_keys_that_end_or_may_not_end_the_stream(api: Running) -> None:
    own = api.new_key(Role.VIEWER, room="lab")
    async with rt.AsyncClient(api.base, own, retry=QUICK) as client:
        with pytest.raises(rt.StreamRefusedError, match="4403: the key is for room lab only"):
            await anext(client.stream(rooms=["hall"]))
        with pytest.raises(rt.StreamRefusedError, match=r"4400.*no event type 'magic'"):
            await anext(client.stream(types=["magic"]))
        following = client.stream()
        assert isinstance(await anext(following), rt.Snapshot)
        key_id = own.split("_")[1]
        assert (await asyncio.to_thread(api.client.delete, f"/v1/keys/{key_id}")).status_code == 204
        with pytest.raises(rt.StreamRefusedError, match="4401"):
            await anext(following)
        with pytest.raises(rt.UnauthenticatedError):
            await anext(client.stream())
    with rt.Client(api.base, own) as client, pytest.raises(rt.UnauthenticatedError):
        next(client.stream())


def test_an_event_that_comes_again_is_passed_over() -> None:
    follower = Follower(None, None, None, 5, QUICK)
    event = {
        "id": "6",
        "source": "s",
        "type": "t",
        "time": "2026-01-31T12:00:00Z",
        "sequence": "06",
        "data": {},
    }
    text = json.dumps(event)
    assert follower.take(text) is not None
    assert follower.take(text) is None
    assert '"after":"6"' in follower.subscribe()
    with pytest.raises(rt.UnreadableAnswerError):
        follower.take("[]")
    pauses = [follower.pause_s() for _ in range(40)]
    assert max(pauses) <= QUICK.longest_s


class Served:
    """`roomtone api` as a process, on one port, that is killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._words = [str(ROOMTONE), "api", "--port", str(self.port), "--data-dir", str(folder)]
        self._log = (folder / "api.log").open("wb")
        self.process = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        self.process = subprocess.Popen(self._words, stdout=self._log, stderr=self._log)
        return self.process

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self._log.close()


class Reader:
    """Follows in a thread of its own until it has seen an event that is marked as the last."""

    def __init__(self, url: str, key: str, *, sync: bool) -> None:
        self.seen: list[int] = []
        self._url, self._key = url, key
        self.thread = threading.Thread(target=self._sync if sync else lambda: asyncio.run(self._async()))
        self.thread.start()

    def _takes(self, found: rt.Event | rt.Snapshot) -> bool:
        """Whether it goes on."""
        if isinstance(found, rt.Event):
            self.seen.append(found.number)
            return not found.data.get("last")
        assert not found.reason, "nothing may be gone"
        return True

    def _sync(self) -> None:
        with rt.Client(self._url, self._key, retry=QUICK) as client:
            for found in client.stream(after=0):
                if not self._takes(found):
                    return

    async def _async(self) -> None:
        async with rt.AsyncClient(self._url, self._key, retry=QUICK) as client:
            async for found in client.stream(after=0):
                if not self._takes(found):
                    return


def append(store: Store, *, last: bool = False) -> int:
    with store.write() as connection:
        kind, now = EventType.ALERT_RAISED, time.time_ns()
        return append_event(connection, kind, room="lab", data={"last": last}, time_ns=now)


def test_kill_9_of_the_api_loses_and_doubles_nothing(tmp_path: Path) -> None:
    store = open_store(Settings(data_dir=tmp_path).store_url)
    key = create_key(store, Role.VIEWER, actor="test")[0]
    served = Served(tmp_path)
    with contextlib.closing(store):
        written = [append(store)]
        readers = [Reader(f"http://127.0.0.1:{served.port}", key, sync=sync) for sync in (True, False)]
        try:
            wait_for(lambda: all(one.seen for one in readers), "the first event")
            written += [append(store) for _ in range(100)]  # some of them on their way when it dies
            served.kill()
            written += [append(store) for _ in range(100)]
            served.start()
            wait_for(lambda: all(len(one.seen) > 150 for one in readers), "the stream to go on")
        finally:
            written.append(append(store, last=True))
            for one in readers:
                one.thread.join(30)
            served.stop()
        head = written[0]
    for one in readers:
        assert [number for number in one.seen if number >= head] == written
        assert one.seen == sorted(set(one.seen))
