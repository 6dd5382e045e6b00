"""Noise that looks like the start of a record everywhere costs little work a byte, and is accounted for."""

import sys
from types import FrameType

import pytest

from drivers.registry import load
from drivers.stream import Stream
from tests.drivers.samples import SAMPLES

SIZE, CHUNK = 100_000, 500
CALLS_A_BYTE = 4
"""Work is counted in calls of functions, which do not depend on how fast the machine is."""


def patterns(name: str) -> dict[str, bytes]:
    """Bytes that repeat, by what they are."""
    record = SAMPLES[name].file(1)[len(load(name).opening()) :]
    found = {f"byte {value:#04x}": bytes([value]) for value in (0, 1, 2, 0x08, 0x38, 0x45, 0x72, 0xBB, 0xFF)}
    for size in (2, 3, 4, 13, 26, 58, 97, len(record) - 1):
        found[f"first {size} bytes of a record"] = record[:size]
    largest = bytearray(272)
    largest[1], largest[46], largest[47], largest[53] = 0x40, 1, 1, 0x10  # FeitCSI: 4096 subcarriers
    return found | {
        "largest length": bytes(largest) + b"\1" * 1000,
        "pairs": b"\0\x38",
        "claim": b"\xff\xff\xbb",
    }


def calls_of(stream: Stream, data: bytes) -> int:
    """Functions called, in Python and in C, while this goes through in chunks."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        for at in range(0, len(data), CHUNK):
            stream.feed(data[at : at + CHUNK])
        stream.finish()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_noise_costs_little_work(name: str) -> None:
    for what, pattern in patterns(name).items():
        data = load(name).opening() + pattern * (SIZE // len(pattern))
        stream = Stream(load(name))
        assert calls_of(stream, data) < CALLS_A_BYTE * len(data), what
        assert stream.account.total_bytes == len(data), what
