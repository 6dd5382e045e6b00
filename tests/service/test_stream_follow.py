"""The alert stream: nothing lost, nothing twice, in order, whatever else happens."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from service.events import EventType, Severity
from service.store.eventlog import forget
from service.store.keys import Role
from service.store.schema import alerts, events
from service.store.vigil import note_lost
from tests.service.running import Running, wait_for


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path) as running:
        yield running


def subscribe(stream: ClientConnection, **wish: Any) -> ClientConnection:
    stream.send(json.dumps({"type": "subscribe", **wish}))
    return stream


def joined(api: Running, count: int = 1) -> None:
    """Wait until the clients follow live; what they ask for from now on is no race."""
    wait_for(
        lambda: sum(client.position is not None for client in api.context.hub.clients) == count,
        "clients to join",
    )


def receive(stream: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [json.loads(stream.recv(timeout=30)) for _ in range(count)]


def numbers(messages: list[dict[str, Any]]) -> list[int]:
    return [int(message["sequence"]) for message in messages]


def test_events_arrive_as_cloud_events(api: Running) -> None:
    with api.stream() as stream:
        subscribe(stream, after=0)
        number = api.append(alert_id="a1", rule="room_occupied", source="simulated")
        (message,) = receive(stream, 1)
    assert message["specversion"] == "1.0"
    assert message["sequence"] == str(number).zfill(20)
    assert message["type"] == "org.roomtone.alert.raised"
    assert message["subject"] == "lab"
    assert message["source"].startswith("urn:roomtone:site:")
    assert message["data"] == {
        "alert_id": "a1",
        "rule": "room_occupied",
        "source": "simulated",
        "severity": "info",
    }
    assert message == api.client.get("/v1/events").json()["events"][-1], "one log, told in one way"


def test_without_after_only_what_is_new(api: Running) -> None:
    api.append(alert_id="old")
    wait_for(lambda: api.context.hub.position == 1, "the hub to have passed it")
    with api.stream() as stream:
        subscribe(stream)
        joined(api)
        new = api.append(alert_id="new")
        assert numbers(receive(stream, 1)) == [new]


def test_log_is_followed_even_without_wake_up_calls(api: Running) -> None:
    with api.stream() as stream:
        subscribe(stream)
        joined(api)
        number = api.append(alert_id="a", wake=False)
        assert numbers(receive(stream, 1)) == [number]


def test_wake_up_call_comes_over_the_bus(api: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.bus.registry import open_signals

    monkeypatch.setattr("service.api.stream.hub.POLL_S", 3600)
    with open_signals(api.settings, "worker") as signals, api.stream() as stream:
        subscribe(stream)
        joined(api)
        number = api.append(alert_id="a", wake=False)

        def told() -> bool:
            signals.publish("events", {"sequence": number})
            return api.context.hub.position >= number

        wait_for(told, "the hub to be woken")
        assert numbers(receive(stream, 1)) == [number]


def test_resume_loses_and_doubles_nothing_under_concurrent_writes(api: Running) -> None:
    total = 1500
    done = threading.Event()

    def write() -> None:
        for i in range(total):
            api.append(alert_id=str(i), wake=i % 3 == 0)
            if i % 25 == 0:
                time.sleep(0.002)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    got: list[int] = []
    while not (done.is_set() and len(got) == total):
        with api.stream() as stream:
            subscribe(stream, after=got[-1] if got else 0)
            # Leave in the middle, again and again, as a client on a bad network does.
            got += numbers(receive(stream, min(137, total - len(got))))
        if len(got) == total:
            writer.join(60)
    with api.store.read() as connection:
        written = list(connection.execute(sa.select(events.c.sequence).order_by(events.c.sequence)).scalars())
    assert got == written
    wait_for(lambda: not api.context.hub.clients, "gone clients to be noticed")


def test_many_clients_get_the_same(api: Running) -> None:
    with ExitStack() as stack:
        streams = [subscribe(stack.enter_context(api.stream()), after=0) for _ in range(20)]
        joined(api, 20)
        written = [api.append(alert_id=str(i)) for i in range(50)]
        for stream in streams:
            assert numbers(receive(stream, 50)) == written


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"rooms": ["lab"]}, [1, 3, 5]),
        ({"rooms": []}, []),
        ({"types": ["org.roomtone.alert.cleared"]}, [3]),
        ({"types": ["alert"]}, [1, 3, 4]),
        ({"types": ["org.roomtone.alert.*", "link.lost"]}, [1, 3, 4, 5]),
        ({"min_severity": "warning"}, [4, 5]),
        ({"min_severity": "critical", "rooms": ["hall"]}, [4]),
        ({"after": "00000000000000000002"}, [3, 4, 5]),
    ],
)
def test_filters(api: Running, wish: dict[str, Any], expected: list[int]) -> None:
    api.append(alert_id="a")
    api.append(EventType.PREDICTION_CHANGED, "hall", None, task="presence")
    api.append(EventType.ALERT_CLEARED, alert_id="a")
    api.append(EventType.ALERT_RAISED, "hall", Severity.CRITICAL, alert_id="b")
    api.append(EventType.LINK_LOST, "lab", Severity.WARNING, link="l1")
    with api.stream() as stream:
        subscribe(stream, **{"after": 0, **wish})
        joined(api)
        end = api.append(EventType.ALERT_RAISED, "lab", Severity.CRITICAL, alert_id="end")
        api.append(EventType.ALERT_CLEARED, "hall", Severity.CRITICAL, alert_id="end")
        api.append(EventType.LINK_LOST, "end", Severity.CRITICAL, link="l1")
        wait_for(lambda: api.context.hub.position == end + 2, "everything to be handed out")
        got = []
        while True:
            try:
                got.append(int(json.loads(stream.recv(timeout=0.3))["sequence"]))
            except TimeoutError:
                break
    assert [number for number in got if number <= 5] == expected


def test_key_of_one_room_gets_only_that(api: Running) -> None:
    key = api.new_key(Role.VIEWER, room="lab")
    with api.stream(key) as stream:
        subscribe(stream, after=0)
        joined(api)
        api.append(room="hall", alert_id="hidden")
        api.append(room=None, alert_id="site")
        shown = api.append(room="lab", alert_id="shown")
        assert numbers(receive(stream, 1)) == [shown]
    with api.stream(key) as stream:
        subscribe(stream, rooms=["hall"])
        assert receive(stream, 1)[0]["code"] == "forbidden"
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


def test_an_api_that_never_hears_a_worker_says_so_by_itself(tmp_path: Path) -> None:
    with Running(tmp_path, patience_s=0.0) as running, running.stream() as stream:
        subscribe(stream, after=0)
        assert receive(stream, 1)[0]["type"] == EventType.WORKER_LOST


def test_listeners_of_one_room_hear_that_nobody_looks_at_any(api: Running) -> None:
    api.put_room("lab")
    key = api.new_key(Role.VIEWER, room="lab")
    with api.stream(key) as stream:
        subscribe(stream, after=0, types=["worker"])
        assert note_lost(api.store, last_ns=time.time_ns(), now_ns=time.time_ns())
        api.context.hub.wake()
        (message,) = receive(stream, 1)
    assert message["type"] == EventType.WORKER_LOST
    assert "subject" not in message
    assert message["data"]["reason"] == "worker_down"
    with api.client_of(key) as client:
        items = client.get("/v1/events", params={"types": "worker"}).json()["events"]
    assert [item["type"] for item in items] == [EventType.WORKER_LOST]


@pytest.mark.parametrize("after", [3, 10**6])
def test_hole_gets_a_reset_and_a_snapshot(api: Running, after: int) -> None:
    api.put_room("lab")
    api.put_state("lab", "presence", "occupied", received_ns=time.time_ns())
    for i in range(20):
        api.append(alert_id=str(i))
    row = {"rule": "room_occupied", "room": "lab", "severity": "info", "doc": {}, "updated_ns": 5}
    with api.store.write() as connection:
        forget(connection, 15)
        connection.execute(alerts.insert().values(**row, alert_id="open", state="raised", raised_ns=5))
        connection.execute(alerts.insert().values(**row, alert_id="over", state="cleared", raised_ns=5))
    with api.stream() as stream:
        subscribe(stream, after=after)
        reset, snapshot = receive(stream, 2)
        assert (reset["type"], snapshot["type"]) == ("reset", "snapshot")
        assert int(reset["sequence"]) == int(snapshot["sequence"]) == 21
        assert [alert["alert_id"] for alert in snapshot["alerts"]] == ["open"]
        assert [room["room"] for room in snapshot["rooms"]] == ["lab"]
        assert {task["reason"] for task in snapshot["rooms"][0]["tasks"]} == {"worker_down"}
        joined(api)
        number = api.append(alert_id="next")
        assert numbers(receive(stream, 1)) == [number]
    told = api.client.get(f"/v1/events?after={after}").json()
    assert told["complete"] is False


def test_after_the_last_deleted_event_is_no_hole(api: Running) -> None:
    for i in range(5):
        api.append(alert_id=str(i))
    with api.store.write() as connection:
        forget(connection, 5)
    with api.stream() as stream:
        subscribe(stream, after=5)
        joined(api)
        number = api.append(alert_id="next")
        assert number == 6, "numbers are never used twice"
        assert numbers(receive(stream, 1)) == [number]
