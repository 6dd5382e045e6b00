"""Where training windows come from, and what a card must say about it."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from models.data import simulated_tasks, simulation
from models.data.crowd import presence_of
from models.data.digest import digest
from models.data.registry import Simulated, check_task, dataset_of
from models.data.samples import Samples
from models.errors import SelectionError
from models.signal.bands import VERSION as BANDED
from models.signal.inputs import INPUTS
from models.signal.window import WindowSpec
from models.training.build import Origin

CROWD = "crowd_rooms_5300"
CROWD_LICENCE = (
    "weights for non-commercial research only: the data's repository is GPL-3.0 and its README allows "
    "non-commercial research with acknowledgement (Di Domenico et al., WPA 2016, 10.1145/2935651.2935657; "
    "WiMob 2016, 10.1109/WiMOB.2016.7763227)"
)
SIMULATION_LEARNERS = {
    "presence": "stream_set",
    "counting": "stream_set",
    "localization": "fingerprint_cnn",
    "suspicious_object": "object_cnn",
    "activity": "counting_dnn",
}
"""Task -> learner of what is simulated for it."""
DEMO_ROOM, DEMO_SEED, DAYS = "demo", 9, 8
"""The simulated room whose places are learned: the first of the demo (`service.demo`), on so many days."""
SIMULATION_ROOMS = 40
SIMULATION_SECONDS = 20.0
SIMULATION_SEED = 5

Progress = Callable[[str, float], None]


def from_folder(
    data: Path,
    task: str,
    shelf: str,
    licence: str,
    progress: Progress,
    *,
    inputs: Sequence[str] = (),
    domains: Sequence[str] | None = None,
) -> tuple[Samples, Origin]:
    """Domains of a data set, all of them unless some are named.

    Raises:
        DatasetError: it is not there or cannot be read, or knows no such task.
        SelectionError: it is the simulation, which is asked for in another way.
    """
    dataset = dataset_of(data)
    check_task(dataset, data, task)
    if isinstance(dataset, Simulated):
        raise SelectionError("models are trained on simulated rooms with --simulation, without --data")
    known = dataset.domains(data, task)
    wanted = list(known) if domains is None else list(domains)
    samples = dataset.load(data, task, wanted, inputs=_for_core(inputs), progress=progress)
    return samples, Origin(
        trained_on=data.resolve().name,
        licence=licence,
        shelf=shelf,
        nics=samples.nics,
        data=f"{data.resolve().name}: {', '.join(wanted)}",
        digest=digest(path for name in wanted for path in known[name]),
    )


def _for_core(inputs: Sequence[str]) -> tuple[str, ...]:
    """What a learner looks at and, if that is made of windows, what the core of its model is made of too."""
    return tuple(dict.fromkeys((*inputs, BANDED))) if set(inputs) <= set(INPUTS) else tuple(inputs)


def from_simulation(
    task: str,
    rooms: int,
    shelf: str,
    progress: Progress,
    *,
    inputs: Sequence[str] = (),
    standing: bool = False,
) -> tuple[Samples, Origin]:
    """Simulated rooms of `drivers.simulate.corpus`; with `standing`, somebody stops at one gate.

    Raises:
        SelectionError: nothing is simulated for this task.
    """
    if task not in SIMULATION_LEARNERS:
        raise SelectionError(f"nothing is simulated for {task}, but for {', '.join(SIMULATION_LEARNERS)}")
    extra: dict[str, Any] = {}
    inputs = _for_core(inputs)
    if task == "activity":
        samples = simulated_tasks.activities(
            rooms // 2, seed=SIMULATION_SEED, inputs=inputs, progress=progress
        )
        what = f"{rooms // 2} simulated rooms, four recordings of one person each, seed {SIMULATION_SEED}"
    elif task == "suspicious_object" and standing:
        samples = simulated_tasks.stands(1, seed=SIMULATION_SEED, inputs=inputs, progress=progress)
        what = f"32 stops of one person at one simulated gate, 16 with a metal sheet, seed {SIMULATION_SEED}"
    elif task == "suspicious_object":
        samples = simulated_tasks.walks(rooms // 2, seed=SIMULATION_SEED, inputs=inputs, progress=progress)
        what = f"24 walks through each of {rooms // 2} simulated gates, seed {SIMULATION_SEED}"
    elif task == "localization":
        found = simulated_tasks.positions(DEMO_SEED, DAYS, inputs=inputs, progress=progress)
        samples, what = found.samples, f"simulated room {DEMO_SEED} (the room of the demo) on {DAYS} days"
        extra = {"rooms": [DEMO_ROOM], "cells": [list(cell) for cell in found.cells]}
    else:
        samples, what = _crowds(task, rooms, inputs, progress)
    return samples, Origin(
        trained_on="simulation",
        licence="Apache-2.0",
        shelf=shelf,
        nics=samples.nics,
        data=what,
        digest=hashlib.sha256(samples.features.tobytes()).hexdigest(),
        extra=extra,
    )


def _crowds(task: str, rooms: int, inputs: Sequence[str], progress: Progress) -> tuple[Samples, str]:
    counted = simulation.load(
        rooms, SIMULATION_SECONDS, WindowSpec(), seed=SIMULATION_SEED, inputs=inputs, progress=progress
    )
    what = f"{rooms} simulated rooms, {SIMULATION_SECONDS:g} s with each of 0-7 people"
    return presence_of(counted) if task == "presence" else counted, f"{what}, seed {SIMULATION_SEED}"
