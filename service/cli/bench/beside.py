"""What the worker's latency feels of a trainer that trains all the time."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from models.adapt import available, tier_of
from service.cli.bench.bare import simulated_streams
from service.cli.bench.figures import WARM_UP_S, spread_of
from service.cli.bench.lesson import teach
from service.cli.bench.observe import measure, running_worker
from service.cli.bench.pipeline import loads_of, settings_in
from service.settings import Settings
from service.store.engine import Store, open_store
from service.store.jobs import JobTaken, create_job
from service.trainer.loop import KIND

_RATE_HZ = 100.0
_NEXT_S = 0.2
ROOM = "bench"


def beside_a_training(rooms: int, seconds: float, *, quiet: bool) -> dict[str, Any]:
    """Latency from closing frame to commit, alone and beside jobs that follow each other; one ratio."""
    deep = [name for name in available() if tier_of(name) == "deep"]
    streams = simulated_streams(_RATE_HZ, seconds + WARM_UP_S, quiet=quiet)
    alone, _ = _latency(rooms, streams, None, quiet=quiet)
    method = deep[0] if deep else available()[0]
    beside, jobs = _latency(rooms, streams, method, quiet=quiet)
    return {
        "rooms": rooms,
        "rate_hz": _RATE_HZ,
        "method": method,
        "jobs": jobs,
        "alone": alone,
        "beside": beside,
        "ratio_p99": round(float(beside["p99"]) / float(alone["p99"]), 2),
    }


def _latency(
    rooms: int, streams: list[list[bytes]], method: str | None, *, quiet: bool
) -> tuple[dict[str, float | int], int]:
    """Latency, and how many trainings were begun meanwhile."""
    with tempfile.TemporaryDirectory(prefix="roomtone-bench-") as folder:
        settings = settings_in(Path(folder))
        with running_worker(settings) as worker:
            trainings = (
                nullcontext(list[str]()) if method is None else _trainings(settings, method, quiet=quiet)
            )
            with trainings as begun:
                sent, seen = measure(settings, worker, loads_of(settings, rooms, streams, 1), quiet=quiet)
    return spread_of(sent, seen), len(begun)


@contextmanager
def _trainings(settings: Settings, method: str, *, quiet: bool) -> Iterator[list[str]]:
    """One job after the other, in a trainer of its own, until the block ends; their ids."""
    store, over, begun = open_store(settings.store_url), threading.Event(), list[str]()
    teach(store, ROOM, "counting", quiet=quiet)
    asking = threading.Thread(target=_ask, args=(store, method, begun, over), daemon=True)
    with _trainer(settings.data_dir) as trainer:
        asking.start()
        try:
            yield begun
        finally:
            over.set()
            asking.join()
            trainer.terminate()
    store.close()


def _ask(store: Store, method: str, begun: list[str], over: threading.Event) -> None:
    request = {"method": method, "shadow_s": 0, "force": True}
    while not over.wait(_NEXT_S):
        with suppress(JobTaken):
            job = create_job(store, room=ROOM, task="counting", kind=KIND, request=request, actor=ROOM)
            begun.append(job.job)


def _trainer(data_dir: Path) -> "subprocess.Popen[bytes]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROOMTONE_")}
    environment = {
        **clean,
        "ROOMTONE_DATA_DIR": str(data_dir),
        "ROOMTONE_MODELS__SHELVES": json.dumps(["open"]),
    }
    command = [sys.executable, "-m", "service.cli", "trainer"]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
