"""Checks of an Intel 5300's host; the facts are those of the Linux 802.11n CSI Tool's FAQ."""

import re

from .cards import interface_of, module_of
from .check import Checks
from .common import associated, capability, card, is_monitor, module, traffic
from .look import Host
from .result import FAILED, WARNING, CannotLook, Finding, ok

CONNECTOR_BITS = ("CSI", "rx phy", "rx MPDU", "rx", "noise", "tx", "block-ack", "status")
CONNECTOR_PROTOCOL = 11
CAP_NET_ADMIN = 12
_TOOL = "install the Linux 802.11n CSI Tool: docs/hardware/intel5300.md"

CHECKS = Checks()


@CHECKS.add("intel5300.card", "an Intel 5300 on PCI")
def _card(host: Host) -> Finding:
    return card(
        host, "intel5300", "Intel 5300 (8086:4235, 8086:4236)", "plug it in; some BIOSes refuse foreign cards"
    )


@CHECKS.add("intel5300.module", "iwlwifi is loaded")
def _module(host: Host) -> Finding:
    return module(host, "intel5300", "modprobe iwlwifi connector_log=0x1 (the CSI tool's kernel)")


@CHECKS.add("intel5300.firmware", "the CSI tool's firmware")
def _firmware(host: Host) -> Finding:
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


@CHECKS.add("intel5300.connector_log", "module parameter connector_log")
def _log(host: Host) -> Finding:
    loaded = module_of(host, "intel5300")
    if not loaded:
        raise CannotLook("iwlwifi is not loaded")
    path = "/sys/module/{}/parameters/connector_log".format(loaded)
    reload = "modprobe -r iwldvm iwlwifi; modprobe iwlwifi connector_log=0x1"
    if not host.exists(path):
        return Finding(
            FAILED, "{} has no such parameter".format(loaded), "this is not the CSI tool's driver", _TOOL
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


@CHECKS.add("intel5300.connector", "the kernel's netlink connector and its losses")
def _connector(host: Host) -> Finding:
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


@CHECKS.add("intel5300.capability", "right to join the netlink group")
def _capability(host: Host) -> Finding:
    return capability(host, CAP_NET_ADMIN, "CAP_NET_ADMIN", "the netlink group may not be joined")


@CHECKS.add("intel5300.interface", "associated or in monitor mode")
def _interface(host: Host) -> Finding:
    return associated(host, "intel5300")


@CHECKS.add("intel5300.rates", "HT rates")
def _rates(host: Host) -> Finding:
    name = interface_of(host, "intel5300")
    if is_monitor(host, name):
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


@CHECKS.add("intel5300.encryption", "no encryption")
def _encryption(host: Host) -> Finding:
    phy = host.link("/sys/class/net/{}/phy80211".format(interface_of(host, "intel5300")))
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


@CHECKS.add("intel5300.traffic", "packets a second")
def _traffic(host: Host) -> Finding:
    return traffic(host, "intel5300")
