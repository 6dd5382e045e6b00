"""The worker on the memory bus with a real store: from frames to states, events, alerts and grants."""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.frame import FRAME_TABLE, FrameBlock
from drivers.wire import Grant, Source
from service.bus.memory import MemorySignals
from service.rooms.config import RoomConfig
from service.store.rooms import delete_room, put_room
from service.store.schema import alerts, links, predictions, rooms, states
from tests.service.bench import Bench
from tests.service.frames import T0, S, frames


def test_frames_of_a_new_link_make_room_states_events_and_an_alert(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 12, people=2))
    bench.turn()
    assert bench.state()["value"] == "occupied"
    assert bench.state()["status"] == "ok"
    assert bench.state()["source"] == "live"
    assert bench.state()["motion"] == 0.2
    assert bench.state("counting")["value"] == 2
    assert bench.state("counting")["interval"] == [1.0, 3.0]
    told = bench.told()
    kinds = [row["type"].removeprefix("org.roomtone.") for row in told]
    assert kinds[0] == "room.changed"
    assert told[0]["data"]["source"] == "live"
    assert kinds.count("alert.raised") == 1
    (raised,) = bench.rows(alerts)
    assert (raised["rule"], raised["room"], raised["state"], raised["severity"]) == (
        "room_occupied",
        "b",
        "raised",
        "info",
    )
    (event,) = bench.told("alert.raised")
    assert event["data"]["alert_id"] == raised["alert_id"]
    assert event["data"]["after"] == bench.told("prediction.changed")[-2]["data"]["after"]
    assert [row["sequence"] for row in bench.told()] == list(range(1, len(kinds) + 1))


def test_every_closed_window_is_predicted_once_for_every_task(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0.5, 9))
    bench.turn()
    ends = [(row["task"], (row["to_ns"] - T0) // S) for row in bench.rows(predictions)]
    assert sorted(ends) == [(task, end) for task in ("counting", "presence") for end in range(1, 10)]
    assert {row["doc"]["source"] for row in bench.rows(predictions)} == {"live"}
    assert bench.rows(predictions)[-1]["doc"]["frames"] == 200


def test_the_states_sequence_is_that_of_the_event_that_changed_it(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 12, people=2))
    bench.turn()
    changes = {row["data"]["task"]: row["sequence"] for row in bench.told("prediction.changed")}
    assert {row["task"]: row["sequence"] for row in bench.rows(states)} == changes
    talker.send(frames(12, 3, people=2, first=600))
    bench.turn()
    assert {row["task"]: row["sequence"] for row in bench.rows(states)} == changes


def test_presence_is_held_in_capture_time_and_the_alert_is_cleared_under_its_id(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 12, people=1))
    talker.send(frames(12, 20, people=0, first=600))
    bench.turn(30)
    assert bench.state()["value"] == "occupied", "vacant for some 18 s of 30"
    talker.send(frames(32, 30, people=0, first=1600))
    bench.turn(30)
    assert bench.state()["value"] == "vacant"
    kinds = [row["type"].rsplit(".", 1)[1] for row in bench.told("alert")]
    assert kinds == ["raised", "cleared"]
    assert len({row["data"]["alert_id"] for row in bench.told("alert")}) == 1
    assert [row["state"] for row in bench.rows(alerts)] == ["cleared"]


def test_a_grant_comes_after_the_commit_and_says_how_far(bench: Bench) -> None:
    talker = bench.talker()
    (first,) = talker.heard()
    assert isinstance(first, Grant)
    assert (first.acked, first.window, first.last_capture_ns) == (0, 64, None)
    talker.send(frames(0, 6))
    bench.turn()
    grant = talker.granted()
    assert (grant.acked, grant.window) == (300, 64)
    assert grant.last_capture_ns == T0 + 6 * S - S // 50
    with bench.store.read() as connection:
        stored = connection.execute(sa.select(links.c.last_capture_ns)).scalar_one()
    assert stored == grant.last_capture_ns


def test_a_live_sender_hears_of_credit_long_before_it_is_used_up_but_not_of_every_block(bench: Bench) -> None:
    talker = bench.talker()
    talker.heard()
    block, told = frames(0, 4), []
    for start in range(0, 160, 5):
        talker.send(block.take(slice(start, start + 5)))
        bench.turn()
        told += [grant.acked for grant in talker.heard() if isinstance(grant, Grant)]
    assert told == [40, 80, 120, 160], "every eighth block of 64"
    talker.send(block.take(slice(160, 165)))
    talker.hello()
    bench.turn()
    assert [grant.acked for grant in talker.heard() if isinstance(grant, Grant)] == [165]


def test_a_replay_keeps_full_credit_while_its_window_is_open(bench: Bench) -> None:
    talker = bench.talker(source=Source.REPLAY)
    talker.send(frames(0, 6.4))
    bench.turn()
    grant = talker.granted()
    # Windows up to second 6 are predicted: the next one starts at second 3, in block 4 of 32 frames.
    assert grant.acked == 4 * 32
    assert grant.window == 64 + 6
    assert not grant.flushed


def test_flush_closes_the_last_window_acknowledges_all_and_is_no_loss_of_a_replay(bench: Bench) -> None:
    talker = bench.talker(source=Source.REPLAY)
    talker.send(frames(0, 6.1))
    talker.flush()
    bench.turn()
    grant = talker.granted()
    assert (grant.flushed, grant.acked) == (True, 305)
    assert max(row["to_ns"] for row in bench.rows(predictions)) == T0 + 6 * S
    bench.later(60)
    assert bench.told("link.lost") == []


def test_a_flush_that_overtook_frames_is_not_believed(bench: Bench) -> None:
    talker = bench.talker(source=Source.REPLAY)
    block = frames(0, 2)
    talker.send(block, lose=[2, 3])
    talker.flush()
    bench.turn()
    assert not talker.granted().flushed
    talker.resend(block.take(slice(64, 100)), 64)
    talker.flush()
    bench.turn()
    assert talker.granted().flushed
    assert (bench.link()["accepted"], bench.link()["gap"]) == (100, 0)


def test_silence_makes_states_stale_and_the_link_lost_and_frames_bring_both_back(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6, people=1))
    bench.turn()
    bench.later(9)
    assert bench.state()["status"] == "ok"
    bench.later(2)
    state = bench.state()
    assert (state["status"], state["reason"], state["value"]) == ("unknown", "stale", None)
    assert state["last_known"]["value"] == "occupied"
    assert [row["state"] for row in bench.rows(alerts) if row["rule"] == "room_occupied"] == ["raised"]
    bench.later(10)
    (lost,) = bench.told("link.lost")
    assert lost["data"] == {"link": "l1", "room": "b", "reason": "no_frames", "source": "live"}
    assert [row["state"] for row in bench.rows(alerts) if row["rule"] == "link_lost"] == ["raised"]
    bench.skew = 0
    talker.send(frames(20, 6, people=1, first=300))
    bench.turn()
    assert len(bench.told("link.back")) == 1
    assert [row["state"] for row in bench.rows(alerts) if row["rule"] == "link_lost"] == ["cleared"]
    assert bench.state()["value"] == "occupied"
    occupied = [row for row in bench.told("alert") if row["data"]["rule"] == "room_occupied"]
    assert {row["type"].rsplit(".", 1)[1] for row in occupied[1:]} == {"updated"}
    assert len({row["data"]["alert_id"] for row in occupied}) == 1


def test_frames_that_come_too_late_for_any_window_keep_no_state_fresh(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(100, 6, people=1))
    bench.turn()
    talker.send(frames(0, 6, people=0, first=300))
    bench.later(11)
    assert bench.link()["late"] == 300
    assert bench.state()["reason"] == "stale"


def test_after_a_restart_states_say_worker_down_until_frames_speak_and_nothing_is_doubled(
    bench: Bench,
) -> None:
    talker = bench.talker(source=Source.REPLAY)
    block = frames(0, 10.4, people=2)
    talker.send(block)
    bench.turn()
    before = bench.rows(predictions)
    acked = talker.granted().acked
    bench.restart()
    state = bench.state()
    assert (state["status"], state["reason"], state["last_known"]["value"]) == (
        "unknown",
        "worker_down",
        "occupied",
    )
    assert [row["data"]["after"]["reason"] for row in bench.told("prediction.changed")[-2:]] == [
        "worker_down"
    ] * 2
    talker.acked = acked
    talker.hello()
    for start in range(acked, len(block), 32):
        talker.resend(block.take(slice(start, start + 32)), start)
    talker.send(frames(10.4, 4, people=2, first=520))
    bench.turn()
    after = bench.rows(predictions)
    assert after[: len(before)] == before
    ends = [(row["to_ns"] - T0) // S for row in after if row["task"] == "presence"]
    assert ends == list(range(1, 15))
    assert all(row["doc"]["status"] == "ok" for row in after if (row["to_ns"] - T0) // S > 3)
    assert bench.state()["value"] == "occupied"
    assert [row["type"].rsplit(".", 1)[1] for row in bench.told("alert")] == ["raised", "updated"]


def test_a_link_that_died_with_the_worker_is_told_lost(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6, people=1))
    bench.turn()
    bench.restart()
    bench.later(11)
    assert [row["data"]["link"] for row in bench.told("link.lost")] == ["l1"]
    assert bench.state()["reason"] == "stale"


def test_an_unknown_link_is_refused_and_listed_where_headers_make_no_rooms(
    make: Callable[..., Bench],
) -> None:
    bench = make(auto_rooms=False)
    talker = bench.talker()
    refusal = talker.refused()
    assert refusal.reason == "unknown_link"
    assert "l1" in refusal.detail
    talker.send(frames(0, 2))
    bench.turn()
    assert bench.rows(rooms) == []
    unassigned = heartbeat(bench)["unassigned"]["l1"]
    assert unassigned["rejected"] == {"unknown_link": 100}
    assert unassigned["nic"] == "intel5300"
    assert unassigned["received"] == 100


def heartbeat(bench: Bench) -> Mapping[str, Any]:
    bench.turn(1)
    return [body for topic, body in bench.api.poll(0.0) if topic == "heartbeat"][-1]


@pytest.mark.parametrize(
    ("link", "room", "reason"),
    [("l1", None, "unknown_link"), ("l 1", "b", "bad_name"), ("l1", "../b", "bad_name")],
)
def test_a_header_that_names_no_proper_room_makes_none(
    bench: Bench, link: str, room: str | None, reason: str
) -> None:
    refusal = bench.talker(link, room).refused()
    assert refusal.reason == reason
    assert bench.rows(rooms) == []


def configure(bench: Bench, room: str, **words: Any) -> None:
    put_room(bench.store, room, RoomConfig(**words), check=lambda _: None, actor="test", nics={})
    with MemorySignals(bench.hub, "api", []) as api:
        api.publish("rooms", {})
    bench.turn()


def test_a_configured_link_stays_in_its_room_whatever_the_header_says(bench: Bench) -> None:
    configure(bench, "office", links=["l1"])
    refusal = bench.talker("l1", "b").refused()
    assert refusal.reason == "other_room"
    assert "office" in refusal.detail
    assert isinstance(bench.talker("l1", None, session="s2").heard()[0], Grant)


def test_a_link_that_a_header_put_into_a_room_follows_the_next_header(bench: Bench) -> None:
    first = bench.talker("l1", "b", source=Source.REPLAY)
    first.send(frames(0, 6))
    first.flush()
    bench.turn()
    second = bench.talker("l1", "c", source=Source.REPLAY, session="s2")
    grant = second.granted()
    assert grant.last_capture_ns == T0 + 6 * S - S // 50
    second.send(frames(16, 6, people=3))
    bench.turn()
    assert bench.state(room="c")["value"] == "occupied"
    assert bench.state(room="b")["value"] == "vacant"


def test_a_second_sender_on_a_link_is_refused_while_the_first_delivers(bench: Bench) -> None:
    bench.talker("l1", "b")
    refusal = bench.talker("l1", "b", session="s2").refused()
    assert refusal.reason == "link_busy"


def test_rooms_and_tasks_change_while_frames_flow(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6))
    bench.turn()
    configure(bench, "b", tasks=["presence", "localization"])
    talker.send(frames(6, 3, first=300))
    bench.turn()
    assert bench.state("localization")["reason"] == "no_model"
    assert max(row["to_ns"] for row in bench.rows(predictions) if row["task"] == "counting") < T0 + 7 * S


def test_a_deleted_room_leaves_nothing_behind(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6, people=1))
    bench.turn()
    talker.send(frames(6, 3, people=1, first=300))
    delete_room(bench.store, "b", check=lambda _: None, actor="test")
    bench.turn()
    assert bench.rows(states) == bench.rows(predictions) == bench.rows(alerts) == []
    with MemorySignals(bench.hub, "api", []) as api:
        api.publish("rooms", {})
    bench.turn()
    assert bench.worker.building.rooms == {}
    talker.hello()
    bench.turn()
    assert isinstance(talker.heard()[-1], Grant), "its header made the room, and may make it again"


def test_two_links_make_one_room_and_each_has_its_own_account(bench: Bench) -> None:
    one, two = bench.talker("l1"), bench.talker("l2")
    for tenth in range(60):
        one.send(frames(tenth / 10, 0.1, people=1), lose=[0] if tenth == 30 else [])
        two.send(frames(tenth / 10, 0.1, people=1))
    bench.turn()
    assert bench.rows(predictions)[-1]["doc"]["links"] == ["l1", "l2"]
    assert (bench.link("l1")["gap"], bench.link("l2")["gap"]) == (5, 0)
    for link in ("l1", "l2"):
        facts = bench.link(link)
        assert facts["published"] == facts["received"] + facts["gap"] == 300
        assert facts["received"] == facts["accepted"] + sum(facts["rejected"].values()) + facts["late"]


def test_the_least_live_of_a_windows_links_names_its_source(bench: Bench) -> None:
    one, two = bench.talker("l1"), bench.talker("l2", source=Source.SIMULATED)
    for tenth in range(60):
        one.send(frames(tenth / 10, 0.1))
        two.send(frames(tenth / 10, 0.1))
    bench.turn()
    assert bench.state()["source"] == "simulated"


def test_the_heartbeat_tells_all_that_quality_needs(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6))
    bench.turn()
    beat = heartbeat(bench)
    assert beat["part"] == "worker"
    assert beat["event_sequence"] == bench.told()[-1]["sequence"]
    assert set(beat["links"]["l1"]) >= {
        "room",
        "nic",
        "source",
        "shape",
        "rate_hz",
        "received",
        "accepted",
        "gap",
        "late",
        "duplicate",
        "rejected",
        "last_frame_ns",
        "last_received_ns",
        "clock_offset_ms",
        "rssi_dbm",
        "sequence_gaps",
    }
    assert beat["links"]["l1"]["accepted"] == 300


def test_listeners_are_woken_for_new_events(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6))
    bench.turn()
    woken = [body["sequence"] for topic, body in bench.api.poll(0.0) if topic == "events"]
    assert woken[-1] == bench.told()[-1]["sequence"]


def test_a_block_that_breaks_a_buffer_is_rejected_and_the_rest_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    talker = bench.talker()
    good = bench.worker.building.rooms["b"].buffer.push

    def fragile(link: str, block: Any) -> Any:
        if len(block) == 7:
            raise ZeroDivisionError
        return good(link, block)

    monkeypatch.setattr(bench.worker.building.rooms["b"].buffer, "push", fragile)
    talker.send(frames(0, 0.14))
    talker.send(frames(0.14, 6, first=7))
    bench.turn()
    assert bench.link()["rejected"] == {"unusable": 7}
    assert bench.state()["value"] == "vacant"


def test_a_stopped_worker_finishes_commits_and_grants(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6))
    turns = iter([False, True])
    bench.worker.run(lambda: next(turns))
    assert talker.granted().acked == 300
    assert len(bench.rows(predictions)) == 2 * 5


def strange(draw: st.DrawFn) -> FrameBlock:
    """A block whose header adds up and whose content may be anything."""
    count, subcarriers, rx, tx = (draw(st.integers(1, top)) for top in (40, 70, 4, 4))
    dtypes: list[type[np.signedinteger[Any]]] = [np.int8, np.int16, np.int32]
    dtype = draw(st.sampled_from(dtypes))
    table = np.zeros(count, FRAME_TABLE)
    anything = st.integers(-(2**63), 2**63 - 1)
    near = st.integers(T0 - 5 * S, T0 + 5 * S)
    table["capture_ns"] = draw(st.lists(st.one_of(near, anything), min_size=count, max_size=count))
    table["sequence"] = draw(anything)
    table["rssi_dbm"] = draw(st.sampled_from([np.nan, np.inf, -40.0, 1e38]))
    fill = draw(st.integers(np.iinfo(dtype).min, np.iinfo(dtype).max))
    spacing = st.lists(st.integers(-(2**15) + 1, 2**15 - 1), min_size=subcarriers, max_size=subcarriers)
    return FrameBlock(
        nic=draw(st.sampled_from(["intel5300", "esp32", "", "\x00"])),
        table=table,
        raw=np.full((count, subcarriers, rx, tx, 2), fill, dtype),
        subcarrier_index=np.array(draw(spacing), np.int16),
        tones=np.frombuffer(draw(st.binary(min_size=subcarriers, max_size=subcarriers)), np.uint8),
        bandwidth_mhz=draw(st.integers(1, 10_000)),
        present=np.array(draw(st.lists(st.booleans(), min_size=rx * tx, max_size=rx * tx))).reshape(rx, tx),
        index=np.arange(count),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block=st.composite(strange)(), source=st.sampled_from(Source), first=st.integers(0, 2**53))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_block_whatever_it_holds_stops_the_worker_or_other_rooms(
    make: Callable[..., Bench], block: FrameBlock, source: Source, first: int
) -> None:
    bench = make()
    try:
        bad = bench.talker("bad", "attic", source=source, session=uuid.uuid4().hex)
        bad.resend(block, first)
        bad.resend(block, 0)
        bad.flush()
        good = bench.talker("good", "b", session=uuid.uuid4().hex)
        start = 10 * len(bench.rows(predictions))
        good.send(frames(start, 6, people=1))
        bench.turn()
        assert bench.state()["value"] == "occupied"
        facts = bench.link("bad")
        assert facts["received"] == (
            facts["accepted"] + sum(facts["rejected"].values()) + facts["late"] + facts["duplicate"]
        )
        assert facts["published"] == facts["received"] + facts["gap"]
        heartbeat(bench)
    finally:
        bench.ingest.close()


def test_a_frame_from_next_year_does_not_make_todays_frames_late(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6))
    far = frames(0, 0.1, first=300)
    far.table["capture_ns"] = time.time_ns() + 400 * 24 * 3600 * S
    talker.send(far)
    talker.send(frames(6, 6, first=305))
    bench.turn()
    assert bench.link()["rejected"] == {"bad_time": 5}
    assert bench.link()["late"] == 0
    assert bench.link()["last_frame_ns"] < T0 + 12 * S
    assert bench.state()["value"] == "vacant"


def test_an_unassigned_sender_that_fell_silent_is_listed_no_more(make: Callable[..., Bench]) -> None:
    bench = make(auto_rooms=False)
    bench.talker()
    assert list(heartbeat(bench)["unassigned"]) == ["l1"]
    bench.later(61)
    assert heartbeat(bench)["unassigned"] == {}
