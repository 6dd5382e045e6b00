"""The demo: simulated rooms that arrive at a service as real cards do, in a process of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import pytest
import zmq
from structlog.testing import capture_logs

from drivers.frame import FrameBlock
from drivers.simulate.simulation import Chunk
from drivers.wire import (
    BLOCK,
    Flush,
    Grant,
    Header,
    Hello,
    Refuse,
    Source,
    pack_control,
    unpack_block,
    unpack_control,
)
from service.demo import (
    CARDS,
    EMPTY_S,
    FIRST_VISIT_S,
    OFF_DELAY_S,
    STAY_S,
    DemoRoom,
    is_demo,
    room_names,
    seed_rooms,
)
from service.rooms.config import RoomConfig
from service.store.engine import open_store
from service.store.enroll import enroll
from service.store.eventlog import read_events
from service.store.links import list_links
from service.store.log import DEMO_TAG
from service.store.rooms import delete_room, get_room, list_rooms, put_room

DEADLINE_S = 60


@dataclass
class FakeService:
    """The receiving side: a ROUTER that grants credit and keeps what came."""

    refuse: bool = False
    service_id: str = "one"
    port: int = 0
    blocks: list[tuple[Header, FrameBlock]] = field(default_factory=list)
    hellos: list[Hello] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        if self.port:
            self.socket.bind(f"tcp://127.0.0.1:{self.port}")
        else:
            self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        return self

    def __exit__(self, *_: object) -> None:
        self.context.destroy(linger=0)  # returns when the port is free

    @property
    def endpoint(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def serve(self, enough: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not enough():
            assert time.monotonic() < deadline, f"{len(self.blocks)} blocks, {len(self.hellos)} hellos"
            if self.socket.poll(50):
                self.answer(*self.socket.recv_multipart())

    def answer(self, peer: bytes, *parts: bytes) -> None:
        acked, message = 0, None
        if parts[0] == BLOCK:
            header, block = unpack_block(list(parts))
            self.blocks.append((header, block))
            session, acked = header.session, header.first + header.count
        else:
            message = unpack_control(list(parts))
            session = message.session
            if isinstance(message, Hello):
                self.hellos.append(message)
                acked = message.acked
        if isinstance(message, Flush):
            return
        answer = Refuse(session, "unknown_link", "nobody knows demo-1")
        grant = Grant(self.service_id, session, acked, 64)
        self.socket.send_multipart([peer, *pack_control(answer if self.refuse else grant)])


@pytest.fixture
def service() -> Iterator[FakeService]:
    with FakeService() as running:
        yield running


@pytest.fixture
def demo(service: FakeService, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-m",
        "service.cli",
        "demo",
        "--to",
        service.endpoint,
        "--data-dir",
        str(tmp_path),
        "--rooms",
        "1",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()


def test_frames_arrive_as_simulated_frames_of_a_real_format(
    service: FakeService, demo: subprocess.Popen[str], tmp_path: Path
) -> None:
    service.serve(lambda: sum(len(block) for _, block in service.blocks) > 100)
    header, block = service.blocks[0]
    assert (header.source, header.link, header.room, header.nic) == (
        Source.SIMULATED,
        "demo-1",
        "demo",
        "intel5300",
    )
    assert block.shape == (30, 3, 2)
    behind = time.time_ns() - service.blocks[-1][1].table["capture_ns"][-1]
    assert abs(behind) < 20e9  # capture time is now, not the card's own
    store = open_store(f"sqlite:///{tmp_path / 'roomtone.sqlite3'}")
    seeded = get_room(store, "demo")
    store.close()
    assert seeded is not None
    assert seeded.config.links == ["demo-1"]
    assert seeded.config.presence.off_delay_s == OFF_DELAY_S
    assert is_demo(seeded)


def test_sigterm_ends_it_cleanly(service: FakeService, demo: subprocess.Popen[str]) -> None:
    service.serve(lambda: bool(service.blocks))
    demo.send_signal(signal.SIGTERM)
    _, said = demo.communicate(timeout=DEADLINE_S)
    assert demo.returncode == 0
    assert "Traceback" not in said


def test_a_service_that_restarts_gets_frames_again(service: FakeService, demo: subprocess.Popen[str]) -> None:
    service.serve(lambda: len(service.blocks) > 3)
    service.context.destroy(linger=0)
    with FakeService(port=service.port, service_id="two") as restarted:
        restarted.serve(lambda: len(restarted.blocks) > 3)
        assert restarted.blocks[-1][0].session == service.blocks[0][0].session
        assert restarted.blocks[-1][0].first > service.blocks[-1][0].first
    assert demo.poll() is None


def test_a_refusal_is_told_once_and_the_demo_goes_on(
    service: FakeService,
) -> None:
    service.refuse = True
    room = DemoRoom("demo", service.endpoint, rate_hz=50)

    def step() -> bool:
        room.advance(room.simulation.now_s + 0.1)
        return len(service.hellos) >= 2

    with capture_logs() as said:
        service.serve(step)
        step()
    room.close()
    assert [entry["detail"] for entry in said] == ["nobody knows demo-1"]


def test_the_room_is_vacant_occupied_and_vacant_again(service: FakeService) -> None:
    room = DemoRoom("demo", service.endpoint, rate_hz=5)
    people: dict[int, int] = {}
    advance = room.simulation.advance

    def watched(packets: int) -> Chunk:
        chunk = advance(packets)
        people.update(zip(chunk.times.astype(int).tolist(), chunk.people.tolist(), strict=True))
        return chunk

    room.simulation.advance = watched  # type: ignore[method-assign]
    for tick in range(1, int(2.2 * (STAY_S + EMPTY_S))):
        room.advance(float(tick))
    room.close()
    for visit in (FIRST_VISIT_S, FIRST_VISIT_S + STAY_S + EMPTY_S):
        assert people[int(visit) - 2] == 0
        assert 1 <= people[int(visit + STAY_S) - 2] <= 3
        assert people[int(visit + STAY_S) + 2] == 0
    assert (
        FIRST_VISIT_S + STAY_S + OFF_DELAY_S + 10 < 90
    )  # what a visitor sees in the first minute and a half


def test_chunks_do_not_matter_to_a_sender_that_is_late(service: FakeService) -> None:
    room = DemoRoom("demo", service.endpoint, rate_hz=100)
    room.advance(0.004)
    assert room.simulation.now_s == 0
    room.advance(3.0)
    assert room.simulation.now_s == pytest.approx(3.0)
    room.close()


def test_every_family_of_cards_has_a_room_and_its_real_bytes_arrive(
    service: FakeService, tmp_path: Path
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    seed_rooms(store, room_names(3))
    seeded = {record.room: record.config.name for record in list_rooms(store)}
    links = {record.link: record.nic for record in list_links(store)}
    store.close()
    assert links == {"demo-1": "intel5300", "demo-2-1": "atheros", "demo-3-1": "nexmon"}
    assert all("simulated" in name for name in seeded.values())
    rooms = [
        DemoRoom(name, service.endpoint, card=card) for name, card in zip(room_names(3), CARDS, strict=True)
    ]

    def step() -> bool:
        for room in rooms:
            room.advance(room.simulation.now_s + 0.1)
        return {header.link for header, _ in service.blocks} == set(links)

    service.serve(step)
    for room in rooms:
        room.close()
    shapes = {(header.nic, block.shape, block.bandwidth_mhz) for header, block in service.blocks}
    assert shapes == {
        ("intel5300", (30, 3, 2), 20),
        ("atheros", (56, 3, 2), 20),
        ("nexmon", (256, 1, 1), 80),
    }
    assert {header.source for header, _ in service.blocks} == {Source.SIMULATED}
    for header, block in service.blocks:
        assert header.nic == links[header.link] == block.nic
        assert abs(time.time_ns() - block.table["capture_ns"]).max() < 60e9


def test_seeding_leaves_what_is_there(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    mine = RoomConfig(name="mine")
    put_room(store, "demo", mine, check=lambda _: None, actor="test", nics={})
    seed_rooms(store, room_names(2))
    seed_rooms(store, room_names(2))
    rooms = {record.room: record for record in list_rooms(store)}
    store.close()
    assert rooms["demo"].config.name == "mine"
    assert not is_demo(rooms["demo"])
    assert DEMO_TAG in rooms["demo-2"].config.tags
    assert rooms["demo-2"].revision == 1


def test_events_about_a_demo_room_say_that_it_is_simulated(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    seed_rooms(store, room_names(1))
    enroll(store, link="demo-1", room="demo", nic="intel5300", source="simulated", doc={}, actor="test")
    put_room(store, "mine", RoomConfig(), check=lambda _: None, actor="test", nics={})
    delete_room(store, "demo", check=lambda _: None, actor="test")
    told = [(event.room, event.data.get("source")) for event in read_events(store, after=0, limit=9).events]
    store.close()
    assert told == [("demo", "simulated"), ("demo", "simulated"), ("mine", None), ("demo", "simulated")]


def test_names_of_rooms() -> None:
    assert room_names(1) == ["demo"]
    assert room_names(3) == ["demo", "demo-2", "demo-3"]


def test_demo_frames_move_only_while_people_are_there(service: FakeService) -> None:
    room = DemoRoom("demo", service.endpoint, rate_hz=20)
    seconds = np.arange(0, 60, 0.05)
    room._invite(60.0)
    channel, _ = room.simulation.channel(seconds)
    moved = np.abs(np.diff(np.abs(channel), axis=0)).mean(axis=(1, 2, 3))
    room.close()
    inside = (seconds[1:] > FIRST_VISIT_S + 2) & (seconds[1:] < FIRST_VISIT_S + STAY_S - 2)
    outside = (seconds[1:] < FIRST_VISIT_S - 1) | (seconds[1:] > FIRST_VISIT_S + STAY_S + 1)
    assert np.median(moved[inside]) > 20 * np.median(moved[outside])
