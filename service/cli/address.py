"""Addresses for people to paste: how other hosts reach this one, and where nobody listens yet."""

import socket
from collections.abc import Iterator
from pathlib import Path

import psutil

from drivers.errors import SourceError
from drivers.live import enrolment
from service.cli.exposure import is_loopback

FIRST_PORT = 5580
"""Forwarders' adapters listen from here on; one port a link."""
_ANY = {"0.0.0.0", "::", "*", ""}  # noqa: S104 - read, not bound


def split_endpoint(endpoint: str) -> tuple[str, int | None]:
    """Host (without brackets) and port of ``tcp://HOST:PORT``; port None for anything else."""
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    if not endpoint.startswith("tcp://") or not port.isdigit():
        return "", None
    return host.strip("[]"), int(port)


def address_for_others(bound: str) -> str:
    """The address that other hosts reach us by, if we listen at `bound`; loopback if there is no better."""
    if bound not in _ANY and not is_loopback(bound):
        return f"[{bound}]" if ":" in bound else bound
    return next(_own_addresses(), "127.0.0.1")


def _own_addresses() -> Iterator[str]:
    """IPv4 addresses of interfaces that are up, in the system's order, without loopback and link-local."""
    up = psutil.net_if_stats()
    for name, addresses in psutil.net_if_addrs().items():
        if name in up and up[name].isup:
            for one in addresses:
                if one.family == socket.AF_INET and not one.address.startswith(("127.", "169.254.")):
                    yield one.address


def free_listener(folder: Path, link: str) -> int:
    """The port this link's forwarder was enrolled with, or the first that no other link has."""
    taken = {}
    for other in sorted(folder.glob("*")):
        try:
            taken[other.name] = enrolment.load(other).port
        except SourceError:  # no enrolment, or a damaged one: it has no port to keep
            continue
    if link in taken:
        return taken[link]
    return next(port for port in range(FIRST_PORT, 65536) if port not in taken.values())
