"""Damage done to records: what radio hosts, disks and networks do to a stream, and what an attacker would."""

from collections.abc import Callable

import numpy as np

Rng = np.random.Generator


def _flip(record: bytes, rng: Rng) -> bytes:
    """One to eight bits turned over."""
    changed = np.frombuffer(record, np.uint8).copy()
    places = rng.integers(0, 8 * len(changed), rng.integers(1, 9))
    np.bitwise_xor.at(changed, places // 8, (1 << (places % 8)).astype(np.uint8))
    return changed.tobytes()


def _cut(record: bytes, rng: Rng) -> bytes:
    """The end is missing."""
    return record[: rng.integers(0, len(record))]


def _behead(record: bytes, rng: Rng) -> bytes:
    """The start is missing."""
    return record[rng.integers(1, len(record) + 1) :]


def _hole(record: bytes, rng: Rng) -> bytes:
    """A piece in the middle is missing."""
    start, end = sorted(rng.integers(0, len(record) + 1, 2).tolist())
    return record[:start] + record[end:]


def _lie(record: bytes, rng: Rng) -> bytes:
    """A whole number near the start says something else: lengths, counts, codes."""
    place, width = int(rng.integers(0, min(len(record), 64))), int(rng.choice([1, 2, 4]))
    value = int(rng.choice([0, 1, 0x7F, 0xFF, 0xFFFF, 0xFFFFFFFF, int(rng.integers(0, 2**32))]))
    lie: bytes = (value & (2 ** (8 * width) - 1)).to_bytes(width, str(rng.choice(["little", "big"])))
    return record[:place] + lie + record[place + width :]


def _insert(record: bytes, rng: Rng) -> bytes:
    """Bytes that belong to nothing come in between."""
    place = int(rng.integers(0, len(record) + 1))
    return record[:place] + rng.bytes(int(rng.integers(1, 40))) + record[place:]


def _stutter(record: bytes, rng: Rng) -> bytes:
    """A piece comes twice."""
    start, end = sorted(rng.integers(0, len(record) + 1, 2).tolist())
    return record[:end] + record[start:]


def _noise(record: bytes, rng: Rng) -> bytes:
    """Nothing of it is left but its length."""
    return rng.bytes(len(record))


def _zeros(record: bytes, rng: Rng) -> bytes:
    """A block of the disk that was never written."""
    del rng
    return bytes(len(record))


MUTATIONS: list[Callable[[bytes, Rng], bytes]] = [
    *(_flip, _flip, _cut, _behead, _hole, _lie, _lie, _insert, _stutter, _noise, _zeros),
]
"""Every kind of damage; some are more frequent than others."""


def damaged(record: bytes, rng: Rng) -> bytes:
    """The record after one kind of damage, or two."""
    for _ in range(1 + int(rng.random() < 0.2)):
        if record:
            record = MUTATIONS[int(rng.integers(len(MUTATIONS)))](record, rng)
    return record
