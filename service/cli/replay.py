"""`roomtone replay`: captures through the live path of a running service, without losing a frame."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from drivers.errors import DeliveryError
from drivers.frame import FrameBlock, mac_text
from drivers.loss import Loss, RunningLoss
from drivers.pipeline import Pipeline
from drivers.publish import publish
from drivers.report import Progress as Published
from drivers.report import Report
from drivers.sender import Sender
from drivers.source import nic_of, read_chunks
from drivers.wire import Source
from service.cli.errors import CommandError
from service.cli.site import ConfigFile, DataDir, delivery

app = typer.Typer(add_completion=False)
_PART = re.compile(r"(\d+(?:\.\d+)?)s?-(\d+(?:\.\d+)?)s?")
Told = Callable[[Published], None]
BUSY_WAIT_S = 5.0
"""Longer than a service holds a link for a sender that fell silent."""


class CountingSender(Sender):
    """A sender that also notes what never reached the card's host."""

    def __init__(self, *args: Any, **words: Any) -> None:  # noqa: ANN401 - as Sender takes them
        super().__init__(*args, **words)
        self.running = RunningLoss()

    def connect(self) -> None:
        """As `Sender.connect`; a link whose last sender broke off counts as taken for some seconds: wait."""
        deadline = time.monotonic() + BUSY_WAIT_S
        while True:
            try:
                return super().connect()
            except DeliveryError:
                busy = self.refusal is not None and self.refusal.reason == "link_busy"
                if not busy or time.monotonic() > deadline:
                    raise

    def send(self, block: FrameBlock) -> bool:
        """As `Sender.send`."""
        self.running.add(block)
        return super().send(block)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise typer.BadParameter(f"{text!r} is neither 'max' nor a factor above 0, such as 1 or 2.5")
    return speed


def _part(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    found = _PART.fullmatch(text)
    if not found or float(found[1]) >= float(found[2]):
        raise typer.BadParameter(f"{text!r} is not FROM-TO in seconds of the capture, such as 0s-60s")
    return float(found[1]), float(found[2])


@app.command(epilog="Example: roomtone replay capture.dat.xz --link l1 --room lab --speed max")
def replay(
    files: Annotated[
        list[Path], typer.Argument(readable=False, help="Captures, one after the other (.xz, .gz too).")
    ],
    *,
    link: Annotated[str, typer.Option(help="Link that the frames belong to.")],
    room: Annotated[str | None, typer.Option(help="Room of a link the service does not know yet.")] = None,
    nic: Annotated[str, typer.Option(help="NIC of the capture; auto tells it by the bytes.")] = "auto",
    speed: Annotated[
        str, typer.Option(help="Factor of real time, or max: as fast as the service processes.")
    ] = "max",
    part: Annotated[str | None, typer.Option(help="Only these seconds of each capture, e.g. 0s-60s.")] = None,
    tx: Annotated[
        str,
        typer.Option(
            metavar="MAC|auto|any",
            help="Whose packets make the link; others are counted. auto: the sender of most. The Intel 5300 "
            "does not tell senders apart.",
        ),
    ] = "auto",
    iq_order: Annotated[
        Literal["as_recorded", "imag_first"],
        typer.Option(help="imag_first for Nexmon firmware that wrote the imaginary part first."),
    ] = "as_recorded",
    to: Annotated[str | None, typer.Option(help="Ingest endpoint; by default the site's.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the service to answer.")] = 10.0,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Send captures through a running service; returns when it has processed the last block.

    Nothing is lost at any speed: the service's credit holds the reader back. Capture time is kept, whatever
    the speed; it starts now, or 10 s after the link's last frame if that is later.
    """
    pace, span = _speed(speed), _part(part)
    endpoint, curve = delivery(to, config, data_dir)
    results = []
    modules = [nic_of(path, nic) for path in files]
    for module in modules:
        Pipeline(module, transmitter=tx)  # refuses what makes no sense before the service hears of the link
    for path, module in zip(files, modules, strict=True):
        sender = CountingSender(
            endpoint,
            link=link,
            room=room,
            nic=module.NAME,
            source=Source.REPLAY,
            connect_timeout_s=wait,
            curve=curve,
        )
        with sender, _progress(path, quiet=as_json) as told:
            report = publish(
                read_chunks(path),
                module,
                sender,
                speed=pace,
                part=span,
                transmitter=tx,
                iq_order=iq_order,
                progress=told,
            )
        if not report.published:
            raise CommandError(f"{path}: nothing was sent, {_nothing(report, part)}")
        results.append(_result(path, module.NAME, report, sender.running.loss()))
        if not as_json:
            typer.echo(_line(results[-1]))
    if as_json:
        typer.echo(json.dumps({"link": link, "room": room, "endpoint": endpoint, "files": results}))


def _nothing(report: Report, part: str | None) -> str:
    """Why no frame of a capture was sent."""
    if not report.frames:
        return "no frame in it"
    if report.outside == report.frames:
        return f"none of its {report.frames} frames is within {part}"
    kept_out = ", ".join(f"{count} {reason}" for reason, count in report.rejected.items()) or "no reject"
    return f"of its {report.frames} frames {report.outside} are outside --part; rejected: {kept_out}"


def _result(path: Path, nic: str, report: Report, loss: Loss) -> dict[str, Any]:
    return {
        "file": str(path),
        "nic": nic,
        "frames": report.frames,
        "outside_part": report.outside,
        "published": report.published,
        "processed": report.acked,
        "resent": report.resent,
        "rejected": dict(report.rejected),
        "transmitter": mac_text(report.transmitter) if report.transmitter else None,
        "roamed": report.roamed,
        "gaps": loss.missing,
        "loss_method": loss.method,
        "capture_s": round(report.capture_s, 3),
        "seconds": round(report.seconds, 3),
        "from_ns": report.first_ns,
        "to_ns": report.last_ns,
    }


def _line(result: dict[str, Any]) -> str:
    rejected = ", ".join(f"{count} {reason}" for reason, count in result["rejected"].items()) or "none"
    return (
        f"{result['file']}: {result['processed']} frames ({result['nic']}, {result['capture_s']:.1f} s) "
        f"processed in {result['seconds']:.1f} s; rejected: {rejected}; missed by the card: "
        f"{'unknown' if result['gaps'] is None else result['gaps']}"
    )


@contextmanager
def _progress(path: Path, *, quiet: bool) -> Iterator[Told]:
    """A bar on stderr while a capture is sent; its length is known where the file is not packed."""
    packed, console = path.suffix in {".xz", ".gz"}, Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[frames]} frames, {task.fields[capture_s]:.0f} s of capture"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    ) as bar:
        total = None if packed or not path.is_file() else path.stat().st_size
        task = bar.add_task(path.name, total=total, frames=0, capture_s=0.0)
        yield lambda seen: bar.update(
            task, completed=seen.read_bytes, frames=seen.published, capture_s=seen.capture_s
        )
