"""The reads' part of `bench api`: a site's API and a bare route under the same reads and the same frames."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from service.cli.bench.bare import simulated_streams
from service.cli.bench.load import Load, send_load
from service.cli.bench.observe import running_worker
from service.cli.bench.pipeline import loads_of
from service.cli.bench.serving.reads import Answers, Reads, read_steadily
from service.cli.bench.serving.servers import Server, bare_route, free_port
from service.cli.bench.serving.streams import spread
from service.cli.errors import CommandError
from service.settings import Settings

FRAMES_HZ = 100.0
WARM_UP_S, MARGIN_S, PATIENCE_S = 8.0, 10.0, 60.0
_spawn = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Pace:
    """Rooms with live frames, reads a second, and for how long each server is read."""

    rooms: int
    reads_per_s: float
    seconds: float


def compare(settings: Settings, server: Server, key: str, pace: Pace, *, quiet: bool) -> dict[str, Any]:
    """State reads of the API and of a bare route, one after the other, while frames of all rooms come in."""
    streams = simulated_streams(FRAMES_HZ, WARM_UP_S + 2 * pace.seconds + MARGIN_S, quiet=quiet)
    with ExitStack() as stack:
        stack.enter_context(running_worker(settings))
        for load in loads_of(settings, pace.rooms, streams, 1):
            stack.enter_context(_sending(load))
        bare = stack.enter_context(bare_route(free_port()))
        time.sleep(WARM_UP_S)
        paths = [f"/v1/rooms/room-{number}/state" for number in range(pace.rooms)]
        ours = _measured(server, Reads(server.port, key, paths, pace.reads_per_s, pace.seconds))
        theirs = _measured(bare, Reads(bare.port, key, paths, pace.reads_per_s, pace.seconds))
    return {
        "rooms": pace.rooms,
        "frames_hz": FRAMES_HZ,
        "reads_per_s": pace.reads_per_s,
        "api": ours,
        "bare_route": theirs,
        "ratio_p50": round(ours["latency_ms"]["p50"] / theirs["latency_ms"]["p50"], 2),
        "ratio_p99": round(ours["latency_ms"]["p99"] / theirs["latency_ms"]["p99"], 2),
        "ratio_cpu": round(ours["cpu_ms_per_read"] / theirs["cpu_ms_per_read"], 2),
    }


@contextmanager
def _sending(load: Load) -> Iterator[None]:
    """Adapters of all rooms, in a process of their own, for as long as the block lasts."""
    receiver, pipe = _spawn.Pipe(duplex=False)
    process = _spawn.Process(target=send_load, args=(load, pipe), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()
        receiver.close()


def _measured(server: Server, reads: Reads) -> dict[str, Any]:
    receiver, pipe = _spawn.Pipe(duplex=False)
    before = server.cpu_s
    process = _spawn.Process(target=read_steadily, args=(reads, pipe), daemon=True)
    process.start()
    try:
        if not receiver.poll(reads.seconds + PATIENCE_S):
            raise CommandError(f"{reads.rate:g} reads a second are not answered; the machine is too slow")
        answers: Answers = receiver.recv()
    finally:
        process.terminate()
        process.join()
    spent = server.cpu_s - before
    return {
        "answers": len(answers.ms),
        "failed": answers.failed,
        "latency_ms": spread(answers.ms),
        "cpu_ms_per_read": round(1000 * spent / len(answers.ms), 3),
        "memory_mb": server.memory_mb,
    }
