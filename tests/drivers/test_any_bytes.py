"""Whatever the bytes: no exception, every byte accounted for, and the same frames however they are cut."""

from itertools import cycle

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import intel5300
from drivers.frame import FrameBlock
from drivers.stream import Stream
from tests.drivers.intel import frames_in_order, other, records

PIECES = [
    *records(3, ntx=1),
    *records(2, ntx=2, antennas=(0, 2), seed=1),
    *records(1, ntx=3, wide=True, seed=2),
    other(0xC1, 131),
    other(0xC1, 1500),
    other(0xD1, 8),
    other(0x42, 40),
    b"\x00\x00",
]
streams = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


def run(chunks: list[bytes]) -> tuple[list[FrameBlock], Stream]:
    stream = Stream(intel5300)
    blocks = [block for chunk in chunks for block in stream.feed(chunk)]
    return blocks + stream.finish(), stream


def damaged(data: bytes, places: list[tuple[float, int]]) -> bytes:
    changed = bytearray(data)
    for place, value in places:
        if changed:
            changed[int(place * (len(changed) - 1))] = value
    return bytes(changed)


places = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=12)


@given(st.binary(max_size=3000))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_are_accounted_for(data: bytes) -> None:
    for final in (True, False):
        found = intel5300.parse(data, final=final)
        assert found.consumed == found.account.total_bytes
        assert found.consumed == len(data) or not final
    intel5300.sniff(data)


@given(streams, places)
@settings(max_examples=200, deadline=None)
def test_damaged_streams_are_accounted_for(data: bytes, where: list[tuple[float, int]]) -> None:
    data = damaged(data, where)
    found = intel5300.parse(data, final=True)
    assert found.consumed == found.account.total_bytes == len(data)
    assert found.account.frames == sum(map(len, found.blocks))


@given(streams, places, st.lists(st.integers(1, 900), min_size=1, max_size=60))
@settings(max_examples=200, deadline=None)
def test_frames_do_not_depend_on_the_chunks(
    data: bytes, where: list[tuple[float, int]], sizes: list[int]
) -> None:
    data = damaged(data, where)
    chunks: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[at : at + size])
        at += size
    whole, at_once = run([data])
    parts, by_chunk = run(chunks)
    assert frames_in_order(parts) == frames_in_order(whole)
    assert by_chunk.account == at_once.account
    assert by_chunk.account.total_bytes == len(data)
    assert by_chunk.left_over == 0


@given(st.lists(st.integers(40, 3000), min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_a_file_read_into_the_streams_own_buffer_gives_the_same(sizes: list[int]) -> None:
    data = b"".join(PIECES) * 6
    reader, at = cycle(sizes), 0

    def readinto(view: memoryview) -> int:
        nonlocal at
        piece = data[at : at + min(next(reader), len(view))]
        view[: len(piece)] = piece
        at += len(piece)
        return len(piece)

    stream, blocks = Stream(intel5300), []
    while (some := stream.fill(readinto)) is not None:
        blocks += some
    blocks += stream.finish()
    assert frames_in_order(blocks) == frames_in_order(run([data])[0])
    assert stream.account.total_bytes == stream.bytes_fed == len(data)


def test_what_is_left_over_stays_bounded() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 1_000_000, np.uint8).tobytes()
    stream = Stream(intel5300)
    for at in range(0, len(noise), 5000):
        stream.feed(noise[at : at + 5000])
        assert stream.left_over < 2 * 65536 + 100
    stream.finish()
    assert stream.account.total_bytes == len(noise)
