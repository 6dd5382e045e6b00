"""Where training windows come from, and what a card must say about it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from models.data import crowd, simulation
from models.data.digest import digest
from models.data.samples import Samples
from models.signal.window import WindowSpec
from models.training.shelve import Origin

CROWD = "crowd_rooms_5300"
CROWD_LICENCE = (
    "weights for non-commercial research only: the data's repository is GPL-3.0 and its README allows "
    "non-commercial research with acknowledgement (Di Domenico et al., WPA 2016, 10.1145/2935651.2935657; "
    "WiMob 2016, 10.1109/WiMOB.2016.7763227)"
)
SIMULATION_ROOMS = 40
SIMULATION_SECONDS = 20.0
SIMULATION_SEED = 5

Progress = Callable[[str, float], None]


def from_folder(data: Path, shelf: str, licence: str, progress: Progress) -> tuple[Samples, Origin]:
    """All domains of a data set laid out like crowd_rooms_5300.

    Raises:
        DatasetError: it is not there or cannot be read.
    """
    known = crowd.domains(data)
    samples = crowd.load(data, "counting", list(known), progress=progress)
    return samples, Origin(
        trained_on=data.resolve().name,
        licence=licence,
        shelf=shelf,
        nics=samples.nics,
        data=f"{data.resolve().name}: {', '.join(known)}",
        digest=digest(path for paths in known.values() for path in paths),
    )


def from_simulation(rooms: int, shelf: str, progress: Progress) -> tuple[Samples, Origin]:
    """Simulated rooms of `drivers.simulate.corpus`, 0-7 people."""
    samples = simulation.load(
        rooms, SIMULATION_SECONDS, WindowSpec(), seed=SIMULATION_SEED, progress=progress
    )
    what = (
        f"{rooms} simulated rooms, {SIMULATION_SECONDS:g} s with each of 0-7 people, seed {SIMULATION_SEED}"
    )
    return samples, Origin(
        trained_on="simulation",
        licence="Apache-2.0",
        shelf=shelf,
        nics=samples.nics,
        data=what,
        digest=hashlib.sha256(samples.features.tobytes()).hexdigest(),
    )
