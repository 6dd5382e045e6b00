"""What every NIC module must do; a new NIC joins by one entry in `SAMPLES`."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import UnknownFormatError
from drivers.frame import FrameBlock
from drivers.registry import Nic, detect, load, names
from drivers.stream import Stream
from tests.drivers.intel import frames_in_order, make_block, same

SAMPLES: dict[str, Callable[[int], FrameBlock]] = {"intel5300": make_block}
"""Per NIC: that many frames, as the card could give them."""


@pytest.fixture(params=names())
def nic(request: pytest.FixtureRequest) -> Nic:
    return load(request.param)


def test_every_nic_has_a_sample() -> None:
    assert set(SAMPLES) == set(names())


def test_names_itself(nic: Nic) -> None:
    assert nic.NAME in names()
    assert nic.TITLE
    assert nic.CLOCK_WRAP_NS is None or nic.CLOCK_WRAP_NS > 0
    assert nic.SEQUENCE_WRAP is None or nic.SEQUENCE_WRAP > 0


def test_knows_its_own_bytes_and_no_others(nic: Nic) -> None:
    data = nic.encode(SAMPLES[nic.NAME](5))
    found, why = detect(data)
    assert found.NAME == nic.NAME
    assert why
    for strange in (b"", b"import numpy as np\n" * 200, bytes(4096)):
        assert nic.sniff(strange) is None
    with pytest.raises(UnknownFormatError):
        detect(b"import numpy as np\n" * 200)


def test_encode_and_parse_are_inverse(nic: Nic) -> None:
    block = SAMPLES[nic.NAME](300)
    parsed = nic.parse(nic.encode(block), final=True)
    assert len(parsed.blocks) == 1
    assert same(parsed.blocks[0], block)
    assert np.array_equal(parsed.blocks[0].index, np.arange(300))


def test_parse_accepts_a_memoryview_and_keeps_nothing_of_it(nic: Nic) -> None:
    data = bytearray(nic.encode(SAMPLES[nic.NAME](20)))
    blocks = nic.parse(memoryview(data), final=True).blocks
    before = frames_in_order(list(blocks))
    data[:] = bytes(len(data))
    assert frames_in_order(list(blocks)) == before


def test_every_cut_leaves_whole_frames_and_closed_books(nic: Nic) -> None:
    data = nic.encode(SAMPLES[nic.NAME](3))
    record = len(data) // 3
    whole = frames_in_order(list(nic.parse(data, final=True).blocks))
    for size in range(record, 2 * record + 1):
        parsed = nic.parse(data[:size], final=True)
        assert parsed.account.total_bytes == parsed.consumed == size
        assert frames_in_order(list(parsed.blocks)) == whole[: size // record]
        waiting = nic.parse(data[:size], final=False)
        assert waiting.account.total_bytes == waiting.consumed
        assert not waiting.account.rejected


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_bytes_any_chunks(data: st.DataObject) -> None:
    for name, sample in SAMPLES.items():
        stream = bytearray(load(name).encode(sample(4)))
        for _ in range(data.draw(st.integers(0, 5))):
            stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(0, len(stream)))
        one, two = Stream(load(name)), Stream(load(name))
        whole = one.feed(bytes(stream)) + one.finish()
        parts = two.feed(bytes(stream[:cut])) + two.feed(bytes(stream[cut:])) + two.finish()
        assert frames_in_order(parts) == frames_in_order(whole)
        assert one.account == two.account
        assert one.account.total_bytes == len(stream)
