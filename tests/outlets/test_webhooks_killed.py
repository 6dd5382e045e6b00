"""Receiver and outlets killed and restarted under load: delayed, never lost, in order, others not held up."""

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from service.outlets.cursor import SAVE_EVENTS
from service.outlets.follow import PAGE
from service.settings import Settings
from service.store.engine import open_store
from service.store.outlets import cursors
from tests.outlets.peers import Receiver
from tests.outlets.site import OutletsProcess, append, hook
from tests.service.running import wait_for

AGAIN = SAVE_EVENTS + PAGE


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(tmp_path) as running:
        yield running


def test_nothing_is_lost_and_nobody_waits_for_one_that_hangs(tmp_path: Path, receiver: Receiver) -> None:
    settings = Settings(data_dir=tmp_path)
    store = open_store(settings.store_url)
    append(store, 5)  # before the webhooks: not theirs
    good, _ = hook(settings, receiver.url())
    stuck, _ = hook(settings, receiver.url("/hang"))
    sent: list[int] = []
    halves = [threading.Event(), threading.Event()]

    def load() -> None:
        for half in halves:
            sent.extend(append(store, 150))
            half.wait(20)
            sent.extend(append(store, 50))

    loading = threading.Thread(target=load)
    process = OutletsProcess(
        tmp_path,
        ROOMTONE_OUTLETS__WEBHOOKS__ALLOW_PRIVATE="true",
        ROOMTONE_OUTLETS__WEBHOOKS__CA_FILE=str(receiver.certificate),
    )
    with process:
        loading.start()
        wait_for(receiver.events, "the first delivery")
        receiver.kill()
        halves[0].set()
        receiver.start()
        wait_for(lambda: len(receiver.events()) > 150, "deliveries to the receiver that came back")
        process.kill()
        halves[1].set()
        process.start()
        loading.join(20)
        wait_for(lambda: len({event["id"] for event in receiver.events()}) == 400, "every event")
        wait_for(lambda: cursors(store)[good.outlet] == sent[-1], "the cursor at the end")
    got = [int(event["id"]) for event in receiver.events()]
    assert set(got) == set(sent)
    assert cursors(store)[stuck.outlet] == sent[0] - 1, "nobody acknowledged"
    steps_back = [(before, after) for before, after in pairwise(got) if after <= before]
    assert len(steps_back) <= 2, "only the two kills make events come again"
    assert all(before - after < AGAIN for before, after in steps_back)
    store.close()
