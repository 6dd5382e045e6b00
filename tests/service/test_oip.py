"""Open Inference Protocol v2: its written schema, the worker's own numbers, rights, and what does not fit."""

import asyncio
import json
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import jsonschema_rs
import numpy as np
import pytest

from drivers.wire import Source
from models.adapt.head import RoomHead
from models.bare import bare
from models.runtime import Backbone
from models.sensing import Sensing
from models.signal.view import View
from models.zoo import find_model
from service.inference.desk import Desk
from service.inference.refusal import InferenceRefusal
from service.inference.shelf import MOST_LOADED, _Kept
from service.inference.tensors import MOST_ELEMENTS
from service.store.keys import Role
from service.store.versions import activate, add_version, refuse
from service.worker.heads import Heads
from tests.service.running import Running
from tests.service.tensors import inputs, outputs, tensor, window

COUNTING = "counting-simulation"
TEXT, NUMBERS = {"type": "string"}, {"type": "array", "items": {"type": "number"}}
TENSOR = {
    "type": "object",
    "required": ["name", "datatype", "shape"],
    "properties": {"name": TEXT, "datatype": {"const": "FP32"}, "shape": {"items": {"type": "integer"}}},
}
# open_inference_rest.yaml of the protocol: metadata_model_response, inference_response, *_error_response.
MODEL = {
    "required": ["name", "platform", "inputs", "outputs"],
    "properties": {
        "name": TEXT,
        "platform": TEXT,
        "versions": {"type": "array", "items": TEXT},
        "inputs": {"type": "array", "items": TENSOR},
        "outputs": {"type": "array", "items": TENSOR},
        "properties": {"type": "object", "additionalProperties": TEXT},
    },
}
RESPONSE = {
    "required": ["model_name", "outputs"],
    "properties": {
        "model_name": TEXT,
        "model_version": TEXT,
        "id": TEXT,
        "outputs": {
            "type": "array",
            "items": {**TENSOR, "required": [*TENSOR["required"], "data"]},
        },
    },
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("oip")) as running:
        for room in ("lab", "hall"):
            running.put_room(room, tasks=["counting", "presence"])
        yield running


@pytest.fixture(scope="module")
def view() -> View:
    return View(window())


def teach(api: Running, backbone: Any, view: View, *, seed: int = 0, room: str = "lab") -> int:
    """A head of made-up numbers on this backbone, in its shadow run."""
    rng, vector = np.random.default_rng(seed), backbone.vector(view)
    last = rng.normal(size=(len(vector), 3)), rng.normal(size=3)
    head = RoomHead.of("softmax", (vector - 0.1, np.ones(len(vector))), last)
    with api.store.write() as connection:
        return add_version(
            connection,
            room=room,
            task=backbone.card.task,
            head=head,
            model=(backbone.card.name, backbone.card.digest),
            method="head_refit",
            provisional=True,
            doc={"classes": ["0", "1", "2"], "simulated": True},
            job=None,
        )


def make_active(api: Running, version: int) -> None:
    with api.store.write() as connection:
        activate(connection, version, actor="me", why="test")


def infer(api: Running, model: str, given: list[dict[str, Any]], **more: Any) -> Any:
    return api.client.post(f"/v2/models/{model}/infer", json={"inputs": given, **more})


def test_health_is_open_and_metadata_is_not(api: Running) -> None:
    with api.client_of(None) as nobody:
        assert nobody.get("/v2/health/live").json() == {"live": True}
        assert nobody.get("/v2/health/ready").json() == {"ready": True}
        for path in ("/v2", "/v2/models/x", "/v2/models/x/ready"):
            refused = nobody.get(path)
            assert refused.status_code == 401
            assert refused.headers["content-type"] == "application/problem+json"
    told = api.client.get("/v2").json()
    assert told["name"] == "roomtone"
    assert told["extensions"] == []


def test_metadata_tells_the_tensors_of_the_file(api: Running) -> None:
    told = api.client.get(f"/v2/models/{COUNTING}").json()
    jsonschema_rs.validate(MODEL, told)
    assert told["versions"] == ["1"]
    assert told["inputs"][:2] == [
        {"name": "features", "datatype": "FP32", "shape": [1, -1, 33]},
        {"name": "mask", "datatype": "FP32", "shape": [1, -1]},
    ]
    assert told["properties"]["optional_inputs"] == "head_weight,head_bias"
    assert told["properties"]["trained_on"] == "simulation"
    assert [one["name"] for one in told["outputs"]] == ["embedding", "logits", "probabilities"]
    assert api.client.get(f"/v2/models/{COUNTING}/versions/1").json() == told
    assert api.client.get(f"/v2/models/{COUNTING}/versions/1/ready").json()["ready"] is True
    for gone in (f"{COUNTING}/versions/7", "nothing", "presence@lab", "presence@nowhere"):
        refused = api.client.get(f"/v2/models/{gone}")
        assert refused.status_code == 404
        assert list(refused.json()) == ["error"]


def test_a_shelf_model_says_what_the_worker_computes(api: Running, view: View) -> None:
    sensing = Sensing.load(["open"])
    (worker,) = sensing.predict(view.window, ["activity"], source=Source.SIMULATED)
    given = outputs(infer(api, "activity-simulation", inputs(view)))
    assert worker.probability == pytest.approx(float(given["probabilities"].max()), rel=1e-6)
    shelved = find_model("activity-simulation", ["open"])
    assert shelved is not None
    assert worker.value == shelved.card.classes[int(given["probabilities"].argmax())]
    logits = Backbone(shelved).read(view)
    assert logits is not None
    assert (given["logits"][0] == logits).all()


def test_a_rooms_head_says_what_the_worker_computes(api: Running, view: View) -> None:
    sensing = Sensing.load(["open"])
    backbone = sensing.base_of("counting", ["intel5300"], "lab", simulated=True)
    first, second = (teach(api, backbone, view, seed=seed) for seed in (1, 2))
    make_active(api, first)
    make_active(api, second)
    own = Heads(api.store).read().active["lab"]
    (worker,) = sensing.predict(view.window, ["counting"], source=Source.SIMULATED, room="lab", own=own)
    answer = infer(api, "counting@lab", inputs(view, head=True), id="42")
    jsonschema_rs.validate(RESPONSE, answer.json())
    assert answer.json()["id"] == "42"
    assert answer.json()["model_version"] == str(second)
    found = outputs(answer)["probabilities"][0]
    assert worker.model is not None
    assert worker.model.version.endswith(f"room.{second}")
    assert worker.probability == pytest.approx(float(found[int(worker.value)]), rel=1e-5)  # type: ignore[arg-type]
    older = api.client.post(
        f"/v2/models/counting@lab/versions/{first}/infer", json={"inputs": inputs(view, head=True)}
    )
    assert not np.allclose(outputs(older)["probabilities"][0], found)
    told = api.client.get("/v2/models/counting@lab").json()
    jsonschema_rs.validate(MODEL, told)
    assert told["versions"] == [str(first), str(second)]
    assert told["properties"]["version"] == str(second)


def test_a_head_on_features_alone_answers_too_and_a_refused_one_does_not(api: Running, view: View) -> None:
    version = teach(api, bare("presence"), view, room="hall")
    make_active(api, version)
    answer = infer(api, "presence@hall", inputs(view, head=True))
    assert outputs(answer)["probabilities"].sum() == pytest.approx(1, abs=1e-5)
    refused = teach(api, bare("presence"), view, room="hall")
    with api.store.write() as connection:
        refuse(connection, refused)
    path = f"presence@hall/versions/{refused}"
    assert infer(api, path, inputs(view, head=True)).status_code == 404


def test_a_head_of_ones_own_takes_the_place_of_the_shipped_one(api: Running, view: View) -> None:
    shapes = {one["name"]: one["shape"] for one in api.client.get(f"/v2/models/{COUNTING}").json()["inputs"]}
    weight, bias = (tensor(name, np.zeros(shapes[name])) for name in ("head_weight", "head_bias"))
    answer = infer(api, COUNTING, [*inputs(view), weight, bias], outputs=[{"name": "logits"}])
    assert list(outputs(answer)) == ["logits"]
    assert not outputs(answer)["logits"].any()
    assert "head_bias" in infer(api, COUNTING, [*inputs(view), weight]).json()["error"]


def test_a_key_of_a_room_asks_its_own_head_only(api: Running, view: View) -> None:
    make_active(api, teach(api, Backbone(find_model(COUNTING, ["open"])), view, seed=5))  # type: ignore[arg-type]
    with api.client_of(api.new_key(Role.VIEWER, room="hall")) as hall:
        body = {"inputs": inputs(view, head=True)}
        refused = hall.post("/v2/models/counting@lab/infer", json=body)
        assert refused.status_code == 403
        assert refused.json()["type"] == "/problems/forbidden"
        assert hall.get("/v2/models/counting@lab").status_code == 403
        assert hall.get("/v2/models/counting@lab/ready").status_code == 403
        assert hall.get(f"/v2/models/{COUNTING}").status_code == 200
    with api.client_of(api.new_key(Role.VIEWER, room="lab")) as lab:
        assert lab.post("/v2/models/counting@lab/infer", json=body).status_code == 200


FLAT = {"name": "features", "shape": [1, 1, 33], "datatype": "FP32", "data": [0.5] * 33}
MASK = {"name": "mask", "shape": [1, 1], "datatype": "FP32", "data": [1]}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ([FLAT], "'mask' is missing"),
        ([FLAT, MASK, MASK], "twice"),
        ([FLAT, MASK, {**MASK, "name": "other"}], "'other' is none of"),
        ([{**FLAT, "datatype": "FP64"}, MASK], "datatype"),
        ([{**FLAT, "shape": [1, 33]}, MASK], "it must be [1, -1, 33]"),
        ([{**FLAT, "shape": [1, 0, 33], "data": []}, MASK], "it must be [1, -1, 33]"),
        ([{**FLAT, "shape": [1, -1, 33]}, MASK], "negative"),
        ([{**FLAT, "shape": [1, 2, 33], "data": [0.5] * 66}, MASK], "with 2 in place of -1"),
        ([{**FLAT, "shape": [2, 1, 33], "data": [0.5] * 66}, MASK], "it must be"),
        ([{**FLAT, "shape": [1, MOST_ELEMENTS, 33]}, MASK], "elements together"),
        ([{**FLAT, "data": [0.5] * 32}, MASK], "beside shape"),
        ([{**FLAT, "data": [[[0.5] * 33], [[0.5]]]}, MASK], "data:"),
        ([{**FLAT, "data": [[0.5] * 33]}, MASK], "nested 2 deep"),
        ([{**FLAT, "data": ["0.5"] * 33}, MASK], "data:"),
        ([{**FLAT, "data": [None] * 33}, MASK], "data:"),
        ([{**FLAT, "data": [1e39] * 33}, MASK], "range"),
        ([{**FLAT, "data": 0.5}, MASK], "nested 0 deep"),
        ([{**FLAT, "data": None}, MASK], "data"),
        ([{key: FLAT[key] for key in ("name", "shape", "datatype")}, MASK], "no binary data extension"),
        ([FLAT, {**MASK, "data": [0]}], "unknown"),
        ([FLAT, {**MASK, "data": [0.5]}], "it is 1 where"),
    ],
)
def test_tensors_that_do_not_fit_are_told_by_name(api: Running, given: list[Any], word: str) -> None:
    refused = infer(api, COUNTING, given)
    assert refused.status_code == 400
    assert word in refused.json()["error"]
    assert list(refused.json()) == ["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"inputs": 1}',
        b'{"inputs": [' + b"[" * 20_000,
        json.dumps({"inputs": [{**FLAT, "data": "X"}, MASK]}).replace('"X"', "[NaN]").encode(),
        json.dumps({"inputs": [{**FLAT, "data": "X"}, MASK]}).replace('"X"', "[1e999]").encode(),
        json.dumps({"inputs": [{**MASK, "name": str(n)} for n in range(40)]}).encode(),
        json.dumps({"inputs": [{**FLAT, "shape": [1] * 40}, MASK]}).encode(),
    ],
)
def test_bodies_that_are_no_request_are_refused(api: Running, body: bytes) -> None:
    refused = api.client.post(f"/v2/models/{COUNTING}/infer", content=body)
    assert refused.status_code == 400
    assert list(refused.json()) == ["error"]


def test_unknown_outputs_and_the_binary_extension_are_refused(api: Running) -> None:
    assert "'x' is none" in infer(api, COUNTING, [FLAT, MASK], outputs=[{"name": "x"}]).json()["error"]
    refused = api.client.post(
        f"/v2/models/{COUNTING}/infer", content=b"{}", headers={"Inference-Header-Content-Length": "2"}
    )
    assert refused.status_code == 400
    assert "binary" in refused.json()["error"]


def test_sessions_are_bounded_and_loaded_once() -> None:
    kept, loads = _Kept(2), []

    def load(name: str) -> str:
        loads.append(name)
        return name

    for name in "abaca":
        assert kept.get(name, partial(load, name)) == name
    assert (len(kept), loads) == (2, ["a", "b", "c"])
    assert MOST_LOADED < 20


async def test_few_run_at_once_and_too_many_are_sent_away() -> None:
    desk, hold = Desk(1, most_waiting=1), threading.Event()
    tasks = [asyncio.create_task(desk.do(lambda: hold.wait(20))) for _ in range(2)]
    try:
        async with asyncio.timeout(20):
            while desk.waiting < 1:  # noqa: ASYNC110 - the limiter tells nobody
                await asyncio.sleep(0)
        with pytest.raises(InferenceRefusal) as refused:
            await desk.do(lambda: True)
        assert refused.value.status == 503
        assert refused.value.headers["Retry-After"] == "1"
    finally:
        hold.set()
    assert await asyncio.gather(*tasks) == [True, True]
