"""A site whose outlets run: the real part on a thread, or `roomtone outlets` as a process."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from service.events import EventType, Severity
from service.outlets.site import run_outlets
from service.outlets.webhooks.shop import seal_of
from service.outlets.webhooks.signing import new_secret
from service.settings import Settings
from service.store.engine import Store, open_store
from service.store.log import append_event
from service.store.webhooks import StoredWebhook, add_webhook


class OutletsThread:
    """The part `outlets` in this process."""

    def __init__(self, settings: Settings) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=run_outlets, args=(settings, self._stop.is_set), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive(), "the outlets did not stop"


class OutletsProcess:
    """`roomtone outlets`, configured by its environment; may be killed and started again."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._folder, self._environment = folder, {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "outlets", "--data-dir", str(self._folder)],
            env=self._environment,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def append(
    store: Store,
    count: int = 1,
    *,
    room: str = "lab",
    source: str = "live",
    kind: EventType = EventType.ALERT_RAISED,
    severity: Severity = Severity.WARNING,
    **more: Any,
) -> list[int]:
    """Append alerts as the worker does, a transaction each; their numbers."""
    numbers = []
    for index in range(count):
        data = {"alert_id": f"a{index}", "rule": "occupied", "task": "presence", "source": source, **more}
        with store.write() as connection:
            numbers.append(
                append_event(
                    connection,
                    kind,
                    room=room,
                    data=data,
                    time_ns=time.time_ns(),
                    severity=severity,
                )
            )
    return numbers


def hook(settings: Settings, url: str, **wanted: Any) -> tuple[StoredWebhook, str]:
    """A webhook in the store, and its secret."""
    secret = new_secret()
    doc = {"url": url, "types": None, "rooms": None, "min_severity": None, **wanted}
    store = open_store(settings.store_url)
    made = add_webhook(store, doc, secret=seal_of(settings).seal(secret), room=None, actor="test")
    store.close()
    assert made is not None
    return made, secret
