"""Delivery: credit, loss counted at the source, and services that restart, refuse or say nothing."""

from collections.abc import Iterator

import pytest

from drivers.errors import DeliveryError
from drivers.sender import CONNECT_TIMEOUT_S, SILENCE_TIMEOUT_S, Sender
from drivers.wire import Source
from tests.drivers.intel import make_block, same
from tests.drivers.receiver import Receiver, wait_for
from tests.ports import free_port

BLOCK = make_block(10)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def replaying(
    endpoint: str,
    *,
    connect_timeout_s: float = CONNECT_TIMEOUT_S,
    silence_timeout_s: float = SILENCE_TIMEOUT_S,
) -> Sender:
    return Sender(
        endpoint,
        link="l1",
        room="lab",
        nic="intel5300",
        source=Source.REPLAY,
        connect_timeout_s=connect_timeout_s,
        silence_timeout_s=silence_timeout_s,
    )


def living(endpoint: str) -> Sender:
    return Sender(endpoint, link="l1", nic="intel5300", source=Source.LIVE)


def test_a_replay_delivers_everything_in_order(receiver: Receiver) -> None:
    receiver.last_capture_ns = 77
    with replaying(receiver.endpoint) as sender:
        sender.connect()
        assert sender.last_capture_ns == 77
        for _ in range(50):
            assert sender.send(BLOCK)
        sender.drain()
        assert (sender.published, sender.acked, sender.dropped, sender.lost) == (500, 500, 0, 0)
    assert [header.first for header in receiver.seen] == list(range(0, 500, 10))
    header, block = receiver.accepted[0]
    assert (header.link, header.room, header.source) == ("l1", "lab", Source.REPLAY)
    assert same(block, BLOCK)
    assert receiver.flushes[-1].published == 500


def test_a_replay_waits_for_credit(receiver: Receiver) -> None:
    receiver.window, receiver.acking = 3, False
    with replaying(receiver.endpoint, silence_timeout_s=60) as sender:
        sender.connect()
        for _ in range(3):
            sender.send(BLOCK)
        wait_for(lambda: len(receiver.seen) == 3, "three blocks")
        assert sender.under_way == 30
        receiver.acking = True
        sender.send(BLOCK)
        sender.drain()
    assert receiver.frames == 40


def test_a_live_sender_drops_without_credit_and_never_waits(receiver: Receiver) -> None:
    receiver.window, receiver.acking = 2, False
    with living(receiver.endpoint) as sender:
        sender.connect()
        sent = [sender.send(BLOCK) for _ in range(5)]
        assert sent == [True, True, False, False, False]
        assert (sender.published, sender.dropped) == (20, 30)
        receiver.acking = True
        wait_for(lambda: sender.pump() or sender.acked == 20, "acknowledgement")
        assert sender.send(BLOCK)
        sender.drain(30)
        wait_for(lambda: sender.pump() or receiver.hellos[-1].dropped == 30, "the drops to be told")
    assert [header.first for header in receiver.seen] == [0, 10, 20]


def test_a_live_sender_without_a_service_drops_everything() -> None:
    with living(f"tcp://127.0.0.1:{free_port()}") as sender:
        assert not any(sender.send(BLOCK) for _ in range(100))
        assert (sender.published, sender.dropped) == (0, 1000)


def test_a_restarted_service_gets_what_it_had_not_processed() -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    with replaying(endpoint) as sender:
        with Receiver(endpoint) as first:
            sender.connect()
            for _ in range(4):
                sender.send(BLOCK)
            wait_for(lambda: sender.pump() or sender.acked == 40, "four blocks processed")
            first.acking = False
            for _ in range(5):
                sender.send(BLOCK)
            wait_for(lambda: len(first.seen) == 9, "five more blocks sent")
        with Receiver(endpoint, processed=60) as second:  # two of the five had become durable
            sender.send(BLOCK)
            sender.drain()
            assert second.frames == 40
        assert (sender.published, sender.acked, sender.lost) == (100, 100, 0)
        assert sender.resent > 0


def test_a_live_sender_counts_what_died_with_the_service() -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    with living(endpoint) as sender:
        with Receiver(endpoint) as first:
            sender.connect()
            first.acking = False
            for _ in range(3):
                sender.send(BLOCK)
            wait_for(lambda: len(first.seen) == 3, "three blocks")
        with Receiver(endpoint):
            wait_for(lambda: sender.pump() or sender.lost == 30, "the loss to be noticed")
            assert sender.under_way == 0


def test_hello_is_repeated_while_waiting(receiver: Receiver) -> None:
    receiver.acking = False
    with replaying(receiver.endpoint) as sender:
        sender.connect()
        sender.rejected = {"truncated": 2}
        sender.send(BLOCK)
        wait_for(lambda: sender.pump(0.05) or len(receiver.hellos) >= 3, "three hellos")
        assert receiver.hellos[-1].published == 10
        assert receiver.hellos[-1].rejected == {"truncated": 2}


def test_refused_frames_end_a_replay_with_the_reason(receiver: Receiver) -> None:
    receiver.refusing = "unknown_link"
    with replaying(receiver.endpoint) as sender, pytest.raises(DeliveryError, match="unknown_link: said"):
        sender.connect()


def test_refused_frames_are_dropped_live_until_they_are_taken(receiver: Receiver) -> None:
    receiver.refusing = "unknown_link"
    with living(receiver.endpoint) as sender:
        wait_for(lambda: sender.pump() or sender.refusal, "the refusal")
        assert not sender.send(BLOCK)
        receiver.refusing = None
        wait_for(lambda: sender.send(BLOCK), "the link to be taken")
        assert sender.refusal is None


def test_nobody_there_says_where_and_what_to_do() -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    with (
        replaying(endpoint, connect_timeout_s=0.3) as sender,
        pytest.raises(DeliveryError, match=rf"{endpoint} within 0.3 s; start one with `roomtone run`"),
    ):
        sender.connect()


def test_a_service_that_falls_silent_is_given_up_on() -> None:
    with Receiver() as receiver:
        sender = replaying(receiver.endpoint, silence_timeout_s=0.5)
        sender.connect()
        receiver.acking = False
        sender.send(BLOCK)
    with sender, pytest.raises(DeliveryError, match="10 of 10 frames of link l1 are not processed"):
        sender.drain()


def test_drain_has_a_deadline(receiver: Receiver) -> None:
    receiver.flush_answer = False
    with replaying(receiver.endpoint) as sender:
        sender.connect()
        sender.send(BLOCK)
        with pytest.raises(DeliveryError, match="has not processed"):
            sender.drain(0.3)


def test_an_endpoint_that_is_none_is_named() -> None:
    with pytest.raises(DeliveryError, match="'localhost' is no endpoint"):
        living("localhost")
