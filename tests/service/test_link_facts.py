"""What a sender tells of its link: whom it follows, its losses, its clock; and what follows from it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from drivers.frame import mac_text
from drivers.sender import Sender
from drivers.wire import ClockReport, Source
from models.signal.baseline import Baseline
from service.bus.registry import open_ingest
from service.settings import IngestSettings, Settings
from service.store.baselines import fresh
from service.store.engine import open_store
from service.store.schema import baselines, links
from tests.drivers.receiver import wait_for
from tests.ports import free_port
from tests.service.bench import Bench
from tests.service.frames import T0, S, frames

A, B = 0x0016EA000001, 0x0016EA000002
QUIET = Baseline(log_moved=-9.0, spread=0.1, windows=20).to_json()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    yield Bench(store, Settings(data_dir=tmp_path, ingest=IngestSettings(auto_rooms=True)))
    store.close()


def unassigned(bench: Bench, link: str) -> dict[str, Any]:
    return bench.worker.intake.unassigned[link].report()


def test_a_link_tells_what_its_sender_says(bench: Bench) -> None:
    talker = bench.talker()
    talker.hello(
        transmitter=A,
        rejected={"other_transmitter": 7},
        lost_at_source={"socket_overflow": 3},
        unauthenticated=True,
        clock=ClockReport(12.5, -3.25, 2),
    )
    block = frames(0, 4)
    block.table["centre_mhz"] = 5210
    talker.send(block)
    bench.turn()
    told = bench.link()
    assert told["transmitter"] == "00:16:ea:00:00:01"
    assert (told["roamed"], told["unauthenticated"]) == (0, True)
    assert told["source_rejected"] == {"other_transmitter": 7}
    assert told["lost_at_source"] == {"socket_overflow": 3}
    assert told["clock"] == {"drift_ppm": -3.25, "resets": 2}
    assert (told["shape"], told["bandwidth_mhz"], told["centre_mhz"]) == ([30, 3, 1], 20, 5210)
    assert told["rate_hz"] == pytest.approx(50, rel=0.01)
    assert (told["sequence_gaps"], told["loss_method"]) == (0, "counter")


def test_losses_are_told_by_time_where_the_counter_stands_still(bench: Bench) -> None:
    block = frames(0, 8)
    block.table["sequence"] = 9
    bench.talker().send(block.take(np.delete(np.arange(400), slice(200, 205))))
    bench.turn()
    assert (bench.link()["sequence_gaps"], bench.link()["loss_method"]) == (5, "timing")


def keep_baseline(bench: Bench) -> None:
    row = {"room": "b", "task": "presence", "doc": {"l1": QUIET, "l2": QUIET}, "updated_ns": T0}
    with bench.store.write() as connection:
        connection.execute(sa.insert(baselines).values(row))
    bench.worker._read_layout()


def test_another_transmitter_is_told_once_and_outdates_the_baseline(bench: Bench) -> None:
    talker = bench.talker()
    talker.hello(transmitter=A)
    bench.turn()
    keep_baseline(bench)
    assert set(bench.worker.building.rooms["b"].baselines) == {"l1", "l2"}
    for _ in range(3):
        talker.hello(transmitter=B, roamed=1)
        bench.turn()
    (event,) = bench.told("link.roamed")
    assert event["room"] == "b"
    assert event["data"] == {
        "link": "l1",
        "room": "b",
        "reason": "transmitter_changed",
        "before": mac_text(A),
        "after": mac_text(B),
        "source": "live",
    }
    assert bench.link()["roamed"] == 1
    assert set(bench.worker.building.rooms["b"].baselines) == {"l2"}
    (row,) = bench.rows(baselines)
    assert row["doc"]["l1"]["stale"]["reason"] == "link_roamed"
    assert {name: row["doc"]["l1"][name] for name in QUIET} == QUIET, "kept, for people to see"
    assert set(fresh(row["doc"])) == {"l2"}


def test_it_is_noticed_over_a_restart_and_a_new_sender(bench: Bench) -> None:
    bench.talker().hello(transmitter=A)
    bench.turn()
    assert bench.rows(links)[0]["transmitter"] == A
    keep_baseline(bench)
    bench.restart()
    assert set(bench.worker.building.rooms["b"].baselines) == {"l1", "l2"}
    talker = bench.talker(session="s2")
    assert bench.told("link.roamed") == []
    talker.hello(transmitter=B)
    bench.turn()
    (event,) = bench.told("link.roamed")
    assert (event["data"]["before"], event["data"]["after"]) == (mac_text(A), mac_text(B))
    bench.restart()
    assert set(bench.worker.building.rooms["b"].baselines) == {"l2"}


def test_the_first_transmitter_and_an_unknown_one_are_no_change(bench: Bench) -> None:
    talker = bench.talker()
    for transmitter in (0, A, 0, A):
        talker.hello(transmitter=transmitter)
        bench.turn()
    assert bench.told("link.roamed") == []
    assert bench.link()["roamed"] == 0


def test_a_sender_that_is_not_admitted_shows_nic_rate_and_address(bench: Bench) -> None:
    stranger = bench.talker("stray", None)
    intake, layout = bench.worker.intake, bench.worker.building.layout
    stranger.hello(dropped=100)
    bench.turn()
    ledger = intake.unassigned["stray"]
    assert ledger.heard_ns is not None
    ledger._offered = 100, ledger.heard_ns - S
    stranger.hello(dropped=150)
    bench.turn()
    told = unassigned(bench, "stray")
    assert told["nic"] == "intel5300"
    assert told["rate_hz"] == pytest.approx(50, rel=0.5)
    assert "stray" not in layout.links


def test_a_greeting_over_tcp_says_where_it_comes_from() -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    with (
        open_ingest(endpoint) as ingest,
        Sender(endpoint, link="l1", nic="intel5300", source=Source.LIVE) as sender,
    ):
        found: list[str | None] = []

        def look() -> bool:
            sender.pump()
            found.extend(delivery.address for delivery in ingest.poll(0.05))
            return bool(found)

        wait_for(look, "a greeting")
        assert found[0] == "127.0.0.1"
