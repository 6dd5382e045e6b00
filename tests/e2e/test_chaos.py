"""kill -9 of trainer, worker and API at random moments while a room is taught: nothing acknowledged is lost.

Two kills by default; ROOMTONE_KILLS=20 (`make chaos`) for the long form.
"""

import os
import random
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.e2e.site import ROOMTONE, Site

KILLS = int(os.environ.get("ROOMTONE_KILLS", "2"))
PARTS = ("trainer", "worker", "api")
GOOD_ENDS = {"provisional", "activated", "refused"}

pytestmark = pytest.mark.timeout(180 + 40 * KILLS)


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("captures")
    made = {}
    for people in (0, 5):
        made[str(people)] = folder / f"{people}p.dat"
        words = ["simulate", "--people", f"20s:{people}", "--seed", "3", "-o", str(made[str(people)])]
        subprocess.run([ROOMTONE, *words], check=True, capture_output=True)
    return made


class Killer(threading.Thread):
    """Kills a part every few seconds, so long as there is something to disturb."""

    def __init__(self, site: Site, kills: int) -> None:
        super().__init__(daemon=True)
        self.site, self.left, self.killed = site, kills, list[str]()
        self._dice = random.Random(11)
        self.over = threading.Event()

    def run(self) -> None:
        while self.left and not self.over.wait(self._dice.uniform(0.5, 4.0)):
            name = PARTS[len(self.killed) % len(PARTS)]
            part = self._part(name)
            if part is not None:
                part.kill()
                self.killed.append(name)
                self.left -= 1

    def _part(self, name: str) -> psutil.Process | None:
        for child in psutil.Process(self.site.process.pid).children(recursive=True):
            try:
                if name in child.cmdline():
                    return child
            except psutil.NoSuchProcess:
                continue
        return None


def patiently(ask: Callable[[], httpx2.Response], seconds: float = 90) -> httpx2.Response:
    """The answer, asked for again while the API is down or a part behind it is."""
    until = time.monotonic() + seconds
    while True:
        try:
            answer = ask()
        except httpx2.TransportError:
            answer = None
        if answer is not None and answer.status_code < 500:
            return answer
        assert time.monotonic() < until, answer and answer.text
        time.sleep(0.2)


def teach(site: Site, label: str, capture: Path) -> str:
    """Upload a labelled capture under one key until it is acknowledged; its id."""
    key = uuid.uuid4().hex
    answer = patiently(
        lambda: site.client.post(
            "/v1/rooms/lab/samples",
            data={"task": "counting", "label": label, "link": "l1"},
            files={"file": (capture.name, capture.read_bytes())},
            headers={"Idempotency-Key": key},
        )
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def adapt(site: Site) -> dict[str, Any]:
    """Run a job to its end."""
    answer = patiently(
        lambda: site.client.post(
            "/v1/rooms/lab/adaptations", json={"task": "counting", "method": "head_refit", "shadow_s": 1}
        )
    )
    # The 202 of a job may be lost with the API that gave it: then the job is there, and is the one to follow.
    assert answer.status_code in {202, 409}, answer.text
    job = answer.json()["job"]
    until = time.monotonic() + 90
    while True:
        found: dict[str, Any] = patiently(lambda: site.client.get(f"/v1/jobs/{job}")).json()
        if found["over"]:
            return found
        assert time.monotonic() < until, found
        time.sleep(0.1)


def replay(site: Site, capture: Path) -> None:
    """Frames for the worker, so that something is predicted while parts die."""
    for _ in range(10):
        if site.command("replay", str(capture), "--link", "l1", "--room", "lab").returncode == 0:
            return
        time.sleep(0.5)
    raise AssertionError("no replay came through")


def test_kills_while_a_room_is_taught(site: Site, captures: dict[str, Path]) -> None:
    replay(site, captures["0"])
    killer = Killer(site, KILLS)
    killer.start()
    samples: list[str] = []
    jobs: list[dict[str, Any]] = []
    while killer.left or not jobs:
        samples += [teach(site, label, capture) for label, capture in captures.items()]
        jobs.append(adapt(site))
        replay(site, captures["5"])
    killer.over.set()
    killer.join()
    assert len(killer.killed) == KILLS

    page = patiently(lambda: site.client.get("/v1/rooms/lab/samples?limit=1000")).json()
    kept = {one["id"] for one in page["items"]}
    assert set(samples) <= kept  # acknowledged is durable
    assert len(kept) == len(page["items"])
    for job in jobs:
        assert job["state"] in GOOD_ENDS or job["reason"] == "crashed", job
    assert any(job["state"] in {"provisional", "activated"} for job in jobs), jobs
    versions = patiently(lambda: site.client.get("/v1/rooms/lab/models?task=counting")).json()["items"]
    states = [one["state"] for one in versions]
    assert states.count("active") == 1
    assert states.count("shadow") == 0  # nothing half activated
    done = {job["version"] for job in jobs if job["state"] in {"provisional", "activated"}}
    assert {one["version"] for one in versions if one["activated_at"]} == done
