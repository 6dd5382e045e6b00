"""The publish loop: what goes on the bus, when, on which time axis, and what the report says."""

import time
from pathlib import Path

import numpy as np
import pytest

from drivers import intel5300
from drivers import publish as publish_module
from drivers.batch import in_slots
from drivers.errors import DeliveryError, SourceError, UnknownFormatError
from drivers.publish import HELD_BYTES, REPLAY_GAP_NS, Publisher, publish, publish_capture
from drivers.registry import Parsed
from drivers.report import Progress
from drivers.sender import Sender
from drivers.wire import Source
from tests.drivers.intel import frames_in_order, make_block, other
from tests.drivers.receiver import Receiver, wait_for

S = 1_000_000_000


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Ten seconds at 100 frames a second, with other records between, and a cut last record."""
    data = intel5300.encode(make_block(1000))
    path = tmp_path / "capture.dat"
    path.write_bytes(data[: len(data) // 2] + other(0xC1, 99) + data[len(data) // 2 :] + data[:100])
    return path


def times(receiver: Receiver) -> np.ndarray:
    return np.concatenate([block.table["capture_ns"] for _, block in receiver.accepted])


def test_a_capture_arrives_whole_on_unix_time(capture: Path) -> None:
    seen: list[Progress] = []
    before = time.time_ns()
    with Receiver() as receiver:
        report = publish_capture(
            capture, endpoint=receiver.endpoint, link="l1", room="lab", progress=seen.append
        )
        assert receiver.frames == 1000
        found = times(receiver)
        assert before <= found[0] <= time.time_ns()
        assert np.array_equal(np.diff(found), np.full(999, 10_000_000))
        assert max(len(block) for _, block in receiver.accepted) == 32
        raw = np.concatenate([block.raw for _, block in receiver.accepted])
        assert np.array_equal(raw, make_block(1000).raw)
    assert (report.frames, report.published, report.acked, report.dropped) == (1000, 1000, 1000, 0)
    assert dict(report.rejected) == {"truncated": 1}
    assert dict(report.account.skipped) == {"non_csi": 1}
    assert report.account.total_bytes == capture.stat().st_size == seen[-1].read_bytes + 100
    assert report.capture_s == pytest.approx(9.99)
    assert (report.first_ns, report.last_ns) == (found[0], found[-1])
    assert receiver.flushes[-1].rejected == {"truncated": 1}


def test_a_second_replay_follows_the_first(capture: Path) -> None:
    with Receiver() as receiver:
        receiver.last_capture_ns = time.time_ns() + 60 * S
        report = publish_capture(capture, endpoint=receiver.endpoint, link="l1")
    assert report.first_ns == receiver.last_capture_ns + REPLAY_GAP_NS


def test_a_part_is_cut_by_capture_time(capture: Path) -> None:
    with Receiver() as receiver:
        report = publish_capture(capture, endpoint=receiver.endpoint, link="l1", part=(2.0, 5.0))
        assert receiver.frames == report.published == 300
        assert receiver.accepted[0][1].table["sequence"][0] == 200
        assert report.outside == report.frames - 300


def test_pace_follows_capture_time(tmp_path: Path) -> None:
    path = tmp_path / "short.dat"
    path.write_bytes(intel5300.encode(make_block(40)))
    with Receiver() as receiver:
        report = publish_capture(path, endpoint=receiver.endpoint, link="l1", speed=2.0)
        assert receiver.frames == 40
        assert max(len(block) for _, block in receiver.accepted) <= 10
    assert report.seconds >= 0.39 / 2


def test_live_frames_are_batched_and_dropped_without_credit() -> None:
    records = intel5300.encode(make_block(100))
    size = len(records) // 100
    with (
        Receiver(window=2) as receiver,
        Sender(receiver.endpoint, link="l1", nic="intel5300", source=Source.LIVE) as sender,
    ):
        sender.connect()
        receiver.acking = False
        publisher = Publisher(intel5300, sender)
        for number in range(100):
            publisher.feed(records[number * size : (number + 1) * size])
        report = publisher.finish()
        assert report.published + report.dropped == report.frames == 100
        assert report.published > 0
        assert report.dropped > 0
        wait_for(lambda: receiver.frames == report.published, "the published frames")


def test_records_that_come_one_a_read_are_parsed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    records = intel5300.encode(make_block(100))
    size, parse, parsed = len(records) // 100, intel5300.parse, list[int]()

    def counting(data: bytes | memoryview, *, final: bool, state: object = None) -> Parsed:
        parsed.append(len(data))
        return parse(data, final=final, state=state)

    monkeypatch.setattr(intel5300, "parse", counting)
    with (
        Receiver() as receiver,
        Sender(receiver.endpoint, link="l1", nic="intel5300", source=Source.LIVE) as sender,
    ):
        sender.connect()
        publisher = Publisher(intel5300, sender)
        monkeypatch.setattr(publish_module, "MAX_BLOCK_AGE_S", 3600.0)
        for number in range(100):
            publisher.feed(records[number * size : (number + 1) * size])
        assert len(parsed) == 100 * size // HELD_BYTES, "nothing is old: only what fills a block is parsed"
        monkeypatch.setattr(publish_module, "MAX_BLOCK_AGE_S", 0.0)
        publisher.tick()
        wait_for(lambda: receiver.frames == 100, "all frames, without anything more to read")
        assert publisher.finish().account.total_bytes == len(records)


def test_a_live_clock_that_left_the_hosts_is_anchored_again() -> None:
    block = make_block(40)
    block.table["capture_ns"][20:] += 500 * S
    with (
        Receiver() as receiver,
        Sender(receiver.endpoint, link="l1", nic="intel5300", source=Source.LIVE) as sender,
    ):
        sender.connect()
        now = time.time_ns()
        publish([intel5300.encode(block.take(slice(0, 20))), b""], intel5300, sender)
        publisher = Publisher(intel5300, sender)
        publisher.feed(intel5300.encode(block.take(slice(0, 20))))
        publisher.finish()
        publisher.feed(intel5300.encode(block.take(slice(20, 40))))
        publisher.finish()
        wait_for(lambda: receiver.frames == 60, "all frames")
        assert np.abs(times(receiver) - now).max() < 60 * S


def test_failures_name_the_file_or_the_endpoint(tmp_path: Path, capture: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.dat"):
        publish_capture(tmp_path / "none.dat", endpoint="tcp://127.0.0.1:9", link="l1")
    (tmp_path / "a.py").write_text("import this\n" * 100)
    with pytest.raises(UnknownFormatError, match=r"a\.py"):
        publish_capture(tmp_path / "a.py", endpoint="tcp://127.0.0.1:9", link="l1")
    with Receiver() as receiver:
        receiver.refusing = "unknown_link"
        with pytest.raises(DeliveryError, match="unknown_link"):
            publish_capture(capture, endpoint=receiver.endpoint, link="l1")


def test_slots_keep_order_and_hold_one_shape() -> None:
    data = b"".join(
        intel5300.encode(make_block(n, ntx=1 + i % 2, seed=i, start_us=i * 200_000))
        for i, n in enumerate([20, 20, 3, 50, 1])
    )
    parsed = list(intel5300.parse(data, final=True).blocks)
    slots = list(in_slots(parsed))
    assert frames_in_order(slots) == frames_in_order(parsed)
    assert max(map(len, slots)) <= 32
    held = [int(block.table["capture_ns"].max() - block.table["capture_ns"].min()) for block in slots]
    assert max(held) < 50_000_000
    assert list(in_slots([])) == []


def test_slots_of_one_shape_are_full() -> None:
    assert [len(block) for block in in_slots([make_block(100)])] == [32, 32, 32, 4]
    assert [len(block) for block in in_slots([make_block(20)], max_ns=50_000_000)] == [5, 5, 5, 5]
