"""Zones: any member occupied makes them occupied, all vacant vacant, and nothing else is a value."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from service.store.keys import Role
from tests.service.running import PretendedWorker, Running, wait_for

SQUARE = [{"x_m": x, "y_m": y} for x, y in ((0, 0), (2, 0), (2, 2), (0, 2))]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("zones")) as running, PretendedWorker(running.settings):
        wait_for(lambda: running.context.watch.worker_up, "the worker to be heard")
        floor = {"zone": "floor"}
        tasks = ["presence", "localization"]
        running.put_room("east", zones=[floor, {"zone": "desk", "outline": SQUARE}], tasks=tasks)
        running.put_room("west", zones=[floor])
        running.put_room("cellar")
        yield running


def presence(api: Running, room: str, value: str | None, probability: float = 0.9, **more: Any) -> None:
    known = {"status": "ok"} if value else {"status": "unknown", "reason": "low_occupancy"}
    api.put_state(
        room, "presence", value, received_ns=time.time_ns(), **{**known, "probability": probability, **more}
    )


def zone(api: Running, name: str = "floor") -> dict[str, Any]:
    document: dict[str, Any] = api.client.get(f"/v1/zones/{name}/state").json()
    return document


@pytest.mark.parametrize(
    ("east", "west", "value", "reason"),
    [
        ("occupied", "vacant", "occupied", None),
        ("occupied", None, "occupied", None),
        ("vacant", "vacant", "vacant", None),
        ("vacant", None, None, "low_occupancy"),
        (None, None, None, "low_occupancy"),
    ],
)
def test_members_decide(
    api: Running, east: str | None, west: str | None, value: str | None, reason: str | None
) -> None:
    presence(api, "east", east)
    presence(api, "west", west)
    state = zone(api)
    assert (state["value"], state["reason"]) == (value, reason)
    assert state["status"] == ("ok" if value else "unknown")
    assert [member["room"] for member in state["members"]] == ["east", "west"]


def test_probabilities_are_bounds_that_always_hold(api: Running) -> None:
    presence(api, "east", "occupied", 0.7)
    presence(api, "west", "occupied", 0.95)
    assert zone(api)["probability"] == 0.95
    presence(api, "east", "vacant", 0.9)
    presence(api, "west", "vacant", 0.95)
    assert zone(api)["probability"] == pytest.approx(0.85)
    presence(api, "west", None)
    assert zone(api)["probability"] is None


def test_paused_and_silent_rooms_are_never_vacant(api: Running) -> None:
    presence(api, "east", "vacant")
    presence(api, "west", None, status="paused", reason="paused")
    assert zone(api)["status"] == "unknown"
    presence(api, "east", None, status="paused", reason="paused")
    assert (zone(api)["status"], zone(api)["value"]) == ("paused", None)
    presence(api, "west", "vacant")
    api.put_state("east", "presence", "vacant", received_ns=time.time_ns() - 60 * 10**9)
    assert (zone(api)["value"], zone(api)["reason"]) == (None, "stale")


@pytest.mark.parametrize(("x_m", "value"), [(1.0, "occupied"), (3.0, None)])
def test_a_part_of_a_room_needs_a_place(api: Running, x_m: float, value: str | None) -> None:
    presence(api, "east", "occupied")
    place = {"x_m": x_m, "y_m": 1.0, "cell": "1", "sigma_m": 0.3}
    api.put_state("east", "localization", place, received_ns=time.time_ns())
    state = zone(api, "desk")
    assert state["value"] == value
    assert state["reason"] == (None if value else "not_placed")
    presence(api, "east", "vacant")
    assert zone(api, "desk")["value"] == "vacant"


def test_zones_in_the_one_page(api: Running) -> None:
    presence(api, "east", "occupied")
    presence(api, "west", "vacant")
    page = api.client.get("/v1/state").json()
    assert [item["room"] for item in page["items"]] == ["cellar", "east", "west"]
    assert {one["zone"]: one["value"] for one in page["zones"]}["floor"] == "occupied"
    some = api.client.get("/v1/state?zones=floor&tasks=presence").json()
    assert [item["room"] for item in some["items"]] == ["east", "west"]
    assert [one["zone"] for one in some["zones"]] == ["floor"]
    assert {task["task"] for item in some["items"] for task in item["tasks"]} == {"presence"}
    one = api.client.get("/v1/state?rooms=west").json()
    assert [item["room"] for item in one["items"]] == ["west"]
    assert [member["room"] for member in one["zones"][0]["members"]] == ["east", "west"], "a zone is whole"


def test_one_etag_for_the_page(api: Running) -> None:
    for path in ("/v1/state", "/v1/zones/floor/state", "/v1/rooms/east/state"):
        # Beats of the worker move `stale_after` only where frames arrive, and none do here.
        first = api.client.get(path)
        again = api.client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), path
    tag = api.client.get("/v1/state").headers["etag"]
    presence(api, "west", "occupied")
    assert api.client.get("/v1/state", headers={"If-None-Match": tag}).status_code == 200


def test_keys_for_one_room_see_no_zone_of_others(api: Running) -> None:
    with api.client_of(api.new_key(Role.VIEWER, room="east")) as client:
        assert client.get("/v1/zones/desk/state").status_code == 200
        assert client.get("/v1/zones/floor/state").status_code == 403
        assert client.get("/v1/state").json()["zones"] == []
    with api.client_of(api.new_key(Role.VIEWER, room="cellar")) as client:
        assert client.get("/v1/zones/floor/state").status_code == 404
    assert api.client.get("/v1/zones/none/state").json()["type"] == "/problems/zone-not-found"
