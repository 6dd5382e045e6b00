"""`roomtone bench live`: what one adapter costs, datagram by datagram, from a real socket to a real bus."""

import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from drivers.live import LiveSource, open_source
from drivers.pcap.write import HEADERS_BYTES
from drivers.publish import Publisher
from drivers.registry import Nic, load
from drivers.sender import Sender
from drivers.source import nic_of
from drivers.wire import Source
from service.cli.bench.stand_in import send_datagrams, take_blocks
from service.cli.errors import CommandError

app = typer.Typer(add_completion=False)

CAPTURES = {
    "csiread_sample_0x1_ap.dat": "intel5300",
    "csiread_ath_csi_1.dat": "atheros",
    "csikit_example_43455c0.pcap": "nexmon",
    "csikit_example_4366c0.pcap": "nexmon",
    "csikit_example_fast_100hz_pitraffic.csv": "esp32",
}
"""Captures whose frames are sent, and their NIC."""
RECORDS = 250
_OUTSIDE = {"nexmon": 16 + HEADERS_BYTES}
"""Bytes of a file's record that are not in the datagram: headers of record and network."""
SETTLE_S = 1.0
START_S = 20.0
_spawn = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Result:
    """Cost of one adapter; `cores` is processor seconds per second of everything it does.

    `blocks`: messages on the bus; `lost`: datagrams the socket lost.
    """

    capture: str
    nic: str
    rate_hz: float
    frames_per_s: float
    cores: float
    us_per_frame: float
    lost: int
    dropped: int


def bench_live(captures: Path, rate_hz: float, seconds: float) -> list[Result]:
    """Measure an adapter on a UDP socket for each NIC's capture, one after the other.

    Another process sends the capture's frames over loopback at `rate_hz`; a third one grants credit, as a
    service would. What counts is the processor time of the process between: receive, wrap, parse, filter,
    put on Unix time, pack, send.

    Raises:
        CommandError: a capture is missing, or not a frame came through.
    """
    if not captures.is_dir():
        raise CommandError(f"no captures at {captures}; name their folder with --captures")
    with _sink() as endpoint:
        return [
            _measured(captures / nic / name, load(nic), endpoint, rate_hz, seconds)
            for name, nic in CAPTURES.items()
        ]


@contextmanager
def _sink() -> Iterator[str]:
    """A process that takes blocks; gives its endpoint."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=take_blocks, args=(theirs,), daemon=True)
    process.start()
    try:
        if not ours.poll(START_S):
            raise CommandError("the process that takes the blocks did not start")
        yield ours.recv()
    finally:
        ours.send(True)
        process.join(5)


def _measured(path: Path, nic: Nic, endpoint: str, rate_hz: float, seconds: float) -> Result:
    datagrams = _datagrams(path, nic)
    with (
        open_source("udp:127.0.0.1:0", nic) as source,
        Sender(endpoint, link=path.name[:40], nic=nic.NAME, source=Source.LIVE) as sender,
    ):
        sender.connect()
        publisher = Publisher(nic, sender, transmitter="any")
        port = source.port  # type: ignore[attr-defined]
        process = _spawn.Process(target=send_datagrams, args=(port, datagrams, rate_hz, seconds), daemon=True)
        process.start()
        used, spent, frames = _run(source, publisher, seconds)
        process.join(5)
        if not frames:
            raise CommandError(f"{path.name}: not a frame came through")
        lost, dropped = sum(source.lost.values()), sender.dropped
    rate, cores = frames / spent, used / spent
    us = round(1e6 * used / frames, 1)
    return Result(path.name, nic.NAME, rate_hz, round(rate, 1), round(cores, 4), us, lost, dropped)


def _datagrams(path: Path, nic: Nic) -> list[bytes]:
    """Records of the capture's first frames, as UDP brings them (`Nic.wrap` takes them back)."""
    nic_of(path, nic.NAME)
    block = max(nic.parse(path.read_bytes(), final=True).blocks, key=len).take(slice(0, RECORDS))
    outside = _OUTSIDE.get(nic.NAME, 0)
    return [nic.encode(block.take(slice(row, row + 1)))[outside:] for row in range(len(block))]


def _run(source: LiveSource, publisher: Publisher, seconds: float) -> tuple[float, float, int]:
    """Processor seconds, seconds and frames of the steady state."""
    started = used = begun = 0.0
    first = 0
    for chunk in source:
        if chunk:
            publisher.feed(chunk)
        else:
            publisher.tick()
        frames, now = publisher.pipeline.stream.frames, time.monotonic()
        if frames and not started:
            started = now
        if started and not begun and now - started >= SETTLE_S:
            begun, used, first = now, time.process_time(), frames
        if begun and now - started >= seconds - SETTLE_S / 2:
            return time.process_time() - used, now - begun, frames - first
    return 0.0, 1.0, 0


@app.command(epilog="Example: roomtone bench live --captures ../shared/captures --json")
def live(
    *,
    captures: Annotated[Path, typer.Option(help="Folder of captures, one folder a NIC in it.")] = Path(
        "../shared/captures"
    ),
    rate: Annotated[float, typer.Option(min=1, help="Frames a second.")] = 2000.0,
    seconds: Annotated[float, typer.Option(min=3, help="For each capture.")] = 6.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Send frames to an adapter over UDP, one a datagram, and tell what share of a core it takes."""
    results = bench_live(captures, rate, seconds)
    if as_json:
        typer.echo(json.dumps({"results": [asdict(result) for result in results]}))
        return
    table = Table("NIC", "capture")
    for heading in ("frames/s", "cores", "µs a frame", "lost", "dropped"):
        table.add_column(heading, justify="right")
    for one in results:
        numbers: list[Any] = [one.frames_per_s, one.cores, one.us_per_frame, one.lost, one.dropped]
        table.add_row(one.nic, one.capture, *(f"{number:,}" for number in numbers))
    Console(highlight=False).print(table)
