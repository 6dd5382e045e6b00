"""A whole Roomtone site in real processes on free ports, for tests."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx2
import psutil

from service.store.engine import open_store
from service.store.keys import Role, create_key
from tests.ports import free_port

ROOMTONE = Path(sys.executable).with_name("roomtone")
T = TypeVar("T")


def wait_for(look: Callable[[], T | None], what: str, seconds: float = 60, pause_s: float = 0.1) -> T:
    """What `look` returns once it is neither None nor false; fails after a generous deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(pause_s)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


@dataclass
class Site:
    """One running service and how to talk to it."""

    folder: Path
    shelves: tuple[str, ...] = ("open",)
    demo: bool = False
    more: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    ingest_port: int = field(default_factory=free_port)

    @property
    def endpoint(self) -> str:
        return f"tcp://127.0.0.1:{self.ingest_port}"

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ROOMTONE_")}
        return clean | {
            "ROOMTONE_DATA_DIR": str(self.folder / "data"),
            "ROOMTONE_INGEST__ENDPOINT": self.endpoint,
            "ROOMTONE_MODELS__SHELVES": json.dumps(self.shelves),
            "ROOMTONE_SERVER__PORT": str(self.port),
            **self.more,
        }

    def command(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `roomtone` with this site's settings to its end."""
        return subprocess.run(
            [ROOMTONE, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def __enter__(self) -> Self:
        self.log = (self.folder / "run.log").open("w")
        flags = [] if self.demo else ["--no-demo"]
        self.process = subprocess.Popen(
            [ROOMTONE, "run", *flags], env=self.environment, stdout=self.log, stderr=subprocess.STDOUT
        )
        self.client = httpx2.Client(base_url=self.base, timeout=30)
        try:
            wait_for(self.ready, f"{self.base}/readyz; see {self.log.name}")
        except BaseException:
            self.__exit__()
            raise
        store = open_store(f"sqlite:///{self.folder / 'data' / 'roomtone.sqlite3'}")
        self.key = create_key(store, Role.ADMIN, actor="test")[0]
        store.close()
        self.client.headers["Authorization"] = f"Bearer {self.key}"
        return self

    def ready(self) -> bool:
        assert self.process.poll() is None, (self.folder / "run.log").read_text()
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                child.kill()
            self.process.kill()
            raise
        finally:
            self.log.close()

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def state(self, room: str, task: str) -> dict[str, Any]:
        """The state of one task; an empty dict while the room is not there yet."""
        answer = self.client.get(f"/v1/rooms/{room}/state")
        if answer.status_code == 404:
            return {}
        assert answer.status_code == 200, answer.text
        return next((state for state in answer.json()["tasks"] if state["task"] == task), {})

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """All events after a sequence, over all pages."""
        found: list[dict[str, Any]] = []
        while page := self.get(f"/v1/events?after={after}&limit=500"):
            found += page["events"]
            if not page["events"]:
                return found
            after = page["next_after"]
        return found

    def worker(self) -> psutil.Process | None:
        """The worker's process, if it runs."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            if "worker" in child.cmdline():
                return child
        return None
