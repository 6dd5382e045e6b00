"""Checks of a Broadcom chip's host; nexmon_csi's firmware names itself in its version."""

import re

from .cards import interface_of
from .check import Checks
from .common import capability, card, is_monitor, module, traffic
from .look import Host
from .result import FAILED, WARNING, CannotLook, Finding, ok

CAP_NET_RAW = 13
CSI_PORT = 5500

CHECKS = Checks()


@CHECKS.add("nexmon.card", "a Broadcom chip that nexmon_csi knows")
def _card(host: Host) -> Finding:
    return card(
        host, "nexmon", "BCM4339, 43455c0, 4358 or 4366c0", "use a Raspberry Pi 3B+ or 4, or a listed router"
    )


@CHECKS.add("nexmon.module", "brcmfmac is loaded")
def _module(host: Host) -> Finding:
    return module(host, "nexmon", "modprobe brcmfmac, nexmon's build of it (routers: insmod dhd.ko)")


@CHECKS.add("nexmon.firmware", "the patched firmware")
def _firmware(host: Host) -> Finding:
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


@CHECKS.add("nexmon.nexutil", "nexutil is installed")
def _nexutil(host: Host) -> Finding:
    folders = ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin", "/jffs")
    found = [folder for folder in folders if host.exists(folder + "/nexutil")]
    if found:
        return ok(found[0] + "/nexutil")
    return Finding(
        FAILED, "nowhere", "CSI cannot be switched on", "make install in nexmon's utilities/nexutil"
    )


@CHECKS.add("nexmon.monitor", "monitor mode")
def _monitor(host: Host) -> Finding:
    names = [interface_of(host, "nexmon")] + [
        name for name in host.names("/sys/class/net") if name.startswith("mon")
    ]
    for name in names:
        if is_monitor(host, name):
            return ok("{} is in monitor mode".format(name))
    do = "iw phy phy0 interface add mon0 type monitor; ip link set mon0 up (some chips: nexutil -m1)"
    return Finding(
        WARNING, "no interface is in monitor mode", "only packets to this host give CSI, if any", do
    )


@CHECKS.add("nexmon.chanspec", "the channel is set")
def _chanspec(host: Host) -> Finding:
    said = host.tool(["nexutil", "-k"]).strip()
    match = re.search(r"chanspec: (0x[0-9a-fA-F]+)(.*)", said)
    if match is None:
        raise CannotLook("nexutil -k says {!r}".format(said[:60]))
    if int(match.group(1), 16):
        return ok("chanspec {}{}".format(match.group(1), match.group(2)))
    do = "nexutil -Iwlan0 -s500 -b -l34 -v$(mcp -C 1 -N 1 -c 36/80), with your channel"
    return Finding(FAILED, "no channel", "the extractor listens nowhere", do)


@CHECKS.add("nexmon.port", "UDP 5500: who listens, what was lost")
def _port(host: Host) -> Finding:
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


@CHECKS.add("nexmon.rp_filter", "reverse path filter")
def _rp_filter(host: Host) -> Finding:
    name = interface_of(host, "nexmon")
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


@CHECKS.add("nexmon.capability", "right to open a packet socket")
def _capability(host: Host) -> Finding:
    return capability(
        host, CAP_NET_RAW, "CAP_NET_RAW", "a packet socket cannot be opened (UDP 5500 works without)"
    )


@CHECKS.add("nexmon.traffic", "packets a second")
def _traffic(host: Host) -> Finding:
    return traffic(host, "nexmon")
