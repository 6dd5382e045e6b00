"""The outside view of `bench pipeline`: when predictions become visible, what the worker takes meanwhile."""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

import psutil
import sqlalchemy as sa
from rich.console import Console
from rich.progress import track

from service.bus.registry import open_signals
from service.cli.bench.load import TICK_S, Load, Sent, Usage, send_load
from service.cli.errors import CommandError
from service.settings import Settings
from service.store.engine import Store, open_store
from service.store.schema import events, predictions

_LOOK_S = 0.01
_START_S = 60.0
_SETTLE_S = 1.0


@dataclass(slots=True)
class Seen:
    """What an observer of the store and the worker saw.

    Attributes:
        windows: (room, end of window) -> Unix ns at which its predictions, and the events and alerts of the
            same transaction, were visible.
        usage: of the worker, about once a second.
    """

    windows: dict[tuple[str, int], int] = field(default_factory=dict)
    events: int = 0
    predictions: int = 0
    peak_bytes: int = 0
    idle_bytes: int = 0
    usage: list[Usage] = field(default_factory=list)


@contextmanager
def running_worker(settings: Settings) -> "Iterator[psutil.Process]":
    """A worker process of its own, after its first heartbeat; ended with the block.

    Raises:
        CommandError: it ended, or said nothing for a minute.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROOMTONE_")}
    environment = {
        **clean,
        "ROOMTONE_DATA_DIR": str(settings.data_dir),
        "ROOMTONE_INGEST__ENDPOINT": settings.ingest.endpoint,
    }
    command = [sys.executable, "-m", "service.cli", "worker"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as worker:
        try:
            _wait_for_heartbeat(settings, worker)
            yield psutil.Process(worker.pid)
        finally:
            worker.terminate()


def _wait_for_heartbeat(settings: Settings, worker: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_S
    with open_signals(settings, None, ["worker"]) as signals:
        while not signals.poll(0.1):
            if worker.poll() is not None or time.monotonic() > deadline:
                raise CommandError("the worker did not start; `roomtone worker` tells why")


def measure(
    settings: Settings, worker: "psutil.Process", loads: list[Load], *, quiet: bool
) -> tuple[list[Sent], Seen]:
    """Send all loads, each from a process of its own, and watch what becomes of them.

    Raises:
        CommandError: the worker or a sender died.
    """
    context = multiprocessing.get_context("spawn")
    store = open_store(settings.store_url)
    sending = []
    for load in loads:
        receiver, pipe = context.Pipe(duplex=False)
        process = context.Process(target=send_load, args=(load, pipe), daemon=True)
        process.start()
        pipe.close()  # so that the end of the process is the end of the pipe
        sending.append((receiver, process))
    try:
        observer = Observer(store, worker, seconds=len(loads[0].streams[0]) * TICK_S, quiet=quiet)
        return observer.watch([receiver for receiver, _ in sending]), observer.seen
    finally:
        for _, process in sending:
            process.terminate()
            process.join()
        store.close()


class Observer:
    """Looks at the store every few milliseconds, and at the worker every second."""

    def __init__(self, store: Store, worker: "psutil.Process", *, seconds: float, quiet: bool) -> None:
        self.seen = Seen(idle_bytes=worker.memory_info().rss)
        self._store, self._worker = store, worker
        self._newest, self._sampled = 0, 0.0
        self._deadline = time.monotonic() + seconds + 120
        steps = range(round(seconds))
        self._bar = iter(track(steps, "measuring", console=Console(stderr=True), disable=quiet))

    def watch(self, receivers: list["Connection[None, Sent]"]) -> list[Sent]:
        """Look until everything is sent and all that came of it is visible."""
        sent: list[Sent] = []
        for receiver in receivers:
            while not receiver.poll(_LOOK_S):
                self._look()
                if time.monotonic() > self._deadline:
                    raise CommandError("the senders are far behind real time: this machine is too slow")
            try:
                sent.append(receiver.recv())
            except EOFError as error:
                raise CommandError("a sender died; its message stands above") from error
        end = time.monotonic() + _SETTLE_S
        while time.monotonic() < end:
            self._look()
            time.sleep(_LOOK_S)
        with self._store.read() as connection:
            self.seen.events = connection.execute(sa.select(sa.func.count()).select_from(events)).scalar_one()
        return sent

    def _look(self) -> None:
        """Note the predictions that have become visible."""
        query = sa.select(predictions.c.id, predictions.c.room, predictions.c.to_ns)
        with self._store.read() as connection:
            rows = connection.execute(query.where(predictions.c.id > self._newest)).all()
        now = time.time_ns()
        for row in rows:
            self.seen.windows.setdefault((row.room, row.to_ns), now)
            self._newest = max(self._newest, row.id)
        self.seen.predictions += len(rows)
        if time.monotonic() - self._sampled > 1:
            self._sampled = time.monotonic()
            self.seen.peak_bytes = max(self.seen.peak_bytes, self._worker.memory_info().rss)
            self.seen.usage.append(Usage(time.time_ns(), _cpu_s(self._worker)))
            next(self._bar, None)


def _cpu_s(process: "psutil.Process") -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
