"""`roomtone bench api`: the stream and the REST reads of a real API under load, beside a bare route."""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from service.cli.bench.pipeline import settings_in
from service.cli.bench.serving.compare import Pace, compare
from service.cli.bench.serving.listeners import Listeners
from service.cli.bench.serving.servers import free_port, site_api
from service.cli.bench.serving.streams import follow
from service.store.engine import open_store
from service.store.keys import Role, create_key

app = typer.Typer(add_completion=False)
STALL_RATE, STALL_CLIENTS, STALL_BYTES = 400.0, 20, 4096
"""Enough to fill what the kernel holds for a client that takes nothing, and our queue behind it."""


@app.command(epilog="Example: roomtone bench api --json")
def api(
    *,
    clients: Annotated[int, typer.Option(min=1, max=2000, help="Clients of the alert stream.")] = 200,
    events: Annotated[float, typer.Option(min=1, max=1000, help="Events a second, to every client.")] = 20.0,
    rooms: Annotated[int, typer.Option(min=1, max=500, help="Rooms with live frames during reads.")] = 50,
    reads: Annotated[float, typer.Option(min=1, max=5000, help="REST state reads a second.")] = 300.0,
    seconds: Annotated[float, typer.Option(min=3, max=600, help="Length of each part.")] = 20.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Alert stream to many clients, a client that stalls, and state reads beside rooms of live frames.

    Everything is real: an API process with its store, WebSockets, HTTP over loopback, a worker and adapters.
    Reads go to the API and then, under the same load, to a bare FastAPI route that returns a constant.
    """
    with tempfile.TemporaryDirectory(prefix="roomtone-bench-") as folder:
        settings = settings_in(Path(folder))
        store = open_store(settings.store_url)
        key, _ = create_key(store, Role.VIEWER, actor="bench")
        with site_api(settings, free_port()) as server:
            crowd = Listeners(server.port, key, clients)
            told = {"stream": follow(settings, store, server, crowd, rate=events, seconds=seconds)}
            some = Listeners(server.port, key, STALL_CLIENTS, stalled=1)
            told["stalled"] = follow(
                settings, store, server, some, rate=STALL_RATE, seconds=seconds, fill=STALL_BYTES
            )
            pace = Pace(rooms, reads, seconds)
            told["reads"] = compare(settings, server, key, pace, quiet=as_json)
        store.close()
    if as_json:
        typer.echo(json.dumps(told))
    else:
        _show(told)


def _show(told: dict[str, Any]) -> None:
    console, stream, stalled = Console(highlight=False), told["stream"], told["stalled"]
    for name, one in (("stream", stream), ("beside a client that stalls", stalled)):
        latency = one["latency_ms"]
        console.print(
            f"{name}: {one['clients']} clients x {one['events_per_s']:g} events/s: p50 {latency['p50']} ms, "
            f"p99 {latency['p99']} ms, {one['missing']} missing, {one['doubled']} doubled, "
            f"{one['cores']} cores, {one['memory_mb']['before']} -> {one['memory_mb']['after']} MB"
        )
    for end in stalled["stalled"]:
        console.print(f"the client that stalled was closed with {end['code']}: {end['reason']}")
    table = Table("state reads", "p50 ms", "p99 ms", "failed", "CPU ms a read")
    for name in ("api", "bare_route"):
        one = told["reads"][name]
        latency = one["latency_ms"]
        cells = (latency["p50"], latency["p99"], one["failed"], one["cpu_ms_per_read"])
        table.add_row(name, *(str(cell) for cell in cells))
    console.print(table)
    reads = told["reads"]
    console.print(f"ratio: p50 {reads['ratio_p50']}, p99 {reads['ratio_p99']}, CPU {reads['ratio_cpu']}")
