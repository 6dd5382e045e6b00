"""`roomtone inspect`: what is in a capture, for people, for programs, and as a picture."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from drivers.account import Account
from drivers.errors import DriverError, SourceError, UnknownFormatError
from drivers.source import identify, read_chunks
from drivers.stream import Stream
from service.cli.capture import progress, read_blocks
from service.cli.errors import CommandError
from service.cli.inspect_plot import Picture
from service.cli.summary import Timeline, describe

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: roomtone inspect capture.dat --json --plot capture.png")
def inspect(
    file: Annotated[Path, typer.Argument(readable=False, help="Capture (.xz, .gz too).")],
    *,
    nic: Annotated[str, typer.Option(help="NIC of the capture; auto tells it by the bytes.")] = "auto",
    plot: Annotated[Path | None, typer.Option(help="Also draw amplitude, phase, rate and gaps.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Tell what is in a capture: NIC, frames, rejects by reason, rate, shapes, gaps.

    Every byte is accounted for: it belongs to a frame, to a record skipped for a named reason, to a container
    header, or to a reject with a reason.
    """
    try:
        report = _inspect(file, nic, plot, quiet=as_json)
    except DriverError as error:
        if not as_json:
            raise
        typer.echo(json.dumps(_failed(file, error)))
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(report))
    else:
        _show(report)
    if "error" in report:
        if not as_json:
            raise CommandError(report["error"])
        raise typer.Exit(1)


def _inspect(file: Path, nic: str, plot: Path | None, *, quiet: bool) -> dict[str, Any]:
    """The report; with an `error` if the file broke off while it was read."""
    found, why = identify(file, nic)
    stream, timeline = Stream(found), Timeline()
    picture = Picture(file.name) if plot else None
    error: str | None = None
    with progress(file, "reading", quiet=quiet) as told:
        try:
            for block in read_blocks(file, stream, told):
                timeline.add(block)
                if picture:
                    picture.add(block)
        except SourceError as broken:
            error = str(broken)
    report: dict[str, Any] = {"file": str(file), "detected": why}
    report |= describe(stream.nic.NAME, stream.account, stream.bytes_fed, timeline)
    if error is None and not stream.account.frames:
        error = f"{file}: no frame in {stream.bytes_fed} bytes of {stream.nic.TITLE} records"
    if picture and plot and stream.account.frames:
        try:
            picture.draw(timeline, plot)
            report["plot"] = str(plot)
        except CommandError as undrawn:
            error = error or str(undrawn)
    return report if error is None else report | {"error": error}


def _failed(file: Path, error: DriverError) -> dict[str, Any]:
    """The report of a file that is no capture: all of its bytes are rejected as such."""
    account = Account()
    if isinstance(error, UnknownFormatError):
        size = sum(map(len, read_chunks(file)))
        if size:
            account.reject("unknown_format", size)
    return (
        {"file": str(file)} | describe(None, account, account.total_bytes, Timeline()) | {"error": str(error)}
    )


def _show(report: dict[str, Any]) -> None:
    table = Table(title=report["file"], show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    table.add_row("NIC", report["nic"])
    table.add_row("told by its start", report["detected"])
    table.add_row("frames", f"{report['frames']:,}")
    for link in report["links"]:
        for name, text in _link_rows(link):
            table.add_row(name, text)
    accounted = report["accounted"]
    table.add_row("bytes", f"{report['bytes']:,} = {accounted['frames']:,} in frames")
    for kind in ("skipped", "rejected"):
        for reason, size in accounted[kind].items():
            table.add_row("", f"+ {size:,} {kind}: {report[kind][reason]:,} x {reason}")
    table.add_row("unaccounted", f"{report['bytes_unaccounted']:,}")
    if "plot" in report:
        table.add_row("picture", report["plot"])
    Console(highlight=False).print(table)


def _link_rows(link: dict[str, Any]) -> list[tuple[str, str]]:
    shapes = ", ".join("x".join(map(str, s["shape"])) + f" ({s['frames']:,})" for s in link["shapes"])
    rate = "unknown (the clock stands still)" if link["rate_hz"] is None else f"{link['rate_hz']:g} Hz"
    gaps = link["gaps_unknown"] or f"{link['gaps']:,} ({link['missing']:,} frames missing)"
    rows = [
        ("subcarriers x rx x tx", shapes),
        ("bandwidth", ", ".join(f"{width} MHz" for width in link["bandwidth_mhz"])),
        ("rate", f"{rate} over {link['duration_s']:.3f} s"),
        ("gaps by the counter" if link["loss_method"] != "timing" else "gaps by time", gaps),
    ]
    if link["flags"]:
        rows.append(("flags", ", ".join(f"{name}: {count:,}" for name, count in link["flags"].items())))
    return rows
