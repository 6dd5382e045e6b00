"""Answers kept for an `Idempotency-Key` go with the room they tell of, also where the path names none."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from service.api.answered_room import room_in
from service.store.schema import answers, screenings
from tests.service.running import Running
from tests.service.test_alert_api import put_alert, rows


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("answers")) as running:
        for room in ("lab", "den"):
            running.put_room(room)
        yield running


def post(api: Running, path: str, key: str, body: Any = None) -> None:
    answer = api.client.post(path, json=body, headers={"Idempotency-Key": key})
    assert 200 <= answer.status_code < 300, answer.text


def test_what_was_done_in_a_room_is_exported_and_erased_with_it(api: Running) -> None:
    for room in ("lab", "den"):
        for name in ("known", "later", "over"):
            put_alert(api, f"{name}-{room}", room=room)
        walk = {"screening": f"s-{room}", "alert_id": "a", "room": room, "state": "open", "opened_ns": 1}
        with api.store.write() as connection:
            connection.execute(screenings.insert().values(**walk, doc={}))
        post(api, f"/v1/alerts/known-{room}/acknowledge", f"known-{room}")
        post(api, f"/v1/alerts/later-{room}/snooze", f"later-{room}", {"for_s": 60})
        post(api, f"/v1/alerts/over-{room}/dismiss", f"over-{room}", {})
        post(api, f"/v1/screenings/s-{room}/outcome", f"walk-{room}", {"found": "none"})
        job = api.client.post(f"/v1/admin/rooms/{room}/recalibrate", json={"mode": "empty"}).json()["job"]
        post(api, f"/v1/jobs/{job}/cancel", f"job-{room}")
    post(api, "/v1/tickets", "of-none")
    told = [json.loads(line) for line in api.client.get("/v1/admin/rooms/lab/export").iter_lines()]
    kept = [line["row"]["key"] for line in told[1:-1] if line["table"] == "answers"]
    assert sorted(kept) == ["job-lab", "known-lab", "later-lab", "over-lab", "walk-lab"]
    assert api.client.post("/v1/admin/rooms/lab/erase", json={}).status_code == 200
    left = {row["key"]: row["room"] for row in rows(api, answers)}
    of_den = dict.fromkeys(("job-den", "known-den", "later-den", "over-den", "walk-den"), "den")
    assert left == {**of_den, "of-none": None}


@pytest.mark.parametrize(
    ("body", "room"),
    [
        (b'{"room": "lab", "x": 1}', "lab"),
        (b'{"alert": {"room": "lab"}, "sample": null}', "lab"),
        (b'{"alert": {"room": null}}', None),
        (b'{"room": 3}', None),
        (b"[1]", None),
        (b"not JSON", None),
        (b"\xff", None),
        (None, None),
    ],
)
def test_an_answer_says_which_room_it_is_about(body: bytes | None, room: str | None) -> None:
    assert room_in(body) == room
