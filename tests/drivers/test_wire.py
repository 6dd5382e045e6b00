"""What a hostile sender may put on the wire: refused with a WireError, whatever it claims."""

from typing import Any

import msgspec
import numpy as np
import pytest

from drivers.errors import WireError
from drivers.frame import FRAME_TABLE, NO_SEQUENCE
from drivers.loss import RunningLoss
from drivers.wire import Source, pack_block, unpack_block, unpack_control
from tests.drivers.nexmon_frames import make_block

FRAMES = 4
DEEP = b"\x91" * 200_000


def parts(*, floats: bool = False) -> list[bytes]:
    block = make_block(FRAMES, bandwidth=20, floats=floats)
    return pack_block(block, session="s", link="l", room=None, source=Source.LIVE, first=0, host_ns=1)


def lying(**fields: object) -> list[bytes]:
    """A block whose header says something else."""
    topic, header, *rest = parts()
    return [topic, msgspec.msgpack.encode(msgspec.msgpack.decode(header) | fields), *rest]


def nested(body: dict[str, Any]) -> bytes:
    """The message with an unknown field that is nested deeper than any decoder follows."""
    return msgspec.msgpack.encode(body | {"zz": 1})[:-1] + DEEP


@pytest.mark.parametrize(
    "fields",
    [
        {"count": 0},
        {"count": 2**53},
        {"count": 2**64 - 1},
        {"shape": [2**63, 2**63, 2**63]},
        {"shape": [2**32, 2**32, 1]},
        {"shape": [-1, -1, 64]},
        {"shape": [0, 1, 1]},
        {"shape": [1, 64, 1]},
        {"dtype": "|O"},
        {"dtype": ">i2"},
        {"tones": b"\0"},
        {"present": b"\1\1"},
        {"subcarrier_index": b""},
        {"first": -1},
        {"host_ns": -1},
        {"host_ns": 2**64 - 1},
        {"bandwidth_mhz": 0},
        {"link": "x" * 201},
    ],
    ids=str,
)
def test_a_header_that_lies_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(WireError):
        unpack_block(lying(**fields))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    *before, raw = parts(floats=True)
    values = np.frombuffer(raw, "<f4").copy()
    values[5] = value
    with pytest.raises(WireError):
        unpack_block([*before, values.tobytes()])


@pytest.mark.parametrize("body", [b"\xc6\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", DEEP])
def test_claims_of_four_gigabytes_and_endless_nesting_are_refused(body: bytes) -> None:
    topic, header, *rest = parts()
    for made in (body, nested(msgspec.msgpack.decode(header))):
        with pytest.raises(WireError):
            unpack_block([topic, made, *rest])


@pytest.mark.parametrize(
    "fields",
    [
        {"session": "x" * 201},
        {"rejected": {str(number): 1 for number in range(65)}},
        {"lost_at_source": {"x" * 201: 1}},
        {"published": 2**60},
        {"transmitter": -1},
        {"clock": {"offset_ms": float("nan")}},
        {"clock": {"drift_ppm": float("inf")}},
        {"clock": {"resets": -1}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_hello_of_absurd_size_or_value_is_refused(fields: dict[str, object]) -> None:
    hello = {"schema": 2, "session": "s", "link": "l", "room": None, "nic": "n", "source": "live"}
    body = hello | {"published": 0, "acked": 0}
    unpack_control([b"hello", msgspec.msgpack.encode(body)])
    for made in (msgspec.msgpack.encode(body | fields), nested(body)):
        with pytest.raises(WireError):
            unpack_control([b"hello", made])


def test_absurd_counters_stay_within_what_a_report_can_say() -> None:
    table = np.zeros(FRAMES, FRAME_TABLE)
    table["sequence"] = (-(2**63), NO_SEQUENCE, 0, 2**63 - 1)
    topic, header, _, raw = parts()
    loss = RunningLoss()
    loss.add(unpack_block([topic, header, table.tobytes(), raw])[1])
    assert 0 <= (loss.loss().missing or 0) < 2**63
