"""kill -9 of the worker in the middle of a replay: nothing is lost, doubled, or taken for an empty room.

Two kills by default; ROOMTONE_KILLS=20 for the long form.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
import sqlalchemy as sa

from service.store.engine import Store, open_store
from service.store.schema import alerts, events, predictions, states
from tests.ports import free_port

KILLS = int(os.environ.get("ROOMTONE_KILLS", "2"))
EMPTY_S, FULL_S = 12, 50 if KILLS <= 3 else 15 * KILLS
SPEED = 6 if KILLS <= 3 else 2
ROOMTONE = Path(sys.executable).with_name("roomtone")
HOP_NS = 1_000_000_000
T = TypeVar("T")

pytestmark = pytest.mark.timeout(120 + 30 * KILLS)


def eventually(look: Callable[[], T | None], what: str, seconds: float = 60) -> T:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROOMTONE_")}
    return clean | {
        "ROOMTONE_DATA_DIR": str(tmp_path / "data"),
        "ROOMTONE_INGEST__ENDPOINT": f"tcp://127.0.0.1:{free_port()}",
        "ROOMTONE_SERVER__PORT": str(free_port()),
    }


@pytest.fixture
def service(environment: dict[str, str], tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (tmp_path / "run.log").open("wb") as log:
        process = subprocess.Popen([ROOMTONE, "run", "--no-demo"], env=environment, stdout=log, stderr=log)
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.fixture
def store(service: object, tmp_path: Path) -> Iterator[Store]:
    eventually((tmp_path / "data" / "roomtone.sqlite3").exists, "the store")
    opened = open_store(f"sqlite:///{tmp_path / 'data' / 'roomtone.sqlite3'}")
    yield opened
    opened.close()


@pytest.fixture
def capture(tmp_path: Path, environment: dict[str, str]) -> Path:
    path = tmp_path / "walk.dat"
    words = ["simulate", "--people", f"{EMPTY_S}s:0,{FULL_S}s:2", "--rate", "100", "--seed", "3"]
    subprocess.run([ROOMTONE, *words, "-o", path], env=environment, check=True, capture_output=True)
    return path


def rows(store: Store, table: sa.Table) -> list[dict[str, Any]]:
    with store.read() as connection:
        return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def presence(store: Store) -> dict[str, Any]:
    query = sa.select(states.c.doc).where(states.c.task == "presence")
    with store.read() as connection:
        return connection.execute(query).scalar() or {}


def newest(store: Store) -> int:
    with store.read() as connection:
        return connection.execute(sa.select(sa.func.max(predictions.c.id))).scalar() or 0


def worker_of(service: "subprocess.Popen[bytes]") -> psutil.Process | None:
    for child in psutil.Process(service.pid).children():
        if "worker" in child.cmdline():
            return child
    return None


def kill_and_watch(service: "subprocess.Popen[bytes]", store: Store) -> tuple[float, list[dict[str, Any]]]:
    """Kill the worker; seconds until it predicts again, and every state seen until then."""
    worker = eventually(lambda: worker_of(service), "the worker")
    worker.kill()
    worker.wait()
    killed, before = time.monotonic(), newest(store)
    seen: list[dict[str, Any]] = []

    def resumed() -> bool:
        seen.append(presence(store))
        return newest(store) > before

    eventually(resumed, "predictions after the kill")
    return time.monotonic() - killed, seen


def test_kills_during_a_replay(
    service: "subprocess.Popen[bytes]",
    store: Store,
    capture: Path,
    environment: dict[str, str],
    record_property: Callable[[str, object], None],
) -> None:
    words = ["replay", str(capture), "--link", "l1", "--room", "b", "--speed", str(SPEED), "--json"]
    replay = subprocess.Popen([ROOMTONE, *words], env=environment, stdout=subprocess.PIPE)
    took: list[float] = []
    for _ in range(KILLS):
        eventually(lambda: presence(store).get("value") == "occupied", "an occupied room")
        seconds, seen = kill_and_watch(service, store)
        took.append(seconds)
        assert not any(state["value"] == "vacant" for state in seen)
        unknown = [state for state in seen if state["status"] == "unknown"]
        assert unknown, "the worker that came back said nothing about the time between"
        assert all(state["reason"] and state["value"] is None for state in unknown)
        assert unknown[0]["reason"] == "worker_down"
        assert unknown[0]["last_known"]["value"] == "occupied"
    output, _ = replay.communicate(timeout=120 + 5 * KILLS)
    assert replay.returncode == 0
    (report,) = json.loads(output)["files"]
    record_property("seconds_to_resume", took)
    print("predictions came back after", [f"{seconds:.1f} s" for seconds in took])
    assert max(took) < 30
    assert report["processed"] == report["published"] == report["frames"]
    check_nothing_lost_or_doubled(store)


def check_nothing_lost_or_doubled(store: Store) -> None:
    made = [row for row in rows(store, predictions) if row["task"] == "presence"]
    ends = [row["to_ns"] for row in made]
    assert ends == list(range(ends[0], ends[0] + HOP_NS * len(ends), HOP_NS)), "every window, each once"
    assert len(ends) >= EMPTY_S + FULL_S - 2
    unknown = [number for number, row in enumerate(made) if row["doc"]["status"] == "unknown"]
    assert unknown == list(range(len(unknown))), "only the first windows lack frames: the replay lost none"
    log = rows(store, events)
    assert [row["sequence"] for row in log] == list(range(1, len(log) + 1))
    kinds = [row["type"].rsplit(".", 1)[1] for row in log if row["data"].get("rule") == "room_occupied"]
    assert kinds == ["raised"] + ["updated"] * KILLS
    (alert,) = [row for row in rows(store, alerts) if row["rule"] == "room_occupied"]
    assert alert["state"] == "raised"
    changes = [
        row["data"] for row in log if row["data"].get("task") == "presence" and "before" in row["data"]
    ]
    story = [data for data in changes if "alert_id" not in data]
    for earlier, later in pairwise(story):
        assert later["before"]["value"] == earlier["after"]["value"]
        assert later["before"]["reason"] == earlier["after"]["reason"]
