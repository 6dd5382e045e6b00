"""`roomtone train`: models from labelled recordings or from simulation, with their cards."""

from pathlib import Path
from typing import Annotated, Literal

import torch
import typer

from models.data.registry import dataset_of
from models.data.samples import Samples
from models.errors import SelectionError
from models.learners import Learner, learner, names
from models.task_names import names as task_names
from models.training.build import Origin, build
from models.training.card_file import write
from models.training.console import progress_bar, reported
from models.training.sources import SIMULATION_LEARNERS, SIMULATION_ROOMS, from_folder, from_simulation
from models.training.task import task_spec
from models.training.zoo import ZOO, train_zoo

app = typer.Typer(
    help="Train models and write their cards. Needs the extra `train`.",
    no_args_is_help=True,
    add_completion=False,
    epilog="Example: roomtone train counting --data crowd_rooms_5300 --shelf research -o out",
)

DataDir = Annotated[
    Path | None, typer.Option("--data", help="Folder of a data set: of a known layout, or with dataset.toml.")
]
Simulated = Annotated[bool, typer.Option("--simulation", help="Train on simulated rooms instead.")]
LearnerName = Annotated[
    str | None, typer.Option("--learner", help=f"By default the data set's own; {', '.join(names())}.")
]
Domains = Annotated[str | None, typer.Option(help="Only these domains, with commas.")]
Shelf = Annotated[Literal["open", "research", "local"], typer.Option(help="Shelf named in the card.")]
Licence = Annotated[str, typer.Option(help="Terms of the data, for the card.")]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="Folder for model.onnx, card.toml, results.json, curve.png.")
]
Rooms = Annotated[int, typer.Option(help="Simulated rooms.", min=2)]
Name = Annotated[
    str | None,
    typer.Option(help="Name of the model; by default task and data, with -own on the shelf local."),
]
OWN = "-own"
"""Ends the names of models of a site's own: those that are shipped keep theirs to themselves."""
Seeds = Annotated[int, typer.Option(help="Trainings that the card's figures are taken over.", min=1)]


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
        learner_name: LearnerName = None,
        domains: Domains = None,
        shelf: Shelf = "local",
        licence: Licence = "not stated",
        rooms: Rooms = SIMULATION_ROOMS,
        seeds: Seeds = 3,
        name: Name = None,
    ) -> None:
        with reported():
            if simulation == (data is not None):
                raise SelectionError("give either --data DIR or --simulation")
            who = _learner(task, data, learner_name)
            with progress_bar("windows") as progress:
                if data is None:
                    gathered = from_simulation(
                        task, rooms, shelf, progress, inputs=who.INPUTS, standing=who.STANDING
                    )
                else:
                    some = None if domains is None else [one.strip() for one in domains.split(",")]
                    gathered = from_folder(
                        data, task, shelf, licence, progress, inputs=who.INPUTS, domains=some
                    )
            called = name or f"{task}-{gathered[1].trained_on}{OWN if shelf == 'local' else ''}"
            _train(task, who, output, gathered, name=called, seeds=seeds)


for _task in task_names():
    _add(_task)


def _learner(task: str, data: Path | None, name: str | None) -> Learner:
    """The learner asked for, or the one that such data is learned with.

    Raises:
        SelectionError: there is none of that name or none for such data, or it learns other tasks.
    """
    if name is not None:
        asked = learner(name)
        if task not in asked.TASKS:  # said before anything is simulated or read
            raise SelectionError(f"learner {asked.NAME} learns {', '.join(asked.TASKS)}, not {task}")
        return asked
    usual = SIMULATION_LEARNERS if data is None else dataset_of(data).LEARNERS
    if task not in usual:
        where = "simulation" if data is None else str(data)
        raise SelectionError(f"{where} has no {task}, but {', '.join(usual)}")
    return learner(usual[task])


def _train(
    task: str, who: Learner, folder: Path, gathered: tuple[Samples, Origin], *, name: str, seeds: int
) -> None:
    torch.set_num_threads(1)  # the same sums in the same order on any machine
    samples, origin = gathered
    with progress_bar(f"train {task}") as progress:
        built = build(
            who,
            samples,
            task_spec(task, samples.classes),
            origin,
            name=name,
            seeds=seeds,
            progress=progress,
        )
    write(built, folder)
    figures = ", ".join(
        f"{key} {value['mean']:.3f} +- {value['sd']:.3f}"
        for key, value in built.card["metrics"].items()
        if isinstance(value, dict)
    )
    typer.echo(f"{folder}: {len(built.onnx)} bytes; held-out: {figures}")


@app.command(epilog="Example: roomtone train zoo --shared ../shared")
def zoo(
    *,
    shared: Annotated[Path, typer.Option(help="Folder that holds datasets/.")] = Path("../shared"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the shelves.")] = ZOO,
    only: Annotated[str, typer.Option(help="Only models whose name starts like this.")] = "",
) -> None:
    """Train every shipped model again: the open shelf, and research where its data set is there."""
    with reported():
        for line in train_zoo(shared / "datasets", output, only):
            typer.echo(line)
