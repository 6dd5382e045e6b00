"""A room's own head in the worker: it serves from one window to the next, and a candidate only beside it."""

import numpy as np
import pytest
import sqlalchemy as sa

from models.adapt.head import RoomHead
from service.store.schema import versions
from service.store.versions import activate, add_version, roll_back
from tests.service.bench import Bench
from tests.service.frames import frames

HEAD = RoomHead.of("softmax", (np.zeros(3), np.ones(3)), (np.ones((3, 2)), np.zeros(2)))


def added(bench: Bench, classes: tuple[str, ...] = ("0", "1"), room: str = "b") -> int:
    with bench.store.write() as connection:
        return add_version(
            connection,
            room=room,
            task="counting",
            head=HEAD,
            model=("fake", "0" * 8),
            method="head_refit",
            provisional=True,
            doc={"classes": list(classes), "simulated": False},
            job=None,
        )


def shadow_of(bench: Bench, version: int) -> dict[str, object]:
    (row,) = [one for one in bench.rows(versions) if one["version"] == version]
    return dict(row["shadow"])


def test_an_active_version_serves_from_the_next_window_and_rolls_back(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 12, people=2))
    bench.turn()
    assert bench.state("counting")["value"] == 2
    version = added(bench)
    with bench.store.write() as connection:
        activate(connection, version, actor="me", why="test")
    bench.turn()
    talker.send(frames(12, 12, people=2))
    bench.turn()
    state = bench.state("counting")
    assert state["value"] == version
    assert state["model"]["version"] == f"1+room.{version}"
    assert state["model"]["provisional"] is True
    with bench.store.write() as connection:
        roll_back(connection, "b", "counting", actor="me")
    bench.turn()
    talker.send(frames(24, 12, people=2))
    bench.turn()
    assert bench.state("counting")["value"] == 2
    assert bench.state()["value"] == "occupied"


def test_a_candidate_is_only_watched(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6, people=2))
    bench.turn()
    version = added(bench)
    bench.turn()
    talker.send(frames(6, 12, people=2))
    bench.turn()
    assert bench.state("counting")["value"] == 2
    seen = shadow_of(bench, version)
    assert seen["windows"] == pytest.approx(12, abs=2)
    assert seen["errors"] == 0
    assert seen["disagree"] == 1.0
    assert (seen["flips"], seen["flips_active"]) == (0.0, 0.0)
    assert len(bench.sensing.windows) <= 17  # what the room remembers was fed once a window


def test_a_candidate_that_fails_is_counted_and_hurts_nobody(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6, people=2))
    bench.turn()
    version = added(bench, ("broken",))
    bench.turn()
    talker.send(frames(6, 6, people=2))
    bench.turn()
    seen = shadow_of(bench, version)
    assert seen["errors"] == seen["windows"] != 0
    assert seen["disagree"] is None
    assert bench.state("counting")["value"] == 2


def test_a_damaged_version_is_said_and_the_room_goes_on(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6, people=2))
    bench.turn()
    version = added(bench)
    with bench.store.write() as connection:
        activate(connection, version, actor="me", why="test")
        connection.execute(sa.update(versions).values(head=b"nothing of ours"))
    bench.turn()
    talker.send(frames(6, 6, people=2))
    bench.turn()
    assert bench.state("counting")["value"] == 2
    assert f"version {version} of room b cannot be served" in caplog.text


def test_heads_of_another_room_are_not_asked(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6, people=2))
    bench.turn()
    version = added(bench, room="elsewhere")
    with bench.store.write() as connection:
        activate(connection, version, actor="me", why="test")
    bench.turn()
    talker.send(frames(6, 6, people=2))
    bench.turn()
    assert bench.state("counting")["value"] == 2
