"""`roomtone bench decode`: decoding speed beside csiread, same file, same run, one thread."""

import json
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from drivers.errors import UnknownFormatError
from drivers.registry import names
from drivers.source import nic_of
from service.cli.bench.peers import PEER, PEERS
from service.cli.bench.race import Result, copy_bytes_per_s, race
from service.cli.errors import CommandError

app = typer.Typer(add_completion=False)

ALWAYS = {
    "csiread_sample_0x5_64_3000.dat": "intel5300",
    "csiread_sample_0x1_ap.dat": "intel5300",
    "csidata_walk_post_1597163546.dat": "intel5300",
    "csiread_ath_csi_1.dat": "atheros",
    "csikit_example_43455c0.pcap": "nexmon",
    "csidata_40mhz_1600085286.pcap": "nexmon",
    "csikit_example_4339.pcap": "nexmon",
    "csikit_example_4366c0.pcap": "nexmon",
    "seemoo_4358_80MHz_example.pcap": "nexmon",
}
"""Captures that are always measured, and their NIC."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A capture that was not measured, and why."""

    capture: str
    nic: str
    reason: str


def bench_decode(captures: Path, all_: bool = False) -> list[Result | Skipped]:
    """Measure the captures below `captures` (one folder a NIC), or with `all_` every one of a known NIC.

    Each is repeated to 20 MB. Both sides read the same file in turn, deliver complex values of every frame
    with their checks on, and must find the same number of frames; the median of the rounds counts, each of
    them after one that does not. csiread fills one array with the whole file, as it does; ours come in order,
    a few hundred frames at a time, into memory that is used again (float
    values, which are complex already, where the driver put them). The clock is the thread's CPU time,
    reading included, so that other programs do not blur the ratio.

    Raises:
        CommandError: the peer is not installed, a capture is missing, or the two do not agree on the frames.
    """
    if find_spec(PEER) is None:
        raise CommandError(f"{PEER} is not installed; it comes with: pip install 'roomtone[dev]'")
    if not captures.is_dir():
        raise CommandError(f"no captures at {captures}; name their folder with --captures")
    copied = copy_bytes_per_s()
    return [_measured(captures / nic / name, nic, copied) for name, nic in _wanted(captures, all_)]


def _wanted(captures: Path, all_: bool) -> list[tuple[str, str]]:
    wanted = dict(ALWAYS)
    if all_:
        for nic in names():
            wanted |= {path.name: nic for path in sorted((captures / nic).glob("*")) if path.is_file()}
    return list(wanted.items())


def _measured(path: Path, nic: str, copied: float) -> Result | Skipped:
    if nic not in PEERS or nic not in names():
        return Skipped(path.name, nic, f"no {nic} driver yet")
    try:
        module = nic_of(path, nic)
    except UnknownFormatError as error:
        return Skipped(path.name, nic, str(error))
    return race(path, module, copied)


@app.command(epilog="Example: roomtone bench decode --captures ../shared/captures --json")
def decode(
    *,
    captures: Annotated[Path, typer.Option(help="Folder of captures, one folder a NIC in it.")] = Path(
        "../shared/captures"
    ),
    all_: Annotated[
        bool, typer.Option("--all", help="Every capture of a NIC there is a driver for.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Decode captures beside csiread: same file, same run, one thread, complex values, checks on."""
    results = bench_decode(captures, all_)
    measured = [asdict(result) for result in results if isinstance(result, Result)]
    skipped = [asdict(result) for result in results if isinstance(result, Skipped)]
    if as_json:
        typer.echo(json.dumps({"results": measured, "skipped": skipped}))
    else:
        _show(measured, skipped)


def _show(measured: list[dict[str, Any]], skipped: list[dict[str, Any]]) -> None:
    table = Table("NIC")
    table.add_column("capture", overflow="fold")
    for heading in ("frames/s", f"{PEER} frames/s", "ratio", "of memory"):
        table.add_column(heading, justify="right")
    for row in measured:
        speeds = f"{row['frames_per_s']:,.0f}", f"{row['peer_frames_per_s']:,.0f}", f"{row['ratio']:.2f}"
        table.add_row(row["nic"], row["capture"], *speeds, f"{row['memory_share']:.0%}")
    console = Console(highlight=False)
    console.print(table)
    for row in skipped:
        console.print(f"skipped {row['capture']}: {row['reason']}", soft_wrap=True)
