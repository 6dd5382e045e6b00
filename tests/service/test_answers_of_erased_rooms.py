"""`Idempotency-Key` while a room is erased: the erasure's own answer is told again, no other one is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.store.erasing import Range, erase
from tests.service.running import Running


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path) as running:
        running.put_room("lab")
        yield running


def test_an_erasure_is_answered_alike(api: Running) -> None:
    path, headers = "/v1/admin/rooms/lab/erase", {"Idempotency-Key": "one"}
    first, again = (api.client.post(path, json={}, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 200, first.text
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"


def test_an_answer_that_an_erasure_overtook_is_not_told_again(
    api: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*_: object, **__: object) -> dict[str, Any]:
        erase(api.store, "lab", Range(), actor="them")
        return {"job": "job-1", "of": "before"}

    monkeypatch.setattr("service.api.routes.recalibration.job_document", overtaken)
    path, headers = "/v1/admin/rooms/lab/recalibrate", {"Idempotency-Key": "two"}
    first, again = (api.client.post(path, json={"mode": "empty"}, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 409)
    problem = again.json()
    assert problem["type"] == "/problems/secret-told-once"
    assert "erased" in problem["detail"]
    assert problem["location"] is None
