"""Bytes to frames of one link: the stages in their order, whatever the NIC, however the bytes are cut."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import intel5300
from drivers.frame import FrameBlock
from drivers.pipeline import Pipeline
from drivers.registry import Nic, load, names
from tests.drivers.samples import SAMPLES

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures"
EPOCH = 1_700_000_000_000_000_000


def frames(blocks: list[FrameBlock]) -> list[tuple[int, bytes, bytes, tuple[int, int, int]]]:
    """Every frame, in order of its index."""
    return sorted(
        (int(block.index[row]), block.table[row].tobytes(), block.raw[row].tobytes(), block.shape)
        for block in blocks
        for row in range(len(block))
    )


def run(nic: Nic, data: bytes, cuts: list[int], **words: str) -> tuple[list[FrameBlock], Pipeline]:
    pipeline, found, start = Pipeline(nic, **words), [], 0  # type: ignore[arg-type]
    for cut in [*sorted(cuts), len(data)]:
        found += pipeline.feed(data[start:cut])
        start = cut
    return found + pipeline.finish(), pipeline


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_cuts_do_not_matter(data: st.DataObject) -> None:
    for name in names():
        file = SAMPLES[name].file(12)
        cuts = data.draw(st.lists(st.integers(0, len(file)), max_size=8))
        at_once, whole = run(load(name), file, [])
        in_pieces, parts = run(load(name), file, cuts)
        assert frames(in_pieces) == frames(at_once)
        assert (parts.account, parts.rejected) == (whole.account, whole.rejected)
        assert (parts.transmitter, parts.groups) == (whole.transmitter, whole.groups)


@pytest.mark.parametrize("name", names())
def test_nothing_is_lost_on_the_way(name: str) -> None:
    file = SAMPLES[name].file(40)
    found, pipeline = run(load(name), file, [], transmitter="any")
    assert pipeline.account.total_bytes == len(file)
    assert pipeline.rejected == {}
    if load(name).GROUP_WITHIN_NS is None:
        assert sum(map(len, found)) == pipeline.stream.frames == 40
    else:
        assert sum(map(len, found)) == pipeline.groups <= pipeline.stream.frames


def test_live_bytes_come_out_on_unix_time() -> None:
    pipeline, file = Pipeline(intel5300), SAMPLES["intel5300"].file(20)
    (block,) = pipeline.feed(file, EPOCH)
    assert block.table["capture_ns"][-1] == EPOCH
    assert np.array_equal(np.diff(block.table["capture_ns"]), np.full(19, 10_000_000))
    assert pipeline.clock.report().resets == 0


@pytest.mark.shared
def test_three_streams_of_one_frame_become_one() -> None:
    path = CAPTURES / "nexmon" / "csikit_example_4339.pcap"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    found, pipeline = run(load("nexmon"), path.read_bytes(), [100_000, 300_000])
    assert {block.shape for block in found} == {(256, 1, 3)}
    assert sum(map(len, found)) == pipeline.groups == 950
    assert pipeline.incomplete == 0
