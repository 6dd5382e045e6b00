"""A key for one room learns nothing of another, on any route there is or will be."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from service.store import jobs as held
from service.store.keys import Role
from tests.service.running import PretendedWorker, Running, link_facts, wait_for

SECRET = "vault"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("scope")) as running, PretendedWorker(running.settings) as worker:
        worker.links = {"l1": link_facts("lab"), f"link-{SECRET}": link_facts(SECRET)}
        worker.unassigned = {f"stray-{SECRET}": link_facts(None)}
        running.put_room("lab", links=["l1"], zones=[{"zone": "floor"}])
        zones = [{"zone": "floor"}, {"zone": f"zone-{SECRET}"}]
        running.put_room(SECRET, links=[f"link-{SECRET}"], zones=zones)
        running.append(room=SECRET, alert_id=f"alert-{SECRET}", wake=False)
        wait_for(lambda: running.context.watch.unassigned, "the worker to be heard")
        yield running


@pytest.fixture
def job(api: Running) -> str:
    request = {"method": "auto", "shadow_s": 0, "force": False}
    open_jobs = [one for one in held.list_jobs(api.store) if one.room == SECRET]
    if open_jobs:
        return open_jobs[0].job
    return held.create_job(
        api.store, room=SECRET, task="counting", kind="adaptation", request=request, actor="test"
    ).job


def test_no_route_with_a_room_takes_another(api: Running) -> None:
    values = defaultdict(lambda: "1") | {"room": SECRET}
    seen = 0
    with api.client_of(api.new_key(Role.ADMIN, room="lab")) as client:
        for path, methods in api.app.openapi()["paths"].items():
            for method in methods if "{room}" in path else ():
                answer = client.request(method.upper(), path.format_map(values), json={})
                assert answer.status_code == 403, (method, path, answer.text)
                seen += 1
    assert seen > 20


def test_no_list_names_another_room(api: Running) -> None:
    seen = 0
    with api.client_of(api.new_key(Role.ADMIN, room="lab")) as client:
        for path, methods in api.app.openapi()["paths"].items():
            if "get" not in methods or "{" in path or path in {"/v1/openapi.json", "/v1/asyncapi.json"}:
                continue
            answer = client.get(path)
            assert answer.status_code in {200, 403}, (path, answer.status_code)
            assert SECRET not in answer.text, path
            seen += answer.status_code == 200
    assert seen >= 8


def test_things_of_another_room_are_not_found(api: Running, job: str) -> None:
    with api.client_of(api.new_key(Role.ADMIN, room="lab")) as client:
        for method, path in (
            ("GET", f"/v1/jobs/{job}"),
            ("POST", f"/v1/jobs/{job}/cancel"),
            ("GET", f"/v1/links/link-{SECRET}"),
            ("GET", f"/v1/links/stray-{SECRET}"),
            ("PUT", f"/v1/links/link-{SECRET}"),
            ("GET", f"/v1/zones/zone-{SECRET}/state"),
            ("GET", "/v1/zones/floor/state"),
            ("GET", f"/v1/events?rooms={SECRET}"),
            ("GET", f"/v1/alerts?rooms={SECRET}"),
        ):
            answer = client.request(method, path, json={} if method == "PUT" else None)
            assert answer.status_code in {403, 404}, (method, path, answer.text)
