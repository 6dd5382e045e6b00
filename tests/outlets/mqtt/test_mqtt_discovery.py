"""What Home Assistant makes of us: its schema takes every payload, and unknown is never off."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from models.task_names import BUILT_IN
from service.outlets.mqtt.told import told
from service.outlets.mqtt.topics import Topics
from service.outlets.port import LinkView, RoomView
from tests.outlets.mqtt.home_assistant import HomeAssistant
from tests.outlets.mqtt.views import SITE, lost_state, room_view, state, view

TOPICS = Topics("roomtone", "homeassistant", SITE)
LOST = [
    ("unknown", reason)
    for reason in (
        "no_frames",
        "low_occupancy",
        "uncalibrated",
        "stale",
        "no_model",
        "model_error",
        "not_live",
    )
]


def shown(*rooms: RoomView, home: HomeAssistant | None = None) -> HomeAssistant:
    """Home Assistant after it took everything of these rooms."""
    home = home or HomeAssistant()
    for one in told(view(*rooms), TOPICS):
        home.take(one.topic, one.payload)
    return home


def test_every_task_has_its_entities_with_their_states() -> None:
    assert shown(room_view("lab", name="Laboratory")).states() == {
        "Laboratory/Occupancy": "on",
        "Laboratory/Motion": "on",
        "Laboratory/People": "3",
        "Laboratory/Position": "1.5, 2.25",
        "Laboratory/Suspicious object": "on",
        "Laboratory/Material carried": "metal",
        "Laboratory/Activity": "walking",
        "Laboratory/Link l1": "on",
        "Laboratory/Drift l1": "0.12",
    }


def test_an_empty_room() -> None:
    place = {"x_m": None, "y_m": None, "cell": None, "sigma_m": None}
    room = room_view(
        "lab",
        state("presence", value="vacant", motion=0.02),
        state("counting", value=0, interval=[0, 1]),
        state("localization", value=place),
        state("suspicious_object", value="none"),
        links={"l1": LinkView("lost"), "l2": LinkView("waiting")},
    )
    assert shown(room).states() == {
        "lab/Occupancy": "off",
        "lab/Motion": "off",
        "lab/People": "0",
        "lab/Position": "nobody",
        "lab/Suspicious object": "off",
        "lab/Material carried": "none",
        "lab/Link l1": "off",
        "lab/Drift l1": "unknown",
        "lab/Link l2": "off",
        "lab/Drift l2": "unknown",
    }


@pytest.mark.parametrize(("status", "reason"), LOST)
def test_unknown_is_shown_as_unknown(status: str, reason: str) -> None:
    lost = [lost_state(task, status, reason) for task in BUILT_IN]
    states = shown(room_view("lab", *lost, links={"l1": LinkView("unknown")})).states()
    assert len(states) == 9
    assert set(states.values()) == {"unknown"}


@pytest.mark.parametrize(("status", "reason"), [("paused", "paused"), ("unknown", "worker_down")])
def test_what_nobody_looks_at_is_unavailable(status: str, reason: str) -> None:
    lost = [lost_state(task, status, reason) for task in BUILT_IN]
    states = shown(room_view("lab", *lost, links={})).states()
    assert len(states) == 7
    assert set(states.values()) == {"unavailable"}


def test_silence_makes_everything_unavailable_in_time() -> None:
    home = shown(room_view("lab", stale_after_s=20.0))
    home.now_s = 59
    assert "unavailable" not in home.states().values()
    home.now_s = 61
    assert set(home.states().values()) == {"unavailable"}


def test_our_last_word_makes_everything_unavailable() -> None:
    home = shown(room_view())
    home.take(TOPICS.status, "offline")
    assert set(home.states().values()) == {"unavailable"}


def test_attributes_say_how_sure_and_where() -> None:
    home = shown(room_view())
    people = home.attributes(TOPICS.config("sensor", "lab", "people"))
    assert people["interval"] == [2, 5]
    assert people["probability"] == 0.9
    position = home.attributes(TOPICS.config("sensor", "lab", "position"))
    assert (position["x_m"], position["y_m"], position["sigma_m"]) == (1.5, 2.25, 0.4)


def test_rooms_whose_names_look_alike_are_different_devices() -> None:
    home = shown(*(room_view(name) for name in ("a.b", "a_b", "a-b", "a_db", "a__b")))
    assert len(home.configs) == 5 * 9
    assert len({one["device"]["identifiers"][0] for one in home.configs.values()}) == 5


def test_unique_ids_never_change() -> None:
    """People's automations rest on them: this list may grow and nothing in it may change."""
    home = shown(room_view("a.b_c"))
    assert sorted(one["unique_id"] for one in home.configs.values()) == [
        f"roomtone:{SITE}:a.b_c:activity",
        f"roomtone:{SITE}:a.b_c:drift.l1",
        f"roomtone:{SITE}:a.b_c:link.l1",
        f"roomtone:{SITE}:a.b_c:material",
        f"roomtone:{SITE}:a.b_c:motion",
        f"roomtone:{SITE}:a.b_c:occupancy",
        f"roomtone:{SITE}:a.b_c:people",
        f"roomtone:{SITE}:a.b_c:position",
        f"roomtone:{SITE}:a.b_c:suspicious_object",
    ]


def test_a_task_of_another_package_is_a_sensor() -> None:
    states = shown(room_view("lab", state("door.open", value={"left": True}), links={})).states()
    assert states == {"lab/Door.open": "{'left': True}"}


def test_home_assistant_itself_takes_our_payloads() -> None:
    """Its own schema and templates, where an interpreter with the package `homeassistant` is named."""
    python = os.environ.get("ROOMTONE_HOME_ASSISTANT_PYTHON")
    if python is None:
        pytest.skip("needs ROOMTONE_HOME_ASSISTANT_PYTHON, an interpreter with the package homeassistant")
    room = room_view("lab", lost_state("activity", "unknown", "stale"), state("counting"))
    messages = {one.topic: one.payload for one in told(view(room), TOPICS)}
    script = Path(__file__).with_name("real_home_assistant.py")
    done = subprocess.run(
        [python, str(script)], input=json.dumps(messages), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"activity": "None", "drift.l1": "0.12", "link.l1": "ON", "people": "3"}
