"""`Idempotency-Key`: done once, answered alike; never with a secret, never across callers."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from service.store import answers as kept
from service.store.idempotency import KEPT_S, Once
from service.store.keys import Role
from service.store.schema import answers, jobs
from tests.service.running import Running

ROOMS = ("lab", "hall", "attic", "shop", "yard")
BODY = {"mode": "empty"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("once"), max_body_bytes=4096) as running:
        for room in ROOMS:
            running.put_room(room)
        yield running


def recalibrate(api: Running, room: str, key: str, body: Any = BODY, **more: Any) -> httpx2.Response:
    path = f"/v1/admin/rooms/{room}/recalibrate"
    return api.client.post(path, json=body, headers={"Idempotency-Key": key}, **more)


def made(api: Running, room: str) -> int:
    with api.store.read() as connection:
        count = connection.execute(sa.select(sa.func.count()).where(jobs.c.room == room)).scalar()
    return int(count or 0)


def test_the_same_again_is_the_same_answer(api: Running) -> None:
    first, again = recalibrate(api, "lab", "one"), recalibrate(api, "lab", "one")
    assert first.status_code == again.status_code == 202
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert first.headers["x-request-id"] != again.headers["x-request-id"]
    assert made(api, "lab") == 1
    assert recalibrate(api, "lab", "two").status_code == 409, "without the key's memory it is taken"


def test_another_request_under_the_same_key_is_refused(api: Running) -> None:
    assert recalibrate(api, "hall", "three").status_code == 202
    for room, body in (("hall", {"mode": "labelled"}), ("attic", BODY)):
        answer = recalibrate(api, room, "three", body)
        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/idempotency-key-reused"
    assert made(api, "attic") == 0


def test_keys_of_others_are_others(api: Running) -> None:
    assert recalibrate(api, "attic", "four").status_code == 202
    with api.client_of(api.new_key(Role.ADMIN)) as other:
        headers = {"Idempotency-Key": "four"}
        answer = other.post("/v1/admin/rooms/attic/recalibrate", json=BODY, headers=headers)
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/job-taken", "it was judged for itself"


def test_refusals_are_not_kept(api: Running) -> None:
    assert recalibrate(api, "nowhere", "five").status_code == 404
    assert recalibrate(api, "lab", "five", {"mode": "perhaps"}).status_code == 422
    api.put_room("nowhere")
    assert recalibrate(api, "nowhere", "five").status_code == 202


def test_two_at_once_are_done_once(api: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> dict[str, Any]:
        entered.set()
        assert go_on.wait(30)
        return {"job": "job-1"}

    monkeypatch.setattr("service.api.routes.recalibration.job_document", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(recalibrate, api, "shop", "six")
        assert entered.wait(30)
        second = recalibrate(api, "shop", "six")
        go_on.set()
        assert first.result().status_code == 202
    assert second.status_code == 409
    assert second.json()["type"] == "/problems/request-in-flight"
    assert second.headers["retry-after"] == "1"
    assert made(api, "shop") == 1


def test_a_broken_request_may_be_tried_again(api: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr("service.api.routes.recalibration.get_room", broken)
        assert recalibrate(api, "yard", "seven").status_code == 500
    assert recalibrate(api, "yard", "seven").status_code == 202


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/keys", {"role": "viewer"}), ("/v1/tickets", None)], ids=["key", "ticket"]
)
def test_secrets_are_told_once_and_not_kept(api: Running, path: str, body: Any) -> None:
    headers = {"Idempotency-Key": f"secret{path}"}
    first = api.client.post(path, json=body, headers=headers)
    assert first.status_code == 201
    again = api.client.post(path, json=body, headers=headers)
    assert again.status_code == 409
    document = again.json()
    assert document["type"] == "/problems/secret-told-once"
    assert document["location"] == first.headers.get("location")
    with api.store.read() as connection:
        rows = connection.execute(
            sa.select(answers.c.body).where(answers.c.key == headers["Idempotency-Key"])
        )
        assert [row.body for row in rows] == [None]


@pytest.mark.parametrize("key", ["", "a" * 201, "a b", "ü"], ids=["empty", "long", "space", "umlaut"])
def test_keys_that_are_none(api: Running, key: str) -> None:
    answer = api.client.post(
        "/v1/tickets", headers=[(b"Idempotency-Key", key.encode()), (b"Content-Length", b"0")]
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["header", "Idempotency-Key"]


def test_large_bodies_are_refused_with_a_key_too(api: Running) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (b" " * 1024 for _ in range(8))

    headers = {"Idempotency-Key": "large", "Content-Type": "application/json"}
    answer = api.client.post("/v1/keys", content=chunks(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["type"] == "/problems/body-too-large"


def test_keys_are_forgotten_after_a_day_and_with_their_room(api: Running) -> None:
    api.put_room("brief")
    assert recalibrate(api, "brief", "eight").status_code == 202
    assert recalibrate(api, "brief", "eight").headers["idempotency-replayed"] == "true"
    with api.store.write() as connection:
        old = time.time_ns() - (KEPT_S + 60) * 10**9
        connection.execute(sa.update(answers).where(answers.c.key == "eight").values(created_ns=old))
    assert recalibrate(api, "brief", "eight").status_code == 409, "a day later it is a new request"
    recalibrate(api, "brief", "nine", {"mode": "labelled"})
    assert api.client.delete("/v1/rooms/brief").status_code == 204
    with api.store.read() as connection:
        left = connection.execute(sa.select(answers.c.key).where(answers.c.room == "brief")).all()
    assert left == []


def test_what_a_crash_cut_off_runs_again_after_a_while(api: Running) -> None:
    once = Once("key:x", "cut", "digest")
    assert kept.begin(api.store, once, None) is None
    with pytest.raises(kept.InFlightError):
        kept.begin(api.store, once, None)
    with api.store.write() as connection:
        old = time.time_ns() - (kept.ABANDONED_S + 1) * 10**9
        connection.execute(sa.update(answers).where(answers.c.key == "cut").values(created_ns=old))
    assert kept.begin(api.store, once, None) is None
