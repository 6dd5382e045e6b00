"""The parts of one site as on several machines: a data folder each, a shared PostgreSQL, signals over TCP."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.e2e.site import ROOMTONE, wait_for
from tests.ports import free_port

PARTS = ("worker", "api", "trainer", "outlets")


@dataclass
class Machines:
    """Each part on a machine of its own."""

    folder: Path
    store_url: str
    key: str = ""
    port: int = field(default_factory=free_port)
    ingest: str = field(default_factory=lambda: f"tcp://127.0.0.1:{free_port()}")
    signals: Mapping[str, str] = field(
        default_factory=lambda: {part: f"tcp://127.0.0.1:{free_port()}" for part in PARTS}
    )
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def environment(self, machine: str) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ROOMTONE_")}
        return clean | {
            "ROOMTONE_DATA_DIR": str(self.folder / machine),
            "ROOMTONE_STORE__URL": self.store_url,
            "ROOMTONE_INGEST__ENDPOINT": self.ingest,
            "ROOMTONE_INGEST__CURVE": "true",
            "ROOMTONE_INGEST__AUTO_ROOMS": "true",
            "ROOMTONE_BUS__SIGNALS": json.dumps(self.signals),
            "ROOMTONE_BUS__KEY_FILE": str(self.folder / machine / "bus.key"),
            "ROOMTONE_SERVER__PORT": str(self.port),
        }

    def command(self, machine: str, *words: str) -> str:
        """What `roomtone` prints on that machine."""
        done = subprocess.run(
            [ROOMTONE, *words],
            env=self.environment(machine),
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, part: str, machine: str | None = None) -> "subprocess.Popen[bytes]":
        """Start a part; its log lies in the folder."""
        with (self.folder / f"{machine or part}.log").open("ab") as log:
            process = subprocess.Popen(
                [ROOMTONE, part], env=self.environment(machine or part), stdout=log, stderr=log
            )
        self.running[machine or part] = process
        return process

    def log(self, machine: str) -> str:
        return (self.folder / f"{machine}.log").read_text()

    @property
    def client(self) -> httpx2.Client:
        return httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=30,
        )

    def alive(self) -> bool:
        return all(process.poll() is None for process in self.running.values())


@contextmanager
def several(folder: Path, store_url: str) -> Iterator[Machines]:
    """All parts running, the API able to answer."""
    site = Machines(folder, store_url)
    site.command("worker", "keys", "bus")
    key = (folder / "worker" / "bus.key").read_bytes()
    for part in PARTS:
        (folder / part).mkdir(exist_ok=True)
        (folder / part / "bus.key").write_bytes(key)
    site.key = json.loads(site.command("worker", "keys", "create", "--role", "admin", "--json"))["key"]
    try:
        for part in PARTS:
            site.start(part)
        with site.client as client:
            wait_for(lambda: site.alive() and _ready(client), f"a site that is ready; see {folder}")
        yield site
    finally:
        for process in site.running.values():
            process.send_signal(signal.SIGTERM)
        for process in site.running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(client: httpx2.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def whole_log(client: httpx2.Client) -> list[dict[str, Any]]:
    """Every event, over all pages."""
    found, after = list[dict[str, Any]](), 0
    while True:
        page = client.get("/v1/events", params={"after": after, "limit": 500}).json()
        assert page["complete"]
        found += page["events"]
        if not page["events"]:
            return found
        after = page["next_after"]
