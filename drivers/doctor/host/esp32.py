"""Checks of a host that an ESP32 board is plugged into."""

import os
import re
import termios

from .cards import BRIDGES, serial_ports
from .check import Checks
from .common import LEAST_RATE_HZ
from .look import Host
from .result import FAILED, NOT_APPLICABLE, CannotLook, Finding, ok

SERIAL_ROW_BYTES = 500  # of a 64-subcarrier CSI row as text

CHECKS = Checks()


@CHECKS.add("esp32.port", "a serial port behind USB")
def _port(host: Host) -> Finding:
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


def _ports(host: Host) -> "list[str]":
    ports = ["/dev/" + name for name in serial_ports(host)]
    if not ports:
        raise CannotLook("there is no serial port")
    return ports


@CHECKS.add("esp32.permission", "right to open the serial port")
def _permission(host: Host) -> Finding:
    closed = [port for port in _ports(host) if not host.may(port, 6)]
    if not closed:
        return ok("may be read and written")
    do = "usermod -aG dialout USER (uucp on some systems), then log in anew"
    return Finding(
        FAILED, "{} may not be opened".format(", ".join(closed)), "this user is not in its group", do
    )


@CHECKS.add("esp32.busy", "one reader of the serial port")
def _busy(host: Host) -> Finding:
    for port in _ports(host):
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


@CHECKS.add("esp32.baud", "speed of the serial port in use")
def _baud(host: Host) -> Finding:
    held = [port for port in _ports(host) if host.holders(port)]
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
