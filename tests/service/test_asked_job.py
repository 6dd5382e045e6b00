"""A job that was asked for of a room that is deleted or erased meanwhile is not made."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.api.asked_job import queue_job
from service.api.routes import adaptations, recalibration
from service.store.erasing import Range, erase
from service.store.jobs import Job, list_jobs
from service.store.rooms import delete_room
from tests.service.lessons import teach
from tests.service.running import Running


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path) as running:
        running.put_room("lab", links=["l1"])
        teach(running.store, "2", 2)
        yield running


def deleted(api: Running) -> None:
    delete_room(api.store, "lab", check=lambda _: None, actor="test")


def made_anew(api: Running) -> None:
    deleted(api)
    api.put_room("lab", links=["l1"])


def erased(api: Running) -> None:
    erase(api.store, "lab", Range(), actor="test")


@pytest.mark.parametrize(
    ("change", "kind"),
    [(deleted, "room-not-found"), (made_anew, "room-not-found"), (erased, "job-not-found")],
)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/rooms/lab/adaptations", {"task": "counting"}),
        ("/v1/admin/rooms/lab/recalibrate", {"mode": "labelled"}),
        ("/v1/admin/rooms/lab/recalibrate", {"mode": "labelled", "dry_run": True}),
        ("/v1/admin/rooms/lab/recalibrate", {"mode": "empty"}),
    ],
    ids=["adaptation", "labelled", "dry run", "empty"],
)
def test_no_job_is_made_of_a_room_that_changed_meanwhile(
    api: Running,
    monkeypatch: pytest.MonkeyPatch,
    *,
    path: str,
    body: dict[str, Any],
    change: Callable[[Running], None],
    kind: str,
) -> None:
    def late(*given: Any, **named: Any) -> Job:
        change(api)
        return queue_job(*given, **named)

    for route in (adaptations, recalibration):
        monkeypatch.setattr(route, "queue_job", late)
    answer = api.client.post(path, json=body)
    assert (answer.status_code, answer.json()["type"]) == (404, f"/problems/{kind}"), answer.text
    assert list_jobs(api.store) == []
