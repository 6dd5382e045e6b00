"""A real API on a free port with a real SQLite file, and a pretended worker on the real bus, for tests."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
import structlog
import uvicorn
from websockets.sync.client import ClientConnection, connect

from service.access_settings import AuthSettings
from service.api.app import create_app
from service.api.context import Context
from service.bus.registry import open_signals
from service.cli.api import server_config
from service.events import EventType, Severity
from service.settings import ServerSettings, Settings
from service.state import rfc3339
from service.store.engine import open_store
from service.store.keys import Role, create_key
from service.store.log import append_event
from service.store.schema import predictions, states
from tests.ports import free_port

T = TypeVar("T")
_TLS = httpx2.create_ssl_context()
"""Made once: reading all authorities of the system anew costs each client more than all else."""


def wait_for(look: Callable[[], T | None], what: str, seconds: float = 30) -> T:
    """What `look` returns once it is neither None nor false; fails after a generous deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


def log_as_json() -> None:
    """Short lines on stderr, wherever that is now; the default draws whole pictures of a traceback."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


class Running:
    """An API that serves, and what tests need to talk to it."""

    def __init__(
        self,
        folder: Path,
        *,
        max_waiting: int = 1000,
        patience_s: float = float("inf"),
        auth: AuthSettings | None = None,
        **server: Any,
    ) -> None:
        log_as_json()
        port = free_port()
        self.settings = Settings(
            data_dir=folder, server=ServerSettings(port=port, **server), auth=auth or AuthSettings()
        )
        self.store = open_store(self.settings.store_url)
        self.base = f"http://127.0.0.1:{port}"
        self.port = port
        self.app = create_app(
            self.settings,
            self.store,
            lambda: open_signals(self.settings, "api"),
            max_waiting=max_waiting,
            patience_s=patience_s,
        )
        self.context: Context = self.app.state.context
        self._server = uvicorn.Server(server_config(self.app, self.settings.server))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.key = self.new_key(Role.ADMIN)
        self.client = self.client_of(self.key)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_for(lambda: self._server.started, "the server to start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(20)
        self.store.close()
        assert not self._thread.is_alive(), "the server did not stop"

    def new_key(self, role: Role, room: str | None = None, **more: Any) -> str:
        return create_key(self.store, role, actor="test", room=room, **more)[0]

    def client_of(self, key: str | None, **more: Any) -> httpx2.Client:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        given = {"verify": _TLS, "trust_env": False, "timeout": 30, **more}
        return httpx2.Client(base_url=self.base, headers=headers, **given)

    def stream(self, key: str | None = None, query: str = "", **more: Any) -> ClientConnection:
        headers = {"Authorization": f"Bearer {key or self.key}"} if not query else {}
        stream: ClientConnection = connect(
            f"ws://127.0.0.1:{self.port}/v1/alerts/stream{query}",
            additional_headers=headers,
            proxy=None,
            **{"close_timeout": 1, **more},
        )
        return stream

    def put_room(self, room: str, **document: Any) -> httpx2.Response:
        answer = self.client.put(f"/v1/rooms/{room}", json=document)
        assert answer.status_code in {200, 201}, answer.text
        return answer

    def append(
        self,
        kind: EventType = EventType.ALERT_RAISED,
        room: str | None = "lab",
        severity: Severity | None = Severity.INFO,
        wake: bool = True,
        **data: Any,
    ) -> int:
        """Append an event as the worker does: durable first, then the wake-up call."""
        with self.store.write() as connection:
            number = append_event(
                connection, kind, room=room, data=data, time_ns=time.time_ns(), severity=severity
            )
        if wake:
            self.context.hub.wake()
        return number

    def put_state(self, room: str, task: str, value: Any, *, received_ns: int, **more: Any) -> None:
        """Store a state as the worker does."""
        now = rfc3339(time.time_ns())
        document = {
            "task": task,
            "status": "ok",
            "reason": None,
            "value": value,
            "probability": 0.9,
            "interval": None,
            "since": now,
            "observed_at": now,
            "window": {"from": now, "to": now},
            "stale_after": None,
            "last_known": None,
            "model": None,
            "source": "simulated",
            **more,
        }
        row = {"room": room, "task": task, "doc": document, "memory": {}, "received_ns": received_ns}
        with self.store.write() as connection:
            connection.execute(states.delete().where((states.c.room == room) & (states.c.task == task)))
            connection.execute(states.insert().values(**row, sequence=7, updated_ns=received_ns))

    def put_predictions(self, room: str, task: str, ends_s: list[int], **document: Any) -> None:
        rows = [
            {
                "room": room,
                "task": task,
                "from_ns": (end - 4) * 10**9,
                "to_ns": end * 10**9,
                "observed_ns": end * 10**9,
                "doc": {"status": "ok", "reason": None, "value": "vacant", "motion": 0.1, **document},
            }
            for end in ends_s
        ]
        with self.store.write() as connection:
            connection.execute(predictions.insert(), rows)


class PretendedWorker:
    """Beats on the real bus as the worker does; `links` and `unassigned` may be changed while it does."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.links: dict[str, dict[str, Any]] = {}
        self.unassigned: dict[str, dict[str, Any]] = {}
        self.drift: dict[str, float] = {}
        self.heard: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with open_signals(self.settings, "worker") as signals:
            while not self._stop.is_set():
                beat = {"part": "worker", "pid": 1, "time_ns": time.time_ns(), "event_sequence": 0}
                body: dict[str, Any] = {
                    **beat,
                    "links": self.links,
                    "unassigned": self.unassigned,
                    "drift": self.drift,
                    "counters": {"windows": 3},
                }
                signals.publish("heartbeat", body)
                self.heard += [topic for topic, _ in signals.poll(0.1)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Fall silent, as after kill -9."""
        self._stop.set()
        self._thread.join(10)


def link_facts(room: str | None, **more: Any) -> dict[str, Any]:
    """What a heartbeat says of one link."""
    now = time.time_ns()
    return {
        "room": room,
        "nic": "intel5300",
        "source": "simulated",
        "shape": [30, 3, 1],
        "rate_hz": 99.5,
        "received": 90,
        "accepted": 88,
        "gap": 10,
        "late": 1,
        "duplicate": 0,
        "rejected": {"all_zero": 1},
        "last_frame_ns": now,
        "last_received_ns": now,
        "clock_offset_ms": 0.5,
        "rssi_dbm": -51.0,
        "sequence_gaps": 2,
        **more,
    }
