"""A scene at work: chunk after chunk of frames, and the truth about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock
from drivers.simulate.cards import card_model
from drivers.simulate.cast import Stage, actors
from drivers.simulate.disturbance import Drift
from drivers.simulate.obstruction import Thing, obstructed
from drivers.simulate.path import Way
from drivers.simulate.people import Body, Person
from drivers.simulate.room import Floats
from drivers.simulate.scene import Scene
from drivers.simulate.waves import Complex


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A stretch of simulated time.

    Attributes:
        blocks: frames that the card reported, one block a shape.
        times: seconds since the start of every packet, heard or not ``[packet]``.
        people: people inside at each packet ``[packet]``.
        positions: middles of the bodies ``[packet, body, 3]``, metres, NaN while one is not inside.
    """

    blocks: Sequence[FrameBlock]
    times: Floats
    people: npt.NDArray[np.int64]
    positions: Floats


class Simulation:
    """A running scene.

    The true channel depends on scene and seed alone; the packets and the card's noise also on how the time
    was cut into chunks.

    Args:
        scene: what is simulated; whoever its schedule names comes and goes by itself.
        clock_us: where the NIC's clock stands at the start.
        count: where the NIC's frame counter stands at the start.
    """

    def __init__(self, scene: Scene, *, clock_us: int = 0, count: int = 0) -> None:
        self.scene = scene
        card, arrivals, drift, self._people = np.random.SeedSequence(scene.seed).spawn(4)
        link, paths = scene.link, len(scene.link.first_order.gain)
        self._packet = 0
        self._blockable = np.ascontiguousarray(link.paths[:paths].reshape(paths, -1))
        self._drift = Drift.random(np.random.default_rng(drift), paths, scene.drift_rad)
        make = card_model(scene.nic).make
        self._card = make(scene.radio, link.grid, card, clock_us=clock_us, count=count)
        self._arrivals = np.random.default_rng(arrivals)
        self._persons: list[Person] = []
        for enter_s, leave_s in scene.schedule.stays():
            self.invite(enter_s, leave_s)
        self._persons += self._actors()

    @property
    def packets(self) -> int:
        """Packets of the whole schedule."""
        return round(self.scene.schedule.seconds * self.scene.traffic.rate_hz)

    @property
    def now_s(self) -> float:
        """Simulated time reached, seconds."""
        return self._packet / self.scene.traffic.rate_hz

    def invite(self, enter_s: float, leave_s: float) -> None:
        """Somebody will be inside from `enter_s` to `leave_s`, seconds of the simulation."""
        self._persons.append(self._person(enter_s, leave_s, self._people.spawn(1)[0]))

    def chunks(self, seconds: float) -> Iterator[Chunk]:
        """The rest of the schedule, `seconds` at a time."""
        step = max(1, round(seconds * self.scene.traffic.rate_hz))
        while self._packet < self.packets:
            yield self.advance(min(step, self.packets - self._packet))

    def advance(self, packets: int) -> Chunk:
        """The next `packets` packets, at least one."""
        times, heard = self.scene.traffic.arrivals(self._packet, packets, self._arrivals)
        self._packet += packets
        self._persons = [person for person in self._persons if person.way.leave_s > times[0]]
        channel, bodies = self.channel(times)
        positions, people = np.empty((packets, 0, 3)), np.zeros(packets, np.int64)
        if bodies:
            inside = np.stack([body.presence > 0 for body in bodies], axis=1)
            people = inside.sum(axis=1)
            positions = np.stack([body.torso for body in bodies], axis=1)
            positions = np.where(inside[..., None], positions, np.nan)
        return Chunk(self._card.measure(channel, times, heard), times, people, positions)

    def channel(self, times: Floats) -> tuple[Complex, list[Body]]:
        """True channel ``[time, subcarrier, rx, tx]`` at these seconds, rising, and the bodies inside."""
        inside = [
            person
            for person in self._persons
            if person.way.enter_s <= times[-1] and times[0] < person.way.leave_s
        ]
        bodies = [person.at(times) for person in inside]
        things = [
            Thing.of(person.carried, body)
            for person, body in zip(inside, bodies, strict=True)
            if person.carried is not None
        ]
        channel = obstructed(self.scene, self._drift.at(times), self._blockable, bodies, things)
        self._scatter(channel, times, bodies, things)
        return channel, bodies

    def _scatter(
        self, channel: Complex, times: Floats, bodies: Sequence[Body], things: Sequence[Thing]
    ) -> None:
        """Add what everything that moves scatters."""
        moving = [*bodies, *(fan.at(times) for fan in self.scene.fans)]
        if not moving:
            return
        link = self.scene.link
        points = [body.points for body in moving] + [thing.place[:, None] for thing in things]
        strength = [body.presence[:, None] * body.strength for body in moving]
        strength += [thing.strength(link)[:, None] for thing in things]
        channel += link.scattered(np.concatenate(points, axis=1), np.concatenate(strength, axis=1))

    def _actors(self) -> list[Person]:
        """Everybody who has a script."""
        scene = self.scene
        stage = Stage(
            size_m=scene.link.room.size_m[:2],
            door=scene.door,
            cross_section_m2=scene.crowd.cross_section_m2,
            seconds=scene.schedule.seconds,
            seed=scene.seed,
        )
        return [actor for number, role in enumerate(scene.cast) for actor in actors(role, number, stage)]

    def _person(self, enter_s: float, leave_s: float, seed: np.random.SeedSequence) -> Person:
        """One person; who is there from the start starts anywhere, who comes later comes by the door."""
        rng = np.random.default_rng(seed)
        crowd, door = self.scene.crowd, self.scene.door
        width, depth, _ = self.scene.link.room.size_m
        start = (float(rng.uniform(0.15, 0.85) * width), float(rng.uniform(0.15, 0.85) * depth))
        way = Way(
            size_m=(width, depth),
            behaviour=crowd.behaviours[int(rng.integers(len(crowd.behaviours)))],
            rng=rng,
            start=start if enter_s <= 0 else door,
            door=door,
            enter_s=enter_s,
            leave_s=leave_s,
        )
        return Person(
            way,
            rng,
            cross_section_m2=float(rng.uniform(*crowd.cross_section_m2)),
            height_m=float(rng.uniform(1.55, 1.9)),
            breath_hz=float(rng.uniform(0.2, 0.3)),
            breath_m=float(rng.uniform(0.004, 0.006)),
            carried=crowd.carried,
        )


def simulate(scene: Scene, *, chunk_s: float = 1.0, clock_us: int = 0, count: int = 0) -> Iterator[Chunk]:
    """Frames and truth of a scene, `chunk_s` at a time; arguments as for `Simulation`."""
    return Simulation(scene, clock_us=clock_us, count=count).chunks(chunk_s)
