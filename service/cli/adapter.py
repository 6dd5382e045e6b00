"""`roomtone adapter`: one live driver, from a NIC's bytes to the service's ingest endpoint."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from drivers.adapter import Adapter
from drivers.live.registry import FORMS
from drivers.stopping import until_told

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Example: roomtone adapter --nic intel5300 --source netlink --link l1 --room lab "
    "--to tcp://127.0.0.1:5570"
)
def adapter(
    *,
    nic: Annotated[str, typer.Option(help="NIC whose bytes these are.")],
    source: Annotated[str, typer.Option(help=f"{FORMS}; or file:PATH (also .xz, .gz).".replace("[", r"\["))],
    link: Annotated[str, typer.Option(help="Link that the frames belong to.")],
    to: Annotated[str, typer.Option(help="Ingest endpoint, e.g. tcp://127.0.0.1:5570.")],
    room: Annotated[str | None, typer.Option(help="Room of a link the service does not know yet.")] = None,
    tx: Annotated[
        str,
        typer.Option(
            metavar="MAC|auto|any",
            help="Whose packets make the link; others are counted. The Intel 5300 tells no senders apart.",
        ),
    ] = "auto",
    iq_order: Annotated[
        Literal["as_recorded", "imag_first"],
        typer.Option(help="imag_first for Nexmon firmware that wrote the imaginary part first."),
    ] = "as_recorded",
    allow: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Sender a UDP source takes; repeatable.")
    ] = None,
    enrolment: Annotated[
        Path | None, typer.Option(help="For tls: the folder that `roomtone links enroll` made.")
    ] = None,
) -> None:
    """Deliver frames as they come; never holds the card back, and waits for a service that is not there.

    Without credit from the service frames are dropped here, and counted. A file goes at the pace it was
    captured, and is marked as a replay: it is never taken for the present. The same without anything but
    numpy, pyzmq and msgspec: python -m drivers.
    """
    work = Adapter(
        nic=nic,
        source=source,
        link=link,
        to=to,
        room=room,
        transmitter=tx,
        iq_order=iq_order,
        allow=allow or (),
        enrolment=enrolment,
    )
    work.run(lambda line: typer.echo(line, err=True), until_told())
