"""Checks of an Atheros card's host; the facts are those of the Atheros CSI Tool's ar9003_csi.c."""

import os
import stat

from .check import Checks
from .common import associated, card, module, traffic
from .look import Host
from .result import FAILED, WARNING, Finding, ok

CSI_DEVICE = "/dev/CSI_dev"

CHECKS = Checks()


@CHECKS.add("atheros.card", "an AR93xx or newer of ath9k")
def _card(host: Host) -> Finding:
    return card(
        host, "atheros", "AR93xx, AR94xx, AR95xx", "plug it in; ath10k and USB cards (ath9k_htc) have no CSI"
    )


@CHECKS.add("atheros.module", "ath9k is loaded")
def _module(host: Host) -> Finding:
    return module(host, "atheros", "modprobe ath9k (the Atheros CSI Tool's kernel)")


@CHECKS.add("atheros.device", "/dev/CSI_dev")
def _device(host: Host) -> Finding:
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


@CHECKS.add("atheros.permission", "right to read /dev/CSI_dev")
def _permission(host: Host) -> Finding:
    if host.may(CSI_DEVICE, 4):
        return ok("may be read")
    do = 'run as root, or a udev rule: KERNEL=="CSI_dev", MODE="0660", GROUP="roomtone"'
    return Finding(FAILED, "may not be read by this user", "the device cannot be opened", do)


@CHECKS.add("atheros.busy", "nobody else reads /dev/CSI_dev")
def _busy(host: Host) -> Finding:
    pids = host.holders(CSI_DEVICE)
    if not pids:
        return ok("nobody has it open")
    why = "one reader only: two take each other's records, and the first that closes it stops both"
    status = WARNING if len(pids) == 1 else FAILED
    return Finding(
        status, "open in process {}".format(", ".join(pids)), why, "stop it, unless it is your adapter"
    )


@CHECKS.add("atheros.interface", "associated or in monitor mode")
def _interface(host: Host) -> Finding:
    return associated(host, "atheros")


@CHECKS.add("atheros.traffic", "packets a second")
def _traffic(host: Host) -> Finding:
    return traffic(host, "atheros")
