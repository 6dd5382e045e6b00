"""Frames of rooms that are empty, or not, as a sender brings them; and a worker that hears them."""

from dataclasses import replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from drivers.frame import FrameBlock
from service.store.jobs import Job, create_job, get_job
from service.store.schema import baselines
from tests.models import make
from tests.service.bench import Bench
from tests.service.frames import T0, S, Talker

RATE = 25.0
DURATION_S = 60.0
WHOLE_S = DURATION_S + 60.0


def room(
    start_s: float, seconds: float, *, people: int = 0, seed: int = 1, unrest: float = 1.5
) -> FrameBlock:
    """Frames of a room whose furniture is `seed`; `unrest` is what moves in it by itself: noise."""
    when = make.times(seconds, RATE)
    csi = make.static(seed, tx=1) + make.noise(len(when), round(start_s) + 7, tx=1, size=1.5)
    csi = csi + make.moving(when, people, 2, tx=1) + _swaying(when, unrest, round(start_s))
    found = make.block(when, csi, first=round(start_s * RATE))
    table = found.table.copy()
    table["capture_ns"] += T0 + round(start_s * S) - make.EPOCH_NS
    return replace(found, table=table)


def _swaying(when: np.ndarray, size: float, seed: int) -> np.ndarray:
    """A curtain: one weak echo whose phase wanders at a steady pace."""
    rng = np.random.default_rng(seed)
    pace = 2 * np.pi * 1.3 * (when - make.EPOCH_NS) / 1e9
    phase = rng.uniform(0, 2 * np.pi)
    turn = np.exp(1j * rng.uniform(0, 2 * np.pi, (30, 3, 1)))
    return np.asarray(size * np.exp(1j * (pace + phase))[:, None, None, None] * turn)


class Site:
    """A room with a link, and jobs about it."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.now_s = bench, 0.0
        self.talker: Talker = bench.talker()
        self.hear(8)

    def hear(self, seconds: float, **how: Any) -> None:
        """The room's next seconds arrive, a minute at most at once."""
        end = self.now_s + seconds
        while self.now_s < end:
            part = min(60.0, end - self.now_s)
            self.talker.send(room(self.now_s, part, **how), size=64)
            self.now_s += part
            self.settle()

    def settle(self) -> None:
        """Until everything that was sent is predicted."""
        before = None
        while before != (before := self.bench.worker.counters["windows"]) or self.bench.worker._pending:
            self.bench.turn(8)

    def ask(self, *, start_delay_s: float = 0.0, dry_run: bool = False) -> str:
        """A recalibration, which the worker has heard of."""
        request = {
            "mode": "empty",
            "start_delay_s": start_delay_s,
            "duration_s": DURATION_S,
            "dry_run": dry_run,
        }
        job = create_job(
            self.bench.store, room="b", task="presence", kind="recalibration", request=request, actor="me"
        ).job
        self.bench.api.publish("jobs", {})
        self.bench.turn()
        return job

    def job(self, job: str) -> Job:
        found = get_job(self.bench.store, job)
        assert found is not None
        return found

    def baseline(self, link: str = "l1") -> dict[str, Any]:
        rows = [row["doc"] for row in self.bench.rows(baselines) if row["room"] == "b"]
        return dict(rows[0].get(link, {})) if rows else {}

    def keep(self, **documents: Any) -> None:
        """Baselines that somebody made before, by link."""
        row = {"room": "b", "task": "presence", "doc": documents, "updated_ns": T0}
        with self.bench.store.write() as connection:
            connection.execute(sa.delete(baselines))
            connection.execute(sa.insert(baselines).values(row))
        self.bench.worker._read_layout()
