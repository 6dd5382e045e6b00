"""`roomtone demo`: simulated rooms that deliver to a service as real cards do."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from service.demo import room_names, run_demo, seed_rooms
from service.settings import load_settings
from service.store.engine import open_store

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone demo --to tcp://127.0.0.1:5570 --rooms 1")
def demo(
    *,
    to: Annotated[str | None, typer.Option(help="Ingest endpoint; by default the site's.")] = None,
    rooms: Annotated[int, typer.Option(min=1, max=50, help="How many rooms.")] = 1,
    rate: Annotated[float, typer.Option(min=5, max=1000, help="Packets a second in each room.")] = 100.0,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of the service's store: rooms get delays short enough to watch."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings of the site (TOML).")] = None,
) -> None:
    """Simulated rooms, vacant and occupied in turn, until stopped. Everything they cause says simulated."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    flags = {} if data_dir is None else {"data_dir": data_dir}
    settings = load_settings(config, **flags)
    names = room_names(rooms)
    if data_dir is not None or config is not None:
        store = open_store(settings.store_url)
        seed_rooms(store, names)
        store.close()
    run_demo(to or settings.ingest.endpoint, names, rate_hz=rate, wait=stopped.wait)
