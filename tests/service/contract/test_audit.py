"""Everything an admin or operator does is in the audit log, with who did it and what it changed."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from service.api.auth import ROLE_MARK
from service.rooms.alerting.rules import BUILT_IN
from service.store.keys import Role
from service.store.schema import audit
from tests.service.running import Running

RULES = {"items": [BUILT_IN[0].model_dump(mode="json")]}
RECALIBRATE = "/v1/admin/rooms/{room}/recalibrate"
DEEDS: list[tuple[str, str, Any]] = [
    ("PUT", "/v1/rooms/{room}", {"name": "Lab"}),
    ("PUT", "/v1/rooms/{room}", {"name": "Laboratory"}),
    ("PUT", "/v1/links/{link}", {"room": "lab", "nic": "esp32"}),
    ("DELETE", "/v1/links/{link}", None),
    ("POST", "/v1/keys", {"role": "viewer"}),
    ("DELETE", "/v1/keys/{key_id}", None),
    ("PUT", "/v1/alert-rules", RULES),
    ("POST", "/v1/rooms/{room}/adaptations", {"task": "counting"}),
    ("POST", "/v1/jobs/{job}/cancel", None),
    ("POST", RECALIBRATE, {"mode": "empty"}),
    ("POST", "/v1/admin/rooms/{room}/pause", {"for_s": 60}),
    ("POST", "/v1/admin/rooms/{room}/resume", {}),
    ("POST", "/v1/webhooks", {"url": "https://9.9.9.9/hook"}),
    ("POST", "/v1/webhooks/{webhook}/replay", {"after": 0}),
    ("DELETE", "/v1/webhooks/{webhook}", None),
    ("POST", "/v1/admin/rooms/{room}/erase", {}),
    ("DELETE", "/v1/rooms/{room}", None),
]
ELSEWHERE = {
    # Need a worker, a trainer or a receiver; tests of their own see to their entries.
    ("POST", "/v1/rooms/{room}/samples"),
    ("DELETE", "/v1/rooms/{room}/samples/{sample}"),
    ("POST", "/v1/rooms/{room}/models/{version}/activate"),
    ("POST", "/v1/rooms/{room}/models/rollback"),
    ("POST", "/v1/alerts/{alert}/acknowledge"),
    ("POST", "/v1/alerts/{alert}/snooze"),
    ("POST", "/v1/alerts/{alert}/dismiss"),
    ("POST", "/v1/screenings/{screening}/outcome"),
    ("POST", "/v1/models"),
    ("POST", "/v1/webhooks/{webhook}/test"),  # sends a mark, changes nothing
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("audit")) as running:
        yield running


def entries(api: Running) -> list[dict[str, Any]]:
    with api.store.read() as connection:
        return [dict(row) for row in connection.execute(sa.select(audit).order_by(audit.c.id)).mappings()]


def test_every_deed_leaves_an_entry(api: Running) -> None:
    known = {"room": "lab", "link": "l1"}
    actor = f"key:{api.key.split('_')[1]}"
    for method, path, body in DEEDS:
        before = entries(api)
        answer = api.client.request(method, path.format_map(known), json=body)
        assert answer.is_success, (method, path, answer.text)
        new = entries(api)[len(before) :]
        mine = [entry for entry in new if entry["actor"] == actor]
        assert mine, (method, path, "left no entry")
        said = {"before", "after", "job", "rows"}  # a job says the rest, an erasure how much
        assert said & set(mine[0]["detail"]), (method, path, mine[0])
        made = answer.json() if answer.content else {}
        for name, word in (("key_id", "id"), ("job", "job"), ("webhook", "id")):
            if path in {"/v1/keys", "/v1/webhooks", "/v1/rooms/{room}/adaptations"} and word in made:
                known.setdefault(name, made[word]) if name != "webhook" else known.update({name: made[word]})


def test_no_deed_is_left_out(api: Running) -> None:
    done = {(method, path) for method, path, _ in DEEDS} | ELSEWHERE
    for path, methods in api.app.openapi()["paths"].items():
        for method, operation in methods.items():
            role = operation.get(ROLE_MARK)
            if method != "get" and role and Role(role) is not Role.VIEWER:
                assert (method.upper(), path) in done, "try it here, or say where its entry is tested"
