"""Recalibration over REST: what is asked, who may, what is told of baselines, with a pretended worker."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.store.keys import Role
from service.store.schema import baselines
from tests.service.lessons import teach
from tests.service.running import PretendedWorker, Running, link_facts, wait_for

PATH = "/v1/admin/rooms/lab/recalibrate"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path) as running:
        running.put_room("lab", links=["l1", "l2"])
        yield running


@pytest.fixture
def worker(api: Running) -> Iterator[PretendedWorker]:
    with PretendedWorker(api.settings) as pretended:
        wait_for(lambda: api.context.watch.worker_up, "the worker's heartbeat")
        yield pretended


def start(api: Running, **body: Any) -> dict[str, Any]:
    answer = api.client.post(PATH, json=body)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['job']}"
    assert api.client.get(f"/v1/jobs/{job['job']}").json()["kind"] == job["kind"]
    return job


def test_a_job_is_queued_told_to_the_worker_and_can_be_cancelled(
    api: Running, worker: PretendedWorker
) -> None:
    job = start(api, duration_s=60)
    assert (job["kind"], job["task"], job["state"]) == ("recalibration", "presence", "queued")
    assert job["request"] == {"mode": "empty", "start_delay_s": 30.0, "duration_s": 60.0, "dry_run": False}
    wait_for(lambda: "jobs" in worker.heard, "the signal about jobs")
    second = api.client.post(PATH, json={})
    assert (second.status_code, second.json()["type"]) == (409, "/problems/job-taken")
    assert second.json()["job"] == job["job"]
    ended = api.client.post(f"/v1/jobs/{job['job']}/cancel").json()
    assert (ended["state"], ended["reason"]) == ("cancelled", "cancelled")
    actions = [entry["action"] for entry in api.client.get("/v1/audit").json()["items"]]
    assert actions[:2] == ["job.cancelled", "recalibration.asked"]


def test_from_samples_every_task_that_has_some_is_adapted(api: Running) -> None:
    none = start(api, mode="labelled")
    assert (none["state"], none["reason"]) == ("refused", "insufficient_evidence")
    teach(api.store, "2", 2)
    teach(api.store, "vacant", 0, task="presence", after_s=60)
    dry = start(api, mode="labelled", dry_run=True)
    assert (dry["kind"], dry["state"], dry["reason"]) == ("recalibration", "refused", "dry_run")
    assert dry["detail"] == "adaptations would start for presence, counting"
    first = start(api, mode="labelled")
    assert (first["kind"], first["task"], first["jobs_taken"]) == ("adaptation", "presence", {})
    assert [one["task"] for one in first["jobs"]] == ["presence", "counting"]
    again = api.client.post(PATH, json={"mode": "labelled"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/job-taken")


@pytest.mark.parametrize(
    "body",
    [{"mode": "magic"}, {"duration_s": 59}, {"start_delay_s": -1}, {"duration_s": "60"}, {"now": True}],
)
def test_what_makes_no_sense_is_refused(api: Running, body: dict[str, Any]) -> None:
    answer = api.client.post(PATH, json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")


def test_a_room_without_presence_or_none_at_all(api: Running) -> None:
    api.put_room("count", tasks=["counting"])
    answer = api.client.post("/v1/admin/rooms/count/recalibrate", json={})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")
    assert answer.json()["errors"][0]["loc"] == ["body", "mode"]
    assert api.client.post("/v1/admin/rooms/none/recalibrate", json={}).status_code == 404


def test_only_admins(api: Running) -> None:
    with (
        api.client_of(api.new_key(Role.OPERATOR)) as operator,
        api.client_of(api.new_key(Role.ADMIN, room="elsewhere")) as other,
        api.client_of(api.new_key(Role.ADMIN, room="lab")) as admin,
    ):
        codes = [one.post(PATH, json={}).status_code for one in (operator, other, admin)]
    assert codes == [403, 403, 202]


def test_quality_and_metrics_tell_of_calibration_and_drift(api: Running, worker: PretendedWorker) -> None:
    made = {"log_moved": -6.0, "spread": 0.1, "windows": 60, "made_ns": time.time_ns() - 5_000_000_000}
    stale = {**made, "stale": {"reason": "link_roamed", "since_ns": 1_600_000_000_000_000_000}}
    row = {"room": "lab", "task": "presence", "doc": {"l1": made, "l2": stale}, "updated_ns": 1}
    with api.store.write() as connection:
        connection.execute(sa.insert(baselines).values(row))
    worker.links, worker.drift = {"l1": link_facts("lab"), "l2": link_facts("lab")}, {"l1": 0.25}
    wait_for(lambda: "l1" in api.context.watch.drift, "drift in a heartbeat")
    quality = api.client.get("/v1/rooms/lab/quality").json()
    first, second = quality["items"]
    assert quality["drift_score"] == 0.25
    assert (first["drift_score"], first["calibration"], first["calibration_stale"]) == (0.25, "ok", None)
    assert 5 <= first["calibration_age_s"] < 60
    assert (second["drift_score"], second["calibration"]) == (None, "stale")
    assert second["calibration_stale"] == {"reason": "link_roamed", "since": "2020-09-13T12:26:40.000Z"}
    assert api.client.get("/v1/links/l2").json()["calibration"] == "stale"
    metrics = api.client.get("/metrics").text
    labels = 'link="l1",nic="intel5300",room="lab",source="simulated"'
    assert f"roomtone_link_drift_score{{{labels}}} 0.25" in metrics
    assert 'roomtone_room_drift_score{room="lab"} 0.25' in metrics
