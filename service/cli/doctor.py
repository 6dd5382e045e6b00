"""`roomtone doctor`: what is wrong with a card, its host or its frames, and what to do."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from drivers.doctor import answer, frames
from drivers.doctor.host import (
    CHECKS,
    FAILED,
    NICS,
    NOT_APPLICABLE,
    Finding,
    Host,
    examine,
    failures,
    report,
    seen,
)
from drivers.doctor.seen import Seen, listen, look_into
from drivers.errors import SourceError, UnknownFormatError
from drivers.live import open_source
from drivers.registry import load
from drivers.source import nic_of, read_chunks

app = typer.Typer(add_completion=False)
_UNREADABLE = "give a card's own capture; --nic NAME tells what its parser makes of these bytes"
_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "unknown": "cyan"}


@app.command(epilog="Example: roomtone doctor --nic intel5300 --source netlink --to tcp://127.0.0.1:5570")
def doctor(
    *,
    nic: Annotated[str, typer.Option(help="NIC to look at; auto: those that are there.")] = "auto",
    source: Annotated[str | None, typer.Option(help="Live source to listen to, as of `adapter`.")] = None,
    capture: Annotated[
        Path | None, typer.Option(readable=False, help="Capture to look into instead of a host.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Ingest endpoint that shall answer.")] = None,
    link: Annotated[str | None, typer.Option(help="Ask --to for this link (not while it is live).")] = None,
    seconds: Annotated[float, typer.Option("--for", min=0.1, max=600, help="Seconds to listen.")] = 5.0,
    allow: Annotated[list[str] | None, typer.Option(help="Senders that a UDP source takes.")] = None,
    interface: Annotated[str | None, typer.Option(help="Network interface of the card.")] = None,
    root: Annotated[Path, typer.Option(help="Folder that stands for /, e.g. of a rescued disk.")] = Path("/"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Check card, host, frames and service; say what is wrong, why it matters, and what to do.

    Nothing is changed. A check that cannot look says `unknown`. Exit code 1 when a check failed.
    """
    if source and capture:
        raise typer.BadParameter("give --source or --capture, not both")
    host = Host(str(root), interface=interface, to=to)
    nics = _nics(host, nic, capture)
    if source and len(nics) != 1:
        raise typer.BadParameter(
            f"say which card speaks there: --nic {'|'.join(NICS)}", param_hint="--source"
        )
    looked = _into(capture, nic) if capture else _heard(source, nics[0], seconds, allow) if source else None
    name = looked.nic.NAME if isinstance(looked, Seen) else next(iter(nics), NICS[0])
    checks = (_absent() if capture else examine(host, nics)) + frames.examine(looked)
    checks.append(answer.ask(to, link=link, nic=name).document(answer.ID))
    if as_json:
        typer.echo(json.dumps(report(checks, [name] if isinstance(looked, Seen) else nics)))
    else:
        _show(checks)
    if failures(checks):
        raise typer.Exit(1)


def _nics(host: Host, nic: str, capture: Path | None) -> list[str]:
    """Cards whose host is looked at: none for a capture, which may come from elsewhere."""
    if nic != "auto":
        load(nic)
        return [nic]
    return [] if capture else seen(host)


def _absent() -> list[dict[str, str]]:
    """Findings about the host when a capture is looked at: it may come from elsewhere."""
    finding = Finding(NOT_APPLICABLE, "a capture is looked at, not this host")
    return [finding.document(check.id) for check in CHECKS]


def _heard(source: str, nic: str, seconds: float, allow: list[str] | None) -> Seen:
    """What the live source gives."""
    module = load(nic)
    try:
        with open_source(source, module, allow=allow) as opened:
            typer.echo(f"doctor: listening to {opened.description} for {seconds:g} s", err=True)
            return listen(opened, module, seconds)
    except SourceError as error:
        return Seen(module, trouble=str(error), listened_s=0.0)


def _into(capture: Path, nic: str) -> Seen | Finding:
    """What the capture holds, or why it cannot be told whose it is."""
    try:
        return look_into(read_chunks(capture), nic_of(capture, nic))
    except UnknownFormatError as error:
        if nic != "auto":  # an empty or strange file of a known card: its own checks say what is wrong
            return look_into(read_chunks(capture), load(nic))
        return Finding(FAILED, str(error), "no card's records", _UNREADABLE)
    except SourceError as error:
        return Finding(FAILED, str(error), "it cannot be read", "give the name of a capture")


def _show(checks: list[dict[str, str]]) -> None:
    """What applies, worst last so that it is on the screen."""
    table = Table(box=None, pad_edge=False)
    for title in ("status", "check", "found"):
        table.add_column(title, overflow="fold")
    order = ["ok", "unknown", "warning", FAILED]
    for check in sorted((c for c in checks if c["status"] in order), key=lambda c: order.index(c["status"])):
        advice = "".join(f"\n{word}: {check[word]}" for word in ("why", "do") if check[word])
        colour = _COLOURS[check["status"]]
        table.add_row(Text(check["status"], colour), Text(check["id"]), Text(check["found"] + advice))
    Console(highlight=False).print(table)
