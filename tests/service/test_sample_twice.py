"""One recording is taken once: cut, labelled otherwise, replayed or uploaded after it was seen live."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from drivers.frame import FrameBlock
from drivers.registry import load
from drivers.simulate.capture import encode_in_order
from drivers.wire import Source
from service.adaptation.verdict import FINGERPRINT
from service.store.samples import accepted_samples
from service.store.schema import samples
from tests.service.frames import S
from tests.service.test_samples import T0, Site, capture, idle, recording, site

__all__ = ["idle", "site"]


def later(block: FrameBlock, by_s: float) -> FrameBlock:
    """The same frames at another time."""
    table = block.table.copy()
    table["capture_ns"] += round(by_s * S)
    return replace(block, table=table)


def counted(idle: Site, data: bytes, label: str = "1", **fields: str) -> dict[str, Any]:
    """What becomes of a capture with so many people in it."""
    taken = idle.upload(data, None, **{"task": "counting", "label": label, **fields})
    assert taken.status_code == 201, taken.text
    document: dict[str, Any] = taken.json()
    return document


def less_the_first_packet(data: bytes) -> bytes:
    return data[2 + int.from_bytes(data[:2], "big") :]


@pytest.mark.parametrize("label", ["1", "5"])
@pytest.mark.parametrize(
    "cut", [less_the_first_packet, lambda data: data[:-1]], ids=["first packet", "last byte"]
)
def test_a_capture_less_a_little_is_no_further_recording(idle: Site, cut: Any, label: str) -> None:
    data = capture(20, 1)
    assert counted(idle, data)["state"] == "accepted"
    again = counted(idle, cut(data), label)
    assert (again["state"], again["verdict"]["reasons"]) == ("rejected", ["duplicate"])
    assert ("says 1 of them" in again["verdict"]["detail"]["duplicate"]) == (label == "5")
    assert again["verdict"]["balance"].keys() == {"1"}
    assert counted(idle, capture(20, 1, seed=9))["state"] == "accepted"
    assert counted(idle, cut(data), "occupied", task="presence")["state"] == "accepted", "another task"


def test_spans_beside_each_other_of_one_file_are_several_recordings_and_of_another_cut_as_well(
    idle: Site,
) -> None:
    data = capture(60, 1)
    assert counted(idle, data, **{"from": "0", "to": "20"})["state"] == "accepted"
    assert counted(idle, data, "2", **{"from": "20", "to": "40"})["state"] == "accepted"
    assert counted(idle, data[:-1], **{"from": "40"})["state"] == "accepted"
    assert counted(idle, data[:-1], **{"from": "10", "to": "30"})["verdict"]["reasons"] == ["duplicate"]


def test_what_was_seen_live_is_known_again_when_it_is_replayed_or_uploaded(site: Site) -> None:
    block = recording(20, 1)
    site.send(block)
    assert site.post(2, 18).json()["state"] == "accepted"
    site.send(later(block, 60.013), recording(20, 1, start_s=90, seed=4))
    assert site.post(64, 76).json()["verdict"]["reasons"] == ["duplicate"]
    assert site.post(94, 106).json()["state"] == "accepted"
    table = block.table.copy()
    table["capture_ns"] = (table["capture_ns"] - T0) // 1000 * 1000
    bytes_of_it = bytes(encode_in_order(load("intel5300"), [replace(block, table=table)]))
    assert site.upload(bytes_of_it).json()["verdict"]["reasons"] == ["duplicate"]


def test_a_replay_of_an_upload_is_no_further_recording(site: Site) -> None:
    assert site.upload(capture(20, 1)).json()["state"] == "accepted"
    site.send(recording(20, 1, start_s=500), source=Source.REPLAY)
    assert site.post(504, 516).json()["verdict"]["reasons"] == ["duplicate"]


def test_what_frames_are_known_by_is_kept_with_an_accepted_sample_and_shown_to_nobody(idle: Site) -> None:
    data = capture(20, 1)
    answers = [counted(idle, data), counted(idle, data)]
    answers += idle.client.get("/v1/rooms/lab/samples").json()["items"]
    assert not any(FINGERPRINT in one["verdict"] for one in answers)
    kept = {row["state"]: FINGERPRINT in row["verdict"] for row in idle.rows(samples)}
    assert kept == {"accepted": True, "rejected": False}


def test_a_sample_of_before_there_were_fingerprints_is_not_compared(idle: Site) -> None:
    data = capture(20, 1)
    counted(idle, data)
    (old,) = accepted_samples(idle.api.store, "lab", "counting")
    verdict = {name: old.verdict[name] for name in old.verdict if name not in {FINGERPRINT, "good_seconds"}}
    with idle.api.store.write() as connection:
        connection.execute(sa.update(samples).values(verdict=verdict))
    again = counted(idle, data[:-1])
    assert again["state"] == "accepted"
    assert again["verdict"]["balance"] == {"1": old.verdict["seconds"] + again["verdict"]["good_seconds"]}
