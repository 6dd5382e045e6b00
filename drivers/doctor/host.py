"""Checks of a card's host: what is plugged in, loaded, allowed and set, and what to do where it is not.

One file of the standard library in Python 3.4 syntax (a test checks it), because the hosts of these cards are
old: copy it there and run ``python3 roomtone_host.py --json``. `roomtone doctor` runs the same checks. Every
file is looked up below one root folder, so that a test (or a rescue system) can show another machine's tree.
A check that cannot look says ``unknown`` and why; it never says ``ok``.

Facts come from the tools' own pages and sources: the Linux 802.11n CSI Tool's FAQ, ar9003_csi.c of the
Atheros CSI Tool, nexmon_csi's firmware version string, and proc(5), netdevice and cfg80211 of Linux.
"""

import argparse
import collections.abc
import itertools
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import termios
import time

OK, WARNING, FAILED, UNKNOWN, NOT_APPLICABLE = "ok", "warning", "failed", "unknown", "not_applicable"

NICS = ("intel5300", "atheros", "nexmon", "esp32")
# Vendor and device numbers on PCI and SDIO (linux: pci.ids, mmc/sdio_ids.h), and USB bridges of ESP32 boards.
CARDS = {  # type: dict[str, dict[str, tuple[str, ...]]]
    "intel5300": {"8086": ("4235", "4236")},
    "atheros": {"168c": ("0030", "0032", "0033", "0034", "0036")},
    "nexmon": {"14e4": ("43c3", "43c4", "43c5", "43e9"), "02d0": ("4339", "4345", "a9bf")},
}
BRIDGES = {"10c4": "CP210x", "1a86": "CH340", "0403": "FTDI", "303a": "Espressif"}
DRIVERS = {"intel5300": ("iwlwifi", "iwlagn"), "atheros": ("ath9k",), "nexmon": ("brcmfmac", "dhd", "bcmdhd")}
CONNECTOR_BITS = ("CSI", "rx phy", "rx MPDU", "rx", "noise", "tx", "block-ack", "status")
CONNECTOR_PROTOCOL = 11
CAP_NET_ADMIN, CAP_NET_RAW = 12, 13
MONITOR_TYPES = (801, 802, 803)  # ARPHRD_IEEE80211, _PRISM, _RADIOTAP
CSI_PORT = 5500
CSI_DEVICE = "/dev/CSI_dev"
LEAST_RATE_HZ = 50.0
LEAST_RMEM = 1024 * 1024
MIB = 1024 * 1024
SERIAL_ROW_BYTES = 500  # of a 64-subcarrier CSI row as text


class CannotLook(Exception):  # noqa: N818 - it is an answer, not an error
    """A check cannot tell; the message says why."""


class Finding:
    """What one check says: `status`, what was `found`, `why` that matters, what to `do`."""

    def __init__(self, status: str, found: str, why: str = "", do: str = "") -> None:
        self.status, self.found, self.why, self.do = status, found, why, do

    def document(self, name: str) -> "dict[str, str]":
        """The finding as JSON shows it, under the id of its check."""
        return {"id": name, "status": self.status, "found": self.found, "why": self.why, "do": self.do}


def ok(found: str) -> Finding:
    """Nothing to do."""
    return Finding(OK, found)


def run_tool(words: "list[str]") -> str:
    """Standard output of a program.

    Raises:
        CannotLook: it is not there, fails or takes longer than 5 s.
    """
    if shutil.which(words[0]) is None:
        raise CannotLook("{} is not installed".format(words[0]))
    try:
        out = subprocess.check_output(words, stderr=subprocess.STDOUT, timeout=5)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotLook("{} fails: {}".format(" ".join(words), error)) from error
    return out.decode("utf-8", "replace")


def no_tool(words: "list[str]") -> str:
    """For another root than /: this machine's programs know nothing of it.

    Raises:
        CannotLook: always.
    """
    raise CannotLook("{} is not asked about another root folder".format(words[0]))


def kernel_clock() -> "bool | None":
    """Whether the kernel counts its clock as synchronised (adjtimex(2)); None if it cannot be asked."""
    try:
        import ctypes  # a package of its own on OpenWRT
    except ImportError:
        return None
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "adjtimex"):
        return None
    state = libc.adjtimex(ctypes.create_string_buffer(1024))  # modes 0: only reads
    return None if state < 0 else bool(state != 5)  # TIME_ERROR


def disk_free(path: str) -> int:
    """Bytes free on the file system of this path."""
    return shutil.disk_usage(path).free


class Host:
    """The machine that is looked at.

    Args:
        root: folder that stands for /; with another than / neither programs nor the kernel are asked.
        interface: network interface to look at, by default the first of the card's driver.
        to: endpoint that frames shall go to, e.g. ``"tcp://192.0.2.1:5570"``.
        data: folder that recordings go to.
        tool, sleep, clock_state, free, uid, groups, python: what is not a file; given by tests.
    """

    def __init__(
        self,
        root: str = "/",
        interface: "str | None" = None,
        to: "str | None" = None,
        data: str = "/",
        tool: "collections.abc.Callable[[list[str]], str] | None" = None,
        sleep: "collections.abc.Callable[[float], None]" = time.sleep,
        clock_state: "collections.abc.Callable[[], bool | None] | None" = None,
        free: "collections.abc.Callable[[str], int]" = disk_free,
        uid: "int | None" = None,
        groups: "collections.abc.Iterable[int] | None" = None,
        python: "tuple[int, int]" = sys.version_info[:2],
    ) -> None:
        real = root == "/"
        self.root, self.interface, self.to, self.data = root, interface, to, data
        self.tool = tool or (run_tool if real else no_tool)
        self.sleep, self.free, self.python = sleep, free, python
        self.clock_state = clock_state or (kernel_clock if real else lambda: None)
        self.uid = os.geteuid() if uid is None else uid
        self.groups = set(list(os.getgroups()) + [os.getegid()] if groups is None else groups)

    def path(self, path: str) -> str:
        """Where the file lies on this machine."""
        return os.path.join(self.root, path.lstrip("/"))

    def exists(self, path: str) -> bool:
        """Whether it is there, a dangling link counts."""
        return os.path.lexists(self.path(path))

    def data_of(self, path: str, most: int = 4 * MIB) -> bytes:
        """Its first bytes.

        Raises:
            CannotLook: it is not there or may not be read.
        """
        try:
            with open(self.path(path), "rb") as file:
                pieces = iter(lambda: file.read(65536), b"")  # procfs refuses reads of megabytes
                return b"".join(itertools.islice(pieces, most // 65536))
        except OSError as error:
            raise CannotLook("cannot read {}: {}".format(path, error.strerror)) from error

    def text(self, path: str) -> str:
        """Its text, stripped; as `data_of`."""
        return self.data_of(path).decode("utf-8", "replace").strip()

    def number(self, path: str) -> int:
        """Its number; as `data_of`, also if it holds none."""
        found = self.text(path)
        try:
            return int(found, 0)
        except ValueError:
            raise CannotLook("{} holds {!r}, no number".format(path, found[:40])) from None

    def names(self, path: str) -> "list[str]":
        """Names in a folder, sorted; none if there is no such folder.

        Raises:
            CannotLook: it may not be read.
        """
        try:
            return sorted(os.listdir(self.path(path)))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise CannotLook("cannot list {}: {}".format(path, error.strerror)) from error

    def link(self, path: str) -> str:
        """Last name of what a link points to, empty if it is no link."""
        try:
            return os.path.basename(os.readlink(self.path(path)))
        except OSError:
            return ""

    def may(self, path: str, want: int) -> bool:
        """Whether this user may read (4) or write (2) it, by owner, group and mode."""
        try:
            info = os.stat(self.path(path))
        except OSError as error:
            raise CannotLook("cannot look at {}: {}".format(path, error.strerror)) from error
        mode = info.st_mode
        shift = 6 if info.st_uid == self.uid else 3 if info.st_gid in self.groups else 0
        return self.uid == 0 or (mode >> shift & want) == want

    def holders(self, path: str) -> "list[str]":
        """Processes that have it open.

        Raises:
            CannotLook: none is seen, but other users' processes may not be looked into.
        """
        found, hidden = [], 0
        pids = [name for name in self.names("/proc") if name.isdigit()]
        if not pids:
            raise CannotLook("/proc shows no processes")
        for pid in pids:
            folder = "/proc/{}/fd".format(pid)
            try:
                opened = self.names(folder)
            except CannotLook:
                hidden += 1
                continue
            for name in opened:
                try:
                    if os.readlink(self.path(folder + "/" + name)) == path:
                        found.append(pid)
                        break
                except OSError:
                    continue
        if hidden and not found:
            raise CannotLook("{} processes of other users cannot be looked into; run as root".format(hidden))
        return found

    def interface_of(self, nic: str) -> str:
        """The network interface of the NIC's driver.

        Raises:
            CannotLook: there is none.
        """
        if self.interface:
            if not self.exists("/sys/class/net/" + self.interface):
                raise CannotLook("there is no interface {}".format(self.interface))
            return self.interface
        for name in self.names("/sys/class/net"):
            if self.link("/sys/class/net/{}/device/driver".format(name)) in DRIVERS[nic]:
                return name
        raise CannotLook("no network interface of the driver {}".format(" or ".join(DRIVERS[nic])))

    def module_of(self, nic: str) -> str:
        """Name of the NIC's kernel module that is loaded, empty if none is."""
        loaded = [name for name in DRIVERS[nic] if self.exists("/sys/module/" + name)]
        return loaded[0] if loaded else ""

    def capable(self, bit: int) -> bool:
        """Whether this process has the capability (proc(5), CapEff)."""
        match = re.search(r"^CapEff:\s*([0-9a-fA-F]+)", self.text("/proc/self/status"), re.MULTILINE)
        if match is None:
            raise CannotLook("/proc/self/status names no capabilities")
        return bool(int(match.group(1), 16) >> bit & 1)


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


class Check:
    """A check: its stable `id`, at what it `looks`, and the function that does."""

    def __init__(self, name: str, looks: str, run: "collections.abc.Callable[[Host], Finding]") -> None:
        self.id, self.looks, self.run = name, looks, run


CHECKS = []  # type: list[Check]


def check(
    name: str, looks: str
) -> "collections.abc.Callable[[collections.abc.Callable[[Host], Finding]], None]":
    """Register a check under its id; `looks` says in a few words at what."""
    return lambda run: CHECKS.append(Check(name, looks, run))


def examine(host: Host, nics: "collections.abc.Iterable[str]") -> "list[dict[str, str]]":
    """Every check's finding, in order; those of other NICs than `nics` are not_applicable."""
    wanted = {"host"} | set(nics)
    return [_one(each, host, wanted).document(each.id) for each in CHECKS]


def _one(each: Check, host: Host, wanted: "set[str]") -> Finding:
    family = each.id.split(".")[0]
    if family not in wanted:
        return Finding(NOT_APPLICABLE, "no {} looked at".format(family))
    try:
        return each.run(host)
    except CannotLook as reason:
        return Finding(UNKNOWN, str(reason), "it could not be looked at")


def seen(host: Host) -> "list[str]":
    """NICs that this host has, as far as it shows."""
    return [nic for nic in NICS if cards(host, nic)]


# --- every host ---------------------------------------------------------------------------------------------


@check("host.python", "version of Python")
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


@check("host.nic", "which cards are there")
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


@check("host.clock", "whether the clock is synchronised")
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


@check("host.load", "CPU load")
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


@check("host.disk", "room on the disk")
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


@check("host.rmem", "largest receive buffer of a socket")
def _rmem(host: Host) -> Finding:
    most = host.number("/proc/sys/net/core/rmem_max")
    found = "net.core.rmem_max = {:,} bytes".format(most)
    if most >= LEAST_RMEM:
        return ok(found)
    why = "a burst overflows the socket: records are lost (ENOBUFS)"
    return Finding(WARNING, found, why, "sysctl -w net.core.rmem_max=4194304")


@check("host.endpoint", "whether the endpoint answers")
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


# --- what several cards share -------------------------------------------------------------------------------


def _card(host: Host, nic: str, title: str, do: str) -> Finding:
    found = cards(host, nic)
    if found:
        return ok(", ".join(found))
    return Finding(
        FAILED, "no {} on PCI or SDIO, and no interface of its driver".format(title), "no card, no CSI", do
    )


def _module(host: Host, nic: str, do: str) -> Finding:
    name = host.module_of(nic)
    if name:
        return ok("module {} is loaded".format(name))
    wanted = " or ".join(DRIVERS[nic])
    return Finding(FAILED, "module {} is not loaded".format(wanted), "the card has no driver", do)


def _traffic(host: Host, nic: str) -> Finding:
    name = host.interface_of(nic)
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


def _is_monitor(host: Host, name: str) -> bool:
    return host.number("/sys/class/net/{}/type".format(name)) in MONITOR_TYPES


def _associated(host: Host, nic: str) -> Finding:
    name = host.interface_of(nic)
    if _is_monitor(host, name):
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


def _capability(host: Host, bit: int, name: str, what: str) -> Finding:
    if host.capable(bit):
        return ok("has {}".format(name))
    do = "run as root, or give the unit AmbientCapabilities={}".format(name)
    return Finding(FAILED, "without {}".format(name), what, do)


# --- Intel 5300 ---------------------------------------------------------------------------------------------

_TOOL = "install the Linux 802.11n CSI Tool: docs/hardware/intel5300.md"


@check("intel5300.card", "an Intel 5300 on PCI")
def _intel_card(host: Host) -> Finding:
    return _card(
        host, "intel5300", "Intel 5300 (8086:4235, 8086:4236)", "plug it in; some BIOSes refuse foreign cards"
    )


@check("intel5300.module", "iwlwifi is loaded")
def _intel_module(host: Host) -> Finding:
    return _module(host, "intel5300", "modprobe iwlwifi connector_log=0x1 (the CSI tool's kernel)")


@check("intel5300.firmware", "the CSI tool's firmware")
def _intel_firmware(host: Host) -> Finding:
    folder = "/lib/firmware"
    files = [name for name in host.names(folder) if re.match(r"iwlwifi-5000-\d+\.ucode$", name)]
    csi = [name for name in host.names(folder) if "sigcomm2010" in name]
    if not csi:
        found = "of the CSI tool nothing; {}".format(", ".join(files) or "no iwlwifi-5000 file at all")
        return Finding(FAILED, found, "Intel's own firmware reports no CSI", _TOOL)
    theirs = host.data_of("{}/{}".format(folder, csi[0]))
    others = [name for name in files if host.data_of("{}/{}".format(folder, name)) != theirs]
    if others or not files:
        found = "{} is there; {}".format(csi[0], "not in use" if not files else "beside " + ", ".join(others))
        do = "move the others away and link iwlwifi-5000-2.ucode to {}, then load the module again".format(
            csi[0]
        )
        return Finding(FAILED, found, "the driver loads the file with the highest number it knows", do)
    return ok("{} is {}".format(", ".join(files), csi[0]))


@check("intel5300.connector_log", "module parameter connector_log")
def _intel_log(host: Host) -> Finding:
    module = host.module_of("intel5300")
    if not module:
        raise CannotLook("iwlwifi is not loaded")
    path = "/sys/module/{}/parameters/connector_log".format(module)
    reload = "modprobe -r iwldvm iwlwifi; modprobe iwlwifi connector_log=0x1"
    if not host.exists(path):
        return Finding(
            FAILED, "{} has no such parameter".format(module), "this is not the CSI tool's driver", _TOOL
        )
    mask = host.number(path)
    names = ", ".join(name for bit, name in enumerate(CONNECTOR_BITS) if mask >> bit & 1) or "nothing"
    found = "connector_log = {:#x}: {}".format(mask, names)
    if mask == 1:
        return ok(found)
    if mask & 1:
        why = "records without CSI fill the kernel's queue"
        return Finding(WARNING, found, why, reload + ", unless they are wanted")
    return Finding(FAILED, found, "without bit 0 no CSI is logged: the most frequent fault", reload)


@check("intel5300.connector", "the kernel's netlink connector and its losses")
def _intel_connector(host: Host) -> Finding:
    if not host.exists("/proc/net/connector"):
        do = "load it (modprobe cn) or use a kernel with CONFIG_CONNECTOR"
        return Finding(FAILED, "no /proc/net/connector", "CSI leaves the driver through it", do)
    listeners = re.findall(
        r"^\S+ +{} +(?!0 )\d+(?: +\S+){{5}} +(\d+)".format(CONNECTOR_PROTOCOL),
        host.text("/proc/net/netlink"),
        re.MULTILINE,
    )
    drops = sum(int(lost) for lost in listeners)
    found = "there; {} listeners, {:,} messages lost".format(len(listeners), drops)
    if not drops:
        return ok(found)
    do = "raise net.core.rmem_max and the reader's priority; stop a second reader"
    return Finding(WARNING, found, "a listener was too slow for the kernel's queue (ENOBUFS)", do)


@check("intel5300.capability", "right to join the netlink group")
def _intel_capability(host: Host) -> Finding:
    return _capability(host, CAP_NET_ADMIN, "CAP_NET_ADMIN", "the netlink group may not be joined")


@check("intel5300.interface", "associated or in monitor mode")
def _intel_interface(host: Host) -> Finding:
    return _associated(host, "intel5300")


@check("intel5300.rates", "HT rates")
def _intel_rates(host: Host) -> Finding:
    name = host.interface_of("intel5300")
    if _is_monitor(host, name):
        raise CannotLook("in monitor mode the driver tells no rate; only HT packets give CSI")
    said = host.tool(["iw", "dev", name, "link"])
    rates = re.findall(r"[rt]x bitrate: .*", said)
    if not rates:
        raise CannotLook("iw dev {} link names no bitrate".format(name))
    if any("MCS" in rate for rate in rates):
        return ok("; ".join(rates))
    return Finding(
        FAILED,
        "; ".join(rates),
        "only HT (802.11n) packets carry CSI, these are legacy rates",
        "switch the access point to 802.11n with WMM and no encryption: WEP and TKIP rule HT out",
    )


@check("intel5300.encryption", "no encryption")
def _intel_encryption(host: Host) -> Finding:
    phy = host.link("/sys/class/net/{}/phy80211".format(host.interface_of("intel5300")))
    folder = "/sys/kernel/debug/ieee80211/{}".format(phy)
    if not phy or not host.exists(folder):
        raise CannotLook("debugfs shows no {}: mount it, run as root".format(phy or "phy"))
    keys = [name for name in host.names(folder + "/keys") if name.isdigit()]
    if not keys:
        return ok("no key is set")
    do = "measure on an open network of its own, apart from yours, with nothing else on it"
    return Finding(
        FAILED,
        "{} keys are set".format(len(keys)),
        "the tool's firmware gives no CSI of encrypted packets",
        do,
    )


@check("intel5300.traffic", "packets a second")
def _intel_traffic(host: Host) -> Finding:
    return _traffic(host, "intel5300")


# --- Atheros ------------------------------------------------------------------------------------------------


@check("atheros.card", "an AR93xx or newer of ath9k")
def _atheros_card(host: Host) -> Finding:
    return _card(
        host, "atheros", "AR93xx, AR94xx, AR95xx", "plug it in; ath10k and USB cards (ath9k_htc) have no CSI"
    )


@check("atheros.module", "ath9k is loaded")
def _atheros_module(host: Host) -> Finding:
    return _module(host, "atheros", "modprobe ath9k (the Atheros CSI Tool's kernel)")


@check("atheros.device", "/dev/CSI_dev")
def _atheros_device(host: Host) -> Finding:
    made = "CSI_dev" in host.text("/proc/devices").split()
    if host.exists(CSI_DEVICE):
        if made and stat.S_ISREG(os.stat(host.path(CSI_DEVICE)).st_mode):
            do = "remove it and load the module again"
            return Finding(
                FAILED, CSI_DEVICE + " is a plain file", "a tool wrote it while no driver was there", do
            )
        return ok(CSI_DEVICE + " is there")
    if made:
        do = "mknod {} c MAJOR 0, with the number /proc/devices shows".format(CSI_DEVICE)
        return Finding(FAILED, "the driver made CSI_dev, the file is missing", "it cannot be opened", do)
    why = "this ath9k is not the CSI tool's"
    return Finding(
        FAILED, "no {}".format(CSI_DEVICE), why, "build and boot the Atheros CSI Tool's kernel or image"
    )


@check("atheros.permission", "right to read /dev/CSI_dev")
def _atheros_permission(host: Host) -> Finding:
    if host.may(CSI_DEVICE, 4):
        return ok("may be read")
    do = 'run as root, or a udev rule: KERNEL=="CSI_dev", MODE="0660", GROUP="roomtone"'
    return Finding(FAILED, "may not be read by this user", "the device cannot be opened", do)


@check("atheros.busy", "nobody else reads /dev/CSI_dev")
def _atheros_busy(host: Host) -> Finding:
    pids = host.holders(CSI_DEVICE)
    if not pids:
        return ok("nobody has it open")
    why = "one reader only: two take each other's records, and the first that closes it stops both"
    status = WARNING if len(pids) == 1 else FAILED
    return Finding(
        status, "open in process {}".format(", ".join(pids)), why, "stop it, unless it is your adapter"
    )


@check("atheros.interface", "associated or in monitor mode")
def _atheros_interface(host: Host) -> Finding:
    return _associated(host, "atheros")


@check("atheros.traffic", "packets a second")
def _atheros_traffic(host: Host) -> Finding:
    return _traffic(host, "atheros")


# --- Nexmon -------------------------------------------------------------------------------------------------


@check("nexmon.card", "a Broadcom chip that nexmon_csi knows")
def _nexmon_card(host: Host) -> Finding:
    return _card(
        host, "nexmon", "BCM4339, 43455c0, 4358 or 4366c0", "use a Raspberry Pi 3B+ or 4, or a listed router"
    )


@check("nexmon.module", "brcmfmac is loaded")
def _nexmon_module(host: Host) -> Finding:
    return _module(host, "nexmon", "modprobe brcmfmac, nexmon's build of it (routers: insmod dhd.ko)")


@check("nexmon.firmware", "the patched firmware")
def _nexmon_firmware(host: Host) -> Finding:
    folders = ("/lib/firmware/brcm", "/lib/firmware/cypress")
    files = [folder + "/" + name for folder in folders for name in host.names(folder)]
    files = [path for path in files if re.search(r"(43455|4339|4358|4366)[^/]*\.bin$", path)]
    if not files:
        raise CannotLook("no firmware of such a chip in {}".format(" or ".join(folders)))
    patched = [path for path in files if b"nexmon.org/csi" in host.data_of(path)]
    if patched:
        return ok("patched: {}".format(", ".join(patched)))
    why = "the maker's firmware sends no CSI; an update of the system puts it back"
    found = "none of {} is of nexmon_csi".format(", ".join(files))
    return Finding(FAILED, found, why, "make install-firmware in nexmon_csi, and hold the firmware package")


@check("nexmon.nexutil", "nexutil is installed")
def _nexmon_nexutil(host: Host) -> Finding:
    folders = ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin", "/jffs")
    found = [folder for folder in folders if host.exists(folder + "/nexutil")]
    if found:
        return ok(found[0] + "/nexutil")
    return Finding(
        FAILED, "nowhere", "CSI cannot be switched on", "make install in nexmon's utilities/nexutil"
    )


@check("nexmon.monitor", "monitor mode")
def _nexmon_monitor(host: Host) -> Finding:
    names = [host.interface_of("nexmon")] + [
        name for name in host.names("/sys/class/net") if name.startswith("mon")
    ]
    for name in names:
        if _is_monitor(host, name):
            return ok("{} is in monitor mode".format(name))
    do = "iw phy phy0 interface add mon0 type monitor; ip link set mon0 up (some chips: nexutil -m1)"
    return Finding(
        WARNING, "no interface is in monitor mode", "only packets to this host give CSI, if any", do
    )


@check("nexmon.chanspec", "the channel is set")
def _nexmon_chanspec(host: Host) -> Finding:
    said = host.tool(["nexutil", "-k"]).strip()
    match = re.search(r"chanspec: (0x[0-9a-fA-F]+)(.*)", said)
    if match is None:
        raise CannotLook("nexutil -k says {!r}".format(said[:60]))
    if int(match.group(1), 16):
        return ok("chanspec {}{}".format(match.group(1), match.group(2)))
    do = "nexutil -Iwlan0 -s500 -b -l34 -v$(mcp -C 1 -N 1 -c 36/80), with your channel"
    return Finding(FAILED, "no channel", "the extractor listens nowhere", do)


@check("nexmon.port", "UDP 5500: who listens, what was lost")
def _nexmon_port(host: Host) -> Finding:
    rows = re.findall(
        r"^ *\d+: ([0-9A-F]{{8}}):{:04X}(?: +\S+){{10}} +(\d+)".format(CSI_PORT),
        host.text("/proc/net/udp"),
        re.MULTILINE,
    )
    if not rows:
        return ok("free: the adapter can take it")
    drops = sum(int(lost) for _, lost in rows)
    if any(address not in {"00000000", "FFFFFFFF"} for address, _ in rows):
        why = "the packets go to 255.255.255.255 and do not reach a socket of one address"
        return Finding(FAILED, "bound to one address only", why, "stop that program, or bind it to 0.0.0.0")
    if drops:
        do = "raise net.core.rmem_max; stop what else needs the CPU"
        return Finding(
            WARNING, "{:,} datagrams lost".format(drops), "the reader is too slow for its buffer", do
        )
    return ok("bound, nothing lost")


@check("nexmon.rp_filter", "reverse path filter")
def _nexmon_rp_filter(host: Host) -> Finding:
    name = host.interface_of("nexmon")
    path = "/proc/sys/net/ipv4/conf/{}/rp_filter"
    value = max(host.number(path.format("all")), host.number(path.format(name)))
    if value != 1:
        return ok("rp_filter is {}".format(value))
    do = "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.{0}.rp_filter=0, or --source packet:{0}"
    return Finding(
        WARNING,
        "strict",
        "the CSI comes from 10.10.10.10, which has no route: a UDP socket may get none",
        do.format(name),
    )


@check("nexmon.capability", "right to open a packet socket")
def _nexmon_capability(host: Host) -> Finding:
    return _capability(
        host, CAP_NET_RAW, "CAP_NET_RAW", "a packet socket cannot be opened (UDP 5500 works without)"
    )


@check("nexmon.traffic", "packets a second")
def _nexmon_traffic(host: Host) -> Finding:
    return _traffic(host, "nexmon")


# --- ESP32 --------------------------------------------------------------------------------------------------


@check("esp32.port", "a serial port behind USB")
def _esp32_port(host: Host) -> Finding:
    ports = serial_ports(host)
    folder = "/sys/bus/usb/devices"
    ids = [host.text("{}/{}/idVendor".format(folder, name)) for name in host.names(folder) if ":" not in name]
    bridges = sorted({BRIDGES[vendor] for vendor in ids if vendor in BRIDGES})
    if ports:
        return ok("{} ({})".format(", ".join(ports), ", ".join(bridges) or "bridge unknown"))
    if bridges:
        do = "modprobe cp210x ch341 ftdi_sio cdc_acm; remove brltty, which takes CH340 bridges"
        return Finding(
            FAILED, "{} on USB, but no port".format(", ".join(bridges)), "its driver is missing", do
        )
    do = "plug the board in with a cable that carries data, not only power"
    return Finding(FAILED, "no ttyUSB or ttyACM", "rows come over the serial port", do)


def _esp32_ports(host: Host) -> "list[str]":
    ports = ["/dev/" + name for name in serial_ports(host)]
    if not ports:
        raise CannotLook("there is no serial port")
    return ports


@check("esp32.permission", "right to open the serial port")
def _esp32_permission(host: Host) -> Finding:
    closed = [port for port in _esp32_ports(host) if not host.may(port, 6)]
    if not closed:
        return ok("may be read and written")
    do = "usermod -aG dialout USER (uucp on some systems), then log in anew"
    return Finding(
        FAILED, "{} may not be opened".format(", ".join(closed)), "this user is not in its group", do
    )


@check("esp32.busy", "one reader of the serial port")
def _esp32_busy(host: Host) -> Finding:
    for port in _esp32_ports(host):
        pids = host.holders(port)
        if len(pids) > 1:
            found = "{} is open in processes {}".format(port, ", ".join(pids))
            return Finding(
                FAILED,
                found,
                "two readers cut each other's rows",
                "close the monitor (idf.py monitor, screen)",
            )
    return ok("at most one reader")


@check("esp32.baud", "speed of the serial port in use")
def _esp32_baud(host: Host) -> Finding:
    held = [port for port in _esp32_ports(host) if host.holders(port)]
    if not held:  # opening a port that nobody holds would reset the board
        return Finding(NOT_APPLICABLE, "nobody holds the port; the adapter sets its speed")
    try:
        handle = os.open(host.path(held[0]), os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            code = termios.tcgetattr(handle)[5]
        finally:
            os.close(handle)
    except (OSError, termios.error) as error:
        raise CannotLook("cannot ask {} for its speed: {}".format(held[0], error)) from error
    speeds = {getattr(termios, name): int(name[1:]) for name in dir(termios) if re.match(r"B\d+$", name)}
    baud = speeds.get(code, 0)
    rows = baud // 10 // SERIAL_ROW_BYTES
    found = "{} at {} baud: at most some {} rows/s".format(held[0], baud, rows)
    if rows >= LEAST_RATE_HZ:
        return ok(found)
    do = "build the firmware with 921600 baud (CONFIG_ESP_CONSOLE_UART_BAUDRATE) and say --baud 921600"
    return Finding(FAILED, found, "rows are cut or lost where the line is too slow", do)


# --- on its own ---------------------------------------------------------------------------------------------


def report(checks: "list[dict[str, str]]", nics: "list[str]") -> "dict[str, object]":
    """The findings as JSON shows them, and how many failed."""
    return {"checks": checks, "failed": failures(checks), "nics": nics}


def failures(checks: "list[dict[str, str]]") -> int:
    """How many of them failed."""
    return sum(1 for each in checks if each["status"] == FAILED)


def lines(checks: "list[dict[str, str]]") -> "collections.abc.Iterator[str]":
    """The findings for people; what does not apply is left out."""
    for each in checks:
        if each["status"] != NOT_APPLICABLE:
            yield "{:8} {:24} {}".format(each["status"], each["id"], each["found"])
            for word in ("why", "do"):
                if each[word]:
                    yield " " * 34 + word + ": " + each[word]


def main(arguments: "list[str] | None" = None) -> int:
    """The command line; 0 if nothing failed, else 1."""
    parser = argparse.ArgumentParser(description="Checks of a CSI card's host.")
    parser.add_argument("--nic", default="auto", choices=("auto",) + NICS)
    parser.add_argument("--interface", help="network interface of the card")
    parser.add_argument("--to", help="endpoint that frames shall go to")
    parser.add_argument("--root", default="/", help="folder that stands for /")
    parser.add_argument("--data", default="/", help="folder that recordings go to")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    chosen = parser.parse_args(arguments)
    host = Host(chosen.root, chosen.interface, chosen.to, chosen.data)
    nics = seen(host) if chosen.nic == "auto" else [chosen.nic]
    checks = examine(host, nics)
    print(json.dumps(report(checks, nics)) if chosen.json else "\n".join(lines(checks)))
    return 1 if failures(checks) else 0


if __name__ == "__main__":
    sys.exit(main())
