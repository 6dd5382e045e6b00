"""A packet socket on loopback: real frames, a filter in the kernel, real drops."""

import errno
import socket
from collections.abc import Iterator
from typing import Any, cast

import pytest

from drivers.errors import SourceError
from drivers.live import LiveSource, open_source
from drivers.registry import Nic
from tests.ports import turn_at

PORT = 5500


class Whole:
    """Keeps what a packet socket gives, as it is."""

    NAME = "whole"

    def opening(self) -> bytes:
        return b""

    def wrap(self, datagram: bytes, host_ns: int, *, link_layer: bool = False) -> bytes:
        assert link_layer
        assert host_ns > 0
        return datagram


@pytest.fixture
def source() -> Iterator[LiveSource]:
    with turn_at(PORT):
        try:
            found = open_source("packet:lo", cast("Nic", Whole()))
        except SourceError as error:
            pytest.skip(f"no packet socket here: {error}")
        with found:
            yield found


def send(*payloads: bytes, port: int = PORT) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as card:
        for payload in payloads:
            card.sendto(payload, ("127.0.0.1", port))


def frames(source: LiveSource, quiet: int = 3) -> list[bytes]:
    """Payloads of the frames that come until it is quiet."""
    found, silent = b"", 0
    for chunk in source:
        found += chunk
        silent = 0 if chunk else silent + 1
        if silent == quiet:
            break
    return cut(found)


def cut(data: bytes) -> list[bytes]:
    payloads, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at + 16 : at + 18], "big")
        payloads.append(data[at + 42 : at + 14 + size])
        at += 14 + size
    return payloads


def test_datagrams_to_the_port_come_once_and_others_never(source: LiveSource) -> None:
    send(b"one", b"two" * 100)
    send(b"elsewhere", port=PORT + 1)
    send(b"three")
    assert frames(source) == [b"one", b"two" * 100, b"three"]
    assert source.received == 3
    assert not source.lost


def test_what_the_kernel_drops_is_counted(source: LiveSource) -> None:
    sock: socket.socket = cast("Any", source)._sock
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sent = [number.to_bytes(4, "big") * 250 for number in range(200)]
    send(*sent)
    got = frames(source)
    assert 0 < len(got) < 200
    assert len(got) + source.lost["socket_overflow"] == 200
    assert got == sent[: len(got)]


def test_what_is_wrong_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    nic = cast("Nic", Whole())
    with pytest.raises(SourceError, match="needs an interface"):
        open_source("packet", nic)

    def refuse(*_: object) -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("drivers.live.packet.socket.socket", refuse)
    with pytest.raises(SourceError, match="CAP_NET_RAW"):
        open_source("packet:lo", nic)


def test_an_interface_that_is_not_there_is_named(source: LiveSource) -> None:
    with pytest.raises(SourceError, match=r"none0.*ip link"):
        open_source("packet:none0", source.nic)
