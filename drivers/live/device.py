"""``dev[:PATH]``: the Atheros CSI tool's character device, by default ``/dev/CSI_dev``.

One read is one record. A read waits up to 5 s in the driver and then gives 0 bytes: a timeout, not an end
(the driver has no poll). So a thread reads, and the adapter's loop never stands still. Opening starts the
recording, and the driver keeps 16 records only, so the thread does nothing else.
"""

import errno
import os
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from drivers.errors import SourceError
from drivers.live.base import GATHER_S, IDLE_S, LiveSource
from drivers.registry import Nic

DEFAULT_PATH = "/dev/CSI_dev"
RECORD_BYTES = 20480
"""The driver's own buffer: no record is longer."""
MAX_WAITING = 4096
"""Records that may wait for the adapter's loop."""
_PAUSE_S = 0.005
_JOIN_S = 6.0
_HINTS = {
    errno.ENOENT: "it does not exist: load the CSI tool's ath9k modules (a stock kernel has no such device)",
    errno.EACCES: "not permitted: run as root, or give the device to your group (udev rule)",
    errno.EPERM: "not permitted: run as root, or give the device to your group (udev rule)",
    errno.EBUSY: "somebody reads it already, and it has one reader only: stop the other one",
    errno.ENODEV: "no card is behind it: load the CSI tool's ath9k modules and bring the interface up",
    errno.ENXIO: "no card is behind it: load the CSI tool's ath9k modules and bring the interface up",
}


def open(rest: str, nic: Nic) -> LiveSource:  # noqa: A001 - the name that every transport has
    """The character device at path `rest`.

    Raises:
        SourceError: it is not there, in use, not permitted, or a plain file.
    """
    path = Path(rest or DEFAULT_PATH)
    if path.is_file() or path.is_dir():
        raise SourceError(f"{path} is no device; read a capture with file:{path}")
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise SourceError(f"cannot open {path}: {_hint(error)}") from error
    return DeviceSource(nic, file, str(path))


def _hint(error: OSError) -> str:
    return _HINTS.get(error.errno or 0, error.strerror or str(error))


class DeviceSource(LiveSource):
    """Records of a character device.

    Args:
        nic: whose records these are.
        file: descriptor that gives one record a read; closed with the source.
        name: what to call it.
        max_waiting: records that may wait before more are lost (``reader_overflow``).
    """

    def __init__(self, nic: Nic, file: int, name: str, *, max_waiting: int = MAX_WAITING) -> None:
        super().__init__(nic, f"device {name}")
        self._file = file
        self._waiting: queue.Queue[tuple[bytes, int]] = queue.Queue(max_waiting)
        self._stop = threading.Event()
        self._overflow = self._told = 0  # the first is written by the thread only
        self._broken: OSError | None = None
        self._thread = threading.Thread(target=self._pump, daemon=True, name=name)
        self._thread.start()

    def _pump(self) -> None:
        """Read record after record until told to stop; in the thread."""
        try:
            while not self._stop.is_set():
                record = os.read(self._file, RECORD_BYTES)
                if record:
                    self._keep(record)
                else:
                    self._stop.wait(_PAUSE_S)  # a driver that times out at once shall not keep a core busy
        except OSError as error:
            self._broken = error
        finally:
            os.close(self._file)

    def _keep(self, record: bytes) -> None:
        try:
            self._waiting.put_nowait((record, time.time_ns()))
        except queue.Full:
            self._overflow += 1

    def read(self) -> bytes | None:
        """As `LiveSource.read`; a device has no end."""
        overflow = self._overflow
        self.lose("reader_overflow", overflow - self._told)
        self._told = overflow
        records = list(self._records())
        if not records and self._broken is not None:
            raise SourceError(f"{self.description}: {_hint(self._broken)}") from self._broken
        return b"".join(records)

    def _records(self) -> Iterator[bytes]:
        """What waits, at least one record if it comes within `IDLE_S`."""
        try:
            yield self.nic.wrap(*self._waiting.get(timeout=IDLE_S))
            time.sleep(GATHER_S)
            while True:
                self.received += 1
                yield self.nic.wrap(*self._waiting.get_nowait())
        except queue.Empty:
            return

    def close(self) -> None:
        """Stop the thread, which closes the device; it may be in a read for up to 5 s more."""
        self._stop.set()
        self._thread.join(_JOIN_S)
