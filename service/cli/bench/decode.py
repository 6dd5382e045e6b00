"""`roomtone bench decode`: decoding speed beside csiread, same file, same run, one thread."""

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from drivers.errors import UnknownFormatError
from drivers.frame import FrameBlock
from drivers.registry import Nic, names
from drivers.source import nic_of
from drivers.stream import Stream
from service.cli.errors import CommandError

app = typer.Typer(add_completion=False)

FILE_BYTES = 20_000_000
ROUNDS = 11
PIECE_FRAMES = 512
PEER = "csiread"
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
class Result:
    """Speeds of one capture; `ratio` is ours over the peer's."""

    capture: str
    nic: str
    frames_per_s: float
    peer: str
    peer_frames_per_s: float
    ratio: float


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
    a few hundred frames at a time, into memory that is used again. The clock is the thread's CPU time,
    reading included, so that other programs do not blur the ratio.

    Raises:
        CommandError: the peer is not installed, a capture is missing, or the two do not agree on the frames.
    """
    if find_spec(PEER) is None:
        raise CommandError(f"{PEER} is not installed; it comes with: pip install 'roomtone[dev]'")
    if not captures.is_dir():
        raise CommandError(f"no captures at {captures}; name their folder with --captures")
    return [_measured(captures / nic / name, nic) for name, nic in _wanted(captures, all_)]


def _wanted(captures: Path, all_: bool) -> list[tuple[str, str]]:
    wanted = dict(ALWAYS)
    if all_:
        for nic in names():
            wanted |= {path.name: nic for path in sorted((captures / nic).glob("*")) if path.is_file()}
    return list(wanted.items())


def _measured(path: Path, nic: str) -> Result | Skipped:
    if nic not in _PEERS or nic not in names():
        return Skipped(path.name, nic, f"no {nic} driver yet")
    try:
        module = nic_of(path, nic)
    except UnknownFormatError as error:
        return Skipped(path.name, nic, str(error))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / path.name
        frames = _repeat(path, module, file)
        return _race(path.name, module, file, frames)


def _repeat(path: Path, nic: Nic, target: Path) -> int:
    """Write the capture's whole records over and over behind its one header; returns the frames in it."""
    data = path.read_bytes()
    whole = nic.parse(data, final=False)
    opening = whole.account.container_bytes
    records = data[opening : whole.consumed]
    times = -(-FILE_BYTES // len(records))
    target.write_bytes(data[:opening] + records * times)
    return whole.account.frames * times


def _race(name: str, nic: Nic, file: Path, frames: int) -> Result:
    peer = _PEERS[nic.NAME](nic, file)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_timed(lambda: _decode(nic, file), frames, f"roomtone on {name}"))
        theirs.append(_timed(peer, frames, f"{PEER} on {name}"))
    speed, peer_speed = frames / median(ours), frames / median(theirs)
    return Result(name, nic.NAME, round(speed), PEER, round(peer_speed), round(speed / peer_speed, 2))


def _timed(decode: Callable[[], int], frames: int, who: str) -> float:
    decode()  # so that neither side pays for caches and memory that the other one took
    start = time.thread_time()
    found = decode()
    seconds = time.thread_time() - start
    if found != frames:
        raise CommandError(f"{who}: {found} frames, expected {frames}; the speeds cannot be compared")
    return seconds


def _decode(nic: Nic, file: Path) -> int:
    """Our side: the stream that every command reads captures through, complex values of every frame."""
    stream, room, frames = Stream(nic), _Room(), 0
    with file.open("rb", buffering=0) as source:
        while (blocks := stream.fill(source.readinto)) is not None:
            frames += sum(map(room.take, blocks))
    return frames + sum(map(room.take, stream.finish()))


class _Room:
    """Memory for the values of a few frames after the other, as a reader of long streams keeps it."""

    def __init__(self) -> None:
        self._flat = np.empty(0, np.complex64)

    def take(self, block: FrameBlock) -> int:
        """Complex values of all frames in `block`; returns how many frames there were."""
        frames = 0
        for start in range(0, len(block), PIECE_FRAMES):
            piece = block.take(slice(start, start + PIECE_FRAMES))
            size = piece.raw.size // 2
            if len(self._flat) < size:
                self._flat = np.empty(size, np.complex64)
            frames += len(piece.csi(self._flat[:size].reshape(len(piece), *piece.shape)))
        return frames


def _csiread_intel(nic: Nic, file: Path) -> Callable[[], int]:
    """The peer's side, told in advance what it must be told: most antennas and streams."""
    import csiread

    streams = max(block.shape[2] for block in nic.parse(file.read_bytes(), final=True).blocks)

    def decode() -> int:
        reader = csiread.Intel(str(file), nrxnum=3, ntxnum=streams, if_report=False)
        reader.read()
        return len(reader.csi)

    return decode


def _csiread_atheros(nic: Nic, file: Path) -> Callable[[], int]:
    """The peer's side, told in advance what it must be told: shape, and whether a byte leads or the order."""
    import csiread

    whole = nic.parse(file.read_bytes(), final=True)
    tones, nr, nc = (max(block.shape[axis] for block in whole.blocks) for axis in range(3))
    has_lead_byte = whole.account.container_bytes > 0
    kind = csiread.AtherosPull10 if has_lead_byte else csiread.Atheros
    words = {} if has_lead_byte else {"endian": "little" if whole.state == "<" else "big"}

    def decode() -> int:
        reader = kind(str(file), nrxnum=nr, ntxnum=nc, tones=tones, if_report=False)
        reader.read(**words)
        return len(reader.csi)

    return decode


def _csiread_nexmon(nic: Nic, file: Path) -> Callable[[], int]:
    """The peer's side, told in advance what it must be told: chip and bandwidth."""
    import csiread

    data = file.read_bytes()
    (block,) = nic.parse(data[:65536], final=False).blocks
    chip = _CHIP_NAMES[int.from_bytes(data[_CHIP_AT : _CHIP_AT + 2], "little")]

    def decode() -> int:
        reader = csiread.Nexmon(str(file), chip=chip, bw=block.bandwidth_mhz, if_report=False)
        reader.read()
        return len(reader.csi)

    return decode


_CHIP_AT = 24 + 16 + 42 + 16  # in a pcap file's first record: behind headers of file, record, network, CSI
_CHIP_NAMES = {0x0001: "4339", 0x0065: "43455c0", 0x0003: "4358", 0xDEAD: "4358", 0x006A: "4366c0"}
_PEERS: dict[str, Callable[[Nic, Path], Callable[[], int]]] = {
    "atheros": _csiread_atheros,
    "intel5300": _csiread_intel,
    "nexmon": _csiread_nexmon,
}


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
    for heading in ("frames/s", f"{PEER} frames/s", "ratio"):
        table.add_column(heading, justify="right")
    for row in measured:
        speeds = f"{row['frames_per_s']:,.0f}", f"{row['peer_frames_per_s']:,.0f}", f"{row['ratio']:.2f}"
        table.add_row(row["nic"], row["capture"], *speeds)
    console = Console(highlight=False)
    console.print(table)
    for row in skipped:
        console.print(f"skipped {row['capture']}: {row['reason']}", soft_wrap=True)
