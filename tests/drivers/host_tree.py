"""A made-up root folder of a host with all four cards in which everything is right; tests break one thing."""

import os
import termios
from pathlib import Path
from typing import Any

from drivers.doctor.host import Host

UDP_HEAD = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
)
NETLINK_HEAD = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
FILES = {
    "/proc/loadavg": "0.20 0.30 0.40 1/300 4711",
    "/proc/stat": "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\n",
    "/proc/devices": "Character devices:\n240 CSI_dev\n",
    "/proc/self/status": "Name:\tpython3\nCapEff:\t0000000000003000\n",
    "/proc/sys/net/core/rmem_max": "4194304",
    "/proc/sys/net/ipv4/conf/all/rp_filter": "0",
    "/proc/sys/net/ipv4/conf/wlan2/rp_filter": "2",
    "/proc/net/connector": "Name            ID\n",
    "/proc/net/netlink": NETLINK_HEAD
    + "0000 11  0          00000000 0        0        0     2        0        7\n",
    "/proc/net/udp": UDP_HEAD,
    "/run/systemd/timesync/synchronized": "",
    "/sys/bus/pci/devices/0000:03:00.0/vendor": "0x8086",
    "/sys/bus/pci/devices/0000:03:00.0/device": "0x4236",
    "/sys/bus/pci/devices/0000:04:00.0/vendor": "0x168c",
    "/sys/bus/pci/devices/0000:04:00.0/device": "0x0033",
    "/sys/bus/sdio/devices/mmc1:0001:1/vendor": "0x02d0",
    "/sys/bus/sdio/devices/mmc1:0001:1/device": "0xa9bf",
    "/sys/bus/usb/devices/1-1/idVendor": "10c4",
    "/sys/class/tty/ttyUSB0/dev": "188:0",
    "/sys/module/iwlwifi/parameters/connector_log": "1",
    "/sys/module/ath9k/refcnt": "0",
    "/sys/module/brcmfmac/refcnt": "0",
    "/sys/kernel/debug/ieee80211/phy0/rts_threshold": "-1",
    "/lib/firmware/iwlwifi-5000-2.ucode.sigcomm2010": "firmware of the CSI tool",
    "/lib/firmware/brcm/brcmfmac43455-sdio.bin": "\x00version 7.45.189 (nexmon.org/csi: v1)\x00",
    "/usr/bin/nexutil": "",
    "/proc/77/comm": "roomtone",
}
TOOLS = {
    "iw dev wlan0 link": "Connected to 02:00:00:00:00:01\n\trx bitrate: 65.0 MBit/s MCS 7\n",
    "nexutil -k": "chanspec: 0xe02a, 36/80\n",
}
DRIVERS = {"wlan0": "iwlwifi", "wlan1": "ath9k", "wlan2": "brcmfmac"}


class Tree:
    """Files below one folder, and what is no file; `host` looks at them."""

    def __init__(self, root: Path) -> None:
        self.root, self.tools, self.rate = root, dict(TOOLS), 100
        self.free = 10**11
        self.clock_state: bool | None = None
        self.options: dict[str, Any] = {"uid": 0, "groups": [], "python": (3, 11)}
        self._open: list[int] = []

    def put(self, path: str, text: str) -> None:
        """Write a file, its folders too."""
        file = self.at(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "latin-1")

    def link(self, path: str, to: str) -> None:
        """Make a link, its folders too."""
        file = self.at(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.symlink_to(to)

    def drop(self, path: str) -> None:
        """Remove a file, a link, or a folder with all that is in it."""
        file = self.at(path)
        if file.is_dir() and not file.is_symlink():
            for child in file.iterdir():
                self.drop(f"{path}/{child.name}")
            file.rmdir()
        else:
            file.unlink()

    def at(self, path: str) -> Path:
        """Where it lies."""
        return self.root / path.lstrip("/")

    def serial(self, speed: int) -> None:
        """A real pseudo-terminal as the serial port, at this speed (a constant of termios)."""
        master, slave = os.openpty()
        self._open += [master, slave]
        settings = termios.tcgetattr(slave)
        settings[4] = settings[5] = speed
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        self.link("/dev/ttyUSB0", os.ttyname(slave))

    def close(self) -> None:
        """Close the pseudo-terminals."""
        for handle in self._open:
            os.close(handle)

    def host(self) -> Host:
        """What the checks look at."""
        return Host(
            str(self.root),
            tool=lambda words: self.tools[" ".join(words)],
            sleep=self._second,
            clock_state=lambda: self.clock_state,
            free=lambda path: self.free,
            **self.options,
        )

    def _second(self, seconds: float) -> None:
        for counter in self.root.glob("sys/class/net/*/statistics/rx_packets"):
            if (before := counter.read_text("latin-1")).isdecimal():
                counter.write_text(str(int(before) + round(self.rate * seconds)))


def healthy(root: Path) -> Tree:
    """A host in which every check is ok."""
    tree = Tree(root)
    for path, text in FILES.items():
        tree.put(path, text)
    for name, driver in DRIVERS.items():
        folder = f"/sys/class/net/{name}"
        tree.put(folder + "/type", "803" if name == "wlan2" else "1")
        tree.put(folder + "/operstate", "up")
        tree.put(folder + "/statistics/rx_packets", "1000")
        tree.link(folder + "/device/driver", f"../../../../bus/drivers/{driver}")
    tree.link("/sys/class/net/wlan0/phy80211", "../../ieee80211/phy0")
    tree.link("/lib/firmware/iwlwifi-5000-2.ucode", "iwlwifi-5000-2.ucode.sigcomm2010")
    tree.link("/proc/77/fd/3", "/dev/ttyUSB0")
    tree.at("/dev").mkdir()
    os.mkfifo(tree.at("/dev/CSI_dev"), 0o600)
    tree.serial(termios.B921600)
    return tree
