"""The Atheros character device, played by a FIFO in packet mode: one write is one read."""

import errno
import fcntl
import os
import threading
from functools import partial
from pathlib import Path

import pytest

from drivers import intel5300
from drivers.errors import SourceError
from drivers.live import open_source
from drivers.live.device import DeviceSource
from drivers.loss import RunningLoss
from tests.drivers.intel import records
from tests.drivers.live import Reader


class Driver:
    """The kernel's end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._file = os.open(path, os.O_RDWR)  # so that neither end waits for the other
        fcntl.fcntl(self._file, fcntl.F_SETFL, os.O_DIRECT)

    def record(self, data: bytes) -> None:
        assert os.write(self._file, data) == len(data)

    def close(self) -> None:
        """From now on every read gives 0 bytes at once, as after the driver's timeout."""
        os.close(self._file)

    def open_again(self) -> None:
        self._file = os.open(self.path, os.O_RDWR)
        fcntl.fcntl(self._file, fcntl.F_SETFL, os.O_DIRECT)


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    return Driver(tmp_path / "CSI_dev")


def test_one_read_is_one_record_and_no_bytes_are_no_end(driver: Driver) -> None:
    wanted = records(20)
    with open_source(f"dev:{driver.path}", intel5300) as source:
        for record in wanted[:10]:
            driver.record(record[2:])
        reader = Reader(source)
        reader.until(lambda: reader.frames == 10, "ten frames")
        assert source.read() == b""
        driver.close()
        for _ in range(4):
            assert source.read() == b"", "0 bytes are a timeout"
        driver.open_again()
        for record in wanted[10:]:
            driver.record(record[2:])
        reader.until(lambda: reader.frames == 20, "ten more")
        assert reader.data == b"".join(wanted)
        assert source.received == 20
        assert not source.lost
        driver.close()


def test_a_loop_that_is_too_slow_loses_records_and_they_are_counted(driver: Driver) -> None:
    wanted = records(60)
    with DeviceSource(intel5300, os.open(driver.path, os.O_RDONLY), "CSI_dev", max_waiting=8) as source:
        for record in wanted[:40]:
            driver.record(record[2:])
        while source._overflow < 32:
            threading.Event().wait(0.005)
        reader = Reader(source)
        reader.rest()
        for record in wanted[40:]:
            driver.record(record[2:])
            reader.until(partial(lambda got: reader.frames > got, reader.frames), "the next frame")
        driver.close()
    assert reader.frames == 28
    assert source.lost == {"reader_overflow": 32}
    span = RunningLoss()
    for block in reader.blocks:
        span.add(block)
    assert span.loss().missing == 32


def test_a_device_that_breaks_is_an_error_behind_what_was_read(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENODEV is what a read gives when the module is unloaded; no FIFO can be made to say it."""
    left = [records(1)[0][2:]]

    def read(_: int, size: int) -> bytes:
        if left:
            return left.pop()
        raise OSError(errno.ENODEV, "No such device")

    file = os.open(driver.path, os.O_RDONLY)
    monkeypatch.setattr("drivers.live.device.os.read", read)
    with DeviceSource(intel5300, file, "CSI_dev") as source:
        reader = Reader(source)
        with pytest.raises(SourceError, match=r"CSI_dev.*ath9k modules"):
            reader.to_end()
        assert reader.frames == 1
    driver.close()


def test_what_is_wrong_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match=r"none.*ath9k modules"):
        open_source(f"dev:{tmp_path / 'none'}", intel5300)
    (tmp_path / "capture.dat").write_bytes(b"")
    with pytest.raises(SourceError, match="file:"):
        open_source(f"dev:{tmp_path / 'capture.dat'}", intel5300)

    def busy(*_: object) -> int:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr("drivers.live.device.os.open", busy)
    with pytest.raises(SourceError, match="one reader only"):
        open_source("dev", intel5300)
