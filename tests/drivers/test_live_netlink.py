"""The Intel 5300's connector: netlink messages, damaged ones, and a reader that is too slow."""

import errno
import socket
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from drivers import intel5300
from drivers.errors import SourceError
from drivers.live import open_source
from drivers.live.netlink import CN_VALUE, DEFAULT_INDEX, NetlinkSource
from drivers.loss import RunningLoss
from tests.drivers.intel import other, records
from tests.drivers.live import Reader

NETLINK_CONNECTOR = 11


def message(record: bytes, *, index: int = DEFAULT_INDEX, value: int = CN_VALUE, kind: int = 3) -> bytes:
    """A record as the kernel multicasts it: without its length, behind both headers."""
    data = record[2:]
    inner = struct.pack("=IIIIHH", index, value, 0, 0, len(data), 0) + data
    whole = struct.pack("=IHHII", 16 + len(inner), kind, 0, 0, 0) + inner
    return whole + bytes(-len(whole) % 4)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, NetlinkSource]]:
    """The kernel's end, and the source at the other."""
    kernel, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with kernel, NetlinkSource(intel5300, ours) as source:
        yield kernel, source


def test_messages_become_the_records_of_a_log(pair: tuple[socket.socket, NetlinkSource]) -> None:
    kernel, source = pair
    wanted = [*records(5), other(0xC1, 400), *records(3, ntx=1)]
    for record in wanted[:4]:
        kernel.send(message(record))
    kernel.send(b"".join(map(message, wanted[4:])))
    kernel.close()
    reader = Reader(source)
    reader.to_end()
    assert reader.data == b"".join(wanted)
    assert reader.frames == 8
    assert source.received == 5
    assert not source.lost


def test_a_real_log_goes_through(pair: tuple[socket.socket, NetlinkSource], captures: Path) -> None:
    data = (captures / "intel5300" / "csiread_sample_0x5_64_3000.dat").read_bytes()[:200_000]
    found, at, sent = Reader(pair[1]), 0, 0
    whole = intel5300.parse(data, final=False)
    while at < whole.consumed:
        size = 2 + int.from_bytes(data[at : at + 2], "big")
        pair[0].send(message(data[at : at + size]))
        at, sent = at + size, sent + 1
        if sent % 50 == 0:  # as much as surely fits in the socket
            found.until(partial(lambda wanted: len(found.data) == wanted, at), "these records")
    found.rest()
    assert found.data == data[: whole.consumed]
    assert found.frames == whole.account.frames


def test_no_message_now_is_an_empty_chunk(pair: tuple[socket.socket, NetlinkSource]) -> None:
    assert pair[1].read() == b""


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"\x00" * 7, "bad_datagram"),
        (struct.pack("=IHHII", 15, 3, 0, 0, 0), "bad_datagram"),
        (struct.pack("=IHHII", 900, 3, 0, 0, 0) + bytes(40), "bad_datagram"),
        (struct.pack("=IHHII", 26, 3, 0, 0, 0) + bytes(10), "bad_datagram"),
        (
            struct.pack("=IHHII", 40, 3, 0, 0, 0)
            + struct.pack("=IIIIHH", DEFAULT_INDEX, CN_VALUE, 0, 0, 5, 0)
            + bytes(4),
            "bad_datagram",
        ),
        (message(records(1)[0], kind=4), "socket_overflow"),
    ],
)
def test_a_damaged_message_costs_itself_only(
    pair: tuple[socket.socket, NetlinkSource], datagram: bytes, reason: str
) -> None:
    kernel, source = pair
    good = records(2)
    for piece in (message(good[0]), datagram, message(good[1])):
        kernel.send(piece)
    kernel.close()
    reader = Reader(source)
    reader.to_end()
    assert reader.data == b"".join(good)
    assert source.lost == {reason: 1}


def test_messages_of_others_are_left_out(pair: tuple[socket.socket, NetlinkSource]) -> None:
    kernel, source = pair
    kernel.send(message(records(1)[0], index=1))
    kernel.send(message(records(1)[0], value=7))
    kernel.send(message(records(1)[0], kind=1))
    kernel.close()
    reader = Reader(source)
    reader.to_end()
    assert reader.data == b""
    assert source.ignored == {"other_connector": 2}
    assert not source.lost


def shrink(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


def test_the_kernels_own_connector_and_a_slow_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real multicast group: the kernel drops what does not fit, says ENOBUFS, and the source goes on."""
    monkeypatch.setattr("drivers.live.netlink.enlarge", shrink)
    try:
        source = open_source(f"netlink:{DEFAULT_INDEX}", intel5300)
    except SourceError as error:
        pytest.skip(f"no connector here: {error}")
    wanted = records(200)
    with source, socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_CONNECTOR) as kernel:
        for record in wanted[:150]:
            kernel.sendto(message(record), (0, 1 << (DEFAULT_INDEX - 1)))
        reader = Reader(source)
        reader.rest()
        assert 0 < reader.frames < 150
        for record in wanted[150:]:
            kernel.sendto(message(record), (0, 1 << (DEFAULT_INDEX - 1)))
            reader.take(source.read() or b"")
        reader.rest()
    assert reader.frames + source.lost["socket_overflow"] == len(wanted)
    span = RunningLoss()
    for block in reader.blocks:
        span.add(block)
    assert span.loss().missing == source.lost["socket_overflow"], "the card's own counter tells the same loss"
    assert source.received == reader.frames


class OldKernel:
    """A socket of a kernel that says ENOBUFS and keeps no count; the rest is a real socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._full = sock, 2

    def __getattr__(self, name: str) -> object:
        return getattr(self._sock, name)

    def getsockopt(self, *_: object) -> bytes:
        raise OSError(errno.ENOPROTOOPT, "Protocol not available")

    def recv(self, size: int) -> bytes:
        if self._full:
            self._full -= 1
            raise OSError(errno.ENOBUFS, "No buffer space available")
        return self._sock.recv(size)


def test_an_old_kernel_tells_no_number_and_each_overflow_counts_once() -> None:
    kernel, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with kernel, NetlinkSource(intel5300, OldKernel(ours)) as source:  # type: ignore[arg-type]
        kernel.send(message(records(1)[0]))
        reader = Reader(source)
        reader.until(lambda: reader.frames, "the frame behind the overflow")
        assert source.lost == {"socket_overflow": 2}


@pytest.mark.parametrize("text", ["netlink:x", "netlink:0", "netlink:-3"])
def test_what_is_no_index_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="connector index"):
        open_source(text, intel5300)


def test_no_permission_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("drivers.live.netlink.socket.socket", refuse)
    with pytest.raises(SourceError, match="CAP_NET_ADMIN"):
        open_source("netlink", intel5300)
