"""Which cards a host has, and what the kernel calls them."""

import re

from .look import Host
from .result import CannotLook

NICS = ("intel5300", "atheros", "nexmon", "esp32")
# Vendor and device numbers on PCI and SDIO (linux: pci.ids, mmc/sdio_ids.h), and USB bridges of ESP32 boards.
CARDS = {  # type: dict[str, dict[str, tuple[str, ...]]]
    "intel5300": {"8086": ("4235", "4236")},
    "atheros": {"168c": ("0030", "0032", "0033", "0034", "0036")},
    "nexmon": {"14e4": ("43c3", "43c4", "43c5", "43e9"), "02d0": ("4339", "4345", "a9bf")},
}
BRIDGES = {"10c4": "CP210x", "1a86": "CH340", "0403": "FTDI", "303a": "Espressif"}
DRIVERS = {"intel5300": ("iwlwifi", "iwlagn"), "atheros": ("ath9k",), "nexmon": ("brcmfmac", "dhd", "bcmdhd")}


def cards(host: Host, nic: str) -> "list[str]":
    """What speaks for this NIC: PCI and SDIO numbers, drivers bound, serial ports."""
    if nic == "esp32":
        return serial_ports(host)
    found = []
    for bus in ("pci", "sdio"):
        for name in host.names("/sys/bus/{}/devices".format(bus)):
            folder = "/sys/bus/{}/devices/{}/".format(bus, name)
            if host.exists(folder + "vendor") and host.exists(folder + "device"):
                vendor = host.text(folder + "vendor")[2:].lower()
                device = host.text(folder + "device")[2:].lower()
                if device in CARDS[nic].get(vendor, ()):
                    found.append("{}:{} on {}".format(vendor, device, bus))
    for name in host.names("/sys/class/net"):
        driver = host.link("/sys/class/net/{}/device/driver".format(name))
        if driver in DRIVERS[nic] and (nic != "intel5300" or found):
            found.append("{} ({})".format(name, driver))
    return found


def serial_ports(host: Host) -> "list[str]":
    """Serial ports behind USB."""
    return [name for name in host.names("/sys/class/tty") if re.match(r"tty(USB|ACM)\d+$", name)]


def seen(host: Host) -> "list[str]":
    """NICs that this host has, as far as it shows."""
    return [nic for nic in NICS if cards(host, nic)]


def interface_of(host: Host, nic: str) -> str:
    """The network interface of the NIC's driver.

    Raises:
        CannotLook: there is none.
    """
    if host.interface:
        if not host.exists("/sys/class/net/" + host.interface):
            raise CannotLook("there is no interface {}".format(host.interface))
        return host.interface
    for name in host.names("/sys/class/net"):
        if host.link("/sys/class/net/{}/device/driver".format(name)) in DRIVERS[nic]:
            return name
    raise CannotLook("no network interface of the driver {}".format(" or ".join(DRIVERS[nic])))


def module_of(host: Host, nic: str) -> str:
    """Name of the NIC's kernel module that is loaded, empty if none is."""
    loaded = [name for name in DRIVERS[nic] if host.exists("/sys/module/" + name)]
    return loaded[0] if loaded else ""
