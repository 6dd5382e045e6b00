"""``serial:PATH[@BAUD]``: rows of an ESP32 from its serial port, e.g. ``serial:/dev/ttyUSB0@921600``.

The port is set raw, so that no byte is changed on the way. A board that is unplugged or resets is waited for;
``trouble`` says so meanwhile. The row that was cut is ended, so that it is never glued to a later one.
"""

import errno
import fcntl
import os
import select
import termios
import time
from contextlib import ExitStack
from pathlib import Path

from drivers.errors import SourceError
from drivers.live.base import GATHER_S, IDLE_S, LiveSource
from drivers.registry import Nic

DEFAULT_PATH = "/dev/ttyUSB0"
DEFAULT_BAUD = 921_600
ROW_END = b"\n"
_CHUNK_BYTES = 64 * 1024
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 5.0
_INPUT, _OUTPUT, _CONTROL, _LOCAL, _IN_SPEED, _OUT_SPEED, _SPECIAL = range(7)  # of termios attributes
_HINTS = {
    errno.ENOENT: "it does not exist: plug the board in; `ls /dev/serial/by-id` lists those there are",
    errno.EACCES: "not permitted: add your user to the group dialout, and log in again",
    errno.EPERM: "not permitted: add your user to the group dialout, and log in again",
    errno.EBUSY: "another program has it: close its monitor (idf.py monitor, minicom)",
    errno.ENOTTY: "it is no serial port",
}


def open(rest: str, nic: Nic) -> LiveSource:  # noqa: A001 - the name that every transport has
    """The serial port at ``PATH[@BAUD]``, by default /dev/ttyUSB0 at 921600.

    Raises:
        SourceError: no such port or speed, it is in use or not permitted.
    """
    path, _, baud = (rest or DEFAULT_PATH).partition("@")
    speed = DEFAULT_BAUD if not baud else int(baud) if baud.isascii() and baud.isdigit() else 0
    if not hasattr(termios, f"B{speed}") or not speed:
        raise SourceError(f"{baud!r} is no speed of a serial port here; there are: {', '.join(_speeds())}")
    source = SerialSource(nic, Path(path or DEFAULT_PATH), speed)
    source.connect()
    return source


def _speeds() -> list[str]:
    """What this host's ports can be set to, from 9600 on."""
    names = (name[1:] for name in dir(termios) if name.startswith("B") and name[1:].isdigit())
    return [str(speed) for speed in sorted(map(int, names)) if speed >= 9600]


class SerialSource(LiveSource):
    """Bytes of a serial port; a port that vanishes is counted (``device_gone``) and waited for.

    Args:
        nic: whose bytes these are.
        path: of the port.
        baud: its speed.
    """

    def __init__(self, nic: Nic, path: Path, baud: int) -> None:
        super().__init__(nic, f"serial port {path} at {baud} baud")
        self._path, self._baud = path, baud
        self._file: int | None = None
        self._wait_s, self._next_try = _FIRST_WAIT_S, 0.0

    def connect(self) -> None:
        """Open and set the port.

        Raises:
            SourceError: it cannot be opened.
        """
        try:
            self._file = self._opened()
        except (OSError, termios.error) as error:
            code = error.args[0] if error.args else 0
            hint = _HINTS.get(code, os.strerror(code))
            raise SourceError(f"cannot open serial port {self._path}: {hint}") from error

    def _opened(self) -> int:
        file = os.open(self._path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        with ExitStack() as undo:
            undo.callback(os.close, file)
            fcntl.ioctl(file, termios.TIOCEXCL)  # a second reader would steal bytes from every row
            _set_raw(file, getattr(termios, f"B{self._baud}"))
            undo.pop_all()
        return file

    def read(self) -> bytes | None:
        """As `LiveSource.read`; a port has no end."""
        if self._file is None:
            return self._come_back()
        try:
            if not select.select([self._file], [], [], IDLE_S)[0]:
                return b""
            time.sleep(GATHER_S)
            chunk = os.read(self._file, _CHUNK_BYTES)
        except BlockingIOError:
            return b""
        except OSError:  # EIO: unplugged
            chunk = b""
        if not chunk:
            self._lose_port()
            return ROW_END
        self.received += 1
        return chunk

    def _lose_port(self) -> None:
        self.close()
        self.lose("device_gone", 1)
        self.trouble = f"{self.description} is gone; waiting for it to come back"
        self._wait_s, self._next_try = _FIRST_WAIT_S, time.monotonic() + _FIRST_WAIT_S

    def _come_back(self) -> bytes:
        """Try the port again when it is time to; always nothing to read yet."""
        time.sleep(IDLE_S)
        if time.monotonic() < self._next_try:
            return b""
        try:
            self.connect()
            self.trouble = None
        except SourceError as error:
            self.trouble = str(error)
            self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)
            self._next_try = time.monotonic() + self._wait_s
        return b""

    def close(self) -> None:
        """Close the port."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _set_raw(file: int, speed: int) -> None:
    """8 bits, no parity, no translation, no echo, no control characters, no modem lines."""
    modes = termios.tcgetattr(file)
    modes[_INPUT] = modes[_OUTPUT] = modes[_LOCAL] = 0
    modes[_CONTROL] = termios.CS8 | termios.CREAD | termios.CLOCAL
    modes[_IN_SPEED] = modes[_OUT_SPEED] = speed
    modes[_SPECIAL][termios.VMIN], modes[_SPECIAL][termios.VTIME] = 0, 0
    termios.tcsetattr(file, termios.TCSANOW, modes)
    termios.tcflush(file, termios.TCIFLUSH)
