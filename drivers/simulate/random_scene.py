"""Rooms as different as real ones: geometry, band, furniture, people, card, disturbances."""

from dataclasses import replace

import numpy as np

from drivers.simulate.antenna import linear_array
from drivers.simulate.cards import CardModel, card_model
from drivers.simulate.channel import Link
from drivers.simulate.path import STANDING, STROLLING, WALKING, Behaviour
from drivers.simulate.people import Fan
from drivers.simulate.radio import Radio
from drivers.simulate.room import SPEED_OF_LIGHT, Room
from drivers.simulate.scene import Crowd, Scene
from drivers.simulate.schedule import Schedule, constant
from drivers.simulate.timing import Traffic

_CENTRES_HZ = (2.412e9, 2.437e9, 2.452e9, 2.462e9, 5.18e9, 5.745e9)
_WIDEST_HZ, _UPPER_HZ = (5.21e9, 5.775e9), 5.5e9  # channels 42 and 155
_MOODS = (
    (STROLLING,),
    (STROLLING, STROLLING, WALKING),
    (STROLLING, STANDING),
    (WALKING,),
    (WALKING, STROLLING, STANDING),
)


def random_scene(
    seed: int,
    schedule: Schedule | None = None,
    *,
    day: int = 0,
    unrest: float = 1.0,
    rate_hz: float = 100.0,
    shape: tuple[int, int] | None = None,
    size_m: tuple[float, float, float] | None = None,
    bandwidth_mhz: int | None = None,
    drawn: int = 0,
    nic: str = "intel5300",
) -> Scene:
    """A scene in room number `seed`.

    Args:
        seed: of the room: size, walls, antennas, furniture, card. The same seed is the same room.
        schedule: who is inside when; None for 0 to 7 people for a minute.
        day: on another day furniture, walls and antennas have changed a little.
        unrest: how much changes from day to day: 1 moves antennas by 1 cm and furniture by 2 cm (standard
            deviation, each axis), which at these wavelengths leaves little of a fingerprint; 0 nothing.
        rate_hz: packets a second.
        shape: receive antennas and transmit streams, None for what the card usually has.
        size_m: room size, None for a random one.
        bandwidth_mhz: 20 or 40 (80 where the card has it), None for mostly 20.
        drawn: another number draws other people, traffic and noise in the same room.
        nic: which card listens; the room is the same whichever it is.

    Raises:
        UnknownFormatError: no such card.
        ValueError: a bandwidth that the card does not have.
    """
    card = card_model(nic)
    rng = np.random.default_rng([seed, 1])
    daily = np.random.default_rng([seed, 2, day])
    ways = np.random.default_rng([seed, 3, day, drawn])
    link = _link(
        rng,
        daily,
        card,
        shape=shape or card.shape,
        size_m=size_m,
        bandwidth_mhz=bandwidth_mhz,
        unrest=unrest,
    )
    width, depth, _ = link.room.size_m
    pace, lively = float(rng.uniform(0.3, 1.0)), float(rng.uniform(0.0, 1.0))
    crowd = Crowd(
        behaviours=tuple(_mannered(one, pace, lively) for one in _MOODS[int(rng.integers(len(_MOODS)))]),
        cross_section_m2=(0.5, float(rng.uniform(0.9, 2.4))),
        blocking=float(rng.uniform(0.4, 0.8)),
        absorption=float(rng.uniform(0.01, 0.05)),
    )
    return Scene(
        link=link,
        schedule=schedule or constant(int(ways.integers(8)), 60.0),
        crowd=crowd,
        traffic=_traffic(rng, rate_hz),
        radio=_radio(rng),
        nic=nic,
        fans=_fans(daily, width, depth),
        drift_rad=float(daily.uniform(0.0, 0.08)),
        door=(0.4, float(rng.uniform(0.4, depth - 0.4))),
        seed=int(ways.integers(2**63)),
    )


def _link(
    rng: np.random.Generator,
    daily: np.random.Generator,
    card: CardModel,
    *,
    shape: tuple[int, int],
    size_m: tuple[float, float, float] | None,
    bandwidth_mhz: int | None,
    unrest: float,
) -> Link:
    """Geometry of a room with its antennas; `daily` moves things a little."""
    size = size_m or (float(rng.uniform(3, 9)), float(rng.uniform(3, 8)), float(rng.uniform(2.4, 3.5)))
    centre_hz = float(rng.choice(_CENTRES_HZ))
    wide = 40 if rng.random() < 0.15 else 20
    if bandwidth_mhz == 80:  # so wide a channel there is in the 5 GHz band alone
        centre_hz = _WIDEST_HZ[centre_hz > _UPPER_HZ]
    walls = -rng.uniform(0.6, 0.92, 6) * daily.uniform(1 - 0.03 * unrest, 1 + 0.03 * unrest, 6)
    reflection = tuple(float(wall) for wall in walls)
    arrays = []
    for count, where in zip((shape[1], shape[0]), _places(rng, size), strict=True):
        spacing = SPEED_OF_LIGHT / centre_hz * float(rng.uniform(0.4, 1.2))
        moved = np.asarray(where) + daily.normal(0, 0.01 * unrest, 3)
        arrays.append(linear_array(tuple(moved), count, spacing, float(rng.uniform(-np.pi, np.pi))))
    furniture = rng.uniform(
        (0.2, 0.2, 0.3), (size[0] - 0.2, size[1] - 0.2, 1.6), (int(rng.integers(2, 9)), 3)
    )
    furniture = furniture + daily.normal(0, 0.02 * unrest, furniture.shape)
    strength = rng.uniform(0.05, 0.8, len(furniture))
    return Link(
        room=Room(size, (reflection[0], *reflection[1:6])),  # type: ignore[arg-type]
        transmitter=arrays[0],
        receiver=arrays[1],
        grid=card.subcarriers(centre_hz=centre_hz, bandwidth_mhz=bandwidth_mhz or wide),
        clutter=tuple((*map(float, at), float(s)) for at, s in zip(furniture, strength, strict=True)),  # type: ignore[misc]
        transmitted=float(rng.uniform(0.3, 1.0)),
    )


def _places(rng: np.random.Generator, size: tuple[float, float, float]) -> list[tuple[float, float, float]]:
    """Places of sender and receiver, at least half the room's longer side apart."""
    low, high = np.array([0.2, 0.2, 0.5]), np.array([size[0] - 0.2, size[1] - 0.2, min(2.2, size[2] - 0.2)])
    while True:
        first, second = rng.uniform(low, high), rng.uniform(low, high)
        if np.hypot(*(first - second)[:2]) > 0.5 * max(size[:2]):
            return [tuple(map(float, first)), tuple(map(float, second))]  # type: ignore[list-item]


def _mannered(behaviour: Behaviour, pace: float, lively: float) -> Behaviour:
    """The behaviour at a share of its speed and gestures: in some rooms people amble, in others hurry."""
    slowest, fastest = behaviour.speed_mps
    return replace(
        behaviour, speed_mps=(slowest * pace, fastest * pace), gesture_m=behaviour.gesture_m * lively
    )


def _traffic(rng: np.random.Generator, rate_hz: float) -> Traffic:
    """From a quiet channel with even packets to a busy one."""
    busy = float(rng.random())
    return Traffic(
        rate_hz=rate_hz,
        jitter=0.02 + 0.5 * busy * float(rng.random()),
        bursty=0.3 * busy * float(rng.random()),
        loss=0.08 * busy * float(rng.random()),
    )


def _radio(rng: np.random.Generator) -> Radio:
    """A card with its own noise, gain steps and neighbours that interfere."""
    return Radio(
        transmit_dbm=float(rng.uniform(8, 20)),
        noise_dbm=float(rng.uniform(-96, -90)),
        csi_snr_db=float(rng.uniform(26, 36)),
        gain_jitter_db=float(rng.uniform(0.05, 0.4)),
        chain_jitter_db=float(rng.uniform(0.03, 0.2)),
        wander_db=float(rng.uniform(0.0, 0.12)),
        step_db=float(rng.uniform(0.0, 0.6)),
        agc_jump_rate=float(rng.choice([0.0, 0.02, 0.2, 1.0])),
        burst_rate=float(rng.choice([0.0, 0.05, 0.3])),
        burst_db=float(rng.uniform(3, 14)),
        burst_s=float(rng.uniform(0.02, 0.3)),
        cfo_hz=float(rng.normal(0, 5000)),
        sfo_ppm=float(rng.uniform(-10, 10)),
        detection_s=float(rng.uniform(5e-9, 50e-9)),
    )


def _fans(rng: np.random.Generator, width: float, depth: float) -> tuple[Fan, ...]:
    """In one room of five a small thing moves that is nobody."""
    if rng.random() > 0.2:
        return ()
    place = (float(rng.uniform(0.5, width - 0.5)), float(rng.uniform(0.5, depth - 0.5)), 2.2)
    size = float(np.exp(rng.uniform(np.log(3e-4), np.log(6e-3))))
    return (Fan(place, float(rng.uniform(0.03, 0.15)), float(rng.uniform(0.8, 6.0)), size),)
