"""`roomtone bench adapt`: how long a room's samples take to serve, and what serving feels of a training."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from models.adapt import SHIPPED, available, tier_of
from models.sensing import Sensing
from models.signal.window import WindowSpec
from service.cli.bench.beside import beside_a_training
from service.cli.bench.lesson import CLASSES, SECONDS, teach
from service.settings import AdaptationSettings, Settings
from service.store.engine import Store, open_store
from service.store.jobs import create_job, get_job
from service.store.versions import roll_back
from service.trainer.adaptation import Shop
from service.trainer.loop import KIND, Trainer
from service.worker.heads import Heads

app = typer.Typer(add_completion=False)
ROOM, TASK = "bench", "counting"


@app.command(epilog="Example: roomtone bench adapt --json")
def adapt(
    *,
    seconds: Annotated[
        float, typer.Option(min=0, max=600, help="How long to load the worker, each time; 0: not at all.")
    ] = 20.0,
    rooms: Annotated[int, typer.Option(min=1, max=500, help="Rooms that are served meanwhile.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Seconds from the last sample to a served head, by method; roll-back; and serving beside a training.

    A simulated room has 20 s of samples for each of 8 counts. A job learns, judges itself on held-out halves,
    and activates; the gate is asked to let everything pass (`force`), since only time is measured.
    """
    with tempfile.TemporaryDirectory(prefix="roomtone-bench-") as folder:
        settings = Settings(data_dir=Path(folder))
        store = open_store(settings.store_url)
        teach(store, ROOM, TASK, quiet=as_json)
        told = {"classes": CLASSES, "seconds_each": SECONDS, "methods": _methods(store)}
        told |= _switching(store)
        store.close()
    told["serving"] = beside_a_training(rooms, seconds, quiet=as_json) if seconds else None
    if as_json:
        typer.echo(json.dumps(told))
    else:
        _show(told)


def _methods(store: Store) -> dict[str, Any]:
    """What a whole job takes with each method, from being queued to being active."""
    window = Settings().window
    spec = WindowSpec(window.length_s, window.hop_s, window.lateness_s)
    trainer = Trainer(Shop(store, Sensing.load(["open"]), spec, AdaptationSettings()), lambda _: None)
    found = {}
    for name in (SHIPPED, *available()):
        request = {"method": name, "shadow_s": 0, "force": True}
        job = create_job(store, room=ROOM, task=TASK, kind=KIND, request=request, actor="bench")
        took = timed(trainer.turn)
        ended = get_job(store, job.job)
        state = "gone" if ended is None else ended.state.value
        found[name] = {"tier": tier_of(name), "seconds": round(took, 3), "state": state}
    return found


def _switching(store: Store) -> dict[str, float]:
    """Milliseconds of reading a new head, as the worker does, and of a roll-back."""
    read = timed(Heads(store).read)

    def back() -> None:
        with store.write() as connection:
            roll_back(connection, ROOM, TASK, actor="bench")

    return {"read_head_ms": round(read * 1000, 2), "roll_back_ms": round(timed(back) * 1000, 2)}


def timed(work: Callable[[], object]) -> float:
    """Seconds of a piece of work."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _show(told: dict[str, Any]) -> None:
    console = Console(highlight=False)
    table = Table("method", "tier", "seconds", "ends")
    for name, one in told["methods"].items():
        table.add_row(name, one["tier"], f"{one['seconds']:.2f}", one["state"])
    console.print(table)
    console.print(f"reading a head {told['read_head_ms']} ms, rolling back {told['roll_back_ms']} ms")
    if told["serving"]:
        serving = told["serving"]
        console.print(
            f"serving {serving['rooms']} rooms: p99 {serving['alone']['p99']} ms alone, "
            f"{serving['beside']['p99']} ms beside trainings, ratio {serving['ratio_p99']}"
        )
