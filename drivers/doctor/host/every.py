"""Checks of every host, whichever card it has."""

import re
import socket

from .cards import cards, seen
from .check import Checks
from .look import MIB, Host
from .result import FAILED, NOT_APPLICABLE, WARNING, CannotLook, Finding, ok

LEAST_RMEM = 1024 * 1024

CHECKS = Checks()


@CHECKS.add("host.python", "version of Python")
def _python(host: Host) -> Finding:
    found = "Python {}.{}".format(*host.python)
    if host.python >= (3, 11):
        return ok(found)
    if host.python >= (3, 4):
        return Finding(
            WARNING,
            found,
            "the adapter needs 3.11",
            "run the forwarder of deploy/forwarder here and the adapter on another host",
        )
    return Finding(
        FAILED, found, "neither adapter nor forwarder run", "use the forwarder in C, or a newer Python"
    )


@CHECKS.add("host.nic", "which cards are there")
def _nic(host: Host) -> Finding:
    found = ["{}: {}".format(nic, ", ".join(cards(host, nic))) for nic in seen(host)]
    if found:
        return ok("; ".join(found))
    return Finding(
        WARNING,
        "no CSI card on PCI, SDIO or USB",
        "nothing here can measure CSI",
        "plug the card in, or run the doctor on the card's host",
    )


@CHECKS.add("host.clock", "whether the clock is synchronised")
def _clock(host: Host) -> Finding:
    if host.exists("/run/systemd/timesync/synchronized"):
        return ok("synchronised (systemd-timesyncd)")
    state = host.clock_state()
    if state:
        return ok("synchronised, says the kernel")
    if state is None and not host.exists("/run/systemd/timesync"):
        raise CannotLook("neither the kernel nor systemd-timesyncd says whether the clock is synchronised")
    return Finding(
        WARNING,
        "not synchronised",
        "frames carry this host's time; a wrong one is refused or lands in the wrong window",
        "switch on NTP: timedatectl set-ntp true, or chrony, or ntpd (OpenWRT: sysntpd)",
    )


@CHECKS.add("host.load", "CPU load")
def _load(host: Host) -> Finding:
    try:
        load = float(host.text("/proc/loadavg").split()[0])
    except (IndexError, ValueError):
        raise CannotLook("/proc/loadavg is not as expected") from None
    cores = len(re.findall(r"^cpu\d+ ", host.text("/proc/stat"), re.MULTILINE)) or 1
    found = "load {:g} on {} cores".format(load, cores)
    if load <= cores:
        return ok(found)
    return Finding(
        FAILED if load > 2 * cores else WARNING,
        found,
        "a reader that has to wait loses records in the kernel's queue",
        "stop what else runs here (top shows it), or raise the reader's priority: nice -n -10",
    )


@CHECKS.add("host.disk", "room on the disk")
def _disk(host: Host) -> Finding:
    try:
        free = host.free(host.path(host.data))
    except OSError as error:
        raise CannotLook("cannot look at {}: {}".format(host.data, error.strerror)) from error
    found = "{:,} MiB free at {}".format(free // MIB, host.data)
    if free >= 1024 * MIB:
        return ok(found)
    why = "100 frames/s of three antennas are some 150 MiB an hour"
    return Finding(FAILED if free < 64 * MIB else WARNING, found, why, "make room, or record elsewhere")


@CHECKS.add("host.rmem", "largest receive buffer of a socket")
def _rmem(host: Host) -> Finding:
    most = host.number("/proc/sys/net/core/rmem_max")
    found = "net.core.rmem_max = {:,} bytes".format(most)
    if most >= LEAST_RMEM:
        return ok(found)
    why = "a burst overflows the socket: records are lost (ENOBUFS)"
    return Finding(WARNING, found, why, "sysctl -w net.core.rmem_max=4194304")


@CHECKS.add("host.endpoint", "whether the endpoint answers")
def _endpoint(host: Host) -> Finding:
    if host.to is None:
        return Finding(NOT_APPLICABLE, "no endpoint named", "", "name it with --to")
    match = re.match(r"^(\w+)://(\[[^\]]+\]|[^:/]+):(\d{1,5})$", host.to)
    if match is None or int(match.group(3)) > 65535:
        found = "{!r} is no endpoint".format(host.to)
        return Finding(FAILED, found, "nothing can be sent there", "write e.g. tcp://192.0.2.1:5570")
    if match.group(1) == "udp":
        raise CannotLook("UDP gives no answer: whether {} listens cannot be told from here".format(host.to))
    try:
        socket.create_connection((match.group(2).strip("[]"), int(match.group(3))), 3).close()
    except OSError as error:
        return Finding(
            FAILED,
            "{}: {}".format(host.to, error),
            "frames cannot be delivered",
            "is the service running, its ingest.endpoint not on loopback only, the firewall open?",
        )
    return ok("{} takes connections".format(host.to))
