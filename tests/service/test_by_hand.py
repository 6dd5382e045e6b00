"""What people decide about heads over REST holds: no job, pause or shadow run takes it back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from models.adapt.head import RoomHead
from models.bare import bare
from models.zoo import CardError
from service.adaptation.states import JobState
from service.api.context import Context
from service.store.jobs import create_job, get_job, step
from service.store.schema import versions
from service.store.versions import add_version, get_version, note_shadow
from service.trainer.shadows import _end
from tests.service.running import Running

TASK = "counting"
HEAD = RoomHead.of("softmax", (np.zeros(3), np.ones(3)), (np.ones((3, 2)), np.zeros(2)))
SEEN = {"windows": 7, "errors": 0}


class Lab:
    """A room whose candidates are made without learning anything."""

    def __init__(self, api: Running) -> None:
        self.api, self.store = api, api.store
        api.put_room("lab")

    def candidate(self, *, provisional: bool = False, model: tuple[str, str] | None = None) -> int:
        """A version in its shadow run, with the job that it is of."""
        asked = create_job(self.store, room="lab", task=TASK, kind="adaptation", request={}, actor="them")
        card = bare(TASK).card
        with self.store.write() as connection:
            version = add_version(
                connection,
                room="lab",
                task=TASK,
                head=HEAD,
                model=model or (card.name, card.digest),
                method="head_refit",
                provisional=provisional,
                doc={},
                job=asked.job,
            )
            note_shadow(connection, version, SEEN)
            for state in (JobState.RUNNING, JobState.EVALUATING):
                step(connection, asked.job, state)
            step(connection, asked.job, JobState.SHADOW, {"version": version, "shadow_s": 600.0})
        return version

    def served(self, **options: Any) -> int:
        """A version that was activated by hand."""
        version = self.candidate(**options)
        assert self.activate(version)["state"] == "active"
        return version

    def activate(self, version: int) -> dict[str, Any]:
        told: dict[str, Any] = self.api.client.post(f"/v1/rooms/lab/models/{version}/activate").json()
        return told

    def roll_back(self) -> dict[str, Any]:
        told: dict[str, Any] = self.api.client.post(
            "/v1/rooms/lab/models/rollback", params={"task": TASK}
        ).json()
        return told

    def states(self) -> dict[int, str]:
        items = self.api.client.get("/v1/rooms/lab/models").json()["items"]
        return {one["version"]: one["state"] for one in items}

    def job_of(self, version: int) -> dict[str, Any]:
        found = get_version(self.store, version)
        assert found is not None
        told: dict[str, Any] = self.api.client.get(f"/v1/jobs/{found.job}").json()
        return told

    def lose_model(self, version: int) -> None:
        """Its model is replaced by another of the same name."""
        with self.store.write() as connection:
            mine = sa.update(versions).where(versions.c.version == version)
            connection.execute(mine.values(model_digest="of another one"))

    def told(self) -> list[int | None]:
        """Versions that events said are active."""
        events = self.api.client.get("/v1/events").json()["events"]
        return [one["data"]["version"] for one in events if one["type"].endswith("model.activated")]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Running(tmp_path) as api:
        yield Lab(api)


def actor(lab: Lab) -> str:
    return f"key:{lab.api.key.split('_')[1]}"


@pytest.mark.parametrize(("provisional", "end"), [(False, "activated"), (True, "provisional")])
def test_who_activates_a_candidate_ends_its_shadow_run_well(lab: Lab, provisional: bool, end: str) -> None:
    version = lab.candidate(provisional=provisional)
    assert lab.activate(version)["state"] == "active"
    job = lab.job_of(version)
    assert (job["state"], job["over"], job["reason"]) == (end, True, "activated_by_hand")
    assert job["detail"] == f"{actor(lab)} activated version {version}"
    assert job["shadow"] == SEEN


def test_a_head_that_was_activated_by_hand_outlives_cancel_and_pause(lab: Lab) -> None:
    first, second = lab.served(), lab.served()
    cancelled = lab.api.client.post(f"/v1/jobs/{lab.job_of(second)['job']}/cancel")
    assert (cancelled.status_code, cancelled.json()["type"]) == (409, "/problems/illegal-step")
    for change in ("pause", "resume"):
        assert lab.api.client.post(f"/v1/admin/rooms/lab/{change}", json={}).status_code == 200
    assert lab.states() == {first: "retired", second: "active"}
    assert lab.roll_back() == {"left": second, "active": first, "skipped": []}
    assert lab.told() == [first, second, first]


def test_a_candidate_is_refused_with_its_job(lab: Lab) -> None:
    first, second = lab.served(), lab.candidate()
    lab.api.client.post(f"/v1/jobs/{lab.job_of(second)['job']}/cancel")
    assert lab.states() == {first: "active", second: "refused"}
    third = lab.candidate()
    lab.api.client.post("/v1/admin/rooms/lab/pause", json={})
    assert lab.states() == {first: "active", second: "refused", third: "refused"}


def test_the_end_of_a_shadow_run_takes_no_roll_back_back(lab: Lab) -> None:
    first, second = lab.served(), lab.candidate()
    job = get_job(lab.store, lab.job_of(second)["job"])
    assert job is not None
    lab.activate(second)
    lab.roll_back()
    assert _end(lab.store, job) is None  # the trainer saw it in its shadow run a moment ago
    assert lab.states() == {first: "active", second: "retired"}
    assert lab.job_of(second)["state"] == "activated"


def test_a_version_that_left_its_shadow_run_is_not_activated_by_its_end(lab: Lab) -> None:
    first, second = lab.served(), lab.candidate()
    job = get_job(lab.store, lab.job_of(second)["job"])
    assert job is not None
    with lab.store.write() as connection:  # as an earlier Roomtone left it
        connection.execute(sa.update(versions).where(versions.c.version == second).values(state="retired"))
    assert _end(lab.store, job) is JobState.REFUSED
    assert lab.states() == {first: "active", second: "retired"}


def test_another_decision_cancels_a_shadow_run(lab: Lab) -> None:
    first, second = lab.served(), lab.served()
    third = lab.candidate()
    lab.activate(first)
    job = lab.job_of(third)
    assert (job["state"], job["reason"]) == ("cancelled", "overtaken")
    assert job["detail"] == f"{actor(lab)} activated version {first}"
    fourth = lab.candidate()
    assert lab.roll_back()["active"] == second
    job = lab.job_of(fourth)
    assert (job["state"], job["reason"]) == ("cancelled", "overtaken")
    assert job["detail"] == f"{actor(lab)} rolled back from version {first}"
    assert lab.states() == {first: "retired", second: "active", third: "refused", fourth: "refused"}


def test_a_shadow_run_goes_on_where_nothing_was_rolled_back(lab: Lab) -> None:
    version = lab.candidate()
    assert lab.roll_back()["type"] == "/problems/nothing-to-roll-back"
    assert lab.states() == {version: "shadow"}
    assert lab.job_of(version)["state"] == "shadow"


def test_activating_what_serves_changes_and_says_nothing(lab: Lab) -> None:
    first, second = lab.served(), lab.served()
    assert lab.activate(second)["state"] == "active"
    assert lab.told() == [first, second]
    assert lab.roll_back()["active"] == first


def test_a_version_without_its_model_is_not_activated(lab: Lab) -> None:
    first, second = lab.served(), lab.served()
    lab.lose_model(first)
    problem = lab.activate(first)
    assert (problem["type"], problem["status"]) == ("/problems/model-missing", 409)
    assert (problem["model"], problem["model_digest"]) == (bare(TASK).card.name, "of another one")
    assert lab.states() == {first: "retired", second: "active"}
    page = lab.api.client.get(problem["type"])
    assert page.status_code == 200
    assert "shelf" in page.text


def test_a_model_of_the_shelves_is_there(lab: Lab) -> None:
    (card, *_) = lab.api.context.cards()
    version = lab.served(model=(card.name, card.digest))
    assert lab.states() == {version: "active"}


def test_rolling_back_passes_over_versions_without_their_model(lab: Lab) -> None:
    first, second, third, fourth = (lab.served() for _ in range(4))
    for version in (second, third):
        lab.lose_model(version)
    assert lab.roll_back() == {"left": fourth, "active": first, "skipped": [third, second]}
    lab.activate(fourth)
    lab.lose_model(first)
    assert lab.roll_back() == {"left": fourth, "active": None, "skipped": [first, third, second]}
    assert lab.told()[-1] is None


def test_shelves_that_cannot_be_read_keep_nobody_from_rolling_back(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = lab.served(), lab.served()

    def damaged(_: Context) -> None:
        raise CardError("torn")

    monkeypatch.setattr(Context, "cards", damaged)
    assert lab.roll_back() == {"left": second, "active": first, "skipped": []}
    assert lab.activate(second)["state"] == "active"
