"""Pause, export and erase over a real API, with real files of SQLite looked into afterwards."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.events import EventType
from service.settings import Settings
from service.store.belongings import HISTORY, LASTING, LOG, SETUP
from service.store.engine import open_store
from service.store.keys import Role
from service.store.schema import audit, events, metadata, samples, states
from service.worker.loop import Worker
from tests.service.bench import Bench
from tests.service.frames import frames
from tests.service.running import Running, wait_for

MARK = "EVERYTHING-ABOUT-THE-LAB"
WORKDAYS = {"rrule": "FREQ=DAILY;BYHOUR=3", "duration_s": 3600, "time_zone": "Europe/Vienna"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("privacy")) as running:
        yield running


def path(room: str, what: str) -> str:
    return f"/v1/admin/rooms/{room}/{what}"


def fill(api: Running, room: str, mark: str = MARK) -> None:
    """A little of everything that a room may leave in the store."""
    api.put_room(room, tags={"note": mark})
    api.put_state(room, "presence", mark, received_ns=time.time_ns())
    api.put_predictions(room, "presence", [100, 200, 300], motion=mark)
    api.append(EventType.PREDICTION_CHANGED, room, None, source="live", after=mark)
    now = time.time_ns()
    row: dict[str, Any] = {"sample": f"smp-{room}", "room": room, "task": "presence", "label": mark}
    row |= {"state": "accepted", "origin": "live", "from_ns": 100 * 10**9, "to_ns": 200 * 10**9}
    row |= {"verdict": {"mark": mark}, "bytes": 30000, "actor": "test", "created_ns": now}
    with api.store.write() as connection:
        connection.execute(sa.insert(samples).values(**row, windows=mark.encode() * 2000))


def lines(api: Running, room: str) -> list[dict[str, Any]]:
    answer = api.client.get(path(room, "export"))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_pause_begins_and_ends(api: Running) -> None:
    api.put_room("lab")
    assert api.client.get(path("lab", "pause")).json()["paused"] is False
    paused = api.client.post(path("lab", "pause"))
    assert paused.status_code == 200
    assert (paused.json()["paused"], paused.json()["until"], paused.json()["by"]) == (True, None, "hand")
    assert api.client.get(path("lab", "pause")).json() == paused.json()
    over = api.client.post(path("lab", "resume"))
    assert (over.json()["paused"], over.json()["since"]) == (False, None)
    actions = [entry["action"] for entry in api.client.get("/v1/audit").json()["items"][:2]]
    assert actions == ["room.resumed", "room.paused"]


def test_a_pause_for_a_while_until_a_time_and_by_a_schedule(api: Running) -> None:
    api.put_room("times")
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for body in ({"for_s": 3600}, {"until": soon}):
        told = api.client.post(path("times", "pause"), json=body).json()
        assert datetime.fromisoformat(told["until"]) - datetime.now(UTC) > timedelta(minutes=59)
    api.client.post(path("times", "resume"))
    scheduled = api.client.post(path("times", "pause"), json={"schedule": WORKDAYS}).json()
    assert scheduled["schedule"]["time_zone"] == "Europe/Vienna"
    assert scheduled["next"]["from"] > datetime.now(UTC).isoformat()[:19]
    kept = api.client.post(path("times", "resume")).json()
    assert kept["schedule"] is not None
    assert api.client.post(path("times", "resume"), json={"drop_schedule": True}).json()["schedule"] is None


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"until": "2020-01-01T00:00:00Z"}, "over already"),
        ({"until": "soon"}, "until"),
        ({"for_s": 0}, "for_s"),
        ({"for_s": 60, "until": "2030-01-01T00:00:00Z"}, "not both"),
        ({"schedule": {"rrule": "FREQ=SECONDLY", "duration_s": 60}}, "FREQ"),
        ({"schedule": {**WORKDAYS, "time_zone": "Mars"}}, "time zone"),
        ({"forever": True}, "forever"),
    ],
)
def test_a_pause_that_makes_no_sense_is_refused(api: Running, body: dict[str, Any], word: str) -> None:
    api.put_room("refused")
    answer = api.client.post(path("refused", "pause"), json=body)
    assert answer.status_code == 422
    assert word in answer.text
    assert api.client.get(path("refused", "pause")).json()["paused"] is False


def test_work_on_a_paused_room_is_refused_and_says_what_to_do(api: Running) -> None:
    api.put_room("busy")
    api.client.post(path("busy", "pause"))
    span = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:20Z"}
    refused = [
        api.client.post("/v1/rooms/busy/samples", json={"task": "presence", "label": "vacant", **span}),
        api.client.post("/v1/rooms/busy/adaptations", json={"task": "presence"}),
        api.client.post(path("busy", "recalibrate"), json={"mode": "empty"}),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/room-paused")
        assert "resume" in api.client.get("/problems/room-paused").text
    api.client.post(path("busy", "resume"))
    assert api.client.post("/v1/rooms/busy/adaptations", json={"task": "presence"}).status_code == 202


@pytest.mark.parametrize("what", ["pause", "resume", "erase", "export"])
def test_only_an_admin_of_the_room_may(api: Running, what: str) -> None:
    api.put_room("mine")
    api.put_room("other")
    for key, status in (
        (api.new_key(Role.OPERATOR), 403),
        (api.new_key(Role.ADMIN, room="other"), 403),
        (api.new_key(Role.ADMIN, room="mine"), 200),
        (None, 401),
    ):
        with api.client_of(key) as client:
            method = "GET" if what == "export" else "POST"
            answer = client.request(method, path("mine", what), json={} if what == "erase" else None)
            assert answer.status_code == status


@pytest.mark.parametrize("what", ["pause", "resume", "erase", "export"])
def test_a_room_that_is_not_there(api: Running, what: str) -> None:
    answer = api.client.get(path("none", what)) if what == "export" else None
    answer = answer or api.client.post(path("none", what), json={})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/room-not-found")


def test_an_export_holds_everything_and_no_secret(api: Running) -> None:
    fill(api, "told")
    key = api.new_key(Role.VIEWER, room="told", name="door")
    api.client.post(path("told", "pause"), json={"schedule": WORKDAYS})
    head, *rows, tail = lines(api, "told")
    assert (head["format"], head["room"]) == ("roomtone-room-export/1", "told")
    assert tail["end"] is True
    assert tail["rows"] == {
        name: sum(row["table"] == name for row in rows) for name in {row["table"] for row in rows}
    }
    assert {"rooms", "pauses", "states", "predictions", "events", "samples", "keys", "audit"} <= set(
        tail["rows"]
    )
    (sample,) = [row["row"] for row in rows if row["table"] == "samples"]
    assert base64.b64decode(sample["windows"]) == MARK.encode() * 2000
    assert not any("hash" in row["row"] or "secret" in row["row"] for row in rows)
    assert key not in json.dumps(rows)
    assert all(row["row"].get("room", "told") == "told" for row in rows)


def test_an_export_of_many_rows_holds_each_once(api: Running) -> None:
    api.put_room("many")
    api.put_predictions("many", "presence", list(range(1000, 1450)))
    ends = [row["row"]["to_ns"] for row in lines(api, "many")[1:-1] if row["table"] == "predictions"]
    assert sorted(ends) == [end * 10**9 for end in range(1000, 1450)]


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.glob("roomtone.sqlite3*")))


def test_erased_bytes_are_in_no_file_and_numbers_of_events_stay(tmp_path: Path) -> None:
    with Running(tmp_path) as api:
        fill(api, "lab")
        fill(api, "kept", "THIS-STAYS")
        api.put_room("lab", tags={})
        api.put_room("kept", tags={})
        assert MARK.encode() in bytes_of(tmp_path)
        with api.store.read() as connection:
            numbers = list(
                connection.execute(sa.select(events.c.sequence).order_by(events.c.sequence)).scalars()
            )
        answer = api.client.post(path("lab", "erase"), json={})
        assert answer.status_code == 200
        gone = answer.json()["rows"]
        assert (gone["predictions"], gone["samples"], gone["states"]) == (3, 1, 1)
        entry = api.client.get("/v1/audit").json()["items"][0]
        assert (entry["action"], entry["target"], entry["detail"]["rows"]) == ("room.erased", "lab", gone)
        with api.store.read() as connection:
            after = connection.execute(sa.select(events).order_by(events.c.sequence)).mappings().all()
        assert [row["sequence"] for row in after][: len(numbers)] == numbers
        blank = [row for row in after if row["type"] == EventType.ROOM_ERASED]
        assert {row["room"] for row in blank} == {"lab"}
        assert all(row["time_ns"] % (86400 * 10**9) == 0 for row in blank), "the day, for retention; no time"
        assert {"room": "lab", "source": "live"} in [row["data"] for row in blank]
        assert api.client.get("/v1/rooms/lab").status_code == 200
        # The audit log keeps who changed the room's document from what to what.
        with api.store.write() as connection:
            connection.execute(sa.delete(audit))
        api.store.scrub()
        left = bytes_of(tmp_path)
        assert MARK.encode() not in left
        assert b"THIS-STAYS" in left


def test_a_cursor_of_before_goes_on_after_an_erasure(api: Running) -> None:
    fill(api, "cursor")
    first = api.client.get("/v1/events", params={"after": 0, "limit": 1}).json()
    last = api.append(room="cursor", detail="secret")
    api.client.post(path("cursor", "erase"), json={})
    page = api.client.get("/v1/events", params={"after": first["next_after"], "limit": 1000}).json()
    erased = [event for event in page["events"] if event["id"] == str(last)]
    assert [event["type"] for event in erased] == ["org.roomtone.room.erased"]
    assert "secret" not in json.dumps(erased)


def test_a_range_is_erased_and_the_rest_stays(api: Running) -> None:
    fill(api, "range")
    body = {"from": "1970-01-01T00:03:19Z", "to": "1970-01-01T00:04:50Z"}
    gone = api.client.post(path("range", "erase"), json=body).json()["rows"]
    assert gone["predictions"] == 1
    left = api.client.get("/v1/rooms/range/predictions").json()["items"]
    assert [item["window"]["to"][14:19] for item in left] == ["05:00", "01:40"]
    assert gone["states"] == 0
    wrong = api.client.post(path("range", "erase"), json={"from": body["to"], "to": body["from"]})
    assert wrong.status_code == 422


def test_erasing_takes_a_body_so_that_nobody_does_it_by_mistake(api: Running) -> None:
    api.put_room("careful")
    assert api.client.post(path("careful", "erase")).status_code == 422


def test_a_deleted_room_leaves_only_numbers(api: Running) -> None:
    fill(api, "leaving")
    assert api.client.delete("/v1/rooms/leaving").status_code == 204
    with api.store.read() as connection:
        for table in (*HISTORY, *SETUP):
            assert connection.execute(sa.select(table).where(table.c.room == "leaving")).all() == []
        told = connection.execute(sa.select(events).where(events.c.room == "leaving")).mappings().all()
    assert {row["type"] for row in told} == {EventType.ROOM_ERASED, EventType.ROOM_DELETED}
    assert MARK not in json.dumps([dict(row) for row in told])


def test_every_table_that_names_rooms_has_its_place() -> None:
    named = {table.name for table in metadata.sorted_tables if "room" in table.c}
    assert named == {table.name for table in (*HISTORY, LOG, *SETUP, *LASTING)}
    for table, columns in HISTORY.items():
        assert all(column in table.c for column in columns)


def test_a_worker_does_not_write_again_what_was_erased(bench: Bench, tmp_path: Path) -> None:
    from service.store.erasing import Range, erase

    talker = bench.talker()
    talker.send(frames(0, 12, people=2))
    bench.turn()
    assert bench.told("alert.raised")
    erase(bench.store, "b", Range(), actor="test")
    assert bench.told("alert.cleared")[0]["data"]["cause"] == "room_erased"
    bench.turn(1)
    assert bench.rows(states) == []
    assert bench.worker.sampling.recent.span("b") is None
    talker.send(frames(12, 8, people=2, first=600))
    bench.turn()
    (state,) = [row["doc"] for row in bench.rows(states) if row["task"] == "presence"]
    assert (state["value"], state["last_known"]) == ("occupied", None)
    assert (
        min(row["from_ns"] for row in bench.rows(metadata.tables["predictions"]))
        >= frames(8, 1).table["capture_ns"][0]
    )


def test_a_running_worker_obeys_within_a_second(tmp_path: Path) -> None:
    with Running(tmp_path) as api:
        api.put_room("lab")
        stop = threading.Event()
        thread = threading.Thread(target=_work, args=(api.settings, stop), daemon=True)
        thread.start()

        def status() -> str:
            return str(api.client.get("/v1/rooms/lab/state").json()["tasks"][0]["status"])

        try:
            wait_for(lambda: api.context.watch.worker_up, "the worker")
            api.client.post(path("lab", "pause"))
            wait_for(lambda: status() == "paused", "the room to be paused", 5)
            api.client.post(path("lab", "resume"))
            wait_for(lambda: status() == "unknown", "the room to be resumed", 5)
        finally:
            stop.set()
            thread.join(20)


def _work(settings: Settings, stop: threading.Event) -> None:
    from service.bus.memory import MemoryHub, MemoryIngest
    from service.bus.registry import open_signals
    from tests.service.frames import FakeSensing

    store = open_store(settings.store_url)
    with open_signals(settings, "worker") as signals:
        ingest = MemoryIngest(MemoryHub())
        worker = Worker(settings, store, ingest=ingest, signals=signals, sensing=FakeSensing())
        worker.start()
        worker.run(stop.is_set)
    store.close()
