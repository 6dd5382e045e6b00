"""The Python client against a real API: every operation, errors by kind, patience, and both clients alike."""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

import roomtone_client as rt
from service.adaptation.states import JobState
from service.store.jobs import step
from service.store.keys import Role
from tests.service.running import Running
from tests.service.test_model_uploads import MODEL, card

QUICK = rt.Retry(attempts=3, first_s=0.001, longest_s=5.0)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("client")) as running:
        running.put_room("lab", tasks=["presence", "counting"], zones=[{"zone": "desk"}])
        yield running


@pytest.fixture(scope="module")
def client(api: Running) -> Iterator[rt.Client]:
    with rt.Client(api.base, api.key, retry=QUICK) as found:
        yield found


@pytest.fixture
async def aclient(api: Running) -> AsyncIterator[rt.AsyncClient]:
    async with rt.AsyncClient(api.base, api.key, retry=QUICK) as found:
        yield found


def test_rooms_states_and_predictions(api: Running, client: rt.Client) -> None:
    made = client.put_room("hall", {"tasks": ["presence"], "tags": {"floor": "1"}})
    assert made.etag
    changed = client.put_room(
        "hall", {"tasks": ["presence"], "name": "Hall"}, if_match=client.room("hall").etag
    )
    assert changed.name == "Hall"
    with pytest.raises(rt.PreconditionFailedError):
        client.put_room("hall", {}, if_match='"0"')
    assert {room.room for room in client.rooms()} >= {"hall", "lab"}
    client.delete_room("hall")
    with pytest.raises(rt.NotFoundError) as missing:
        client.room("hall")
    assert missing.value.kind == "room-not-found"
    assert missing.value.request_id
    api.put_state("lab", "presence", "occupied", received_ns=time.time_ns())
    state = client.room_state("lab")["presence"]
    assert (state.status, state.value, state.reason) == ("unknown", None, "worker_down")
    assert state.last_known is not None
    assert state.last_known.value == "occupied"
    with pytest.raises(KeyError):
        client.room_state("lab")["magic"]
    assert [room.room for room in client.states(rooms=["lab"]).items] == ["lab"]
    assert client.zone_state("desk").members[0].room == "lab"
    api.put_predictions("lab", "presence", [100, 200, 300])
    page = client.predictions("lab", task="presence", limit=2, start=datetime(1970, 1, 1, tzinfo=UTC))
    assert page.items[0].window.end == datetime.fromtimestamp(300, UTC)
    rest = client.predictions(
        "lab", task="presence", limit=2, start=datetime(1970, 1, 1, tzinfo=UTC), cursor=page.next_cursor
    )
    assert [one.window.end.timestamp() for one in rest.items] == [100]


def test_events_alerts_and_keys(api: Running, client: rt.Client) -> None:
    first = api.append(alert_id="a1")
    page = client.events(after=first - 1, types=["alert"], rooms=["lab"])
    assert page.events[0].number == first
    assert page.events[0].data["alert_id"] == "a1"
    assert (
        client.alerts(state="raised", severity=["warning", "critical"], start="2026-01-01T00:00:00Z").items
        == []
    )
    for ask in (client.alert, client.acknowledge, client.dismiss):
        with pytest.raises(rt.NotFoundError) as missing:
            ask("nothing")
        assert missing.value.kind == "alert-not-found"
    with pytest.raises(rt.InvalidRequestError):
        client.snooze("nothing", for_s=-5)
    made = client.create_key("viewer", room="lab", name="sign", expires_in_s=3600)
    assert made.key.startswith("rt_")
    assert made.id in {key.id for key in client.keys()}  # noqa: SIM118 - API keys, not those of a dict
    with rt.Client(api.base, made.key) as viewer, pytest.raises(rt.ForbiddenError):
        viewer.keys()
    client.revoke_key(made.id)
    with rt.Client(api.base, made.key) as ended, pytest.raises(rt.UnauthenticatedError):
        ended.rooms()


def test_samples_that_cannot_be_taken_say_why(client: rt.Client) -> None:
    now = datetime.now(UTC)
    with pytest.raises(rt.InvalidRequestError) as unfit:
        client.add_sample("lab", "presence", "vacant", now, now - timedelta(seconds=30))
    assert unfit.value.extra["errors"][0]["loc"] == ["body", "to"]
    with pytest.raises(ValueError, match="no time zone"):
        client.add_sample("lab", "presence", "vacant", datetime(2026, 1, 1), now)  # noqa: DTZ001 - that is it
    with pytest.raises(rt.ApiError) as unusable:
        client.upload_sample("lab", "presence", "vacant", b"no capture", link="l1", start_s=0, end_s=5)
    assert unusable.value.status == 422
    assert client.samples("lab", task="presence").items == []
    with pytest.raises(rt.NotFoundError):
        client.delete_sample("lab", "smp-0")


def test_jobs_are_waited_for_and_cancelled(api: Running, client: rt.Client) -> None:
    job = client.adapt("lab", "counting", shadow_s=0)
    assert (job.state, job.over) == ("queued", False)
    with pytest.raises(rt.ConflictError) as taken:
        client.adapt("lab", "counting")
    assert taken.value.extra["job"] == job.job
    with pytest.raises(rt.JobNotOverError):
        client.wait(job, timeout_s=0)
    seen: list[str] = []

    def refuse(found: rt.Job) -> None:
        seen.append(found.state)
        with api.store.write() as connection:
            if len(seen) == 1:
                step(connection, job.job, JobState.RUNNING, {"progress": 0.5})
            elif len(seen) == 2:
                step(connection, job.job, JobState.REFUSED, {"reason": "insufficient_evidence"})

    ended = client.wait(job, poll_s=0.001, progress=refuse)
    assert seen == ["queued", "running", "refused"]
    assert (ended.succeeded, ended.reason) == (False, "insufficient_evidence")
    assert client.cancel(client.adapt("lab", "counting").job).state == "cancelled"
    assert client.recalibrate("lab", mode="labelled", dry_run=True).reason == "insufficient_evidence"
    with pytest.raises(rt.ConflictError) as nothing:
        client.roll_back("lab", "counting")
    assert nothing.value.kind == "nothing-to-roll-back"
    with pytest.raises(rt.NotFoundError):
        client.activate("lab", 77)
    assert client.versions("lab") == []


def test_models(client: rt.Client) -> None:
    names = [one.name for one in client.models()]
    assert client.model(names[0]).simulated is True
    added = client.add_model(MODEL, card("client-made").encode())
    assert added.shelf == "local"
    with pytest.raises(rt.InvalidRequestError) as refused:
        client.add_model(MODEL, card("other", nics="[]").encode())
    assert "nics is empty" in refused.value.extra["broken"][0]


async def test_the_asynchronous_client_is_the_same(api: Running, aclient: rt.AsyncClient) -> None:
    assert "lab" in [room.room for room in await aclient.rooms()]
    job = await aclient.adapt("lab", "presence")
    assert (await aclient.cancel(job.job)).over
    assert (await aclient.wait(job)).state == "cancelled"
    with pytest.raises(rt.NotFoundError):
        await aclient.room("nowhere")
    for name, method in inspect.getmembers(rt.Client, inspect.isfunction):
        if name.startswith("_") or name == "stream":
            continue
        twin = getattr(rt.AsyncClient, name)
        assert inspect.iscoroutinefunction(twin), name
        assert inspect.signature(twin) == inspect.signature(method), name


class Answers:
    """Plays a service: one answer after another; None breaks off."""

    def __init__(self, *answers: httpx2.Response | None) -> None:
        self.left, self.seen = list(answers), []  # type: ignore[var-annotated]

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        answer = self.left.pop(0)
        if answer is None:
            raise httpx2.ReadError("broke off")
        return answer


def client_of(answers: Answers) -> rt.Client:
    found = rt.Client("http://roomtone.test", "rt_x", retry=QUICK)
    found._http = httpx2.Client(transport=httpx2.MockTransport(answers), base_url="http://roomtone.test")
    return found


ALERT: dict[str, Any] = {
    "alert_id": "a",
    "rule": "r",
    "room": None,
    "severity": "info",
    "state": "acknowledged",
    "raised_at": "2026-01-31T12:00:00Z",
    "updated_at": "2026-01-31T12:00:00.5Z",
    "new_in_a_later_version": 1,
}


def test_a_post_keeps_its_idempotency_key_over_all_attempts() -> None:
    busy = httpx2.Response(429, json={"type": "/problems/rate-limited"}, headers={"Retry-After": "0"})
    answers = Answers(None, busy, httpx2.Response(200, json=ALERT), httpx2.Response(200, json=ALERT))
    client = client_of(answers)
    assert client.acknowledge("a").state == "acknowledged"
    keys = [request.headers["Idempotency-Key"] for request in answers.seen]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    client.acknowledge("a")
    assert answers.seen[-1].headers["Idempotency-Key"] not in keys


def test_how_long_it_is_patient() -> None:
    problem = {"type": "/problems/store-unavailable", "detail": "busy"}
    down = httpx2.Response(503, json=problem, headers={"Retry-After": "0"})
    answers = Answers(down, down, down, down)
    with pytest.raises(rt.UnavailableError, match="503 store-unavailable: busy"):
        client_of(answers).rooms()
    assert len(answers.seen) == QUICK.attempts
    answers = Answers(None, None, None)
    with pytest.raises(rt.ConnectionFailedError, match="GET /v1/rooms: broke off"):
        client_of(answers).rooms()
    long = Answers(httpx2.Response(429, json={}, headers={"Retry-After": "3600"}))
    with pytest.raises(rt.RateLimitedError) as limited:
        client_of(long).rooms()
    assert limited.value.retry_after_s == 3600
    refused = Answers(httpx2.Response(409, json={"type": "/problems/job-taken"}))
    with pytest.raises(rt.ConflictError):
        client_of(refused).cancel("j")


def test_what_is_not_repeated_and_what_was_done_already() -> None:
    once = Answers(None)
    with pytest.raises(rt.ConnectionFailedError):
        client_of(once).put_room("lab", {}, if_match='"1"')
    gone = Answers(None, httpx2.Response(404, json={"type": "/problems/room-not-found"}))
    client_of(gone).delete_room("lab")
    assert len(gone.seen) == 2
    strange = Answers(httpx2.Response(502, text="<html>proxy"), httpx2.Response(200, json={"rooms": []}))
    with pytest.raises(rt.UnreadableAnswerError, match="GET /v1/rooms"):
        client_of(strange).rooms()


def test_a_service_that_is_not_there_is_told_as_such(api: Running) -> None:
    async def ask() -> None:
        async with rt.AsyncClient("http://127.0.0.1:1", "rt_x", retry=QUICK) as nobody:
            await nobody.rooms()

    with pytest.raises(rt.ConnectionFailedError):
        asyncio.run(ask())
    with (
        rt.Client(api.base, api.new_key(Role.VIEWER, room="lab")) as viewer,
        pytest.raises(rt.ForbiddenError),
    ):
        viewer.adapt("lab", "counting")
