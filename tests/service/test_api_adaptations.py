"""Adaptation over REST: jobs, versions, roles, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client

from models.adapt import contest
from models.sensing import Sensing
from service.settings import AdaptationSettings
from service.store.keys import Role
from service.trainer.adaptation import Shop
from service.trainer.loop import Trainer
from tests.service.lessons import SPEC, teach
from tests.service.running import Running


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path) as running:
        running.put_room("lab")
        yield running


@pytest.fixture
def trainer(api: Running, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    monkeypatch.setattr(contest, "available", lambda: ["head_refit"])
    shop = Shop(api.store, Sensing.load(["open"]), SPEC, AdaptationSettings())
    return Trainer(shop, lambda _: None)


def learn(api: Running) -> None:
    for turn, people in enumerate((0, 1, 4)):
        teach(api.store, str(people), people, after_s=30 * turn)


def start(api: Running, **body: Any) -> dict[str, Any]:
    answer = api.client.post("/v1/rooms/lab/adaptations", json={"task": "counting", "shadow_s": 0, **body})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['job']}"
    return job


def job_of(api: Running, job: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get(f"/v1/jobs/{job['job']}").json()
    return found


def test_from_samples_to_an_active_version_and_back(api: Running, trainer: Trainer) -> None:
    learn(api)
    job = start(api)
    assert (job["state"], job["over"], job["progress"]) == ("queued", False, 0.0)
    trainer.turn()
    done = job_of(api, job)
    assert (done["state"], done["over"], done["provisional"]) == ("provisional", True, True)
    assert done["metrics"]["after"]["by_class"].keys() == {"0", "1", "4"}
    assert done["candidates"]["head_refit"]["balanced_accuracy"] > 0.5
    (version,) = api.client.get("/v1/rooms/lab/models").json()["items"]
    assert (version["version"], version["state"], version["job"]) == (done["version"], "active", job["job"])
    answer = api.client.post("/v1/rooms/lab/models/rollback", params={"task": "counting"})
    assert answer.json() == {"left": version["version"], "active": None, "skipped": []}
    again = api.client.post("/v1/rooms/lab/models/rollback", params={"task": "counting"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/nothing-to-roll-back")
    back = api.client.post(f"/v1/rooms/lab/models/{version['version']}/activate")
    assert back.json()["state"] == "active"
    kinds = [event["type"] for event in api.client.get("/v1/events").json()["events"]]
    assert kinds.count("org.roomtone.model.activated") == 3
    actions = [entry["action"] for entry in api.client.get("/v1/audit").json()["items"]]
    assert actions.count("model.activated") == 3
    assert "adaptation.asked" in actions


def test_a_refusal_says_why(api: Running, trainer: Trainer) -> None:
    job = start(api)
    trainer.turn()
    done = job_of(api, job)
    assert (done["state"], done["reason"]) == ("refused", "insufficient_evidence")
    assert "no accepted samples" in done["detail"]


def test_one_job_at_a_time_and_cancel(api: Running, trainer: Trainer) -> None:
    job = start(api)
    second = api.client.post("/v1/rooms/lab/adaptations", json={"task": "counting"})
    assert (second.status_code, second.json()["type"]) == (409, "/problems/job-taken")
    assert second.json()["job"] == job["job"]
    ended = api.client.post(f"/v1/jobs/{job['job']}/cancel")
    assert ended.json()["state"] == "cancelled"
    once_more = api.client.post(f"/v1/jobs/{job['job']}/cancel")
    assert (once_more.status_code, once_more.json()["type"]) == (409, "/problems/illegal-step")
    trainer.turn()
    assert job_of(api, job)["state"] == "cancelled"


def test_a_job_cancelled_in_its_shadow_run_leaves_nothing_to_serve(api: Running, trainer: Trainer) -> None:
    learn(api)
    job = start(api, shadow_s=600)
    trainer.turn()
    assert job_of(api, job)["state"] == "shadow"
    api.client.post(f"/v1/jobs/{job['job']}/cancel")
    (version,) = api.client.get("/v1/rooms/lab/models").json()["items"]
    assert version["state"] == "refused"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"task": "dancing"}, "body.task: room lab does not run"),
        ({"task": "counting", "method": "magic"}, "there are auto, shipped"),
        ({"task": "counting", "shadow_s": -1}, ""),
        ({"task": "counting", "speed": 1}, ""),
    ],
)
def test_what_makes_no_sense_is_refused(api: Running, body: dict[str, Any], said: str) -> None:
    answer = api.client.post("/v1/rooms/lab/adaptations", json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")
    assert said in answer.json()["detail"]
    assert answer.json()["errors"][0]["loc"][0] == "body"


def test_rooms_and_versions_that_are_not_there(api: Running) -> None:
    paths = ["/v1/rooms/none/models", "/v1/jobs/none"]
    assert [api.client.get(path).status_code for path in paths] == [404, 404]
    posts = ["/v1/rooms/none/adaptations", "/v1/rooms/lab/models/99/activate", "/v1/jobs/none/cancel"]
    assert [api.client.post(path, json={"task": "counting"}).status_code for path in posts] == [404] * 3


def test_roles(api: Running, trainer: Trainer) -> None:
    learn(api)
    with (
        api.client_of(api.new_key(Role.VIEWER)) as viewer,
        api.client_of(api.new_key(Role.OPERATOR)) as operator,
        api.client_of(api.new_key(Role.ADMIN, room="elsewhere")) as other,
    ):
        who_may_what(api, trainer, viewer, operator, other)


def who_may_what(api: Running, trainer: Trainer, viewer: Client, operator: Client, other: Client) -> None:
    assert viewer.post("/v1/rooms/lab/adaptations", json={"task": "counting"}).status_code == 403
    forced = operator.post("/v1/rooms/lab/adaptations", json={"task": "counting", "force": True})
    assert forced.status_code == 403
    asked = operator.post("/v1/rooms/lab/adaptations", json={"task": "counting", "shadow_s": 0}).json()
    trainer.turn()
    assert other.get(f"/v1/jobs/{asked['job']}").status_code == 404
    assert other.get("/v1/rooms/lab/models").status_code == 403
    assert operator.post("/v1/rooms/lab/models/rollback", params={"task": "counting"}).status_code == 403
    assert viewer.get("/v1/rooms/lab/models").status_code == 200


def test_methods_are_listed(api: Running) -> None:
    items = api.client.get("/v1/adaptation-methods").json()["items"]
    assert {"name": "head_refit", "tier": "instant"} in items
