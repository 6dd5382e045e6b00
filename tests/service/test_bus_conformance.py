"""One contract for every bus: what `service.bus.port` promises, shown on each implementation."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
import zmq

from drivers.frame import FRAME_TABLE, FrameBlock
from drivers.wire import (
    SCHEMA_VERSION,
    Control,
    Flush,
    Grant,
    Header,
    Hello,
    Refuse,
    Source,
    pack_block,
    pack_control,
    unpack_control,
)
from service.bus.memory import MemoryHub, MemoryIngest, MemorySignals
from service.bus.mesh import Mesh, make_key, read_key
from service.bus.port import Delivery, Ingest, Signals
from service.bus.registry import mesh_of, open_ingest
from service.bus.signals import ZmqSignals
from service.bus.zmq import ZmqIngest
from service.errors import BusError
from service.settings import Settings
from tests.ports import free_port

WAIT_S = 20.0


class Sender(Protocol):
    def send(self, parts: Sequence[bytes]) -> None: ...
    def receive(self, timeout_s: float) -> Control | None: ...


class ZmqSender:
    """The sending end a driver has: a DEALER with a bounded queue."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.set(zmq.LINGER, 0)
        self.socket.set(zmq.SNDTIMEO, 60_000)
        self.socket.set(zmq.RECONNECT_IVL, 20)
        self.socket.connect(endpoint)

    def send(self, parts: Sequence[bytes]) -> None:
        self.socket.send_multipart(parts)

    def receive(self, timeout_s: float) -> Control | None:
        if not self.socket.poll(round(timeout_s * 1000)):
            return None
        return unpack_control(self.socket.recv_multipart())


class Bus(Protocol):
    def ingest(self) -> Ingest: ...
    def sender(self) -> Sender: ...
    def signals(self, part: str | None, listen_to: Sequence[str]) -> Signals: ...


class OnZmq:
    def __init__(self, endpoint: str, folder: Path, mesh: Mesh | None = None) -> None:
        self.endpoint, self.folder, self.mesh = endpoint, folder, mesh
        self.context = zmq.Context()
        self.senders: list[ZmqSender] = []

    def ingest(self) -> Ingest:
        return open_ingest(self.endpoint)

    def sender(self) -> Sender:
        self.senders.append(ZmqSender(self.context, self.endpoint))
        return self.senders[-1]

    def signals(self, part: str | None, listen_to: Sequence[str]) -> Signals:
        return ZmqSignals(self.folder, part, listen_to, self.mesh)


class OnMemory:
    def __init__(self) -> None:
        self.hub = MemoryHub()

    def ingest(self) -> Ingest:
        return MemoryIngest(self.hub)

    def sender(self) -> Sender:
        return self.hub.sender()

    def signals(self, part: str | None, listen_to: Sequence[str]) -> Signals:
        return MemorySignals(self.hub, part, listen_to)


@pytest.fixture(params=["memory", "tcp", "ipc"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bus]:
    if request.param == "memory":
        yield OnMemory()
        return
    if request.param == "tcp":
        on_zmq = OnZmq(f"tcp://127.0.0.1:{free_port()}", tmp_path / "bus", mesh(tmp_path))
    else:
        on_zmq = OnZmq(f"ipc://{tmp_path}/deep/ingest", tmp_path / "bus")
    yield on_zmq
    for sender in on_zmq.senders:
        sender.socket.close()
    on_zmq.context.term()


def mesh(folder: Path) -> Mesh:
    """Worker and api reached over TCP, with a key."""
    make_key(folder / "bus.key")
    ends = {part: f"tcp://127.0.0.1:{free_port()}" for part in ("worker", "api")}
    return Mesh(ends, key=read_key(folder / "bus.key"))


def some_frames(count: int = 3, first: int = 0) -> list[bytes]:
    table = np.zeros(count, FRAME_TABLE)
    table["sequence"] = np.arange(first, first + count)
    block = FrameBlock(
        nic="intel5300",
        table=table,
        raw=np.arange(count * 30 * 3 * 2 * 2, dtype=np.int8).reshape(count, 30, 3, 2, 2),
        subcarrier_index=np.arange(30, dtype=np.int16),
        tones=np.zeros(30, np.uint8),
        bandwidth_mhz=20,
        present=np.ones((3, 2), np.bool_),
        index=np.arange(first, first + count),
    )
    return pack_block(
        block, session="s", link="l1", room="b", source=Source.REPLAY, first=first, host_ns=12345
    )


def hello(session: str = "s") -> Hello:
    return Hello(
        schema=SCHEMA_VERSION,
        session=session,
        link="l1",
        room="b",
        nic="intel5300",
        source=Source.LIVE,
        published=0,
        acked=0,
    )


def wait_for(ingest: Ingest, count: int) -> list[Delivery]:
    got: list[Delivery] = []
    for _ in range(200):
        got += ingest.poll(WAIT_S / 200)
        if len(got) >= count:
            break
    assert len(got) == count
    return got


def sent_block(delivery: Delivery) -> tuple[Header, FrameBlock]:
    assert isinstance(delivery.message, tuple)
    return delivery.message


def test_a_block_arrives_bit_for_bit(bus: Bus) -> None:
    with bus.ingest() as ingest:
        parts = some_frames()
        bus.sender().send(parts)
        (delivery,) = wait_for(ingest, 1)
        header, block = sent_block(delivery)
        assert (header.link, header.room, header.source, header.count) == ("l1", "b", "replay", 3)
        assert [block.table.tobytes(), block.raw.tobytes()] == parts[2:]
        assert delivery.received_ns > 1_700_000_000_000_000_000


def test_messages_of_one_sender_keep_their_order(bus: Bus) -> None:
    with bus.ingest() as ingest:
        sender = bus.sender()
        for first in range(0, 60, 3):
            sender.send(some_frames(first=first))
        sender.send(pack_control(Flush(session="s", link="l1", published=60)))
        got = wait_for(ingest, 21)
        assert [sent_block(d)[0].first for d in got[:-1]] == list(range(0, 60, 3))
        assert isinstance(got[-1].message, Flush)


def test_credit_and_refusal_reach_the_sender_they_are_for(bus: Bus) -> None:
    with bus.ingest() as ingest:
        one, two = bus.sender(), bus.sender()
        one.send(pack_control(hello("one")))
        two.send(pack_control(hello("two")))
        peers = {d.message.session: d.peer for d in wait_for(ingest, 2) if isinstance(d.message, Hello)}
        ingest.reply(peers["one"], Grant(service_id="x", session="one", acked=7, window=64))
        ingest.reply(peers["two"], Refuse(session="two", reason="unknown_link", detail="who?"))
        assert one.receive(WAIT_S) == Grant(service_id="x", session="one", acked=7, window=64)
        assert two.receive(WAIT_S) == Refuse(session="two", reason="unknown_link", detail="who?")


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([b"csi", b"\xc1 not msgpack", b"", b""], "damaged"),
        ([*some_frames()[:3], b"too short"], "damaged"),
        ([b"csi"], "damaged"),
        ([b"hello", b"\x80"], "damaged"),
        ([b""], "unknown_topic"),
        ([b"GET / HTTP/1.1"], "unknown_topic"),
        (pack_control(Grant(service_id="x", session="s", acked=0, window=1)), "unknown_topic"),
        ([b"csi"] * 9, "unknown_topic"),
    ],
)
def test_a_bad_message_is_counted_and_survived(bus: Bus, parts: list[bytes], reason: str) -> None:
    with bus.ingest() as ingest:
        sender = bus.sender()
        sender.send(parts)
        sender.send(some_frames())
        wait_for(ingest, 1)
        assert dict(ingest.rejected) == {reason: 1}


def test_poll_with_nothing_there_comes_back_empty(bus: Bus) -> None:
    with bus.ingest() as ingest:
        assert list(ingest.poll(0.0)) == []
        assert list(ingest.poll(0.01)) == []


def test_senders_outlive_a_restart_of_the_receiver(bus: Bus) -> None:
    with bus.ingest() as ingest:
        sender = bus.sender()
        sender.send(pack_control(hello()))
        wait_for(ingest, 1)
    with bus.ingest() as ingest:
        got: list[Delivery] = []
        while not got:  # ends by the test's own time limit
            sender.send(pack_control(hello()))
            got += ingest.poll(0.1)
        ingest.reply(got[0].peer, Grant(service_id="new", session="s", acked=0, window=2))
        answer = sender.receive(WAIT_S)
        assert isinstance(answer, Grant)
        assert answer.service_id == "new"


def test_an_answer_to_a_sender_that_is_gone_is_no_error(bus: Bus) -> None:
    with bus.ingest() as ingest:
        ingest.reply(b"12345", Grant(service_id="x", session="s", acked=0, window=1))
        bus.sender().send(some_frames())
        wait_for(ingest, 1)


def test_answers_to_a_sender_that_does_not_read_never_block(bus: Bus) -> None:
    with bus.ingest() as ingest:
        deaf = bus.sender()
        deaf.send(pack_control(hello()))
        (delivery,) = wait_for(ingest, 1)
        for acked in range(20_000):
            ingest.reply(delivery.peer, Grant(service_id="x", session="s", acked=acked, window=1))


def test_a_slow_receiver_holds_the_sender_back_and_loses_nothing(bus: Bus) -> None:
    blocks, size = 1500, 64
    with bus.ingest() as ingest:
        sender = bus.sender()

        def flood() -> None:
            for number in range(blocks):
                sender.send(some_frames(size, first=number * size))

        thread = threading.Thread(target=flood, daemon=True)
        thread.start()
        got: list[int] = []
        while len(got) < blocks:  # ends by the test's own time limit
            batch = ingest.poll(1.0)
            assert len(batch) <= 256
            got += [sent_block(delivery)[0].first for delivery in batch]
        thread.join(WAIT_S)
        assert not thread.is_alive()
        assert got == list(range(0, blocks * size, size))


def test_only_one_receiver_at_an_address(bus: Bus) -> None:
    if isinstance(bus, OnZmq) and bus.endpoint.startswith("ipc"):
        pytest.skip("the kernel lets a Unix socket be taken over; the worker's lock file guards that one")
    with bus.ingest():
        with pytest.raises(BusError) as caught:
            bus.ingest()
        if isinstance(bus, OnZmq):
            assert bus.endpoint in str(caught.value)
            assert "ROOMTONE_INGEST__ENDPOINT" in str(caught.value)
    with suppress(AssertionError), bus.ingest() as ingest:
        assert ingest.rejected == {}


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "5570", ""])
def test_an_endpoint_of_no_known_kind_is_refused(endpoint: str) -> None:
    with pytest.raises(BusError, match="tcp://HOST:PORT"):
        open_ingest(endpoint)


def test_an_address_that_is_not_ours_is_refused_with_its_name() -> None:
    with pytest.raises(BusError, match=r"192\.0\.2\.1"):
        ZmqIngest("tcp://192.0.2.1:5570")


def until(look: Callable[[], bool]) -> None:
    for _ in range(400):
        if look():
            return
    raise AssertionError("waited in vain")


def test_signals_reach_who_listens_and_nobody_else(bus: Bus) -> None:
    with (
        bus.signals("worker", ["api"]) as worker,
        bus.signals("api", ["worker"]) as api,
        bus.signals(None, ["api"]) as bystander,
    ):
        heard: list[tuple[str, object]] = []

        def beat() -> bool:
            worker.publish("heartbeat", {"part": "worker", "links": {"l1": {"rate_hz": None}}})
            heard.extend(api.poll(0.05))
            return bool(heard)

        until(beat)
        assert heard[0] == ("heartbeat", {"part": "worker", "links": {"l1": {"rate_hz": None}}})
        assert list(worker.poll(0.0)) == []
        assert list(bystander.poll(0.0)) == []


def test_signals_come_through_again_after_a_part_restarted(bus: Bus) -> None:
    with bus.signals("api", ["worker"]) as api:
        for life in (1, 2):
            with bus.signals("worker", ["api"]) as worker:

                def beat(worker: Signals = worker, life: int = life) -> bool:
                    worker.publish("events", {"sequence": life})
                    return ("events", {"sequence": life}) in api.poll(0.05)

                until(beat)


def test_signals_are_lost_rather_than_blocking(bus: Bus) -> None:
    with bus.signals("worker", ["api"]) as worker, bus.signals("api", ["worker"]) as api:
        until(lambda: worker.publish("rooms", {}) or bool(api.poll(0.05)))
        for sequence in range(20_000):
            worker.publish("events", {"sequence": sequence})
        heard = 0
        while batch := api.poll(0.2):
            assert len(batch) <= 256
            heard += len(batch)
        assert 0 < heard <= 20_001


def test_signals_over_tcp_are_for_who_has_the_key(tmp_path: Path) -> None:
    known = mesh(tmp_path)
    make_key(tmp_path / "other.key")
    strangers = [replace(known, key=None), replace(known, key=read_key(tmp_path / "other.key"))]
    with ExitStack() as stack:
        worker = stack.enter_context(ZmqSignals(tmp_path, "worker", [], known))
        api = stack.enter_context(ZmqSignals(tmp_path, "api", ["worker"], known))
        deaf = [stack.enter_context(ZmqSignals(tmp_path, None, ["worker"], one)) for one in strangers]
        until(lambda: worker.publish("rooms", {}) or bool(api.poll(0.05)))
        for _ in range(20):
            worker.publish("rooms", {})
            assert [one.poll(0.01) for one in deaf] == [[], []]


def test_a_stranger_is_not_heard(tmp_path: Path) -> None:
    known = mesh(tmp_path)
    make_key(tmp_path / "other.key")
    stranger = replace(known, key=read_key(tmp_path / "other.key"))
    with (
        ZmqSignals(tmp_path, "worker", [], stranger) as worker,
        ZmqSignals(tmp_path, "api", ["worker"], known) as api,
    ):
        for _ in range(20):
            worker.publish("rooms", {})
            assert list(api.poll(0.01)) == []


def test_a_part_that_is_not_reached_over_tcp_is_heard_on_its_machine(tmp_path: Path) -> None:
    known = mesh(tmp_path)
    with (
        ZmqSignals(tmp_path, "demo", [], known) as demo,
        ZmqSignals(tmp_path, "api", ["demo", "worker"], known) as api,
    ):
        until(lambda: demo.publish("rooms", {}) or bool(api.poll(0.05)))


def test_an_endpoint_that_is_taken_is_named_with_its_key_in_the_settings(tmp_path: Path) -> None:
    known = mesh(tmp_path)
    with ZmqSignals(tmp_path, "worker", [], known), pytest.raises(BusError, match=r"bus\.signals\.worker"):
        ZmqSignals(tmp_path, "worker", [], known)


def test_the_key_of_all_parts_is_made_once_and_never_silently(tmp_path: Path) -> None:
    far = {"api": "tcp://192.0.2.1:5571", "worker": "tcp://192.0.2.2:5571"}
    site = Settings.model_validate({"data_dir": tmp_path, "bus": {"signals": far}})
    with pytest.raises(BusError, match="roomtone keys bus"):
        mesh_of(site)
    make_key(site.bus_key)
    assert mesh_of(site).key is not None
    assert site.bus_key.stat().st_mode & 0o077 == 0
    with pytest.raises(BusError, match="there already"):
        make_key(site.bus_key)
    site.bus_key.write_bytes(b"{}")
    with pytest.raises(BusError, match="damaged"):
        mesh_of(site)
    assert mesh_of(Settings.model_validate({"bus": {"signals": far, "insecure": True}})).key is None


@pytest.mark.parametrize(
    ("bus_section", "complaint"),
    [
        ({"signals": {"api": "ipc://x"}}, "tcp://HOST:PORT"),
        ({"signals": {"api": "tcp://*:5571"}}, "tcp://HOST:PORT"),
        ({"signals": {"api": "tcp://a:99999"}}, "tcp://HOST:PORT"),
        ({"signals": {"door": "tcp://a:1"}}, "door"),
        ({"signals": {"api": "tcp://a:1", "worker": "tcp://a:1"}}, "two of bus.signals"),
    ],
)
def test_signals_that_could_not_work_are_refused(bus_section: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Settings.model_validate({"bus": bus_section})


def test_a_container_listens_where_it_can(tmp_path: Path) -> None:
    assert Mesh({"api": "tcp://api.site:5571"}, bind="*").listening("api") == "tcp://*:5571"
