"""States, predictions and alerts as the worker writes them and the API reads them, on both databases."""

from typing import Any

import pytest
import sqlalchemy as sa

from service.store.alerts import alert_page
from service.store.engine import Store
from service.store.eventlog import read_events
from service.store.history import Position, prediction_page
from service.store.schema import alerts, predictions
from service.store.states import read_states
from tests.store.filled import S, put, turn, write


def ends(page: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["window"]["to"][17:19], item["task"]) for item in page]


def test_a_turn_of_the_worker_is_one_truth(store: Store) -> None:
    put(store, "lab")
    first = write(store, turn("lab", 10))
    last = write(store, turn("lab", 11, value="occupied"))
    (room,) = read_states(store)
    assert room.sequence == last > first
    assert room.stored["presence"].doc == {"task": "presence", "value": "occupied"}
    told = read_events(store, after=first, limit=5).events
    assert [(event.sequence, event.data["after"]) for event in told] == [(last, "occupied")]
    (newest, _), _ = prediction_page(store, "lab", limit=9)
    assert (newest["motion"], newest["value"]) == (None, "occupied"), "not a number is null"


def test_what_belongs_to_no_room_is_left_out(store: Store) -> None:
    assert write(store, turn("gone", 10)) == 0
    assert read_states(store) == []
    assert prediction_page(store, "gone", limit=5) == ([], None)


def test_a_window_is_predicted_once(store: Store) -> None:
    put(store, "lab")
    write(store, turn("lab", 10))
    with pytest.raises(sa.exc.IntegrityError):
        write(store, turn("lab", 10))
    with store.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(predictions)).scalar_one() == 1
    assert len(read_events(store, after=0, limit=9).events) == 2, "the event of the second one is undone too"


def test_pages_of_predictions_neither_lose_nor_double(store: Store) -> None:
    put(store, "lab")
    for second in range(1, 8):
        write(store, turn("lab", second))
        write(store, turn("lab", second, task="counting", value="2"))
    found, after = list[tuple[str, str]](), None
    while True:
        page, after = prediction_page(store, "lab", limit=3, after=after)
        found += ends(page)
        if after is None:
            break
        assert isinstance(after, Position)
    assert found == [(f"{s:02}", task) for s in range(7, 0, -1) for task in ("counting", "presence")]
    page, _ = prediction_page(store, "lab", tasks=("presence",), from_ns=2 * S, to_ns=4 * S, limit=9)
    assert ends(page) == [("03", "presence"), ("02", "presence")]


def test_alerts_come_newest_first_and_page(store: Store) -> None:
    with store.write() as connection:
        for name, raised in (("a", 1), ("B", 2), ("b", 2), ("c", 3)):
            row = {"alert_id": name, "raised_ns": raised, "updated_ns": raised, "doc": {"task": "presence"}}
            fixed = {"rule": "r", "room": "lab", "severity": "info", "state": "raised"}
            connection.execute(sa.insert(alerts).values(**row, **fixed))
    asked: dict[str, Any] = {
        "states": ["raised"],
        "severities": ["info"],
        "rooms": ["lab"],
        "from_ns": 1,
        "limit": 2,
    }
    page, after = alert_page(store, **asked)
    rest, end = alert_page(store, **asked, after=after)
    assert [item["alert_id"] for item in page + rest] == ["c", "b", "B", "a"]
    assert end is None
