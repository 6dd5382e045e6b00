"""Demo rooms: simulated cards of every family whose real bytes go the way of other cards', in real time."""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import structlog

from drivers.publish import Publisher
from drivers.registry import load
from drivers.sender import Sender
from drivers.simulate.capture import encode_in_order
from drivers.simulate.path import WALKING
from drivers.simulate.random_scene import random_scene
from drivers.simulate.schedule import constant
from drivers.simulate.simulation import Simulation
from drivers.wire import Source
from models.task_names import BUILT_IN
from service.rooms.config import PresenceDelays, RoomConfig
from service.store.engine import Store
from service.store.log import DEMO_TAG
from service.store.rooms import RoomRecord, get_room, put_room

CARDS = (("intel5300", 20), ("atheros", 20), ("nexmon", 80))
"""Card and bandwidth in MHz of each demo room in turn: every family whose bytes we read."""
TICK_S = 0.1
FIRST_VISIT_S = 15.0
"""Seconds until the first people come: the visitor sees the room vacant before."""
STAY_S, EMPTY_S = 35.0, 45.0
"""How long people stay, and how long the room is empty between; longer than the default `off_delay_s`."""
OFF_DELAY_S = 6.0
UNREST = 0.2
"""Antennas are screwed to walls, as where `models.training.sources` learns the places of the first room."""
_SEEDS = (9, 12, 10, 7, 4, 3, 2, 1)  # rooms with a 2.4 GHz link across the middle
_LAG_S = 2.0  # a process that slept longer than this goes on from now

_log = structlog.get_logger(__name__)


def room_names(count: int) -> list[str]:
    """Names of the first `count` demo rooms; the link of room ``r`` is ``r-1``."""
    return ["demo", *(f"demo-{number}" for number in range(2, count + 1))][:count]


def nic_of_room(number: int) -> str:
    """The card that listens in the demo room of this number, from 0."""
    return CARDS[number % len(CARDS)][0]


def is_demo(record: RoomRecord) -> bool:
    """Whether the room was made by the demo and for it alone."""
    return DEMO_TAG in record.config.tags


def seed_rooms(store: Store, names: list[str]) -> None:
    """Create those demo rooms that the store does not hold, with a delay short enough to watch."""
    for number, name in enumerate(names):
        if get_room(store, name) is not None:
            continue
        nic = nic_of_room(number)
        config = RoomConfig(
            name=f"Demo, {nic} (simulated)",
            links=[f"{name}-1"],
            tasks=list(BUILT_IN) if number == 0 else ["presence", "counting"],
            presence=PresenceDelays(off_delay_s=OFF_DELAY_S),
            tags={DEMO_TAG: "simulated"},
        )
        put_room(store, name, config, check=_anything, actor="demo", nics={f"{name}-1": nic})


def _anything(before: RoomRecord | None) -> None:
    """Take the room as it stands, if another process was faster."""
    del before


class DemoRoom:
    """One simulated room that sends what its card would: vacant, then one to three people, and again.

    Args:
        name: of the room.
        endpoint: ingest endpoint of the service.
        card: NIC and bandwidth in MHz, as in `CARDS`.
        rate_hz: packets a second.
        seed: of the room and of everybody who comes.
    """

    def __init__(
        self,
        name: str,
        endpoint: str,
        *,
        card: tuple[str, int] = CARDS[0],
        rate_hz: float = 100.0,
        seed: int = 0,
    ) -> None:
        nic, bandwidth_mhz = card
        scene = random_scene(
            seed, constant(0, 1.0), unrest=UNREST, rate_hz=rate_hz, bandwidth_mhz=bandwidth_mhz, nic=nic
        )
        crowd = replace(scene.crowd, behaviours=(WALKING,))
        self.simulation = Simulation(replace(scene, crowd=crowd, fans=()))
        self._visits = np.random.default_rng([seed, 6])
        self._next_visit_s = FIRST_VISIT_S
        self._nic = load(nic)
        self._sender = Sender(endpoint, link=f"{name}-1", room=name, nic=nic, source=Source.SIMULATED)
        self._publisher = Publisher(self._nic, self._sender)
        self._publisher.feed(self._nic.opening())
        self._refused = ""

    def advance(self, until_s: float) -> None:
        """Send all packets up to `until_s` seconds after the start."""
        self._invite(until_s)
        due = int((until_s - self.simulation.now_s) * self.simulation.scene.traffic.rate_hz)
        if due > 0:
            blocks = self.simulation.advance(due).blocks
            self._publisher.feed(encode_in_order(self._nic, blocks) if blocks else b"")
        self._publisher.tick()
        self._tell_refusal()

    def close(self) -> None:
        """Send what is left and close the connection."""
        self._publisher.finish()
        self._sender.close()

    def _invite(self, now_s: float) -> None:
        """One to three people come one after the other, and leave together."""
        while self._next_visit_s <= now_s:
            for number in range(int(self._visits.integers(1, 4))):
                self.simulation.invite(self._next_visit_s + 1.5 * number, self._next_visit_s + STAY_S)
            self._next_visit_s += STAY_S + EMPTY_S

    def _tell_refusal(self) -> None:
        detail = "" if self._sender.refusal is None else self._sender.refusal.detail
        if detail != self._refused:
            self._refused = detail
            _log.warning("demo_refused" if detail else "demo_accepted", link=self._sender.link, detail=detail)


def run_demo(endpoint: str, names: list[str], *, rate_hz: float = 100.0, stop: Callable[[], bool]) -> None:
    """Run the demo rooms in real time until `stop()` is true.

    Raises:
        DeliveryError: `endpoint` is none.
    """
    turns = zip(names, itertools.cycle(CARDS), itertools.cycle(_SEEDS), strict=False)
    rooms = [DemoRoom(name, endpoint, card=card, rate_hz=rate_hz, seed=seed) for name, card, seed in turns]
    started, reached = time.monotonic(), 0.0
    try:
        while not stop():
            time.sleep(TICK_S)
            now = time.monotonic() - started
            if now - reached > _LAG_S:
                started, now = started + now - reached - TICK_S, reached + TICK_S
            reached = now
            for room in rooms:
                room.advance(now)
    finally:
        for room in rooms:
            room.close()
