"""Privacy pauses in the worker: while a room is paused nothing of it is computed or stored."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.wire import Source
from service.rooms.config import RoomConfig
from service.rooms.pause import Pause
from service.rooms.schedule import Schedule
from service.store.audit import audit_page
from service.store.jobs import create_job, get_job
from service.store.pauses import PausedError, pause_of
from service.store.pausing import change_pause, resumed
from service.store.rooms import delete_room, put_room
from service.store.samples import Asked, ask, get_sample
from service.store.schema import (
    alert_waits,
    alerts,
    events,
    links,
    pauses,
    predictions,
    samples,
    screenings,
    states,
    versions,
)
from tests.service.bench import Bench
from tests.service.frames import T0, S, frames

STORED = (predictions, states, samples, versions, alerts, screenings, links, events)


def pause(bench: Bench, until_ns: int | None = None, room: str = "b") -> None:
    change_pause(bench.store, room, lambda _, now: Pause(now, until_ns), actor="test", action="room.paused")
    bench.turn(1)


def resume(bench: Bench) -> None:
    change_pause(bench.store, "b", resumed, actor="test", action="room.resumed")
    bench.turn(1)


def stored(bench: Bench) -> dict[str, list[dict[str, Any]]]:
    return {table.name: bench.rows(table) for table in STORED}


def test_a_paused_room_says_so_of_every_task_and_forgets_what_it_knew(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 12, people=2))
    bench.turn()
    pause(bench)
    for task in ("presence", "counting"):
        state = bench.state(task)
        assert (state["status"], state["reason"], state["value"]) == ("paused", "paused", None)
        assert state["last_known"] is None
        assert state.get("motion") is None
    changes = [row["data"] for row in bench.told("prediction.changed")][-2:]
    assert {(one["task"], one["after"]["status"]) for one in changes} == {
        ("presence", "paused"),
        ("counting", "paused"),
    }


def test_a_room_that_was_never_predicted_is_paused_too(bench: Bench) -> None:
    put_room(bench.store, "b", RoomConfig(), check=lambda _: None, actor="test", nics={})
    bench.turn(1)
    pause(bench)
    assert bench.state()["status"] == "paused"
    assert bench.state()["last_known"] is None


def test_frames_are_counted_and_credit_is_given(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6))
    bench.turn()
    pause(bench)
    talker.heard()
    talker.send(frames(6, 6.4, first=300))
    bench.turn()
    assert bench.link()["rejected"] == {"paused": 320}
    assert bench.link()["rssi_dbm"] is None
    assert talker.granted().acked == 620
    facts = bench.link()
    assert facts["received"] == facts["accepted"] + facts["late"] + sum(facts["rejected"].values())


def test_a_replay_into_a_paused_room_ends_without_stalling(bench: Bench) -> None:
    talker = bench.talker(source=Source.REPLAY)
    pause(bench)
    talker.send(frames(0, 20))
    bench.turn()
    assert talker.granted().acked == 1000, "nothing is held back for windows"
    talker.flush()
    bench.turn()
    assert talker.granted().flushed
    assert bench.rows(predictions) == []
    assert bench.rows(links)[0]["last_capture_ns"] is None


def test_after_a_pause_nothing_is_known_until_a_full_window(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6, people=2))
    bench.turn()
    pause(bench)
    talker.send(frames(6, 10, people=2, first=300))
    bench.turn()
    resume(bench)
    assert (bench.state()["status"], bench.state()["reason"]) == ("unknown", "no_frames")
    talker.send(frames(16, 2, people=1, first=800))
    bench.turn()
    assert bench.state()["status"] == "unknown"
    assert bench.state("counting")["value"] is None
    talker.send(frames(18, 4, people=1, first=900))
    bench.turn()
    assert bench.state()["status"] == "ok"
    ends = sorted({(row["to_ns"] - T0) // S for row in bench.rows(predictions)})
    assert not [end for end in ends if 6 < end < 16], "no window of the paused time"
    known = [
        row for row in bench.rows(predictions) if row["doc"]["status"] == "ok" and row["to_ns"] > T0 + 6 * S
    ]
    assert all(row["from_ns"] >= T0 + 15 * S for row in known)


def test_windows_under_way_are_dropped_and_so_is_what_could_be_labelled(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6))
    bench.turn()
    assert bench.worker.sampling.recent.span("b") is not None
    talker.send(frames(6, 20, first=300))
    for delivery in bench.ingest.poll(0.0):
        bench.worker._take(delivery)
    assert bench.worker._pending
    before = stored(bench)["predictions"]
    pause(bench)
    assert not bench.worker._pending
    assert bench.worker.sampling.recent.span("b") is None
    assert bench.worker.building.rooms["b"].closed(flush=True) == []
    assert stored(bench)["predictions"] == before


def test_silence_of_a_paused_room_is_not_told_as_stale(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6))
    bench.turn()
    pause(bench)
    bench.later(3600)
    assert bench.state()["status"] == "paused"


def test_a_pause_outlives_a_restart(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6))
    bench.turn()
    pause(bench)
    before = bench.rows(predictions)
    bench.restart()
    again = bench.talker()
    again.send(frames(6, 10))
    bench.turn()
    assert bench.state()["status"] == "paused"
    assert bench.rows(predictions) == before
    bench.restart()
    resume(bench)
    assert bench.state()["reason"] == "no_frames"


def test_a_pause_that_ended_while_no_worker_ran_is_over(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6))
    bench.turn()
    pause(bench, until_ns=time.time_ns() + 60 * S)
    bench.skew += 61 * S
    bench.restart()
    assert bench.state()["status"] == "unknown"


def test_a_schedule_pauses_and_resumes_by_itself(bench: Bench) -> None:
    put_room(bench.store, "b", RoomConfig(), check=lambda _: None, actor="test", nics={})
    bench.turn(1)
    soon = datetime.fromtimestamp(time.time() + 120, UTC)
    nightly = Schedule(rrule=f"FREQ=DAILY;BYHOUR={soon.hour};BYMINUTE={soon.minute}", duration_s=600)
    change_pause(
        bench.store, "b", lambda one, _: Pause(one.from_ns, None, nightly), actor="test", action="room.paused"
    )
    bench.turn(1)
    assert not bench.worker.building.is_paused("b")
    bench.later(121)
    assert bench.state()["status"] == "paused"
    bench.later(601)
    assert bench.state()["status"] == "unknown"
    bench.later(86400 - 601)
    assert bench.state()["status"] == "paused", "and the day after again"


def test_resuming_ends_this_time_of_a_schedule_and_not_the_next() -> None:
    always = Schedule(rrule="FREQ=DAILY;BYHOUR=8", duration_s=3600)
    at_half = round(datetime(2026, 11, 21, 8, 30, tzinfo=UTC).timestamp()) * S
    before = Pause(schedule=always)
    assert before.at(at_half) is not None
    after = resumed(before, at_half)
    assert after.at(at_half + S) is None
    assert after.at(at_half + 86400 * S) is not None
    assert resumed(before, at_half, keep_schedule=False).at(at_half + 86400 * S) is None


def test_of_two_pauses_the_longer_one_counts() -> None:
    hour = Schedule(rrule="FREQ=DAILY;BYHOUR=8", duration_s=3600)
    now = round(datetime(2026, 11, 21, 8, 30, tzinfo=UTC).timestamp()) * S
    held = Pause(now - S, now + 7200 * S, hour).at(now)
    assert held is not None
    assert (held.by, held.until_ns) == ("hand", now + 7200 * S)
    assert Pause(now - S, now + 60 * S, hour).at(now).by == "schedule"  # type: ignore[union-attr]
    assert Pause(now - S, None, hour).at(now).until_ns is None  # type: ignore[union-attr]


def test_work_under_way_ends_and_new_work_is_refused(bench: Bench) -> None:
    put_room(bench.store, "b", RoomConfig(), check=lambda _: None, actor="test", nics={})
    job = create_job(bench.store, room="b", task="presence", kind="adaptation", request={}, actor="test")
    sample = ask(bench.store, Asked("b", "presence", "vacant", 0, 10 * S, "test"))
    pause(bench)
    ended, given_up = get_job(bench.store, job.job), get_sample(bench.store, sample.sample)
    assert ended is not None
    assert (ended.state.value, ended.doc["reason"]) == ("cancelled", "paused")
    assert given_up is not None
    assert given_up.verdict["reasons"] == ["paused"]
    with pytest.raises(PausedError):
        create_job(bench.store, room="b", task="counting", kind="adaptation", request={}, actor="test")
    with pytest.raises(PausedError):
        ask(bench.store, Asked("b", "presence", "vacant", 0, 10 * S, "test"))


def test_work_ends_when_a_schedule_begins_a_pause(bench: Bench) -> None:
    put_room(bench.store, "b", RoomConfig(), check=lambda _: None, actor="test", nics={})
    soon = datetime.fromtimestamp(time.time() + 120, UTC)
    nightly = Schedule(rrule=f"FREQ=DAILY;BYHOUR={soon.hour};BYMINUTE={soon.minute}", duration_s=600)
    change_pause(bench.store, "b", lambda *_: Pause(schedule=nightly), actor="test", action="room.paused")
    job = create_job(bench.store, room="b", task="presence", kind="adaptation", request={}, actor="test")
    bench.later(121)
    ended = get_job(bench.store, job.job)
    assert ended is not None
    assert ended.doc["reason"] == "paused"


def test_a_schedule_that_cannot_be_read_any_more_keeps_the_room_paused(bench: Bench) -> None:
    put_room(bench.store, "b", RoomConfig(), check=lambda _: None, actor="test", nics={})
    pause(bench)
    with bench.store.write() as connection:
        broken = {"rrule": "FREQ=DAILY", "duration_s": 60, "time_zone": "Atlantis/North"}
        connection.execute(sa.update(pauses).values(from_ns=None, schedule=broken))
    assert pause_of(bench.store, "b").at(time.time_ns()) is not None


def test_pauses_are_audited_and_go_with_their_room(bench: Bench) -> None:
    put_room(bench.store, "b", RoomConfig(), check=lambda _: None, actor="test", nics={})
    pause(bench)
    entry = audit_page(bench.store, limit=10, before=None)[0][0]
    assert (entry["action"], entry["target"], entry["detail"]["after"]["until"]) == ("room.paused", "b", None)
    delete_room(bench.store, "b", check=lambda _: None, actor="test")
    assert bench.rows(pauses) == []
    assert change_pause(bench.store, "b", resumed, actor="test", action="x") is None


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.sampled_from(["frames", "loud", "turn", "flush", "restart", "later", "label", "other"]),
        min_size=3,
        max_size=10,
    ),
    source=st.sampled_from([Source.LIVE, Source.REPLAY]),
)
def test_whatever_happens_while_paused_nothing_of_the_room_is_stored(
    make: Any, steps: list[str], source: Source
) -> None:
    bench = make()
    bench.turn(1)
    with bench.store.write() as connection:
        for table in (*STORED, pauses):
            connection.execute(sa.delete(table))
    bench.restart()
    talker, other = bench.talker(source=source), bench.talker(link="l2", room="c")
    talker.send(frames(0, 6, people=1))
    bench.turn()
    pause(bench)
    before, second, sent = stored(bench), 6, 300
    for step in steps:
        if step in {"frames", "loud"}:
            talker.send(frames(second, 3, people=3 if step == "loud" else 0, first=sent))
            second, sent = second + 3, sent + 150
        elif step == "flush":
            talker.flush()
        elif step == "restart":
            bench.restart()
            talker, other = bench.talker(source=source), bench.talker(link="l2", room="c")
        elif step == "later":
            bench.skew += 30 * S
        elif step == "label":
            with pytest.raises(PausedError):
                ask(bench.store, Asked("b", "presence", "vacant", T0, T0 + 10 * S, "test"))
        else:
            other.send(frames(second, 5, people=1))
        bench.turn()
    after = stored(bench)
    for name in ("predictions", "states", "samples", "versions", "alerts", "screenings"):
        mine = [_lasting(row) for row in after[name] if row["room"] == "b" and row.get("rule") != "link_lost"]
        assert mine == [_lasting(row) for row in before[name] if row["room"] == "b"], name
    assert [row for row in bench.rows(alert_waits) if row["room"] == "b" and row["rule"] != "link_lost"] == []
    new = [row for row in after["events"][len(before["events"]) :] if row["room"] == "b"]
    assert {row["type"].removeprefix("org.roomtone.") for row in new} <= {
        "link.lost",
        "link.back",
        "alert.raised",
        "alert.cleared",
    }
    assert {row["data"]["rule"] for row in new if "alert" in row["type"]} <= {"link_lost"}


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "updated_ns"}
