"""`roomtone traffic`: steady packets for sensing, with the rate achieved and the airtime they take."""

import json
import re
import statistics
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from drivers.airtime import is_legacy, share
from drivers.errors import OptionError
from drivers.traffic import DISCARD_PORT, LEAST_BYTES, Method, Sent, Traffic
from service.cli.errors import CommandError

app = typer.Typer(add_completion=False)
MAX_RATE_HZ = 2000.0
MAX_SHARE = 0.2
_UNITS = {"s": 1, "m": 60, "h": 3600}


@app.command(epilog="Example: roomtone traffic --to 192.168.1.1 --rate 100 --for 60s")
def traffic(
    *,
    to: Annotated[str, typer.Option(help="Address at the other end, e.g. of the access point (IPv4).")],
    rate: Annotated[float, typer.Option(min=0.1, help="Packets a second.")] = 100.0,
    size: Annotated[int, typer.Option(min=LEAST_BYTES, max=1472, help="Bytes behind the header.")] = 64,
    span: Annotated[str | None, typer.Option("--for", help="E.g. 60s; else no end.")] = None,
    method: Annotated[Method, typer.Option(help="ICMP echo where it is allowed, else UDP.")] = "auto",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of UDP.")] = DISCARD_PORT,
    phy_rate: Annotated[float, typer.Option(min=1, help="Mb/s on the air, for the airtime.")] = 6.5,
    force: Annotated[bool, typer.Option("--force", help="Send more than is good for the others.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Send packets evenly, so that a card has something to measure; say what rate came of it.

    ICMP echo makes the other end answer, so both ends may hold the card. The airtime is an estimate (packet,
    gap and acknowledgement) at --phy-rate (the slowest 802.11n rate by default). Ctrl-C ends it.
    """
    seconds = None if span is None else _seconds(span)
    with Traffic(to, size=size, method=method, port=port) as sender:
        times = 1 if sender.method == "udp" else 2
        airtime = share(sender.ip_bytes, rate, phy_rate, transmissions=times)
        if not force:
            _refuse_silly(rate, airtime, phy_rate)
        typer.echo(f"traffic: {rate:g}/s to {to} by {sender.method}, {_air(airtime, phy_rate)}", err=True)
        result = sender.run(rate, seconds, _progress)
    typer.echo("", err=True)
    report = _report(result, to, sender.method, rate, size)
    done = share(sender.ip_bytes, result.rate_hz, phy_rate, transmissions=times)
    report |= {"airtime_share": round(done, 4), "phy_rate_mbps": phy_rate}
    typer.echo(json.dumps(report) if as_json else _summary(report))
    if not result.sent:
        raise CommandError(f"no packet went to {to}: is the network up?")


def _refuse_silly(rate: float, airtime: float, phy_rate: float) -> None:
    if rate > MAX_RATE_HZ:
        raise typer.BadParameter(
            f"{rate:g}/s is more than any card measures ({MAX_RATE_HZ:g}); --force sends it all the same",
            param_hint="--rate",
        )
    if airtime > MAX_SHARE:
        raise typer.BadParameter(
            f"that takes {_air(airtime, phy_rate)}, more than {100 * MAX_SHARE:g} %: lower --rate or --size, "
            "say the true --phy-rate, or --force it",
            param_hint="--rate",
        )


def _air(airtime: float, phy_rate: float) -> str:
    legacy = "; legacy rates carry no CSI on most cards" if is_legacy(phy_rate) else ""
    return f"some {100 * airtime:.1f} % of the air at {phy_rate:g} Mb/s{legacy}"


def _progress(so_far: Sent) -> None:
    how = f"{so_far.sent:,} sent, {so_far.rate_hz:.1f}/s, {so_far.sent - so_far.answered:,} unanswered"
    typer.echo(f"\rtraffic: {how}  ", err=True, nl=False)


def _report(result: Sent, to: str, method: str, rate: float, size: int) -> dict[str, Any]:
    """What a run did, as JSON; jitter is how late packets went after their slots."""
    return {
        "to": to,
        "method": method,
        "rate_hz": rate,
        "size": size,
        "sent": result.sent,
        "seconds": round(result.seconds, 3),
        "achieved_hz": round(result.rate_hz, 3),
        "missed": result.missed,
        "refused": result.refused,
        "answered": result.answered,
        "unreachable": result.unreachable,
        "loss_share": round(1 - result.answered / result.sent, 4) if result.sent else None,
        "jitter_ms": _spread(result.late_s),
        "round_trip_ms": _spread(result.round_trip_s),
    }


def _spread(values: Iterable[float]) -> dict[str, float] | None:
    """Median, 99th percentile and maximum in ms; None of nothing."""
    if not (ordered := sorted(values)):
        return None
    middle, high = statistics.median(ordered), ordered[int(0.99 * (len(ordered) - 1))]
    return {"p50": round(1e3 * middle, 3), "p99": round(1e3 * high, 3), "max": round(1e3 * ordered[-1], 3)}


def _summary(report: dict[str, Any]) -> str:
    jitter = report["jitter_ms"] or {"p50": 0, "p99": 0}
    answers = (
        f"{report['answered']:,} answered, {100 * (report['loss_share'] or 0):.1f} % not"
        if report["method"] != "udp" or report["answered"]
        else "UDP: nobody answers"
    )
    rate = f"{report['achieved_hz']:g}/s of {report['rate_hz']:g}"
    late = f"late by {jitter['p50']:g} ms (median), {jitter['p99']:g} ms (p99)"
    air = f"{100 * report['airtime_share']:.1f} % of the air at {report['phy_rate_mbps']:g} Mb/s"
    return (
        f"{report['sent']:,} packets in {report['seconds']:g} s: {rate}, {report['missed']} slots missed, "
        f"{late}; {answers}; {air}"
    )


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if match is None or not float(match[1]):
        raise OptionError(f"--for {text!r} is no duration; write e.g. 60s, 5m, 1h")
    return float(match[1]) * _UNITS[match[2] or "s"]
