"""Rooms as Brick, Project Haystack and W3C WoT see them, read by the libraries that others read them with."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rdflib
from rdflib import RDF, RDFS, Literal, Namespace, URIRef

from service.outlets.bacnet.identity import identify
from service.outlets.bacnet.settings import BacnetSettings
from service.store.eventlog import site_id
from service.store.keys import Role
from service.store.rooms import list_rooms
from tests.service.running import PretendedWorker, Running, link_facts, wait_for

BRICK = Namespace("https://brickschema.org/schema/Brick#")
REF = Namespace("https://brickschema.org/schema/Brick/ref#")
BACNET = Namespace("http://data.ashrae.org/bacnet/2020#")
ODD = 'a "quote" \\ back\nline\ttab ü <b> .'


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("semantic")) as api:
        tags = {"brick": "Conference_Room", "haystack": "conferenceRoom, 9bad", "floor": "3", ODD: ODD}
        zones = [{"zone": "east"}]
        tasks = ["presence", "counting", "localization", "suspicious_object", "activity"]
        api.put_room("lab", name=ODD, tags=tags, zones=zones, tasks=tasks, capacity=12)
        api.put_room("hall", zones=zones, tags={"brick": "no class; ] .", "site": "mine"})
        api.settings.outlets.bacnet = BacnetSettings(address="127.0.0.1")
        identify(api.store, list_rooms(api.store), 4711)
        yield api


def graph(api: Running, key: str | None = None) -> rdflib.Graph:
    with api.client_of(key or api.key) as client:
        answer = client.get("/v1/exports/brick.ttl")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/turtle")
    return rdflib.Graph().parse(data=answer.text, format="turtle")


def urn(api: Running, rest: str = "") -> URIRef:
    return URIRef(f"urn:roomtone:site:{site_id(api.store)}{rest}")


def test_brick_holds_rooms_zones_and_points(api: Running) -> None:
    found = graph(api)
    lab = urn(api, ":room:lab")
    assert (lab, RDF.type, BRICK.Conference_Room) in found
    assert (urn(api, ":room:hall"), RDF.type, BRICK.Room) in found, "a tag that is no class changes nothing"
    assert found.value(lab, RDFS.label) == Literal(ODD)
    assert (lab, BRICK.isPartOf, urn(api)) in found
    assert set(found.objects(urn(api, ":zone:east"), BRICK.hasPart)) == {lab, urn(api, ":room:hall")}
    points = {found.value(point, RDF.type) for point in found.subjects(BRICK.isPointOf, lab)}
    assert points == {BRICK.Occupancy_Sensor, BRICK.Occupancy_Count_Sensor, BRICK.Sensor, BRICK.Alarm}
    assert Literal(ODD) in set(found.objects(lab)), "own tags are kept, whatever they hold"


def test_brick_says_where_bacnet_has_a_point(api: Running) -> None:
    found = graph(api)
    reference = found.value(urn(api, ":room:lab:task:presence"), REF.hasExternalReference)
    assert (reference, RDF.type, REF.BACnetReference) in found
    assert found.value(reference, BACNET["object-identifier"]) == Literal("binary-input,2")
    assert found.value(reference, BACNET["object-name"]) == Literal("lab/occupancy")
    device = found.value(reference, BACNET.objectOf)
    assert found.value(device, BACNET["device-instance"]) == Literal(4711)


def test_haystack_is_a_grid_of_entities(api: Running) -> None:
    told = api.client.get("/v1/exports/haystack.json").json()
    assert (told["_kind"], told["meta"]) == ("grid", {"ver": "3.0"})
    assert {column["name"] for column in told["cols"]} == {name for row in told["rows"] for name in row}
    rows = {row["id"]["val"]: row for row in told["rows"]}
    assert len(rows) == len(told["rows"]), "ids are unique"
    for row in rows.values():
        for name, value in row.items():
            assert re.fullmatch(r"[a-z][A-Za-z0-9_]*", name)
            if name.endswith("Ref"):
                assert value["val"] in rows, "references lead somewhere"
    site = site_id(api.store)
    marker = {"_kind": "marker"}
    assert rows[f"{site}:lab"]["conferenceRoom"] == marker
    assert (rows[f"{site}:lab"]["floor"], rows[f"{site}:lab"]["capacity"]) == ("3", 12)
    point = rows[f"{site}:lab:presence"]
    assert [point[name] for name in ("occupied", "sensor", "point")] == [marker] * 3
    assert (point["kind"], point["enum"]) == ("Bool", "vacant,occupied")
    assert (point["bacnetDevice"], point["bacnetObject"]) == (4711, "binary-input,2")


def test_a_key_for_one_room_gets_that_room_alone(api: Running) -> None:
    key = api.new_key(Role.VIEWER, "lab")
    assert urn(api, ":room:hall") not in set(graph(api, key).subjects())
    with api.client_of(key) as client:
        grid = client.get("/v1/exports/haystack.json").json()
        assert all(":hall" not in row["id"]["val"] for row in grid["rows"])
        assert client.get("/v1/rooms/hall/thing").status_code == 403
        assert client.get("/v1/rooms/hall/state/presence").status_code == 403


def test_a_thing_description_keeps_the_rules_of_the_recommendation(api: Running) -> None:
    answer = api.client.get("/v1/rooms/lab/thing")
    assert answer.headers["content-type"] == "application/td+json"
    thing = answer.json()
    assert thing["@context"][0] == "https://www.w3.org/2022/wot/td/v1.1"
    assert {"title", "id", "security", "securityDefinitions"} <= set(thing)
    assert thing["id"] == str(urn(api, ":room:lab"))
    assert thing["security"] in thing["securityDefinitions"]
    assert thing["securityDefinitions"]["key"]["scheme"] == "bearer"
    assert set(thing["properties"]) == {
        "presence",
        "counting",
        "localization",
        "suspicious_object",
        "activity",
    }
    for told in thing["properties"].values():
        assert told["forms"], "an affordance has a form at least"
        assert not (told["readOnly"] and told.get("writeOnly"))
        for form in told["forms"]:
            assert form["op"] == "readproperty", "what is read only is only read"
            assert not form["href"].startswith("/")
        check_data_schema(told)


def check_data_schema(schema: dict[str, Any]) -> None:
    """Rules of 5.3.2 of the Recommendation: words of types, and members where their type has them."""
    kinds = {"object", "array", "string", "number", "integer", "boolean", "null", None}
    assert schema.get("type") in kinds
    assert ("properties" in schema) <= (schema.get("type") == "object")
    assert ({"minimum", "maximum"} & set(schema) == set()) or schema["type"] in {"number", "integer"}
    assert set(schema.get("required", [])) <= set(schema.get("properties", {}))
    for part in [*schema.get("properties", {}).values(), *schema.get("oneOf", [])]:
        check_data_schema(part)


def test_forms_of_a_thing_lead_to_states_as_described(api: Running) -> None:
    now = time.time_ns()
    api.put_state("lab", "presence", "occupied", received_ns=now)
    thing = api.client.get("/v1/rooms/lab/thing").json()
    with PretendedWorker(api.settings) as worker:
        worker.links = {"l1": link_facts("lab")}
        wait_for(lambda: api.context.watch.worker_up, "the worker")
        for task, told in thing["properties"].items():
            answer = api.client.get(thing["base"] + told["forms"][0]["href"])
            assert answer.headers["content-type"] == told["forms"][0]["contentType"]
            state = answer.json()
            assert set(told["required"]) <= set(state)
            assert state["task"] == told["properties"]["task"]["const"] == task
            assert state["status"] in told["properties"]["status"]["enum"]
        state = api.client.get("/v1/rooms/lab/state/presence").json()
        assert state["value"] in thing["properties"]["presence"]["properties"]["value"]["oneOf"][1]["enum"]


def test_what_is_not_there_is_said(api: Running) -> None:
    assert api.client.get("/v1/rooms/nowhere/thing").json()["type"] == "/problems/room-not-found"
    assert api.client.get("/v1/rooms/nowhere/state/presence").json()["type"] == "/problems/room-not-found"
    assert api.client.get("/v1/rooms/hall/state/activity").status_code == 404


def test_without_bacnet_nothing_is_said_of_it(tmp_path: Path) -> None:
    with Running(tmp_path) as api:
        api.put_room("lab")
        assert "bacnet:" not in api.client.get("/v1/exports/brick.ttl").text.replace("@prefix bacnet:", "")
        assert "bacnet" not in api.client.get("/v1/exports/haystack.json").text
