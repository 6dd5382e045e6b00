"""A site over several machines: it senses, refuses a second worker, and outlives its database."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.store.engine import open_store
from service.store.history import prediction_page
from tests.e2e.machines import Machines, several, whole_log
from tests.e2e.site import ROOMTONE, wait_for
from tests.postgres import Server, why_not

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if reason := why_not():
        pytest.skip(reason)
    with Server() as running:
        yield running


@pytest.fixture(scope="module")
def site(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with several(tmp_path_factory.mktemp("site"), server.url(server.database())) as running:
        yield running


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("captures") / "walk.dat"
    words = ["simulate", "--people", "12s:0,12s:1", "--seed", "3", "-o", str(made)]
    subprocess.run([ROOMTONE, *words], check=True, capture_output=True)
    return made


@contextmanager
def replay(site: Machines, capture: Path, room: str, speed: str) -> Iterator["subprocess.Popen[bytes]"]:
    words = ["replay", str(capture), "--link", f"{room}.link", "--room", room, "--speed", speed]
    with subprocess.Popen(
        [ROOMTONE, *words], env=site.environment("worker"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def finish(process: "subprocess.Popen[bytes]") -> None:
    _, complaint = process.communicate(timeout=90)
    assert process.returncode == 0, complaint.decode()


def noticed(site: Machines) -> bool:
    """Whether the worker says that its store is gone, between two reads or amid one; it must outlive that."""
    said = site.log("worker")
    assert site.alive(), said
    return "store_unavailable" in said or "worker_starts_over" in said


def windows(site: Machines, room: str) -> list[tuple[str, str]]:
    """Task and end of every predicted window, relative to the first one."""
    store = open_store(site.store_url)
    page, _ = prediction_page(store, room, limit=10_000)
    store.close()
    return [(item["task"], item["window"]["to"]) for item in page]


def test_a_capture_is_sensed_over_the_network(site: Machines, capture: Path) -> None:
    with replay(site, capture, "quiet", "max") as quiet:
        finish(quiet)
    with site.client as client:
        (presence,) = [
            task for task in client.get("/v1/rooms/quiet/state").json()["tasks"] if task["task"] == "presence"
        ]
        assert presence["value"] == "occupied"
        links = client.get("/v1/rooms/quiet/quality").json()
        assert links, "the worker's heartbeat came over TCP with the shared key"
    assert windows(site, "quiet")


def test_a_second_worker_is_refused_on_whatever_machine(site: Machines) -> None:
    (site.folder / "other").mkdir()
    (site.folder / "other" / "bus.key").write_bytes((site.folder / "worker" / "bus.key").read_bytes())
    second = site.start("worker", "other")
    assert second.wait(60) == 1
    assert "the part 'worker' of this site runs already" in site.log("other")
    del site.running["other"]


def test_the_database_is_killed_under_load_and_nothing_is_lost(
    site: Machines, server: Server, capture: Path
) -> None:
    # Twelve seconds of frames: there must be some to write when the store is gone, on a slow machine too.
    with replay(site, capture, "busy", "2") as busy, site.client as client:
        wait_for(
            lambda: client.get("/v1/rooms/busy/state").status_code == 200 and len(windows(site, "busy")) > 3,
            "load",
        )
        told = client.put("/v1/rooms/acknowledged", json={"name": "told before the kill"})
        assert told.status_code == 201
        before = whole_log(client)
        assert busy.poll() is None, "frames are still on their way"
        server.stop()
        lost = client.get("/v1/rooms")
        assert (lost.status_code, lost.json()["type"].rpartition("/")[2]) == (503, "store-unavailable")
        wait_for(lambda: noticed(site), "the worker to notice")
        server.start()
        finish(busy)
        assert site.alive(), "every part went on by itself"
        wait_for(lambda: client.get("/readyz").status_code == 200, "the site to be ready")
        assert client.get("/v1/rooms/acknowledged").status_code == 200
        after = whole_log(client)
    numbers = [event["sequence"] for event in after]
    assert after[: len(before)] == before
    assert numbers == sorted(set(numbers))
    counts = [len(windows(site, room)) for room in ("quiet", "busy")]
    assert counts[0] == counts[1], "each window was predicted, and once"
