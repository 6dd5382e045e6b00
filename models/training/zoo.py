"""The shipped models: what each is trained on and by whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from models.data.crowd import presence_of
from models.data.samples import Samples
from models.learners import learner
from models.training.build import Origin, build
from models.training.card_file import write
from models.training.console import progress_bar
from models.training.sources import CROWD, CROWD_LICENCE, SIMULATION_ROOMS, from_folder, from_simulation
from models.training.task import task_spec
from models.zoo import SIMULATION

ZOO = Path(__file__).parents[1] / "zoo"


@dataclass(frozen=True, slots=True)
class Shipped:
    """One shipped model; `data` None means simulation."""

    task: str
    learner: str
    data: str | None = None
    licence: str = ""

    @property
    def name(self) -> str:
        """Of its folder and in its card."""
        return f"{self.task}-{(self.data or SIMULATION).replace('_', '-')}"


SHIPPED = (
    Shipped("presence", "stream_set"),
    Shipped("counting", "stream_set"),
    Shipped("localization", "fingerprint_cnn"),
    Shipped("suspicious_object", "object_cnn"),
    Shipped("activity", "counting_dnn"),
    Shipped("presence", "stream_set", CROWD, CROWD_LICENCE),
    Shipped("counting", "stream_set", CROWD, CROWD_LICENCE),
)


def train_zoo(datasets: Path, output: Path, only: str = "") -> Iterator[str]:
    """Train shipped models into ``output/<shelf>/<name>``; yields a line about each.

    `only` is what the names of those wanted begin with.
    """
    torch.set_num_threads(1)  # the same sums in the same order on any machine
    kept: dict[str | None, tuple[Samples, Origin]] = {}
    for one in SHIPPED:
        name = one.name
        if not name.startswith(only):
            continue
        if one.data is not None and not (datasets / one.data).is_dir():
            yield f"no {datasets / one.data}: {one.task} of it is left as it is"
            continue
        samples, origin = _rows(one, datasets, kept)
        with progress_bar(f"train {name}") as progress:
            built = build(
                learner(one.learner),
                samples,
                task_spec(one.task, samples.classes),
                origin,
                name=name,
                progress=progress,
            )
        write(built, output / origin.shelf / name, results=False)
        yield f"{origin.shelf}/{name}: {len(built.onnx)} bytes"


def _rows(
    one: Shipped, datasets: Path, kept: dict[str | None, tuple[Samples, Origin]]
) -> tuple[Samples, Origin]:
    """Rows to train on; presence is learned from the windows that counting is."""
    inputs = learner(one.learner).INPUTS
    asked = "counting" if one.task == "presence" else one.task
    if asked != "counting" or one.data not in kept:
        with progress_bar("windows") as progress:
            if one.data is None:
                found = from_simulation(asked, SIMULATION_ROOMS, "open", progress, inputs=inputs)
            else:
                found = from_folder(
                    datasets / one.data, asked, "research", one.licence, progress, inputs=inputs
                )
        if asked != "counting":
            return found
        kept[one.data] = found
    samples, origin = kept[one.data]
    return (presence_of(samples) if one.task == "presence" else samples), origin
