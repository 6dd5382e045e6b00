"""Labelled samples through the real API, bus, store and worker: taken, judged, refused, repeated, erased."""

import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx2
import numpy as np
import pytest
import sqlalchemy as sa

from drivers.frame import FrameBlock
from drivers.registry import load
from drivers.simulate.capture import encode_in_order
from drivers.wire import Source
from models.signal.clip import Clip
from models.signal.window import WindowSpec
from service.api import sampling
from service.api.documents.samples import SampleBody
from service.bus.memory import MemoryHub, MemoryIngest
from service.bus.registry import open_signals
from service.settings import SampleSettings
from service.state import rfc3339
from service.store.keys import Role
from service.store.rooms import delete_room
from service.store.samples import PENDING, Asked, ask, get_sample, load_windows
from service.store.schema import audit, idempotency, samples
from service.worker import samples as worker_samples
from service.worker.loop import Worker
from service.worker.recent import Recent
from service.worker.samples import PATIENCE_S
from tests.drivers.samples import SAMPLES
from tests.models import make
from tests.service.frames import FakeSensing, S, Talker
from tests.service.running import Running, wait_for

T0 = make.EPOCH_NS
SPEC = WindowSpec()


def recording(seconds: float, people: int, start_s: float = 0.0, seed: int = 0) -> FrameBlock:
    """Frames of a room with so many people walking, from T0 + start_s."""
    block = make.recording(seconds, people, seed=seed)
    block.table["capture_ns"] += round(start_s * S)
    return block


@dataclass
class Site:
    """A real API and a real worker in threads; frames come over the memory bus."""

    api: Running
    hub: MemoryHub = field(default_factory=MemoryHub)
    worker: Worker | None = None
    talkers: dict[str, Talker] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.api.put_room("lab", links=["l1"])
        self.client = self.api.client_of(self.api.new_key(Role.OPERATOR))

    def start(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        wait_for(lambda: self.worker, "the worker")

    def _run(self) -> None:
        with open_signals(self.api.settings, "worker") as signals:
            ingest = MemoryIngest(self.hub)
            worker = Worker(
                self.api.settings, self.api.store, ingest=ingest, signals=signals, sensing=FakeSensing()
            )
            worker.start()
            self.worker = worker
            while not self._stop.is_set():
                worker.turn(0.02)
            ingest.close()

    def kill(self) -> None:
        """The worker is gone, with all that it remembered."""
        if self.worker is not None:
            self._stop.set()
            self._thread.join(10)
            self.worker = None
            self.talkers.clear()

    def send(self, *blocks: FrameBlock, link: str = "l1", source: Source = Source.LIVE) -> None:
        """Have the worker see these frames, and wait until their windows are remembered."""
        worker = self.worker
        assert worker is not None
        talker = self.talkers.get(link) or Talker(self.hub.sender(), link, "lab", source=source)
        self.talkers[link] = talker
        talker.hello()
        for block in blocks:
            for start in range(0, len(block), 1000):
                talker.send(block.take(slice(start, start + 1000)))
                wait_for(talker.heard, "credit")
                talker.hello()
            end_ns = int(block.table["capture_ns"][-1]) // S * S - 10**9
            wait_for(partial(_remembers, worker, end_ns), "its windows")

    def post(
        self, start: float, end: float, label: Any = "occupied", task: str = "presence", **headers: str
    ) -> httpx2.Response:
        body = {"task": task, "label": label, "from": rfc3339(T0 + round(start * S))}
        body["to"] = rfc3339(T0 + round(end * S))
        return self.client.post("/v1/rooms/lab/samples", json=body, headers=headers)

    def upload(self, data: bytes, headers: dict[str, str] | None = None, **fields: str) -> httpx2.Response:
        told = {"task": "presence", "label": "occupied", "link": "l1", **fields}
        return self.client.post(
            "/v1/rooms/lab/samples", data=told, files={"file": ("x.dat", data)}, headers=headers
        )

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        with self.api.store.read() as connection:
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.client.close()


def _remembers(worker: Worker, end_ns: int) -> bool:
    held = worker.sampling.recent.span("lab")
    return held is not None and held.to_ns >= end_ns


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Site]:
    with Running(tmp_path) as api, Site(api) as site:
        yield site


@pytest.fixture
def site(idle: Site) -> Site:
    idle.start()
    return idle


def problem(answer: httpx2.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"/problems/{kind}", document
    return document


def test_a_span_that_was_just_seen_is_taken_with_its_windows(site: Site) -> None:
    site.send(recording(30, 1))
    taken = site.post(5, 25)
    assert taken.status_code == 201, taken.text
    sample = taken.json()
    assert (sample["state"], sample["origin"], sample["label"]) == ("accepted", "live", "occupied")
    verdict = sample["verdict"]
    assert verdict["accepted"] is True
    assert verdict["reasons"] == verdict["warnings"] == []
    assert (verdict["windows"], verdict["seconds"]) == (17, 20)
    assert verdict["occupancy"] == 1
    assert verdict["motion"] == 1
    assert verdict["balance"] == {"occupied": 20}
    data = load_windows(site.api.store, sample["id"])
    assert data is not None
    assert len(data) == sample["bytes"]
    ends = [(one.end_ns - T0) // S for one in Clip.unpack(data).windows(SPEC)]
    assert ends == list(range(9, 26))
    (entry,) = (row for row in site.rows(audit) if row["action"] == "sample.accepted")
    assert (entry["target"], entry["detail"]["sample"]) == ("lab", sample["id"])


def test_a_sample_says_that_its_frames_were_simulated(site: Site) -> None:
    site.send(recording(12, 1), source=Source.SIMULATED)
    assert site.post(2, 10, label=3, task="counting").json()["origin"] == "simulated"


def test_the_same_time_again_is_a_duplicate_but_another_task_is_not(site: Site) -> None:
    site.send(recording(30, 1))
    assert site.post(2, 12).json()["state"] == "accepted"
    again = site.post(8, 20)
    assert (again.status_code, again.json()["state"]) == (201, "rejected")
    assert again.json()["verdict"]["reasons"] == ["duplicate"]
    assert again.json()["bytes"] == 0
    assert load_windows(site.api.store, again.json()["id"]) is None
    after = site.post(12, 20).json()
    assert after["verdict"]["balance"] == {"occupied": 18}
    assert site.post(2, 12, label=1, task="counting").json()["state"] == "accepted"


@pytest.mark.parametrize(("task", "label"), [("presence", "vacant"), ("counting", 0)])
def test_an_empty_room_in_which_somebody_walks_is_rejected(site: Site, task: str, label: Any) -> None:
    site.send(recording(30, 1))
    sample = site.post(5, 25, label=label, task=task).json()
    assert (sample["state"], sample["verdict"]["reasons"]) == ("rejected", ["motion_contradicts"])
    assert sample["verdict"]["balance"] == {}
    assert "said to be empty" in sample["verdict"]["detail"]["motion_contradicts"]


def test_a_still_room_is_vacant_and_occupied_only_with_a_warning(site: Site) -> None:
    site.send(recording(30, 0))
    assert site.post(2, 12, label="vacant").json()["verdict"]["motion"] == 0
    sample = site.post(14, 24).json()
    assert (sample["state"], sample["verdict"]["warnings"]) == ("accepted", ["no_motion_seen"])


def test_a_span_with_too_few_packets_is_rejected(site: Site) -> None:
    frames = recording(40, 1)
    seconds = (frames.table["capture_ns"] - T0) / S
    site.send(frames.take((seconds < 8) | (seconds > 30)))
    sample = site.post(5, 29).json()
    assert (sample["state"], sample["verdict"]["reasons"]) == ("rejected", ["too_few_packets"])
    assert site.post(2, 8.5).json()["verdict"]["warnings"] == []


def test_a_span_that_ends_now_waits_for_its_last_window(site: Site) -> None:
    site.send(recording(12, 1))
    answers: list[httpx2.Response] = []
    asking = threading.Thread(target=lambda: answers.append(site.post(4, 15)))
    asking.start()
    wait_for(lambda: site.rows(samples), "the question")
    site.send(recording(10, 1, start_s=12))
    asking.join(20)
    assert answers[0].json()["state"] == "accepted", answers[0].text


def test_a_span_that_is_not_there_is_told_with_what_is(site: Site) -> None:
    site.send(recording(20, 1))
    document = problem(site.post(-30, -10), 409, "span-not-held")
    assert document["held"]["from"] == rfc3339(T0 - 3 * S)
    assert document["held"]["to"] in {rfc3339(T0 + n * S) for n in (18, 19)}
    problem(site.post(10, 40), 409, "span-not-held")
    assert site.client.get("/v1/rooms/lab/samples").json()["items"] == []


def test_without_a_frame_nothing_is_held(site: Site) -> None:
    started = time.monotonic()
    document = problem(site.post(0, 10), 409, "span-not-held")
    assert document["held"] is None
    assert time.monotonic() - started < PATIENCE_S + 1.5


def test_what_a_room_remembers_is_bounded(tmp_path: Path) -> None:
    with Running(tmp_path) as api, Site(api) as site:
        api.settings.samples = SampleSettings(buffer_minutes=0.25)
        site.start()
        site.send(recording(40, 1))
        problem(site.post(5, 20), 409, "span-not-held")
        assert site.post(28, 36).json()["state"] == "accepted"


def test_when_nobody_answers_nothing_can_be_accepted_later(
    idle: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "WAIT_S", 0.3)
    problem(idle.post(5, 25), 503, "worker-down")
    (row,) = idle.rows(samples)
    assert row["state"] == "expired"
    idle.start()
    idle.send(recording(30, 1))
    time.sleep(0.6)
    assert [row["state"] for row in idle.rows(samples)] == ["expired"]
    assert idle.post(5, 25).json()["state"] == "accepted"


def test_what_a_dead_worker_left_is_answered_by_the_next_one(site: Site) -> None:
    site.send(recording(20, 1))
    site.kill()
    asked = Asked("lab", "presence", "occupied", T0 + 2 * S, T0 + 12 * S, "test")
    left = ask(site.api.store, asked)
    late = ask(site.api.store, Asked("lab", "presence", "occupied", T0 + 60 * S, T0 + 70 * S, "test"))
    site.start()
    site.send(recording(40, 1, start_s=50))

    def state(sample: str) -> str:
        found = get_sample(site.api.store, sample)
        assert found is not None
        return found.state

    wait_for(lambda: PENDING not in {state(left.sample), state(late.sample)}, "both answers")
    assert state(left.sample) == "expired", "what the dead one remembered is gone"
    assert state(late.sample) == "accepted"


def test_a_span_that_cannot_be_judged_takes_neither_the_worker_nor_the_room_down(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.send(recording(20, 1))

    def broken(*_: object) -> None:
        raise FloatingPointError("a number that is none")

    with monkeypatch.context() as patched:
        patched.setattr(worker_samples, "judge", broken)
        problem(site.post(2, 12), 500, "internal")
        patched.setattr(Recent, "take", broken)
        site.api.put_room("lab", links=["l1"], name="told to read the layout, as a sign that it turns")
        site.talkers["l1"].send(recording(10, 1, start_s=20))
        wait_for(
            lambda: site.worker and site.worker.sampling.recent.span("lab") is None, "it to be forgotten"
        )
    site.send(recording(20, 1, start_s=40))
    assert site.post(44, 54).json()["state"] == "accepted"


def test_the_same_request_under_the_same_key_is_done_once(site: Site) -> None:
    site.send(recording(30, 1))
    first = site.post(2, 12, **{"Idempotency-Key": "k1"})
    again = site.post(2, 12, **{"Idempotency-Key": "k1"})
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    marks = [answer.headers.get("Idempotency-Replayed") for answer in (first, again)]
    assert marks == [None, "true"]
    assert len(site.rows(samples)) == 1
    problem(site.post(2, 13, **{"Idempotency-Key": "k1"}), 422, "idempotency-key-reused")
    other = site.api.client_of(site.api.new_key(Role.OPERATOR))
    with other:
        body = {"task": "presence", "label": "occupied", "from": rfc3339(T0 + 14 * S)}
        body["to"] = rfc3339(T0 + 20 * S)
        headers = {"Idempotency-Key": "k1"}
        foreign = other.post("/v1/rooms/lab/samples", json=body, headers=headers)
    assert foreign.json()["id"] != first.json()["id"], (
        "keys of two callers have nothing to do with each other"
    )
    assert site.client.delete(f"/v1/rooms/lab/samples/{first.json()['id']}").status_code == 204
    problem(site.post(2, 12, **{"Idempotency-Key": "k1"}), 404, "sample-not-found")


def test_a_request_that_came_to_nothing_may_be_repeated_under_its_key(site: Site) -> None:
    site.send(recording(12, 1))
    problem(site.post(14, 24, **{"Idempotency-Key": "k2"}), 409, "span-not-held")
    assert site.rows(idempotency) == []
    site.send(recording(20, 1, start_s=12))
    assert site.post(14, 24, **{"Idempotency-Key": "k2"}).status_code == 201


def test_samples_are_listed_newest_first_and_page_by_page(site: Site) -> None:
    site.send(recording(40, 1))
    made = [site.post(start, start + 6).json()["id"] for start in (2, 9, 16)]
    made.append(site.post(2, 8, label=1, task="counting").json()["id"])
    listed: list[str] = []
    cursor = None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = site.client.get("/v1/rooms/lab/samples", params=query).json()
        listed += [one["id"] for one in page["items"]]
        assert all("windows" not in one for one in page["items"])
        if (cursor := page["next_cursor"]) is None:
            break
    assert listed == made[::-1]
    counted = site.client.get("/v1/rooms/lab/samples", params={"task": "counting"}).json()["items"]
    assert [one["id"] for one in counted] == made[-1:]
    problem(site.client.get("/v1/rooms/nowhere/samples"), 404, "room-not-found")


def test_a_deleted_sample_leaves_no_bytes_and_its_time_can_be_labelled_again(site: Site) -> None:
    site.send(recording(30, 1))
    sample = site.post(2, 12).json()["id"]
    path = f"/v1/rooms/lab/samples/{sample}"
    problem(site.client.delete("/v1/rooms/lab/samples/smp-0"), 404, "sample-not-found")
    site.api.put_room("other")
    problem(site.client.delete(f"/v1/rooms/other/samples/{sample}"), 404, "sample-not-found")
    assert site.client.delete(path).status_code == 204
    problem(site.client.delete(path), 404, "sample-not-found")
    assert site.rows(samples) == []
    deleted = [row for row in site.rows(audit) if row["action"] == "sample.deleted"]
    assert [row["detail"]["sample"] for row in deleted] == [sample]
    assert site.post(2, 12).json()["state"] == "accepted"
    delete_room(site.api.store, "lab", check=lambda _: None, actor="test")
    assert site.rows(samples) == site.rows(idempotency) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"label": "empty"}, "label"),
        ({"task": "counting", "label": -1}, "label"),
        ({"task": "counting", "label": "two"}, "label"),
        ({"task": "activity", "label": "\n"}, "label"),
        ({"label": True}, "label"),
        ({"task": "weather"}, "task"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-01-31T12:00:00"}, "from"),
        ({"to": "2026-01-31T11:00:00Z"}, "to"),
        ({"to": "2026-01-31T12:10:01Z"}, "to"),
        ({"to": "2026-01-31T12:00:03Z"}, "to"),
        ({"windows": "AAAA"}, "windows"),
    ],
)
def test_a_body_that_does_not_fit_is_told_where(idle: Site, change: dict[str, Any], field: str) -> None:
    body = {"task": "presence", "label": "vacant"} | {"from": "2026-01-31T12:00:00Z"}
    body |= {"to": "2026-01-31T12:00:30Z"} | change
    document = problem(idle.client.post("/v1/rooms/lab/samples", json=body), 422, "validation")
    assert any(field in one["loc"] for one in document["errors"]), document
    assert idle.rows(samples) == []


def test_the_document_shows_both_forms_of_a_sample(idle: Site) -> None:
    document = idle.client.get("/v1/openapi.json").json()
    operation = document["paths"]["/v1/rooms/{room}/samples"]["post"]
    content = operation["requestBody"]["content"]
    example = content["application/json"]["schema"]["examples"][0]
    assert SampleBody.model_validate(example).task == "presence"
    assert set(content["multipart/form-data"]["schema"]["required"]) == {"task", "label", "link", "file"}
    assert "Idempotency-Key" in {one["name"] for one in operation["parameters"]}
    shown = document["components"]["schemas"]["Sample"]
    assert set(shown["examples"][0]) == set(shown["properties"])
    for kind in ("worker-down", "span-not-held", "upload-unusable", "idempotency-key-reused"):
        assert idle.client.get(f"/problems/{kind}").status_code == 200


def test_viewers_may_neither_take_nor_see_samples(idle: Site) -> None:
    with idle.api.client_of(idle.api.new_key(Role.VIEWER)) as viewer:
        problem(viewer.get("/v1/rooms/lab/samples"), 403, "forbidden")
        problem(viewer.post("/v1/rooms/lab/samples", json={}), 403, "forbidden")


def capture(seconds: float, people: int, seed: int = 0) -> bytes:
    """Bytes of an Intel 5300 whose clock began at some time of its own."""
    frames = recording(seconds, people, seed=seed)
    frames.table["capture_ns"] = (frames.table["capture_ns"] - T0) // 1000 * 1000
    return bytes(encode_in_order(load("intel5300"), [frames]))


def test_an_uploaded_capture_becomes_a_sample(idle: Site) -> None:
    taken = idle.upload(capture(30, 1), {"Idempotency-Key": "u1"})
    assert taken.status_code == 201, taken.text
    sample = taken.json()
    assert (sample["state"], sample["origin"]) == ("accepted", "upload")
    assert sample["verdict"]["counts"]["frames"] == 1500
    assert sample["verdict"]["counts"]["rejected"] == {}
    assert sample["verdict"]["file"]["nic"] == "intel5300"
    assert 24 <= sample["verdict"]["windows"] <= 27
    data = load_windows(idle.api.store, sample["id"])
    assert data is not None
    windows = Clip.unpack(data).windows(SPEC)
    assert {one.links for one in windows} == {("l1",)}
    assert {one.nics for one in windows} == {("intel5300",)}
    assert idle.upload(capture(30, 1), {"Idempotency-Key": "u1"}).json() == sample
    again = idle.upload(capture(30, 1)).json()
    assert (again["state"], again["verdict"]["reasons"]) == ("rejected", ["duplicate"])
    assert idle.upload(capture(30, 1, seed=9)).json()["state"] == "accepted", "another file at the same time"


@pytest.mark.parametrize("nic", SAMPLES)
def test_a_capture_of_every_nic_can_be_uploaded(idle: Site, nic: str) -> None:
    block = SAMPLES[nic].block(900)
    block.table["capture_ns"] = 1_000_000 * 10 * np.arange(900)
    module = load(nic)
    taken = idle.upload(module.opening() + module.encode(block), nic=nic)
    assert taken.status_code == 201, taken.text
    sample = taken.json()
    assert sample["verdict"]["file"]["nic"] == nic
    assert sample["verdict"]["windows"] == 5, sample
    data = load_windows(idle.api.store, sample["id"])
    assert data is not None
    assert {one.nics for one in Clip.unpack(data).windows(SPEC)} == {(nic,)}


def test_of_an_upload_only_the_wanted_seconds_are_taken(idle: Site) -> None:
    data = capture(40, 1)
    first = idle.upload(data, None, **{"from": "2", "to": "14"}).json()
    assert first["verdict"]["counts"]["outside"] > 100
    assert first["verdict"]["seconds"] == pytest.approx(12, abs=2)
    assert idle.upload(data, None, **{"from": "15", "to": "30"}).json()["state"] == "accepted"
    overlap = idle.upload(data, None, **{"from": "10", "to": "20"}).json()
    assert overlap["verdict"]["reasons"] == ["duplicate"]


def test_an_upload_is_judged_as_live_frames_are(idle: Site) -> None:
    sample = idle.upload(capture(20, 1), label="vacant").json()
    assert sample["verdict"]["reasons"] == ["motion_contradicts"]
    simulated = idle.upload(capture(20, 1), simulated="true").json()
    assert simulated["origin"] == "simulated"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello, I am no capture" * 100, "not a CSI capture"),
        (capture(20, 1)[:2000], "window"),
        (b"\x1f\x8b" + b"\0" * 500, "packed (.gz): unpack it"),
        (b"\xfd7zXZ\x00" + b"\0" * 500, "packed (.xz): unpack it"),
    ],
    ids=["empty", "text", "short", "gzip", "xz"],
)
def test_what_is_no_capture_is_refused(idle: Site, data: bytes, words: str) -> None:
    document = problem(idle.upload(data), 422, "upload-unusable")
    assert words in document["detail"]
    assert idle.rows(samples) == []


def test_a_damaged_upload_is_counted_or_refused_never_an_error(idle: Site) -> None:
    whole = capture(20, 1)
    taken = idle.upload(whole[:100_000] + whole[100_007:])
    assert taken.status_code == 201, taken.text
    counts = taken.json()["verdict"]["counts"]
    assert counts["frames"] in range(990, 1000)
    assert counts["rejected"]
    noise = whole[:1500] + np.random.default_rng(4).bytes(100_000)
    document = problem(idle.upload(noise), 422, "upload-unusable")
    assert document["counts"]["rejected"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"link": "l9"}, "link"),
        ({"label": "empty"}, "label"),
        ({"task": "weather"}, "task"),
        ({"from": "20", "to": "10"}, "to"),
        ({"from": "0", "to": "601"}, "to"),
        ({"extra": "1"}, "extra"),
    ],
)
def test_a_form_that_does_not_fit_is_told_where(idle: Site, fields: dict[str, str], field: str) -> None:
    document = problem(idle.upload(b"x", None, **fields), 422, "validation")
    assert any(field in one["loc"] for one in document["errors"]), document


def test_a_form_needs_a_file_and_a_body_a_known_kind(idle: Site) -> None:
    path = "/v1/rooms/lab/samples"
    fields = {"task": "presence", "label": "vacant", "link": "l1", "file": "not a file"}
    form = [(name, (None, value)) for name, value in fields.items()]
    problem(idle.client.post(path, files=form), 422, "validation")
    problem(idle.client.post(path, content=b"task,label"), 415, "unsupported-media-type")
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    problem(idle.client.post(path, content=b"no form", headers=broken), 400, "bad-request")


def test_an_upload_may_be_larger_than_other_bodies_up_to_its_own_limit(tmp_path: Path) -> None:
    with Running(tmp_path, max_body_bytes=2048) as api:
        api.put_room("lab", links=["l1"])
        with Site(api) as site:
            assert site.upload(capture(10, 1)).status_code == 201
            large = site.upload(io.BytesIO(b"\0" * (65 * 2**20)).getvalue())
            problem(large, 413, "body-too-large")
            problem(site.client.put("/v1/rooms/lab", json={"name": "x" * 4000}), 413, "body-too-large")


def test_the_api_judges_uploads_without_loading_the_engine_of_models() -> None:
    look = "import sys, service.api.app; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False, timeout=60).returncode == 0
