"""What every NIC module must do; a new NIC joins by one entry in `tests.drivers.samples`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import UnknownFormatError
from drivers.registry import Nic, detect, load, names
from drivers.stream import Stream
from tests.drivers.intel import Frame, frames_in_order, same
from tests.drivers.samples import SAMPLES

HOST_NS = 1_700_000_000_123_456_000
STRANGE = (b"", b"import numpy as np\n" * 200, bytes(4096), b"\xff" * 4096)


@pytest.fixture(params=names())
def nic(request: pytest.FixtureRequest) -> Nic:
    return load(request.param)


def parsed_in(nic: Nic, data: bytes, cuts: list[int]) -> tuple[list[Frame], Stream]:
    """Frames in order of a stream that comes in pieces, and the stream at its end."""
    stream, blocks, start = Stream(nic), [], 0
    for cut in [*sorted(cuts), len(data)]:
        blocks += stream.feed(data[start:cut])
        start = cut
    blocks += stream.finish()
    assert stream.account.total_bytes == len(data) == stream.bytes_fed
    return frames_in_order(blocks), stream


def test_every_nic_has_a_sample() -> None:
    assert set(SAMPLES) == set(names())


def test_names_itself(nic: Nic) -> None:
    assert nic.NAME in names()
    assert nic.TITLE
    for limit in (nic.CLOCK_WRAP_NS, nic.SEQUENCE_WRAP, nic.GROUP_WITHIN_NS):
        assert limit is None or limit > 0
    assert nic.TELLS_TRANSMITTER in {True, False}


def test_knows_its_own_bytes_and_no_others(nic: Nic) -> None:
    found, why = detect(SAMPLES[nic.NAME].file(5))
    assert found.NAME == nic.NAME
    assert why
    assert all(load(name).sniff(SAMPLES[nic.NAME].file(5)) is None for name in names() if name != nic.NAME)
    for strange in STRANGE:
        assert nic.sniff(strange) is None
    with pytest.raises(UnknownFormatError):
        detect(b"import numpy as np\n" * 200)


def test_encode_and_parse_are_inverse(nic: Nic) -> None:
    block = SAMPLES[nic.NAME].block(300)
    parsed = nic.parse(nic.opening() + nic.encode(block), final=True)
    assert len(parsed.blocks) == 1
    assert same(parsed.blocks[0], block)
    assert np.array_equal(parsed.blocks[0].index, np.arange(300))


def test_live_datagrams_become_the_same_frames(nic: Nic) -> None:
    block = SAMPLES[nic.NAME].block(5)
    records = [nic.encode(block.take(slice(row, row + 1))) for row in range(5)]
    live = b"".join(nic.wrap(SAMPLES[nic.NAME].datagram(record), HOST_NS) for record in records)
    (found,) = nic.parse(nic.opening() + live, final=True).blocks
    assert np.array_equal(found.raw, block.raw)
    assert np.array_equal(found.table["sequence"], block.table["sequence"])


@given(datagrams=st.lists(st.binary(max_size=300), max_size=8))
@settings(max_examples=40, deadline=None)
def test_any_datagram_is_counted(datagrams: list[bytes]) -> None:
    for name in names():
        nic = load(name)
        live = nic.opening() + b"".join(nic.wrap(one, HOST_NS) for one in datagrams)
        parsed_in(nic, live, [])


def test_parse_accepts_a_memoryview_and_keeps_nothing_of_it(nic: Nic) -> None:
    data = bytearray(SAMPLES[nic.NAME].file(20))
    blocks = nic.parse(memoryview(data), final=True).blocks
    before = frames_in_order(list(blocks))
    data[:] = bytes(len(data))
    assert frames_in_order(list(blocks)) == before


def test_every_cut_leaves_whole_frames_and_closed_books(nic: Nic) -> None:
    data, opening = SAMPLES[nic.NAME].file(3), len(nic.opening())
    block = SAMPLES[nic.NAME].block(3)
    ends = np.cumsum([len(nic.encode(block.take(slice(row, row + 1)))) for row in range(3)]) + opening
    whole = frames_in_order(list(nic.parse(data, final=True).blocks))
    for size in range(int(ends[0]), int(ends[1]) + 1):
        parsed = nic.parse(data[:size], final=True)
        assert parsed.account.total_bytes == parsed.consumed == size
        complete = int((ends - SAMPLES[nic.NAME].line_end <= size).sum())
        assert frames_in_order(list(parsed.blocks)) == whole[:complete]
        waiting = nic.parse(data[:size], final=False)
        assert waiting.account.total_bytes == waiting.consumed
        assert not waiting.account.rejected


def test_the_opening_may_be_cut_anywhere(nic: Nic) -> None:
    data = SAMPLES[nic.NAME].file(2)
    whole, _ = parsed_in(nic, data, [])
    for size in range(len(nic.opening()) + 1):
        assert nic.parse(data[:size], final=True).consumed == size
        assert parsed_in(nic, data, [size])[0] == whole


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_bytes_any_chunks(data: st.DataObject) -> None:
    for name in names():
        stream = bytearray(SAMPLES[name].file(4))
        for _ in range(data.draw(st.integers(0, 5))):
            stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
        cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6))
        frames, whole = parsed_in(load(name), bytes(stream), [])
        again, parts = parsed_in(load(name), bytes(stream), cuts)
        assert again == frames
        assert parts.account == whole.account


@given(data=st.binary(max_size=3000), final=st.booleans())
@settings(max_examples=100, deadline=None)
def test_bytes_of_any_kind_never_raise(data: bytes, final: bool) -> None:
    for name in names():
        for start in (b"", load(name).opening()):
            parsed = load(name).parse(start + data, final=final)
            assert parsed.account.total_bytes == parsed.consumed <= len(start + data)
            assert not final or parsed.consumed == len(start + data)
