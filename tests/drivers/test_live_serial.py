"""A serial port, played by a pseudo-terminal: raw bytes, a cut first row, a board that is unplugged."""

import os
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from drivers.errors import SourceError
from drivers.live import LiveSource, open_source
from drivers.registry import Nic
from tests.drivers.receiver import wait_for

EVERY_BYTE = bytes(range(256)) * 2


class Rows:
    """What a serial port needs of its NIC: nothing."""

    NAME = "rows"

    def opening(self) -> bytes:
        return b""


NIC = cast("Nic", Rows())


class Board:
    """A pseudo-terminal whose other end is found under a name of ours."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plug_in()

    def plug_in(self) -> None:
        self.file, port = os.openpty()
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(port))
        os.close(port)

    def unplug(self) -> None:
        os.close(self.file)
        self.path.unlink()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path / "ttyUSB0")


@pytest.fixture
def source(board: Board) -> Iterator[LiveSource]:
    with open_source(f"serial:{board.path}@921600", NIC) as found:
        yield found


def read(source: LiveSource, size: int) -> bytes:
    found = b""

    def enough() -> bool:
        nonlocal found
        found += source.read() or b""
        return len(found) >= size

    wait_for(enough, f"{size} bytes")
    return found


def test_every_byte_comes_as_it_was_sent(source: LiveSource, board: Board) -> None:
    os.write(board.file, EVERY_BYTE)
    assert read(source, len(EVERY_BYTE)) == EVERY_BYTE
    assert source.read() == b""
    assert not source.lost


@pytest.mark.parametrize("baud", [115200, 921600, 1_500_000, 2_000_000, 3_000_000])
def test_the_port_has_the_speed_that_was_asked_for(board: Board, baud: int) -> None:
    with open_source(f"serial:{board.path}@{baud}", NIC):
        port = os.open(board.path, os.O_RDWR | os.O_NOCTTY) if os.getuid() == 0 else board.file
        speeds = termios.tcgetattr(port)[4:6]
        if port != board.file:
            os.close(port)
    assert speeds == [getattr(termios, f"B{baud}")] * 2


def test_a_board_that_is_unplugged_is_waited_for(source: LiveSource, board: Board) -> None:
    os.write(board.file, b"a whole row\ncut in the mid")
    assert read(source, 26) == b"a whole row\ncut in the mid"
    board.unplug()
    assert read(source, 1) == b"\n", "the cut row is ended"
    assert source.lost == {"device_gone": 1}
    assert source.trouble is not None
    wait_for(lambda: source.read() == b"" and "plug the board in" in (source.trouble or ""), "a hint")
    board.plug_in()
    wait_for(lambda: source.read() == b"" and source.trouble is None, "the port to be opened again")
    os.write(board.file, b"dle\nnext row\n")
    assert read(source, 13) == b"dle\nnext row\n"
    assert source.lost == {"device_gone": 1}


def test_what_is_wrong_is_said(tmp_path: Path, board: Board) -> None:
    with pytest.raises(SourceError, match=r"none.*plug the board in"):
        open_source(f"serial:{tmp_path / 'none'}", NIC)
    with pytest.raises(SourceError, match=r"'12345'.*921600"):
        open_source(f"serial:{board.path}@12345", NIC)
    with pytest.raises(SourceError, match="'fast'"):
        open_source(f"serial:{board.path}@fast", NIC)
    (tmp_path / "notes.txt").write_text("no port")
    with pytest.raises(SourceError, match="no serial port"):
        open_source(f"serial:{tmp_path / 'notes.txt'}", NIC)
