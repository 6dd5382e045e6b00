"""Each card over its own transport: frames bit for bit, and what is lost on the way is seen by somebody."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from drivers import esp32, nexmon
from drivers.errors import SourceError
from drivers.frame import FrameBlock
from drivers.live import LiveSource, open_source
from drivers.live.udp import NEXMON_PORT
from drivers.loss import RunningLoss
from drivers.registry import Nic, load
from drivers.stream import Stream
from tests.drivers.intel import frames_in_order
from tests.drivers.live import Reader
from tests.drivers.samples import SAMPLES
from tests.drivers.test_live_device import Driver
from tests.drivers.test_live_serial import Board
from tests.ports import turn_at

ROWS = 200


def cut(name: str, frames: int) -> list[bytes]:
    """Records of that many frames."""
    nic, block = load(name), SAMPLES[name].block(frames)
    return [nic.encode(block.take(slice(row, row + 1))) for row in range(frames)]


def parsed(nic: Nic, records: list[bytes]) -> list[FrameBlock]:
    stream = Stream(nic)
    return [*stream.feed(nic.opening() + b"".join(records)), *stream.finish()]


def values(blocks: list[FrameBlock]) -> list[bytes]:
    """Raw values of every frame, in stream order."""
    return [raw for _, raw, _ in frames_in_order(blocks)]


def missing(blocks: list[FrameBlock]) -> tuple[int | None, str]:
    loss = RunningLoss()
    for block in blocks:
        loss.add(block)
    return loss.loss().missing, loss.loss().method


def send(port: int, datagrams: list[bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as card:
        for datagram in datagrams:
            card.sendto(datagram, ("127.0.0.1", port))


def test_atheros_whose_ring_ran_over(tmp_path: Path) -> None:
    """Its driver loses the oldest records and says nothing: thirty that never came show by time."""
    nic, records = load("atheros"), cut("atheros", ROWS)
    kept = records[:90] + records[120:]
    driver = Driver(tmp_path / "CSI_dev")
    with open_source(f"dev:{driver.path}", nic) as source:
        reader = Reader(source)
        for number, record in enumerate(kept, 1):
            driver.record(SAMPLES["atheros"].datagram(record))
            if number % 10 == 0:
                reader.until(partial(lambda number: source.received == number, number), "ten records")
        reader.finish()
        driver.close()
    assert values(reader.blocks) == values(parsed(nic, kept))
    assert missing(reader.blocks) == (30, "timing")
    assert not source.lost


@contextmanager
def nexmon_source(kind: str) -> Iterator[tuple[LiveSource, int]]:
    with turn_at(NEXMON_PORT) if kind == "packet" else nullcontext():
        try:
            source = open_source({"packet": "packet:lo", "udp": "udp:127.0.0.1:0"}[kind], cast("Nic", nexmon))
        except SourceError as error:
            pytest.skip(f"no {kind} socket here: {error}")
        with source:
            yield source, NEXMON_PORT if kind == "packet" else int(cast("Any", source).port)


@pytest.mark.parametrize("kind", ["udp", "packet"])
def test_nexmon_by_udp_and_from_the_interface(kind: str) -> None:
    records = cut("nexmon", 60)
    with nexmon_source(kind) as (source, port):
        send(port, [SAMPLES["nexmon"].datagram(record) for record in records])
        reader = Reader(source)
        reader.until(lambda: reader.frames == 60, "sixty frames")
    assert values(reader.blocks) == values(parsed(cast("Nic", nexmon), records))
    assert not reader.stream.account.rejected
    assert not source.lost


@pytest.mark.parametrize("kind", ["udp", "packet"])
def test_nexmon_flooded_the_kernel_drops_and_both_counts_agree(kind: str) -> None:
    datagrams = [SAMPLES["nexmon"].datagram(record) for record in cut("nexmon", 300)]
    with nexmon_source(kind) as (source, port):
        cast("Any", source)._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        reader = Reader(source)
        send(port, datagrams[:200])
        reader.rest()
        assert 0 < reader.frames < 200
        for datagram in datagrams[200:]:
            send(port, [datagram])
            reader.until(partial(lambda before: reader.frames > before, reader.frames), "the next one")
    assert reader.frames + source.lost["socket_overflow"] == 300
    assert missing(reader.blocks) == (source.lost["socket_overflow"], "counter")


def test_esp32_rows_from_a_cut_first_one_to_an_unplugged_board(tmp_path: Path) -> None:
    """Forty rows that the board never printed show by time: its rows have no counter."""
    rows = cut("esp32", ROWS)
    printed = rows[:100] + rows[140:]
    board = Board(tmp_path / "ttyUSB0")
    with open_source(f"serial:{board.path}", cast("Nic", esp32)) as source:
        reader = Reader(source)
        got = len(esp32.opening())
        for row in [rows[0][150:], *printed[:-1]]:
            os.write(board.file, row)
            got += len(row)
            reader.until(partial(lambda size: len(reader.data) >= size, got), "the row")
        assert reader.frames == len(printed) - 1
        os.write(board.file, printed[-1][:150])
        reader.until(lambda: len(reader.data) >= got + 150, "half a row")
        board.unplug()
        reader.until(lambda: source.lost, "the port to be missed")
        board.plug_in()
        reader.until(lambda: source.trouble is None, "the port to be back")
        os.write(board.file, printed[-1])
        reader.until(lambda: reader.frames == len(printed), "the last row")
    assert values(reader.blocks) == values(parsed(cast("Nic", esp32), printed))
    assert source.lost == {"device_gone": 1}
    account = reader.stream.account
    assert (account.skipped, account.rejected) == ({"non_csi": 1}, {"truncated": 1}), (
        "the two cut rows, no more"
    )
    assert missing(reader.blocks) == (40, "timing")
