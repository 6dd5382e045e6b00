"""Packets with the same frame counter as the one before, where that is odd.

Packets of one frame share its number, but differ in receive core or spatial stream. The same core and stream
again is another frame: some firmware gives frames without a counter (control frames) a constant one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LastFrame:
    """The frame that the last packet belongs to: its sender and number, and which core and stream came.

    `seen` has bit ``8 * core + stream`` set.
    """

    transmitter: int
    sequence: int
    seen: int


def find_repeats(fields: npt.NDArray[np.void], last: LastFrame | None) -> tuple[Mask, LastFrame | None]:
    """Which packets repeat a number, and what to hand over for the next ones."""
    count = len(fields)
    if not count:
        return np.zeros(0, np.bool_), last
    sender, number = fields["transmitter"], fields["sequence_control"] >> 4
    place = fields["core"].astype(np.int64) * 8 + fields["stream"]
    goes_on = np.empty(count, np.bool_)
    goes_on[0] = last is not None and (int(sender[0]), int(number[0])) == (last.transmitter, last.sequence)
    np.logical_and(sender[1:] == sender[:-1], number[1:] == number[:-1], out=goes_on[1:])
    frame: npt.NDArray[np.int64] = np.cumsum(~goes_on, dtype=np.int64)
    seen_before = last.seen if last is not None and goes_on[0] else 0
    repeats = _repeated(frame, place, seen_before)
    members = place[frame == frame[-1]]
    seen = int(np.bitwise_or.reduce(np.int64(1) << members)) | (seen_before if frame[-1] == frame[0] else 0)
    return repeats, LastFrame(int(sender[-1]), int(number[-1]), seen)


def _repeated(frame: npt.NDArray[np.int64], place: npt.NDArray[np.int64], seen_before: int) -> Mask:
    """Packets whose place occurred before in the same frame; `seen_before` belongs to the first frame."""
    key = frame << 6 | place
    repeats = np.zeros(len(key), np.bool_)
    if (key[1:] <= key[:-1]).any():
        order = np.argsort(key, kind="stable")
        repeats[order[1:]] = key[order[1:]] == key[order[:-1]]
    if seen_before:
        first = frame == frame[0]
        repeats[first] |= (seen_before >> place[first] & 1).astype(np.bool_)
    return repeats
