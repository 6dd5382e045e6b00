"""`roomtone train`: models from labelled recordings or from simulation, with their cards."""

from pathlib import Path
from typing import Annotated, Literal

import torch
import typer
from rich.console import Console

from models.data.crowd import presence_of
from models.data.samples import Samples
from models.errors import SelectionError
from models.training.console import progress_bar, reported
from models.training.shelve import Origin, build, write
from models.training.sources import CROWD, CROWD_LICENCE, SIMULATION_ROOMS, from_folder, from_simulation
from models.training.task import task_spec

app = typer.Typer(
    help="Train models and write their cards. Needs the extra `train`.",
    no_args_is_help=True,
    add_completion=False,
    epilog="Example: roomtone train counting --data crowd_rooms_5300 --shelf research -o out",
)

DataDir = Annotated[Path | None, typer.Option("--data", help="Data set: a folder of <domain>/<n>p.dat.xz.")]
Simulated = Annotated[bool, typer.Option("--simulation", help="Train on simulated rooms instead.")]
Shelf = Annotated[Literal["open", "research", "local"], typer.Option(help="Shelf named in the card.")]
Licence = Annotated[str, typer.Option(help="Terms of the data, for the card.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder for model.onnx, card.toml, curve.png.")]
Rooms = Annotated[int, typer.Option(help="Simulated rooms.", min=2)]
TASKS = ("presence", "counting")
ZOO = Path(__file__).parents[1] / "zoo"


def _add(task: str) -> None:
    """Add `roomtone train TASK`."""

    @app.command(
        task,
        help=f"Train {task}.",
        epilog=f"Example: roomtone train {task} --data crowd --shelf research -o out",
    )
    def train(
        *,
        output: Output,
        data: DataDir = None,
        simulation: Simulated = False,
        shelf: Shelf = "local",
        licence: Licence = "not stated",
        rooms: Rooms = SIMULATION_ROOMS,
    ) -> None:
        with reported():
            _train(task, output, _gather(data, rooms, shelf, licence, simulation=simulation))


for _task in TASKS:
    _add(_task)


@app.command(epilog="Example: roomtone train zoo --shared ../shared")
def zoo(
    *,
    shared: Annotated[Path, typer.Option(help="Folder that holds datasets/.")] = Path("../shared"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the shelves.")] = ZOO,
) -> None:
    """Train every shipped model again: the open shelf, and research where its data set is there."""
    with reported():
        gathered = [_gather(None, SIMULATION_ROOMS, "open", "", simulation=True)]
        crowd = shared / "datasets" / CROWD
        if crowd.is_dir():
            gathered.append(_gather(crowd, 0, "research", CROWD_LICENCE, simulation=False))
        else:
            Console(stderr=True).print(f"no {crowd}: the research shelf is left as it is")
        for samples, origin in gathered:
            for task in TASKS:
                name = f"{task}-{origin.trained_on.replace('_', '-')}"
                _train(task, output / origin.shelf / name, (samples, origin), name=name, curve=False)


def _gather(
    data: Path | None, rooms: int, shelf: str, licence: str, *, simulation: bool
) -> tuple[Samples, Origin]:
    if simulation == (data is not None):
        raise SelectionError("give either --data DIR or --simulation")
    with progress_bar("windows") as progress:
        if data is None:
            return from_simulation(rooms, shelf, progress)
        return from_folder(data, shelf, licence, progress)


def _train(
    task: str,
    folder: Path,
    gathered: tuple[Samples, Origin],
    *,
    name: str | None = None,
    curve: bool = True,
) -> None:
    torch.set_num_threads(1)  # the same sums in the same order on any machine
    counted, origin = gathered
    samples = counted if task == "counting" else presence_of(counted)
    spec = task_spec(task, samples.classes)
    with progress_bar(f"train {task}") as progress:
        shelved = build(samples, spec, origin, name=name or f"{task}-{origin.trained_on}", progress=progress)
    write(shelved, folder, curve=curve)
    figures = ", ".join(
        f"{key} {value['mean']:.3f} +- {value['sd']:.3f}"
        for key, value in shelved.card["metrics"].items()
        if isinstance(value, dict)
    )
    typer.echo(f"{folder}: {len(shelved.onnx)} bytes; held-out domains: {figures}")
