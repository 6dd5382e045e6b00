"""`roomtone demo`: simulated rooms that deliver to a service as real cards do."""

from typing import Annotated

import typer

from drivers.stopping import until_told
from service.cli.site import ConfigFile, DataDir, site_settings
from service.logs import log_to_stderr

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone demo --to tcp://127.0.0.1:5570 --rooms 3")
def demo(
    *,
    to: Annotated[
        str | None, typer.Option(help="Ingest endpoint; by default this site's, which gets its rooms too.")
    ] = None,
    rooms: Annotated[int, typer.Option(min=1, max=50, help="How many rooms; the cards take turns.")] = 3,
    rate: Annotated[float, typer.Option(min=5, max=1000, help="Packets a second in each room.")] = 100.0,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Simulated rooms, vacant and occupied in turn, until stopped. Everything they cause says simulated."""
    from service.demo import room_names, run_demo, seed_rooms
    from service.store.engine import open_store

    stop = until_told()
    log_to_stderr("demo")
    settings = site_settings(config, data_dir=data_dir)
    names = room_names(rooms)
    if to is None or data_dir is not None or config is not None:
        store = open_store(settings.store_url)
        seed_rooms(store, names)
        store.close()
    run_demo(to or settings.ingest.endpoint, names, rate_hz=rate, stop=stop)
