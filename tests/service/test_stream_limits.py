"""The alert stream and those who do not keep to the rules: each is told why, and costs nothing."""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from service.access_settings import LimitSettings
from service.api.stream.outbox import Outbox, StreamEnd
from service.api.tickets import TICKET_S, Tickets
from service.cli import api as serving
from service.events import EventType
from service.store.keys import Principal, Role
from tests.service.running import Running, wait_for


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path, max_waiting=50) as running:
        yield running


def closing(stream: ClientConnection) -> tuple[list[dict[str, Any]], int, str]:
    """What still came, and with which code and reason the server closed."""
    messages: list[dict[str, Any]] = []
    with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012 - it is the loop that ends so
        while True:
            messages.append(json.loads(stream.recv(timeout=60)))
    assert closed.value.rcvd is not None, "closed without a word"
    return messages, closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "truncated"),
        ("hello", "malformed"),
        ("[]", "expected `object`"),
        ("{}", "missing required field `type`"),
        ('{"type": "listen"}', "$.type"),
        ('{"type": "subscribe", "rooms": "lab"}', "$.rooms"),
        ('{"type": "subscribe", "rooms": [1]}', "$.rooms[0]"),
        ('{"type": "subscribe", "room": ["lab"]}', "`room`"),
        ('{"type": "subscribe", "types": ["weather"]}', "$.types"),
        ('{"type": "subscribe", "min_severity": "loud"}', "$.min_severity"),
        ('{"type": "subscribe", "after": -1}', "$.after"),
        ('{"type": "subscribe", "after": "x"}', "$.after"),
        ('{"type": "subscribe", "after": 1.5}', "$.after"),
        ('{"type": "subscribe", "after": 99999999999999999999999}', "$.after"),
        ("[" * 50000, "subscribe"),
    ],
)
def test_malformed_subscribe_is_told_what_is_wrong(api: Running, text: str, says: str) -> None:
    with api.stream() as stream:
        stream.send(text)
        messages, code, reason = closing(stream)
    assert code == 4400
    assert [message["type"] for message in messages] == ["error"]
    assert says.lower() in messages[0]["detail"].lower()
    assert reason
    assert api.client.get("/livez").status_code == 200


def test_binary_and_second_messages_are_refused(api: Running) -> None:
    with api.stream() as stream:
        stream.send(b"\x00")
        assert closing(stream)[1] == 4400
    with api.stream() as stream:
        stream.send('{"type": "subscribe"}')
        stream.send('{"type": "subscribe"}')
        messages, code, _ = closing(stream)
    assert (messages[-1]["code"], code) == ("already-subscribed", 4400)


def test_silence_is_ended(api: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.api.stream.session.SUBSCRIBE_WITHIN_S", 0.2)
    with api.stream() as stream:
        messages, code, reason = closing(stream)
    assert (messages[0]["code"], code) == ("no-subscribe", 4400)
    assert "subscribe" in reason


def test_huge_message_is_refused(api: Running) -> None:
    with api.stream() as stream:
        stream.send('{"type": "subscribe", "rooms": ["' + "x" * 10**6 + '"]}')
        with pytest.raises(ConnectionClosed) as closed:
            stream.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_the_server_pings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert serving._PING_S == 30, "as the AsyncAPI document says"
    monkeypatch.setattr(serving, "_PING_S", 0.05)
    with Running(tmp_path) as api, socket.create_connection(("127.0.0.1", api.port), timeout=30) as line:
        key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        upgrade = f"Host: localhost\r\nAuthorization: Bearer {api.key}\r\nConnection: Upgrade\r\n"
        line.sendall(f"GET /v1/alerts/stream HTTP/1.1\r\n{upgrade}Upgrade: websocket\r\n{key}\r\n".encode())
        came = b""
        while b"\r\n\r\n\x89" not in came:  # a frame of the opcode ping (RFC 6455, 5.5.2) comes first
            piece = line.recv(4096)
            assert piece, came
            came += piece


def test_no_key_no_stream(api: Running) -> None:
    for key, query in (("rt_a_b", ""), (None, "?ticket=x"), (None, "?ticket="), (None, "?key=x")):
        with pytest.raises(InvalidStatus) as refused:
            api.stream(key, query)
        assert refused.value.response.status_code == 401
        assert json.loads(refused.value.response.body)["type"] == "/problems/unauthenticated"


def test_other_sites_get_no_stream(api: Running) -> None:
    with pytest.raises(InvalidStatus) as refused:
        api.stream(origin="https://evil.example")
    assert refused.value.response.status_code == 403


def test_ticket_is_good_once(api: Running) -> None:
    with api.client_of(api.new_key(Role.VIEWER, room="lab")) as client:
        ticket = client.post("/v1/tickets").json()["ticket"]
    with api.stream(query=f"?ticket={ticket}") as stream:
        stream.send('{"type": "subscribe", "rooms": ["hall"]}')
        assert closing(stream)[1] == 4403, "the ticket has the key's rights, no more"
    with pytest.raises(InvalidStatus):
        api.stream(query=f"?ticket={ticket}")


def test_tickets_end_and_stay_few() -> None:
    now = [0.0]
    tickets = Tickets(lambda: now[0])
    principal = Principal(Role.VIEWER)
    early = tickets.issue(principal)
    assert tickets.redeem(early) == principal
    old = tickets.issue(principal)
    now[0] = TICKET_S
    assert tickets.redeem(old) is None
    issued = [tickets.issue(principal) for _ in range(10_050)]
    assert tickets.redeem(issued[0]) is None, "the oldest made room"
    assert tickets.redeem(issued[-1]) == principal


def test_revoked_key_closes_its_streams(api: Running) -> None:
    made = api.client.post("/v1/keys", json={"role": "viewer"}).json()
    with api.stream(made["key"]) as stream, api.stream() as other:
        stream.send('{"type": "subscribe"}')
        other.send('{"type": "subscribe"}')
        wait_for(lambda: len(api.context.hub.clients) == 2, "both to subscribe")
        api.client.delete(f"/v1/keys/{made['id']}")
        _, code, reason = closing(stream)
        assert (code, "revoked" in reason) == (4401, True)
        number = api.append(alert_id="a")
        assert int(json.loads(other.recv(timeout=30))["sequence"]) == number


def test_client_that_does_not_keep_up_is_told_and_closed(api: Running) -> None:
    slow = socket.create_connection(("127.0.0.1", api.port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
    with api.stream(sock=slow, max_queue=1) as stream, api.stream() as quick:
        for one in (stream, quick):
            one.send('{"type": "subscribe"}')
        wait_for(lambda: sum(c.position is not None for c in api.context.hub.clients) == 2, "both to join")
        written: list[int] = []

        def overflowed() -> bool:
            written.append(api.append(alert_id="x" * 100_000))
            assert int(json.loads(quick.recv(timeout=30))["sequence"]) == written[-1], (
                "others are not held up"
            )
            return len(api.context.hub.clients) == 1 or any(
                client.outbox.ended.is_set() for client in api.context.hub.clients
            )

        wait_for(overflowed, "the queue to overflow", 60)
        messages, code, reason = closing(stream)
        assert code == 4408
        assert "overflow" in reason
        assert messages[-1]["type"] == "overflow"
        got = [int(message["sequence"]) for message in messages[:-1]]
        assert got == written[: len(got)], "up to there nothing is missing"
        assert "roomtone_stream_overflows_total 1.0" in api.client.get("/metrics").text
        # What it missed is there for it when it comes back.
        with api.stream() as again:
            again.send(json.dumps({"type": "subscribe", "after": got[-1] if got else 0}))
            for number in written[len(got) :]:
                assert int(json.loads(again.recv(timeout=30))["sequence"]) == number


async def test_a_burst_reaches_a_client_that_keeps_up_whole() -> None:
    outbox = Outbox()
    for number in range(1, 401):
        outbox.put(number, ("lab", "presence"), f"state {number}")
    assert [await outbox.take() for _ in range(400)] == [f"state {number}" for number in range(1, 401)]


async def test_behind_a_client_that_does_not_states_coalesce_and_alerts_do_not() -> None:
    outbox = Outbox(limit=4)
    for number in range(1, 1000):
        outbox.put(number, ("lab", "presence"), f"state {number}")
    outbox.put(1000, None, "alert 1000")
    outbox.put(1001, ("lab", "presence"), "state 1001")
    outbox.put(1002, ("lab", "counting"), "state 1002")
    waiting = [await outbox.take() for _ in range(4)]
    assert waiting == ["state 1", "alert 1000", "state 1001", "state 1002"]
    for number in range(5):
        outbox.put(2000 + number, None, "alert")
    with pytest.raises(StreamEnd) as end:
        await outbox.take()
    assert end.value.code == 4408
    assert outbox.ended.is_set()


async def test_taking_waits_for_something_to_take() -> None:
    outbox = Outbox()
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    outbox.put(1, None, "one")
    assert await asyncio.wait_for(taking, 10) == "one"


def test_slow_client_gets_the_newest_state_and_every_alert(api: Running) -> None:
    slow = socket.create_connection(("127.0.0.1", api.port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
    filler = "x" * 50_000
    with api.stream(sock=slow, max_queue=1) as stream:
        stream.send('{"type": "subscribe"}')
        wait_for(lambda: any(c.position is not None for c in api.context.hub.clients), "it to join")
        alerts_written = []
        for i in range(400):
            last = api.append(
                EventType.PREDICTION_CHANGED, task="presence", value=i, filler=filler, wake=False
            )
            if i % 20 == 0:
                alerts_written.append(api.append(alert_id=str(i), wake=False))
        wait_for(lambda: api.context.hub.position >= last, "everything to be handed out")
        got: list[dict[str, Any]] = []
        while not got or int(got[-1]["sequence"]) < last:
            got.append(json.loads(stream.recv(timeout=30)))
    sequences = [int(message["sequence"]) for message in got]
    assert sequences == sorted(set(sequences))
    assert set(alerts_written) <= set(sequences), "no alert is dropped"
    assert sequences[-1] == last, "the newest state is there"
    assert len(got) < 400, "states in between were not all sent"


def test_clients_that_leave_are_forgotten_and_shutdown_is_quick(tmp_path: Path) -> None:
    with Running(tmp_path) as api:
        for _ in range(5):
            with api.stream() as stream:
                stream.send('{"type": "subscribe"}')
        with api.stream() as cut:
            cut.send('{"type": "subscribe"}')
            wait_for(lambda: api.context.hub.clients, "it to subscribe")
            cut.socket.shutdown(socket.SHUT_RDWR)
            wait_for(lambda: not api.context.hub.clients, "all to be gone")


def test_shutdown_does_not_wait_for_open_streams(tmp_path: Path) -> None:
    api = Running(tmp_path).__enter__()
    with api.stream() as stays:
        stays.send('{"type": "subscribe"}')
        wait_for(lambda: len(api.context.hub.clients) == 1, "one to subscribe")
        api.__exit__(None, None, None)  # fails if the server's thread hangs on the open stream
        with pytest.raises(ConnectionClosed):
            stays.recv(timeout=30)


async def test_a_thousand_connections_are_bounded_and_others_never_notice(tmp_path: Path) -> None:
    most = 200
    with Running(tmp_path, limits=LimitSettings(streams=most, address_requests_per_s=0)) as api:
        address = f"ws://127.0.0.1:{api.port}/v1/alerts/stream"
        headers = {"Authorization": f"Bearer {api.key}"}
        held, refused = [], []

        async def one() -> None:
            try:
                held.append(await websockets.connect(address, additional_headers=headers, proxy=None))
            except InvalidStatus as error:
                refused.append(error.response.status_code)

        for _ in range(10):
            await asyncio.gather(*(one() for _ in range(100)))
            answer = await asyncio.to_thread(api.client.get, "/v1/rooms")
            assert answer.status_code == 200
        assert len(held) == most
        assert refused == [429] * (1000 - most)
        await asyncio.gather(*(stream.close() for stream in held))
        await asyncio.to_thread(wait_for, lambda: api.context.limits._streams == 0, "all to be gone")
        with api.stream() as stream:
            stream.send('{"type": "subscribe"}')
            wait_for(lambda: api.context.hub.clients, "one to be let in again")
