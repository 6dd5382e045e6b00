"""The stream's part of `bench api`: events are appended as a worker does; clients tell when they came."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from models.prediction import JsonValue
from service.bus.port import Signals
from service.bus.registry import open_signals
from service.cli.bench.serving.listeners import LAST, SENT_NS, Heard, Listeners, listen
from service.cli.bench.serving.servers import Server
from service.cli.errors import CommandError
from service.events import EventType, Severity
from service.settings import Settings
from service.store.engine import Store
from service.store.log import append_event

_START_S, _END_S = 60.0, 120.0
ROOM = "bench"


def spread(ms: list[float]) -> dict[str, float]:
    """Percentiles in milliseconds."""
    if not ms:
        raise CommandError("nothing came back in time; the machine is too slow for this load")
    found = np.percentile(ms, [50, 90, 99, 100])
    return dict(zip(("p50", "p90", "p99", "max"), (round(float(one), 1) for one in found), strict=True))


def follow(
    settings: Settings,
    store: Store,
    server: Server,
    wanted: Listeners,
    *,
    rate: float,
    seconds: float,
    fill: int = 0,
) -> dict[str, Any]:
    """Append `rate` events a second, each with `fill` bytes more, while all clients listen."""
    with _listening(wanted) as clients, open_signals(settings, "worker", listen_to=()) as signals:
        cpu, held, began = server.cpu_s, server.memory_mb, time.monotonic()
        sent = write_steadily(store, signals, rate, seconds, fill)
        heard = _heard(clients)
        spent = time.monotonic() - began
        return {
            "clients": wanted.clients,
            "events": sent,
            "events_per_s": rate,
            "delivered": len(heard.ms),
            "missing": heard.missing + sent * wanted.clients - len(heard.ms),
            "doubled": heard.doubled,
            "latency_ms": spread(heard.ms),
            "cores": round((server.cpu_s - cpu) / spent, 3),
            "memory_mb": {"before": held, "after": server.memory_mb},
            "stalled": [{"code": code, "reason": reason} for code, reason in heard.closed],
        }


def write_steadily(store: Store, signals: Signals, rate: float, seconds: float, fill: int) -> int:
    """Append alerts one by one at a steady pace; the last one says so. How many there were."""
    total, began = max(round(rate * seconds), 2), time.monotonic()
    for number in range(total):
        if (wait := began + number / rate - time.monotonic()) > 0:
            time.sleep(wait)
        with store.write() as connection:
            data: dict[str, JsonValue] = {"number": number, SENT_NS: time.time_ns(), "source": "simulated"}
            data |= {LAST: number == total - 1, "fill": "." * fill}
            sequence = append_event(
                connection,
                EventType.ALERT_RAISED,
                room=ROOM,
                data=data,
                time_ns=time.time_ns(),
                severity=Severity.CRITICAL,
            )
        signals.publish("events", {"sequence": sequence})
    return total


@contextmanager
def _listening(wanted: Listeners) -> "Iterator[Connection[bool, str | Heard]]":
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=listen, args=(wanted, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(_START_S):
            raise CommandError(f"{wanted.clients} clients could not subscribe within {_START_S:.0f} s")
        ours.recv()
        yield ours
    finally:
        process.terminate()
        process.join()


def _heard(clients: "Connection[bool, str | Heard]") -> Heard:
    if not clients.poll(_END_S):
        raise CommandError("clients wait for events that did not come; the stream lost some")
    found = clients.recv()
    assert isinstance(found, Heard)  # noqa: S101 - the other end is ours
    return found
