"""One datagram is one record: senders, losses that the kernel really makes, arrival times."""

import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from drivers import intel5300
from drivers.errors import SourceError
from drivers.live import open_source
from drivers.live.registry import is_live
from drivers.live.udp import UdpSource
from drivers.loss import RunningLoss
from tests.drivers.intel import records
from tests.drivers.live import Reader


@pytest.fixture
def source() -> Iterator[UdpSource]:
    with open_source("udp:127.0.0.1:0", intel5300) as found:
        assert isinstance(found, UdpSource)
        yield found


def send(source: UdpSource, datagrams: list[bytes], *, of: str = "127.0.0.1") -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as card:
        card.bind((of, 0))
        for datagram in datagrams:
            card.sendto(datagram, ("127.0.0.1", source.port))


def test_datagrams_become_records(source: UdpSource) -> None:
    wanted = records(300)
    send(source, wanted[:100])
    send(source, [record[2:] for record in wanted[100:]])
    reader = Reader(source)
    reader.until(lambda: reader.frames == 300, "300 frames")
    assert reader.data == b"".join(wanted)
    assert source.received == 300
    assert not source.lost
    assert not source.unauthenticated
    assert source.read() == b""


def test_the_kernel_drops_and_the_loss_is_counted(source: UdpSource) -> None:
    source._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    wanted = records(400)
    send(source, wanted[:350])
    reader = Reader(source)
    reader.rest()
    assert 0 < reader.frames < 350
    for record in wanted[350:]:
        send(source, [record])
        reader.take(source.read() or b"")
    assert reader.frames + source.lost["socket_overflow"] == 400
    span = RunningLoss()
    for block in reader.blocks:
        span.add(block)
    assert span.loss().missing == source.lost["socket_overflow"]


def test_a_kernel_without_a_book_notes_drops_on_the_next_datagram(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.live.socket_buffer.Overflow._memory", lambda _: None)
    with open_source("udp:127.0.0.1:0", intel5300) as source:
        assert isinstance(source, UdpSource)
        source._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        send(source, records(350))
        reader = Reader(source)
        reader.rest()
        assert not source.lost, "nothing has told us yet"
        send(source, records(1))
        reader.until(lambda: source.lost, "the note of the drops")
        assert reader.frames + source.lost["socket_overflow"] == 351


def test_only_listed_senders_are_taken() -> None:
    with open_source("udp:0.0.0.0:0", intel5300, allow=["127.0.0.2", "10.0.0.0/8"]) as source:
        assert isinstance(source, UdpSource)
        assert source.unauthenticated
        send(source, records(5), of="127.0.0.3")
        send(source, records(7), of="127.0.0.2")
        reader = Reader(source)
        reader.until(lambda: reader.frames == 7, "seven frames")
        assert source.ignored == {"unlisted_sender": 5}
        assert source.received == 7
        assert not source.lost


def test_an_open_port_needs_a_list() -> None:
    with pytest.raises(SourceError, match="--allow"):
        open_source("udp:0.0.0.0:5500", intel5300)


def test_arrival_is_when_the_kernel_took_it(source: UdpSource, monkeypatch: pytest.MonkeyPatch) -> None:
    times = []
    monkeypatch.setattr(intel5300, "wrap", lambda data, host_ns, **_: times.append(host_ns) or data)
    for record in records(3):
        send(source, [record])
        time.sleep(0.02)
    while len(times) < 3:
        source.read()
    assert (np.diff(times) > 10_000_000).all(), "read in one go, taken 20 ms apart"
    assert 0 <= time.time_ns() - times[-1] < 60e9


def test_junk_reaches_the_parser_and_is_counted_there(source: UdpSource) -> None:
    send(source, [b"", b"\xff" * 3000, records(1)[0]])
    reader = Reader(source)
    reader.until(lambda: source.received == 3, "three datagrams")
    reader.finish()
    assert reader.frames == 1
    assert sum(reader.stream.account.rejected.values()) + sum(reader.stream.account.skipped.values()) >= 1
    assert reader.stream.account.total_bytes == len(reader.data)


@pytest.mark.parametrize("text", ["udp", "udp:", "udp:x", "udp:1.2.3:5", "udp:127.0.0.1:70000", "udp:-1"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="no place to listen"):
        open_source(text, intel5300)


def test_a_port_in_use_and_a_wrong_list_say_so(source: UdpSource) -> None:
    with pytest.raises(SourceError, match=f"port {source.port}.*in use"):
        open_source(f"udp:127.0.0.1:{source.port}", intel5300)
    with pytest.raises(SourceError, match="--allow takes addresses"):
        open_source("udp:127.0.0.1:0", intel5300, allow=["router"])


def test_other_sources_and_strange_options() -> None:
    with pytest.raises(SourceError, match=r"tcp:1.*netlink\[:IDX\]"):
        open_source("tcp:1", intel5300)
    with pytest.raises(SourceError, match="takes no --allow"):
        open_source("netlink", intel5300, allow=["127.0.0.1"])
    with pytest.raises(SourceError, match="alone"):
        open_source("-:1", intel5300)


def test_a_source_of_somebody_else_is_an_entry_point(
    monkeypatch: pytest.MonkeyPatch, source: UdpSource
) -> None:
    class Theirs:
        @staticmethod
        def open(rest: str, nic: object, *, allow: tuple[str, ...] = ()) -> UdpSource:
            assert (rest, nic, allow) == ("x:1", intel5300, ["me"])
            return source

    point = SimpleNamespace(name="mqtt", load=lambda: Theirs)
    monkeypatch.setattr("drivers.live.registry.entry_points", lambda **wanted: [point])
    assert is_live("mqtt:x:1")
    assert open_source("mqtt:x:1", intel5300, allow=["me"], enrolment=None) is source
