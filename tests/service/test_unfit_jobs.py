"""Jobs that nobody can work on: none is left half made, and one that is there takes no worker down."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.adaptation.states import JobState
from service.api import asked_job
from service.store.jobs import create_job, get_job, list_jobs
from service.store.schema import audit
from tests.service.bench import Bench
from tests.service.empty_rooms import DURATION_S, WHOLE_S, Site
from tests.service.running import Running

EMPTY = {"mode": "empty", "start_delay_s": 0.0, "duration_s": DURATION_S, "dry_run": False}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path) as running:
        running.put_room("lab", links=["l1"])
        yield running


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_store_that_is_busy_leaves_no_job_half_made(
    api: Running, monkeypatch: pytest.MonkeyPatch, *, dry_run: bool
) -> None:
    def busy(*_: Any) -> None:
        raise sa.exc.OperationalError("UPDATE", {}, Exception("database is locked"))

    body = {"mode": "labelled", "dry_run": dry_run}
    with monkeypatch.context() as patch:
        patch.setattr(asked_job, "take_step", busy)
        assert api.client.post("/v1/admin/rooms/lab/recalibrate", json=body).status_code >= 500
    assert list_jobs(api.store) == []
    again = api.client.post("/v1/admin/rooms/lab/recalibrate", json=body)
    assert (again.status_code, again.json()["state"]) == (202, "refused")
    assert again.json()["reason"] == "insufficient_evidence"


def odd(bench: Bench, request: dict[str, Any]) -> str:
    """A job that the worker will find."""
    return create_job(
        bench.store, room="b", task="presence", kind="recalibration", request=request, actor="me"
    ).job


@pytest.mark.parametrize(
    "request_",
    [
        {"mode": "labelled", "dry_run": True},
        {**EMPTY, "mode": "magic"},
        {**EMPTY, "start_delay_s": None},
        {**EMPTY, "start_delay_s": 1e300},
        {**EMPTY, "duration_s": "long"},
        {},
    ],
)
def test_a_request_that_does_not_fit_fails_its_job_alone(bench: Bench, request_: dict[str, Any]) -> None:
    site = Site(bench)
    job = odd(bench, request_)
    bench.api.publish("jobs", {})
    bench.turn()
    ended = site.job(job)
    assert (ended.state, ended.doc["reason"]) == (JobState.FAILED, "error")
    assert "the request cannot be worked on" in ended.doc["detail"]
    assert bench.told("recalibration.ended")[0]["data"]["state"] == "failed"
    actions = [row["action"] for row in bench.rows(audit) if row["action"].startswith("recal")]
    assert actions == ["recalibration.asked", "recalibration.failed"]
    good = site.ask()
    site.hear(WHOLE_S + 10)
    assert site.job(good).state is JobState.ACTIVATED


def test_a_worker_starts_beside_a_request_that_does_not_fit(bench: Bench) -> None:
    bench.talker()
    job = odd(bench, {"mode": "labelled", "dry_run": True})
    bench.restart()
    bench.turn()
    found = get_job(bench.store, job)
    assert found is not None
    assert found.state is JobState.FAILED
