"""The AsyncAPI document: whole by the specification's own structure, and true of what really travels."""

import json
import time
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from service.events import EventType
from tests.service.running import Running

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Fields = dict[str, Any]
# AsyncAPI 3.0.0: the members of the root, of channels, operations and messages, and which are demanded.
ROOT = {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"}
CHANNEL = {
    "address",
    "messages",
    "title",
    "summary",
    "description",
    "servers",
    "parameters",
    "tags",
    "externalDocs",
    "bindings",
}
OPERATION = {
    "action",
    "channel",
    "title",
    "summary",
    "description",
    "security",
    "tags",
    "externalDocs",
    "bindings",
    "traits",
    "messages",
    "reply",
}
MESSAGE = {
    "headers",
    "payload",
    "correlationId",
    "contentType",
    "name",
    "title",
    "summary",
    "description",
    "tags",
    "externalDocs",
    "bindings",
    "examples",
    "traits",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("asyncapi")) as running:
        running.put_room("lab")
        yield running


@pytest.fixture(scope="module")
def document(api: Running) -> Fields:
    with api.client_of(None) as anybody:
        found: Fields = anybody.get("/v1/asyncapi.json").json()
    return found


def resolved(document: Fields, node: Any) -> Any:
    """The node, or what it refers to, through as many references as there are."""
    while isinstance(node, dict) and "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/")]
        node = found
    return node


def test_its_structure_is_that_of_asyncapi_3(document: Fields) -> None:
    assert document["asyncapi"] == "3.0.0"
    assert set(document) <= ROOT
    assert {"title", "version"} <= set(document["info"])
    for channel in document["channels"].values():
        assert set(channel) <= CHANNEL
        for message in channel["messages"].values():
            assert set(resolved(document, message)) <= MESSAGE
    for name, operation in document["operations"].items():
        assert set(operation) <= OPERATION, name
        assert operation["action"] in {"send", "receive"}
        channel = resolved(document, operation["channel"])
        own = [resolved(document, message) for message in channel["messages"].values()]
        for message in operation["messages"]:
            assert resolved(document, message) in own, f"{name}: messages of an operation are its channel's"


def validator(document: Fields, message: str) -> Any:
    payload = document["components"]["messages"][message]["payload"]
    return jsonschema_rs.validator_for({"$schema": DRAFT, **payload, "components": document["components"]})


def test_every_payload_is_a_schema(document: Fields) -> None:
    for name in document["components"]["messages"]:
        validator(document, name)


def test_every_event_type_is_told(document: Fields) -> None:
    types = document["components"]["messages"]["event"]["payload"]["properties"]["type"]["enum"]
    assert set(types) == set(EventType)


def follow(api: Running, message: Fields, wanted: int) -> list[Fields]:
    with api.stream() as stream:
        stream.send(json.dumps(message))
        return [json.loads(stream.recv(timeout=30)) for _ in range(wanted)]


def test_what_travels_fits(api: Running, document: Fields) -> None:
    wish = {"type": "subscribe", "rooms": ["lab"], "types": ["alert"], "min_severity": "info", "after": 0}
    validator(document, "subscribe").validate(wish)
    api.put_state("lab", "presence", "occupied", received_ns=time.time_ns())
    api.append(room="lab", alert_id="a1", source="live", wake=False)
    (event,) = follow(api, wish, 1)
    validator(document, "event").validate(event)
    reset, snapshot = follow(api, {"type": "subscribe", "after": 10**6}, 2)
    validator(document, "reset").validate(reset)
    validator(document, "snapshot").validate(snapshot)
    (error,) = follow(api, {"type": "shout"}, 1)
    validator(document, "error").validate(error)
