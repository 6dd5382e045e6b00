"""`roomtone simulate`: a labelled capture of a simulated room in a NIC's own bytes."""

import json
import time
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
from drivers.simulate.cards import CARDS, card_model
from drivers.simulate.scene import Scene
from drivers.simulate.simulation import Simulation
from service.cli.errors import CommandError
from service.cli.simulate_options import room_size
from service.cli.simulated_scene import Setting, Wanted, scene_of

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Example: roomtone simulate --people 20s:0,30s:2,20s:0 --room 5x4x2.7 --seed 1 -o out.dat"
)
def simulate(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Capture to write.")],
    people: Annotated[
        str | None, typer.Option(metavar="SCHEDULE", help="0-2-0 (the default), or 20s:0,1m:2,20s:0.")
    ] = None,
    activity: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCRIPT", help="What one person does: 10s:walking,3s:falling,9s:lying. Again for another."
        ),
    ] = None,
    walks: Annotated[
        int | None, typer.Option(min=1, max=500, help="Walks, one by one, through a link across a corridor.")
    ] = None,
    carried: Annotated[
        str, typer.Option(help="What people carry: none, metal or liquid; with --walks also mixed.")
    ] = "none",
    thing: Annotated[
        str | None, typer.Option("--object", metavar="WxH", help="Its size in metres, e.g. 0.3x0.2.")
    ] = None,
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
    wanted = Wanted(people, tuple(activity or ()), walks, carried, thing)
    setting = Setting(
        seed=seed, day=day, rate_hz=rate, nic=model, size_m=room_size(room), bandwidth_mhz=bandwidth
    )
    scene = scene_of(wanted, setting)
    scene = replace(scene, radio=replace(scene.radio, single_stream=single_stream))
    beside = labels or output.with_suffix(".labels.json")
    if beside == output:
        raise CommandError(f"{output}: capture and labels cannot be the same file; name one with --labels")
    with ExitStack() as stack:
        capture, truth = (stack.enter_context(_writable(path)) for path in (output, beside))
        document = {"capture": output.name, "seed": seed, "day": day}
        began = time.process_time()
        document |= _write(scene, card, capture, clock=np.random.default_rng([seed, day, 5]), quiet=as_json)
        speed = scene.schedule.seconds / max(time.process_time() - began, 1e-9)
        truth.write(json.dumps(document, indent=1).encode() + b"\n")
    _tell(output, beside, document, speed=speed if as_json else None)


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


def _tell(output: Path, labels: Path, document: dict[str, Any], *, speed: float | None) -> None:
    """Say what was written: a line, or JSON with `speed`, simulated seconds a second of processor time."""
    if speed is not None:
        short = {key: value for key, value in document.items() if key != "positions"}
        summary = {**short, "capture": str(output), "labels": str(labels), "bytes": output.stat().st_size}
        summary["speed"] = round(speed, 1)
        typer.echo(json.dumps(summary))
        return
    typer.echo(
        f"{output}: {document['frames']} simulated {document['nic']} frames, {document['seconds']:g} s; "
        f"labels in {labels}"
    )
