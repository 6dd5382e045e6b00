"""`roomtone simulate`: a labelled capture of a simulated room in a NIC's own bytes."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress

from drivers.registry import Nic
from drivers.simulate.capture import Labels, encode_in_order, simulated_nic
from drivers.simulate.cards import CARDS, CardModel, card_model
from drivers.simulate.random_scene import random_scene
from drivers.simulate.scene import Scene
from drivers.simulate.schedule import Schedule
from drivers.simulate.simulation import Simulation
from service.cli.errors import CommandError

app = typer.Typer(add_completion=False)
_SMALLEST_M, _LARGEST_M = 1.5, 100.0


def _schedule(text: str) -> Schedule:
    try:
        return Schedule.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write 0-2-0 (20 s each) or 20s:0,1m:2") from error


def _size(text: str) -> tuple[float, float, float]:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no room size; write width x depth x height, as in 5x4x2.7")
    width, depth, height = map(float, match.groups())
    if not all(_SMALLEST_M <= size <= _LARGEST_M for size in (width, depth, height)):
        raise typer.BadParameter(f"a room of {text} m is outside {_SMALLEST_M:g} to {_LARGEST_M:g} m")
    return width, depth, height


def _check_bandwidth(card: CardModel, bandwidth: int) -> None:
    if bandwidth not in card.bandwidths_mhz:
        there_are = ", ".join(map(str, card.bandwidths_mhz[:-1]))
        raise typer.BadParameter(
            f"{card.nic} measures {there_are} or {card.bandwidths_mhz[-1]} MHz, not {bandwidth}",
            param_hint="--bandwidth",
        )


@app.command(
    epilog="Example: roomtone simulate --people 20s:0,30s:2,20s:0 --room 5x4x2.7 --seed 1 -o out.dat"
)
def simulate(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Capture to write.")],
    people: Annotated[
        Schedule, typer.Option(parser=_schedule, metavar="SCHEDULE", help="0-2-0, or 20s:0,1m:2,20s:0.")
    ] = "0-2-0",  # type: ignore[assignment]
    nic: Annotated[
        str, typer.Option(help=f"Card whose bytes are written: {', '.join(CARDS)}.")
    ] = "intel5300",
    rate: Annotated[float, typer.Option(min=1, max=5000, help="Packets a second.")] = 100.0,
    room: Annotated[
        str | None, typer.Option(metavar="WxDxH", help="Size in metres, e.g. 5x4x2.7; by default random.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the room: the same seed is the same room.")] = 0,
    day: Annotated[int, typer.Option(min=0, help="On another day the room has changed a little.")] = 0,
    bandwidth: Annotated[
        int | None, typer.Option(help="20 or 40 MHz, nexmon 80 too; by default mostly 20.")
    ] = None,
    single_stream: Annotated[
        float, typer.Option(min=0, max=1, help="Share of packets with one stream only: 3x1 among 3x2.")
    ] = 0.0,
    labels: Annotated[
        Path | None, typer.Option(help="Labels to write; by default beside the capture, .labels.json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Make a labelled capture of a simulated room: byte-exact records, and a file that says who was where."""
    model, card = card_model(nic), simulated_nic(nic)
    if bandwidth is not None:
        _check_bandwidth(model, bandwidth)
    size = None if room is None else _size(room)
    scene = random_scene(seed, people, day=day, rate_hz=rate, size_m=size, bandwidth_mhz=bandwidth, nic=nic)
    scene = replace(scene, radio=replace(scene.radio, single_stream=single_stream))
    beside = labels or output.with_suffix(".labels.json")
    if beside == output:
        raise CommandError(f"{output}: capture and labels cannot be the same file; name one with --labels")
    with ExitStack() as stack:
        capture, truth = (stack.enter_context(_writable(path)) for path in (output, beside))
        document = {"capture": output.name, "seed": seed, "day": day}
        document |= _write(scene, card, capture, clock=np.random.default_rng([seed, day, 5]), quiet=as_json)
        truth.write(json.dumps(document, indent=1).encode() + b"\n")
    _tell(output, beside, document, as_json=as_json)


@contextmanager
def _writable(path: Path) -> Iterator[BinaryIO]:
    """The file, open for writing; errors of the disk become one line that names it."""
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror or error}") from error


def _write(
    scene: Scene, nic: Nic, capture: BinaryIO, *, clock: np.random.Generator, quiet: bool
) -> dict[str, Any]:
    """Simulate the scene into the capture, from any state of the card's clock and counter; its labels."""
    start_us, count = int(clock.integers(2**32)), int(clock.integers(2**16))
    simulation, labels = Simulation(scene, clock_us=start_us, count=count), Labels()
    capture.write(nic.opening())
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("simulating", total=simulation.packets)
        for chunk in simulation.chunks(1.0):
            if chunk.blocks:
                capture.write(encode_in_order(nic, chunk.blocks))
            labels.add(chunk)
            bar.advance(task, len(chunk.times))
    return labels.document(scene)


def _tell(output: Path, labels: Path, document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        short = {key: value for key, value in document.items() if key != "positions"}
        summary = {**short, "capture": str(output), "labels": str(labels), "bytes": output.stat().st_size}
        typer.echo(json.dumps(summary))
        return
    typer.echo(
        f"{output}: {document['frames']} simulated {document['nic']} frames, {document['seconds']:g} s; "
        f"labels in {labels}"
    )
