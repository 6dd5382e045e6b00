"""`roomtone adapter`: one live driver, from a NIC's bytes to the service's ingest endpoint."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from drivers.errors import DeliveryError
from drivers.publish import Publisher, Report
from drivers.registry import Nic, load
from drivers.sender import Sender
from drivers.source import nic_of, read_chunks, standard_input
from drivers.wire import Source
from service.cli.errors import CommandError

app = typer.Typer(add_completion=False)
STATUS_EVERY_S = 10.0
DRAIN_S = 5.0


@app.command(
    epilog="Example: log_to_file /dev/stdout | "
    "roomtone adapter --nic intel5300 --source - --link l1 --room lab --to tcp://127.0.0.1:5570"
)
def adapter(
    *,
    nic: Annotated[str, typer.Option(help="NIC whose bytes these are.")],
    source: Annotated[str, typer.Option(help="- for standard input, or file:PATH (also .xz, .gz).")],
    link: Annotated[str, typer.Option(help="Link that the frames belong to.")],
    to: Annotated[str, typer.Option(help="Ingest endpoint, e.g. tcp://127.0.0.1:5570.")],
    room: Annotated[str | None, typer.Option(help="Room of a link the service does not know yet.")] = None,
) -> None:
    """Deliver frames as they come; never holds the card back.

    Without credit from the service frames are dropped here, and counted. Standard input is live. A file goes
    at the pace it was captured, and is marked as a replay: it is never taken for the present.
    """
    module, kind, chunks = _open(source, nic)
    with Sender(to, link=link, room=room, nic=module.NAME, source=kind, lossless=False) as sender:
        sender.connect()
        typer.echo(f"adapter: link {link} ({module.TITLE}) to {to}", err=True)
        speed = None if kind is Source.LIVE else 1.0
        report = _run(chunks, Publisher(module, sender, speed=speed), sender)
    typer.echo(f"adapter: {_line(report)}", err=True)
    if not report.frames:
        raise CommandError(f"no frame of {module.TITLE} in {report.account.total_bytes} bytes from {source}")


def _open(source: str, nic: str) -> tuple[Nic, Source, Iterator[bytes]]:
    """NIC, what the frames are, and the bytes."""
    if source == "-":
        return load(nic), Source.LIVE, standard_input()
    path = Path(source.removeprefix("file:"))
    if ":" in source and not source.startswith("file:") and not path.exists():
        raise CommandError(
            f"source {source!r} is not built in; there are: - (standard input), file:PATH (a capture)"
        )
    return nic_of(path, nic), Source.REPLAY, read_chunks(path)


def _run(chunks: Iterator[bytes], publisher: Publisher, sender: Sender) -> Report:
    """Publish until the source ends or the user stops it; tell now and then how it goes."""
    told = time.monotonic()
    try:
        for chunk in chunks:
            if chunk:
                publisher.feed(chunk)
            else:
                publisher.tick()
            if time.monotonic() - told >= STATUS_EVERY_S:
                told = time.monotonic()
                typer.echo(f"adapter: {_line(publisher.report())}{_refused(sender)}", err=True)
    except KeyboardInterrupt:
        typer.echo("adapter: stopped", err=True)
    report = publisher.finish()
    try:
        sender.drain(DRAIN_S)
    except DeliveryError as error:
        typer.echo(f"adapter: {error}", err=True)
        return report
    return publisher.report()


def _line(report: Report) -> str:
    rejected = ", ".join(f"{count} {reason}" for reason, count in report.rejected.items()) or "none"
    return (
        f"{report.frames} frames, {report.published} published, {report.acked} processed, "
        f"{report.dropped} dropped here, {report.lost} lost on the way, rejected: {rejected}"
    )


def _refused(sender: Sender) -> str:
    if sender.refusal is None:
        return ""
    return f"; the service refuses them: {sender.refusal.reason}: {sender.refusal.detail}"
