"""A scene: one room, one link, who is inside when, and the card that listens; and its simulation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock
from drivers.simulate.channel import Complex, Link
from drivers.simulate.disturbance import Drift
from drivers.simulate.nic import Intel5300
from drivers.simulate.path import WALKING, Behaviour, Way
from drivers.simulate.people import Body, Fan, Person
from drivers.simulate.radio import Radio
from drivers.simulate.room import Floats
from drivers.simulate.schedule import Schedule
from drivers.simulate.timing import Traffic

BODY_RADIUS_M = 0.28


@dataclass(frozen=True, slots=True)
class Crowd:
    """What the people of a scene are like.

    Attributes:
        behaviours: everybody gets one of these.
        cross_section_m2: least and greatest radar cross section of a body.
        blocking: share of a path's amplitude that a body right in its way takes.
        absorption: share of the late reflections' amplitude that each body takes.
    """

    behaviours: tuple[Behaviour, ...] = (WALKING,)
    cross_section_m2: tuple[float, float] = (0.5, 1.2)
    blocking: float = 0.6
    absorption: float = 0.03


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a simulation needs; the same scene and seed give the same frames.

    Attributes:
        link: room, antennas, subcarriers.
        schedule: how many people are inside when.
        crowd: what they are like.
        traffic: when packets come.
        radio: imperfections of the card.
        fans: moving things that are nobody.
        drift_rad: how far the static paths drift in minutes.
        door: where people come in, metres.
        seed: of everything random.
    """

    link: Link
    schedule: Schedule
    crowd: Crowd = field(default_factory=Crowd)
    traffic: Traffic = field(default_factory=Traffic)
    radio: Radio = field(default_factory=Radio)
    fans: tuple[Fan, ...] = ()
    drift_rad: float = 0.02
    door: tuple[float, float] = (0.4, 0.4)
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A stretch of simulated time.

    Attributes:
        blocks: frames that the card reported, one block a shape.
        times: seconds since the start of every packet, heard or not ``[packet]``.
        people: people inside at each packet ``[packet]``.
        positions: where the middle of each body is ``[packet, body, 3]``, NaN where it is not inside.
    """

    blocks: Sequence[FrameBlock]
    times: Floats
    people: npt.NDArray[np.int64]
    positions: Floats


@dataclass(slots=True)
class Simulation:
    """A running scene; iterate over it, or ask for chunks with `advance`."""

    scene: Scene
    clock_us: int = 0
    count: int = 0
    _packet: int = 0
    _persons: list[Person] = field(default_factory=list)
    _static: Complex = field(init=False)
    _drift: Drift = field(init=False)
    _nic: Intel5300 = field(init=False)
    _arrivals: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        card, arrivals, drift, people = np.random.SeedSequence(self.scene.seed).spawn(4)
        link = self.scene.link
        paths = len(link.first_order.gain)
        self._static = np.ascontiguousarray(link.paths[:paths].reshape(paths, -1))
        self._drift = Drift.random(np.random.default_rng(drift), paths, self.scene.drift_rad)
        self._nic = Intel5300(self.scene.radio, link.grid, card, clock_us=self.clock_us, count=self.count)
        self._arrivals = np.random.default_rng(arrivals)
        stays = self.scene.schedule.stays()
        seeds = people.spawn(len(stays))
        self._persons = [self._person(*stay, seed) for stay, seed in zip(stays, seeds, strict=True)]

    def __iter__(self) -> Iterator[Chunk]:
        return self.chunks(1.0)

    @property
    def packets(self) -> int:
        """Packets of the whole schedule."""
        return round(self.scene.schedule.seconds * self.scene.traffic.rate_hz)

    def chunks(self, seconds: float) -> Iterator[Chunk]:
        """The rest of the scene, `seconds` at a time."""
        step = max(1, round(seconds * self.scene.traffic.rate_hz))
        while self._packet < self.packets:
            yield self.advance(min(step, self.packets - self._packet))

    def advance(self, packets: int) -> Chunk:
        """The next `packets` packets."""
        times, heard = self.scene.traffic.arrivals(self._packet, packets, self._arrivals)
        self._packet += packets
        channel, bodies = self.channel(times)
        inside = np.stack([body.presence > 0 for body in bodies], axis=1) if bodies else None
        people = np.zeros(packets, np.int64) if inside is None else inside.sum(axis=1)
        positions = np.empty((packets, 0, 3))
        if inside is not None:
            positions = np.stack([body.torso for body in bodies], axis=1)
            positions = np.where(inside[..., None], positions, np.nan)
        return Chunk(self._nic.measure(channel, times, heard), times, people, positions)

    def channel(self, times: Floats) -> tuple[Complex, list[Body]]:
        """True channel ``[time, subcarrier, rx, tx]`` at these seconds, rising, and the bodies inside."""
        link, crowd = self.scene.link, self.scene.crowd
        bodies = [
            person.at(times)
            for person in self._persons
            if person.way.enter_s <= times[-1] and times[0] < person.way.leave_s
        ]
        share: Complex = self._drift.at(times)
        late = np.ones(len(times))
        if bodies:
            presence = np.stack([body.presence for body in bodies], axis=1)
            torso = np.stack([body.torso for body in bodies], axis=1)
            share = share * link.unblocked(torso, presence, radius_m=BODY_RADIUS_M, depth=crowd.blocking)
            late = np.prod(1 - crowd.absorption * presence, axis=1)
        shape = (len(times), *link.static.shape)
        channel = (share.astype(np.complex64) @ self._static).reshape(shape)
        channel += late.astype(np.float32)[:, None, None, None] * link.diffuse
        moving = [*bodies, *(fan.at(times) for fan in self.scene.fans)]
        if moving:
            points = np.concatenate([body.points for body in moving], axis=1)
            strength = np.concatenate([body.presence[:, None] * body.strength for body in moving], axis=1)
            channel += link.scattered(points, strength)
        return channel, bodies

    def _person(self, enter_s: float, leave_s: float, seed: np.random.SeedSequence) -> Person:
        """One person; who is there from the start starts anywhere, who comes later comes by the door."""
        rng = np.random.default_rng(seed)
        scene = self.scene
        width, depth, _ = scene.link.room.size_m
        start = (float(rng.uniform(0.15, 0.85) * width), float(rng.uniform(0.15, 0.85) * depth))
        way = Way(
            size_m=(width, depth),
            behaviour=scene.crowd.behaviours[int(rng.integers(len(scene.crowd.behaviours)))],
            rng=rng,
            start=start if enter_s <= 0 else scene.door,
            door=scene.door,
            enter_s=enter_s,
            leave_s=leave_s,
        )
        return Person(
            way,
            rng,
            cross_section_m2=float(rng.uniform(*scene.crowd.cross_section_m2)),
            height_m=float(rng.uniform(1.55, 1.9)),
            breath_hz=float(rng.uniform(0.2, 0.3)),
            breath_m=float(rng.uniform(0.004, 0.006)),
        )


def simulate(scene: Scene, *, chunk_s: float = 1.0, clock_us: int = 0, count: int = 0) -> Iterator[Chunk]:
    """Frames and truth of a scene, `chunk_s` at a time; see `Simulation` for the clock and the counter."""
    return Simulation(scene, clock_us, count).chunks(chunk_s)
