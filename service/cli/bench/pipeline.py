"""`roomtone bench pipeline`: a real worker under the load of many rooms, measured from outside."""

import json
import socket
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from service.cli.bench.bare import bare_cost, simulated_streams
from service.cli.bench.figures import WARM_UP_S, as_text, figures
from service.cli.bench.load import Load
from service.cli.bench.observe import measure, running_worker
from service.settings import IngestSettings, Settings

app = typer.Typer(add_completion=False)
LEAST_S = 15.0


@app.command(epilog="Example: roomtone bench pipeline --rooms 50 --rate 100 --seconds 30 --json")
def pipeline(
    *,
    rooms: Annotated[int, typer.Option(min=1, max=2000, help="Rooms, one link each.")] = 50,
    rate: Annotated[float, typer.Option(min=20, max=1000, help="Packets a second in each.")] = 100.0,
    seconds: Annotated[float, typer.Option(max=3600, help="How long to send.")] = 30.0,
    senders: Annotated[int, typer.Option(min=1, max=8, help="Processes that play the adapters.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Latency from closing frame to commit, CPU over bare decode and inference, memory, lag.

    Simulated cards are read, parsed and sent by real adapters to a real worker with its store. All figures
    are of the steady state: the first 8 s and all start-up are left out. CPU is that of worker and adapters,
    over bare decode (the same bytes parsed in one piece) and bare inference (features and models of as many
    windows), both measured warm in the same run on one thread. No API and no dashboard run.
    """
    if seconds < LEAST_S:
        raise typer.BadParameter(f"{seconds:g} s tell nothing; measure at least {LEAST_S:g} s")
    with tempfile.TemporaryDirectory(prefix="roomtone-bench-") as folder:
        settings = settings_in(Path(folder))
        streams = simulated_streams(rate, seconds + WARM_UP_S, quiet=as_json)
        bare = bare_cost(streams[0], list(settings.models.shelves))
        with running_worker(settings) as worker:
            sent, seen = measure(settings, worker, loads_of(settings, rooms, streams, senders), quiet=as_json)
    result = {"rooms": rooms, "rate_hz": rate, **figures(seconds + WARM_UP_S, rooms, sent, seen, bare)}
    typer.echo(json.dumps(result) if as_json else as_text(result))


def settings_in(folder: Path) -> Settings:
    """A site of its own in this folder, at a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Settings(data_dir=folder, ingest=IngestSettings(endpoint=f"tcp://127.0.0.1:{port}"))


def loads_of(settings: Settings, rooms: int, streams: list[list[bytes]], processes: int) -> list[Load]:
    """The load of so many rooms, dealt out to so many processes."""
    window = settings.window
    names = [f"room-{number}" for number in range(rooms)]
    return [
        Load(
            endpoint=settings.ingest.endpoint,
            rooms=names[first::processes],
            streams=streams,
            spread=0.9,
            lateness_ns=round(window.lateness_s * 1e9),
            hop_ns=round(window.hop_s * 1e9),
        )
        for first in range(processes)
    ]
