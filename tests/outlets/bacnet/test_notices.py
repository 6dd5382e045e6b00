"""Notices to subscribers: in turn, the newest, and nobody waits for another client."""

import asyncio
from dataclasses import dataclass

import pytest
from bacpypes3.apdu import AbortPDU

from service.outlets.bacnet import notices
from service.outlets.bacnet.notices import Notices


@dataclass(eq=False)
class Subscription:
    client_addr: str
    confirmed: bool = True
    obj_ref: object = "an object"


class Peers:
    """What was sent, and the answers that are still awaited."""

    def __init__(self) -> None:
        self.sent: list[object] = []
        self.awaited: list[asyncio.Future[object]] = []

    def request(self, notice: object) -> "asyncio.Future[object]":
        self.sent.append(notice)
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.awaited.append(answer)
        return answer

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.sent) < count:  # noqa: ASYNC110 - a test
                await asyncio.sleep(0)


async def test_a_client_gets_one_confirmed_notice_at_a_time_and_the_newest_of_each() -> None:
    peers = Peers()
    queue = Notices(peers.request)
    subscriptions = [Subscription("panel") for _ in range(300)]
    for round_ in ("old", "new"):
        for number, subscription in enumerate(subscriptions):
            queue.put(subscription, (round_, number))
    for number in range(300):
        await peers.until(number + 1)
        assert len(peers.sent) == number + 1, "the next waits for the answer"
        peers.awaited[-1].set_result("ack")
    assert peers.sent == [("new", number) for number in range(300)]
    queue.close()


async def test_a_client_that_is_gone_delays_nobody_else() -> None:
    peers = Peers()
    queue = Notices(peers.request)
    queue.put(Subscription("gone"), "lost")
    await peers.until(1)
    queue.put(Subscription("there", confirmed=False), "heard")
    await peers.until(2)
    assert peers.sent == ["lost", "heard"]
    queue.close()


async def test_a_refusal_and_silence_end_one_notice_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "ANSWER_WITHIN_S", 0.01)
    peers = Peers()
    queue = Notices(peers.request)
    cancelled = Subscription("panel")
    for subscription, notice in (
        (Subscription("panel"), "refused"),
        (Subscription("panel"), "unanswered"),
        (cancelled, "cancelled"),
        (Subscription("panel"), "last"),
    ):
        queue.put(subscription, notice)
    cancelled.obj_ref = None
    await peers.until(1)
    peers.awaited[0].set_exception(AbortPDU())
    await peers.until(3)
    assert peers.sent == ["refused", "unanswered", "last"]
    peers.awaited[2].set_result("ack")
    queue.close()
