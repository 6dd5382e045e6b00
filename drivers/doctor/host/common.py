"""Checks that several cards share."""

import time

from .cards import DRIVERS, cards, interface_of, module_of
from .look import Host
from .result import FAILED, WARNING, Finding, ok

MONITOR_TYPES = (801, 802, 803)  # ARPHRD_IEEE80211, _PRISM, _RADIOTAP
LEAST_RATE_HZ = 50.0  # of packets, or of rows: what sensing wants


def card(host: Host, nic: str, title: str, do: str) -> Finding:
    """Whether the card is there; `title` names it, `do` says what else."""
    found = cards(host, nic)
    if found:
        return ok(", ".join(found))
    return Finding(
        FAILED, "no {} on PCI or SDIO, and no interface of its driver".format(title), "no card, no CSI", do
    )


def module(host: Host, nic: str, do: str) -> Finding:
    """Whether the kernel module of the card's driver is loaded."""
    name = module_of(host, nic)
    if name:
        return ok("module {} is loaded".format(name))
    wanted = " or ".join(DRIVERS[nic])
    return Finding(FAILED, "module {} is not loaded".format(wanted), "the card has no driver", do)


def traffic(host: Host, nic: str) -> Finding:
    """Whether packets come in, and how many in a second."""
    name = interface_of(host, nic)
    counter = "/sys/class/net/{}/statistics/rx_packets".format(name)
    first, started = host.number(counter), time.time()
    host.sleep(1.0)
    count, took = host.number(counter) - first, max(time.time() - started, 1.0)
    found = "{} receives {:.0f} packets/s".format(name, count / took)
    if count / took >= LEAST_RATE_HZ:
        return ok(found)
    return Finding(
        WARNING if count else FAILED,
        found,
        "CSI is measured on received packets only; sensing wants {:.0f} to 100 a second".format(
            LEAST_RATE_HZ
        ),
        "make steady packets: roomtone traffic --to ADDRESS_OF_THE_ACCESS_POINT --rate 100",
    )


def is_monitor(host: Host, name: str) -> bool:
    """Whether the interface is in monitor mode."""
    return host.number("/sys/class/net/{}/type".format(name)) in MONITOR_TYPES


def associated(host: Host, nic: str) -> Finding:
    """Whether the card's interface receives at all: associated, or in monitor mode."""
    name = interface_of(host, nic)
    if is_monitor(host, name):
        return ok("{} is in monitor mode".format(name))
    state = host.text("/sys/class/net/{}/operstate".format(name))
    if state == "up":
        return ok("{} is associated".format(name))
    return Finding(
        FAILED,
        "{} is {}".format(name, state),
        "a card that is neither associated nor in monitor mode receives no packets",
        "connect it (iw dev {0} connect NETWORK, wpa_supplicant) or set monitor mode: "
        "ip link set {0} down; iw dev {0} set type monitor; ip link set {0} up".format(name),
    )


def capability(host: Host, bit: int, name: str, what: str) -> Finding:
    """Whether this process has the capability `name`, number `bit`; without it `what` fails."""
    if host.capable(bit):
        return ok("has {}".format(name))
    do = "run as root, or give the unit AmbientCapabilities={}".format(name)
    return Finding(FAILED, "without {}".format(name), what, do)
