"""Bytes of a real or simulated Intel 5300 become states, events and alerts over REST and the stream."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.e2e.site import Site, wait_for

pytestmark = pytest.mark.timeout(240)


def replay(site: Site, capture: Path, *, room: str, link: str, expect: int = 0) -> dict[str, Any]:
    done = site.command(
        "replay", str(capture), "--link", link, "--room", room, "--to", site.endpoint, "--json"
    )
    assert done.returncode == expect, done.stderr
    return json.loads(done.stdout) if expect == 0 else {}


@contextmanager
def subscribe(site: Site, after: int | None, **choice: Any) -> Iterator[ClientConnection]:
    address = f"ws://127.0.0.1:{site.port}/v1/alerts/stream"
    with connect(address, additional_headers={"Authorization": f"Bearer {site.key}"}) as stream:
        stream.send(json.dumps({"type": "subscribe", "rooms": None, "types": None, "after": after, **choice}))
        yield stream


def newest(site: Site) -> int:
    """Sequence of the site's last event so far, 0 before the first."""
    return max((int(event["sequence"]) for event in site.events()), default=0)


def collect(stream: ClientConnection, into: list[dict[str, Any]]) -> threading.Thread:
    """Read the stream into a list until it is closed."""

    def pump() -> None:
        with suppress(ConnectionClosed):  # the test closes it when it has seen enough
            into.extend(json.loads(message) for message in stream)

    thread = threading.Thread(target=pump, daemon=True)
    thread.start()
    return thread


def test_crowd_replay_occupied_counted_then_vacant(site: Site, crowd: Path) -> None:
    seen: list[dict[str, Any]] = []
    with subscribe(site, after=newest(site)) as stream:
        collect(stream, seen)
        replay(site, crowd / "RoomB" / "4p.dat.xz", room="b", link="l1")
        presence, counting = site.state("b", "presence"), site.state("b", "counting")
        assert (presence["status"], presence["value"], presence["source"]) == ("ok", "occupied", "replay")
        assert counting["status"] == "ok"
        assert counting["interval"][0] <= 4 <= counting["interval"][1]
        replay(site, crowd / "RoomB" / "0p.dat.xz", room="b", link="l1")
        assert site.state("b", "presence")["value"] == "vacant"
        wait_for(lambda: any(m.get("type", "").endswith("alert.cleared") for m in seen), "the alert to clear")
    occupied = [
        m for m in seen if m["type"].startswith("org.roomtone.alert") and m["data"]["rule"] == "room_occupied"
    ]
    assert [m["type"].rsplit(".", 1)[1] for m in occupied if "updated" not in m["type"]] == [
        "raised",
        "cleared",
    ]
    assert len({m["data"]["alert_id"] for m in occupied}) == 1
    assert all(m["data"]["source"] == "replay" for m in occupied)


def test_empty_room_is_vacant(site: Site, crowd: Path) -> None:
    replay(site, crowd / "RoomB" / "0p.dat.xz", room="fresh", link="l9")
    assert site.state("fresh", "presence")["value"] == "vacant"
    values = {
        item["value"] for item in site.get("/v1/rooms/fresh/predictions?task=presence&limit=200")["items"]
    }
    assert "occupied" not in values


def test_client_that_reconnects_misses_nothing(site: Site, tmp_path: Path) -> None:
    capture = simulated(site, tmp_path, "20s:0,30s:2,50s:0")
    began = newest(site)
    first: list[dict[str, Any]] = []
    with subscribe(site, after=began) as stream:
        collect(stream, first)
        replay(site, capture, room="sim", link="s1")
        wait_for(lambda: first, "a first event")
    last = int(first[-1]["sequence"])
    replay(site, capture, room="sim", link="s1")
    log = [event["sequence"] for event in site.events(began)]
    rest: list[dict[str, Any]] = []
    with subscribe(site, after=last) as stream:
        collect(stream, rest)
        wait_for(lambda: rest and int(rest[-1]["sequence"]) >= int(log[-1]), "the end of the log")
    got = [int(m["sequence"]) for m in first + rest]
    assert got == sorted(set(got)), "in order, none twice"
    alerts = {int(e["sequence"]) for e in site.events(began) if e["type"].startswith("org.roomtone.alert")}
    assert alerts <= set(got)
    assert alerts


def simulated(site: Site, folder: Path, people: str) -> Path:
    capture = folder / "simulated.dat"
    made = site.command(
        "simulate",
        "--nic",
        "intel5300",
        "--people",
        people,
        "--rate",
        "100",
        "--seed",
        "3",
        "-o",
        str(capture),
    )
    assert made.returncode == 0, made.stderr
    return capture


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"import numpy as np\nprint('not csi')\n" * 50, "not a CSI capture")],
    ids=["empty", "python_source"],
)
def test_bad_captures_are_refused_and_the_service_goes_on(
    site: Site, tmp_path: Path, content: bytes, says: str
) -> None:
    capture = tmp_path / "bad.dat"
    capture.write_bytes(content)
    refused = site.command("replay", str(capture), "--link", "l1", "--room", "x", "--to", site.endpoint)
    assert refused.returncode == 1
    assert says in refused.stderr
    assert str(capture.name) in refused.stderr
    assert site.ready()


FIVE_TASKS = ("presence", "counting", "localization", "suspicious_object", "activity")


def test_demo_rooms_of_every_card_go_vacant_occupied_vacant(tmp_path: Path) -> None:
    rooms = {"demo": "intel5300", "demo-2": "atheros", "demo-3": "nexmon"}
    with Site(tmp_path, demo=True) as site:
        wait_for(
            lambda: all(site.state(room, "presence").get("status") == "ok" for room in rooms), "states", 60
        )
        values: dict[str, list[str]] = {room: [] for room in rooms}

        def cycle() -> bool:
            for room, seen in values.items():
                state = site.state(room, "presence")
                assert state["source"] in {"simulated", None}
                if state["status"] == "ok" and seen[-1:] != [state["value"]]:
                    seen.append(state["value"])
            return all("vacant occupied vacant" in " ".join(seen) for seen in values.values())

        # Each lasts for many seconds; asking more often only takes time from those who sense.
        wait_for(cycle, f"vacant, occupied, vacant; saw {values}", 200, pause_s=0.5)
        links = {item["room"]: item for item in site.get("/v1/links")["items"]}
        assert {room: link["nic"] for room, link in links.items()} == rooms
        served = {state["task"]: state for state in site.get("/v1/rooms/demo/state")["tasks"]}
        assert {task: state["status"] for task, state in served.items()} == dict.fromkeys(FIVE_TASKS, "ok")
        assert {state["model"]["trained_on"] for state in served.values()} == {"simulation"}
        assert set(served["localization"]["value"]) == {"x_m", "y_m", "cell", "sigma_m"}
        for room in ("demo-2", "demo-3"):  # the shipped models know the Intel card alone
            counting = site.state(room, "counting")
            assert (counting["value"], counting["reason"]) == (None, "no_model")
        assert {event["data"].get("source") for event in site.events()} == {"simulated"}
