"""What comes again after a broken connection: what a dying collector may have lost, and never a flood."""

import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from pydantic import ValidationError

from service.outlets.resend import Reach, Resend
from service.outlets.settings import OutletSettings
from service.outlets.syslog.settings import SyslogSettings
from service.outlets.syslog.trail import Trail
from service.settings import Settings
from service.store.audit import AuditRow, record
from service.store.engine import Store, open_store
from service.store.eventlog import read_head
from service.store.outlets import cursors
from tests.outlets.site import OutletsThread, append
from tests.service.running import wait_for


class Balancer:
    """Takes connections in clear and ends each of them after `life_s` without a word."""

    def __init__(self, life_s: float) -> None:
        self._life_s, self._stop = life_s, threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.05)
        self.port = int(self._server.getsockname()[1])
        self.heard: list[list[str]] = []
        self.connected = False
        self._thread = threading.Thread(target=self._serve)

    @property
    def copies(self) -> Counter[str]:
        """How often each message was heard, by its id."""
        return Counter(one for heard in self.heard for one in heard)

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._server.accept()
            except TimeoutError:
                continue
            with connection:
                self.connected = True
                text = self._read(connection)
            self.connected = False
            self.heard.append(re.findall(r' id="([^"]+)"', text))

    def _read(self, connection: socket.socket) -> str:
        data, end_s = b"", time.monotonic() + self._life_s
        connection.settimeout(0.05)
        while time.monotonic() < end_s and not self._stop.is_set():
            try:
                more = connection.recv(65536)
            except TimeoutError:
                continue
            if not more:
                break
            data += more
        return data.decode()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)
        self._server.close()


def site(folder: Path, balancer: Balancer, **more: Any) -> Settings:
    syslog = SyslogSettings(host="127.0.0.1", port=balancer.port, tls=False, audit=True, **more)
    return Settings(data_dir=folder, outlets=OutletSettings(syslog=syslog))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(Settings(data_dir=tmp_path).store_url)
    yield opened
    opened.close()


def note(store: Store) -> None:
    with store.write() as connection:
        record(connection, actor="key:a", action="room.changed", target="lab")


def wait_for_cursors(store: Store) -> None:
    wait_for(lambda: {"syslog", "syslog.audit"} <= set(cursors(store)), "the cursors")


def test_idle_connections_that_are_ended_make_no_flood(tmp_path: Path, store: Store) -> None:
    with Balancer(1.0) as balancer, OutletsThread(site(tmp_path, balancer)):
        wait_for_cursors(store)
        append(store, 50)
        note(store)
        wait_for(lambda: len(balancer.copies) == 51, "all of them")
        already = len(balancer.heard)
        wait_for(lambda: len(balancer.heard) >= already + 4, "further connections")
        assert set(balancer.copies.values()) == {2}, "once, and once more after the break"


def test_after_a_break_all_of_the_last_come_again_though_all_was_written(
    tmp_path: Path, store: Store
) -> None:
    """As for a collector that took it all and read nothing: nobody can tell the difference."""
    with Balancer(1.5) as balancer, OutletsThread(site(tmp_path, balancer, resend=10)):
        wait_for_cursors(store)
        sent = append(store, 30)
        wait_for(lambda: sum(balancer.copies.values()) >= 40, "the last ten again")
        again = [one.rpartition("-")[2] for one, count in balancer.copies.items() if count == 2]
        assert again == [str(number) for number in sent[-10:]]


def test_what_was_sent_long_before_the_break_does_not_come_again(tmp_path: Path, store: Store) -> None:
    with Balancer(3.0) as balancer:
        with OutletsThread(site(tmp_path, balancer, resend_age_s=0.2, resend_gap_s=0.1)):
            wait_for_cursors(store)
            wait_for(lambda: balancer.connected, "a connection")
            append(store, 5)
            wait_for(lambda: len(balancer.heard) >= 2, "the end of it, and another one")
        assert set(balancer.copies.values()) == {1}


def test_a_process_that_begins_repeats_nothing(tmp_path: Path, store: Store) -> None:
    with Balancer(30.0) as balancer:
        for _ in range(2):
            with OutletsThread(site(tmp_path, balancer)):
                wait_for_cursors(store)
                append(store, 5)
                wait_for(lambda: caught_up(store), "the events")
    assert len(balancer.copies) == 10
    assert set(balancer.copies.values()) == {1}


def caught_up(store: Store) -> bool:
    return cursors(store)["syslog"] == read_head(store)


async def test_audit_entries_come_again_in_order_and_the_cursor_stays(store: Store) -> None:
    trail = Trail(store, Reach(count=2, age_s=60, gap_s=0.0, breaks_only=True))
    assert await trail.new() == []
    for _ in range(3):
        note(store)
    trail.connected()
    assert await trail.again() == []
    rows = await trail.new()
    await trail.told(rows)
    assert [await trail.again(), await trail.new()] == [[], []]
    trail.lost()
    trail.connected()
    note(store)
    assert numbers(await trail.again()) == numbers(rows)[-2:]
    assert await trail.again() == []
    assert numbers(await trail.new()) == [numbers(rows)[-1] + 1]


def numbers(rows: list[AuditRow]) -> list[int]:
    return [row.id for row in rows]


def test_after_a_break_and_not_once_more() -> None:
    resend = Resend(Reach(count=1000, age_s=60, gap_s=15, breaks_only=True))
    resend.connected(0)
    assert resend.take(0) is None
    resend.delivered(7, 1)
    assert [resend.take(now_s) for now_s in (1, 15, 30)] == [None, None, None]
    resend.lost(31)
    resend.connected(32)
    assert [resend.take(now_s) for now_s in (32, 47, 62)] == [7, None, None]
    resend.lost(63)
    resend.connected(64)
    assert resend.take(64) is None, "61 seconds of connection"


def test_what_would_be_too_old_before_it_may_come_again_is_refused() -> None:
    with pytest.raises(ValidationError, match="resend_age_s is at least resend_gap_s"):
        SyslogSettings(host="h", resend_age_s=10)
