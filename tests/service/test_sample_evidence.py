"""What a sample counts for: holes count against it, and its baseline is of its own kind of frames."""

import numpy as np
import pytest

from drivers.registry import load
from drivers.simulate.capture import encode_in_order
from models.signal.clip import Clip, clip_of
from models.signal.window import WindowSpec
from service.adaptation.verdict import Labelled, Verdict, judge
from service.store.baselines import replace_baselines
from tests.models import make
from tests.service.frames import S
from tests.service.test_samples import T0, Site, capture, idle, recording

__all__ = ["idle"]
SPEC = WindowSpec()


def of_seconds(whole_s: float, *measured: tuple[float, float], people: int = 1) -> Verdict:
    """The verdict on a span of so many seconds, of which only some were measured."""
    block = make.recording(whole_s + 1, people)
    seconds = (block.table["capture_ns"] - T0) / S
    kept = np.logical_or.reduce([(seconds >= start) & (seconds < end) for start, end in measured])
    clip = clip_of(make.windows(block.take(kept)))
    assert clip is not None
    whole = Clip(T0, T0 + round(whole_s * S), clip.tracks)
    said = Labelled("counting", str(people), whole.start_ns, whole.end_ns)
    return judge(whole, said, SPEC, [], {})


def test_a_span_that_is_nearly_all_hole_is_rejected() -> None:
    verdict = of_seconds(306, (0, 6), (300, 306))
    assert verdict.reasons == ("too_few_packets",)
    assert verdict.occupancy < 0.05
    assert verdict.balance == {}


def test_a_span_with_a_hole_counts_for_what_was_measured() -> None:
    verdict = of_seconds(60, (0, 30), (50, 60))
    assert verdict.accepted
    assert verdict.warnings == ("gaps",)
    assert verdict.detail["gaps"].endswith("of 57 windows lack packets")
    assert verdict.seconds == 60
    assert verdict.good_seconds == pytest.approx(40, abs=3)
    assert verdict.balance == {"1": verdict.good_seconds}
    assert verdict.occupancy == pytest.approx(40 / 60, abs=0.05)


def test_a_span_without_a_hole_counts_in_full() -> None:
    verdict = of_seconds(30, (0, 31))
    assert (verdict.warnings, verdict.good_seconds, verdict.windows) == ((), 30, 27)


def test_a_capture_with_a_hole_is_told_so(idle: Site) -> None:
    block = recording(200, 1)
    seconds = (block.table["capture_ns"] - T0) / S
    block.table["capture_ns"] = (block.table["capture_ns"] - T0) // 1000 * 1000
    block = block.take((seconds < 8) | (seconds > 190))
    sample = idle.upload(bytes(encode_in_order(load("intel5300"), [block]))).json()
    assert sample["verdict"]["reasons"] == ["too_few_packets"]
    assert sample["verdict"]["occupancy"] < 0.12


@pytest.mark.parametrize("source", ["live", "simulated"])
def test_an_upload_is_judged_by_the_baseline_of_its_kind_of_frames(idle: Site, source: str) -> None:
    restless = {"log_moved": 0.0, "spread": 0.1, "windows": 60, "source": source, "made_ns": 1}
    with idle.api.store.write() as connection:
        replace_baselines(connection, "lab", {"l1": restless})
    walked = capture(20, 1)
    states = {
        kind: idle.upload(walked, None, label="vacant", simulated=told).json()["state"]
        for kind, told in (("simulated", "true"), ("live", "false"))
    }
    assert states == {kind: "accepted" if kind == source else "rejected" for kind in states}
