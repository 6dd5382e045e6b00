"""Patterns of records that stand behind themselves, counted as a plain loop counts them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.alike import next_wait, repeats

FIELDS = ((0, "u2"), (3, "u1"))
STRIDE = 5


def _counted(data: bytes, begin: int) -> int:
    """Whole patterns from `begin` on whose fields are those of the first, without it and the last."""
    first, alike = data[begin : begin + STRIDE], 0
    for at in range(begin, len(data) - STRIDE + 1, STRIDE):
        if data[at : at + 2] != first[:2] or data[at + 3] != first[3]:
            break
        alike += 1
    return max(alike - 2, 0)


@settings(deadline=None)
@given(
    begin=st.integers(0, 9),
    count=st.integers(1, 60),
    tail=st.binary(max_size=12),
    other=st.binary(min_size=1, max_size=1),
)
def test_counts_what_a_loop_counts(begin: int, count: int, tail: bytes, other: bytes) -> None:
    patterns = b"".join(b"\x01\x02" + bytes([row]) + b"\x03" + bytes([row]) for row in range(count))
    data = bytes(begin) + patterns + b"\x01\x02\x00" + other + b"\x00" + patterns + tail
    found = repeats(np.frombuffer(data, np.uint8), begin, STRIDE, FIELDS)
    assert found == _counted(data, begin)


def test_looks_less_often_while_nothing_repeats() -> None:
    waits = [0]
    for _ in range(8):
        waits.append(next_wait(0, waits[-1]))
    assert waits == [0, 1, 3, 7, 15, 31, 63, 63, 63]
    assert next_wait(4, 63) == 0
