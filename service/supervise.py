"""Keeps the parts of a service running: each a process of its own, restarted when it dies or gets stuck.

A part that ends with an error before it ever worked is not restarted: its settings are wrong, or its port is
taken, and starting it again would only hide that.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from service.bus.port import Signals
from service.errors import ServiceError
from service.pipe import PIPE_VARIABLE

STUCK_AFTER_S: Final = 10.0
FIRST_BEAT_WITHIN_S: Final = 60.0
HEALTHY_AFTER_S: Final = 30.0
STOP_WITHIN_S: Final = 4.0
_BACK_OFF_S = (0.25, 0.5, 1.0, 2.0, 3.0)
_LOOK_S = 0.1
_log = structlog.get_logger(__name__)


class PartError(ServiceError):
    """A part cannot start."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the service.

    Attributes:
        name: as its heartbeats say.
        arguments: of the command line `roomtone`.
        beats: whether it sends heartbeats; one that stops beating is stuck.
        once: it has an end; it is neither restarted nor missed.
    """

    name: str
    arguments: Sequence[str]
    beats: bool = True
    once: bool = False


@dataclass(slots=True)
class _Running:
    part: Part
    process: "subprocess.Popen[bytes] | None" = None
    started_s: float = 0.0
    start_at_s: float = 0.0
    beat_s: float | None = None
    failures: int = 0
    worked: bool = False
    restarts: int = 0
    finished: bool = field(default=False)


class Supervisor:
    """Starts parts and watches them; single-threaded.

    Args:
        parts: what to keep running.
        signals: where their heartbeats are heard.
        environment: of the parts.
        on_beat: called with a part's name at its first heartbeat of each life.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        signals: Signals,
        environment: Mapping[str, str],
        on_beat: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._running = {part.name: _Running(part) for part in parts}
        self._signals, self._on_beat = signals, on_beat
        self._read_end, self._write_end = os.pipe()
        self._environment = {**environment, PIPE_VARIABLE: str(self._read_end)}

    @property
    def restarts(self) -> Mapping[str, int]:
        """How often each part was started again."""
        return {name: running.restarts for name, running in self._running.items()}

    def run(self, stop: Callable[[], bool]) -> None:
        """Keep the parts running until `stop`, then stop them.

        Raises:
            PartError: a part ended with an error before it ever worked.
        """
        try:
            while not stop():
                for running in self._running.values():
                    self._look_after(running)
                self._hear()
        finally:
            self._stop_all()

    def _look_after(self, running: _Running) -> None:
        now = time.monotonic()
        if running.process is None:
            if not running.finished and now >= running.start_at_s:
                self._start(running)
            return
        code = running.process.poll()
        if code is not None:
            self._ended(running, code)
        elif running.part.beats and self._is_stuck(running, now):
            _log.error("part_stuck", stuck=running.part.name, pid=running.process.pid)
            running.process.kill()
        elif now - running.started_s > HEALTHY_AFTER_S:
            running.failures = 0

    def _start(self, running: _Running) -> None:
        running.process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", *running.part.arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            pass_fds=[self._read_end],
            process_group=0,  # Ctrl-C is for us; we stop the parts in order
        )
        running.started_s, running.beat_s = time.monotonic(), None
        _log.info("part_started", started=running.part.name, pid=running.process.pid)

    def _ended(self, running: _Running, code: int) -> None:
        running.process = None
        name = running.part.name
        if running.part.once:
            running.finished = True
            _log.info("part_finished", finished=name, exit_code=code)
            return
        if code in {1, 2} and running.part.beats and not running.worked:
            raise PartError(f"the {name} could not start (exit code {code}); its message stands above")
        wait_s = _BACK_OFF_S[min(running.failures, len(_BACK_OFF_S) - 1)]
        running.failures += 1
        running.restarts += 1
        running.start_at_s = time.monotonic() + wait_s
        _log.error("part_died", died=name, exit_code=code, again_in_s=wait_s)

    @staticmethod
    def _is_stuck(running: _Running, now: float) -> bool:
        if running.beat_s is None:
            return now - running.started_s > FIRST_BEAT_WITHIN_S
        return now - running.beat_s > STUCK_AFTER_S

    def _hear(self) -> None:
        for topic, body in self._signals.poll(_LOOK_S):
            running = self._running.get(str(body.get("part")))
            process = running.process if running else None
            if topic != "heartbeat" or running is None or process is None or body.get("pid") != process.pid:
                continue
            first, running.beat_s, running.worked = running.beat_s is None, time.monotonic(), True
            if first:
                self._on_beat(running.part.name)

    def _stop_all(self) -> None:
        """Ask every part to end, then end those that do not."""
        alive = [running.process for running in self._running.values() if running.process is not None]
        for process in alive:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        for process in alive:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.error("part_killed", pid=process.pid)
                process.kill()
                process.wait()
        os.close(self._write_end)
        os.close(self._read_end)
