"""Records of classic pcap: ``{u32 seconds, u32 fraction, u32 captured, u32 length}`` and the packet.

A record says its length twice (captured <= length), and another one stands behind it. Where none does and a
sound one starts inside it, the record was cut, and only it is lost. Runs of records of one length, as a
steady sender makes them, are found in one vectorised step.
"""

import struct

import numpy as np
import numpy.typing as npt

from drivers.pcap.container import FILE_HEADER_BYTES, Container, starts_file
from drivers.pcap.cursor import MAX_PACKET, SEARCH_BYTES, Cursor
from drivers.pcap.search import evidence_bytes, find_record

HEAD_BYTES = 16
_PROBE = 64


def classic_step(cursor: Cursor, state: Container) -> bool | None:
    """Deal with the record at the cursor and with equal ones behind it.

    Returns:
        False when it needs more bytes, None where a file starts in its place.
    """
    at = cursor.at
    if cursor.left < HEAD_BYTES:
        return cursor.cut_end()
    size, length = struct.unpack_from(state.order + "II", cursor.data, at + 8)
    if not 0 < size <= length <= MAX_PACKET:
        return _odd(cursor, state, size, length)
    end = at + HEAD_BYTES + size
    if end > cursor.size:
        return cursor.final and _cut(cursor, state)
    like_next = cursor.data[at + 8 : at + 16] == cursor.data[end + 8 : end + 16]
    follows = like_next or _follows(cursor, state, end)
    if follows is None:
        return False
    if not follows and (inner := find_record(cursor, state, at + HEAD_BYTES, end, at)) is not None:
        return cursor.reject("truncated", inner)
    count = 1
    if like_next:
        count += max(_alike(cursor, end, end - at) - 1, 0)  # but the last, whose follower was not looked at
    cursor.columns.runs.append((at + HEAD_BYTES, count, end - at, size, size < length))
    cursor.at = at + count * (end - at)
    return True


def _odd(cursor: Cursor, state: Container, size: int, length: int) -> bool | None:
    """What is no record with a packet in it; None if it is the header of another file."""
    if starts_file(cursor.data, cursor.at):
        return cursor.cut_end() if cursor.left < FILE_HEADER_BYTES else None
    end = cursor.at + HEAD_BYTES
    if size == 0 and length <= MAX_PACKET:
        return cursor.reject("truncated", end) if length else cursor.skip("empty", end)
    found = find_record(cursor, state, cursor.at + 1, cursor.at + 1 + SEARCH_BYTES)
    return cursor.resync("bad_length", found, HEAD_BYTES + evidence_bytes(state.interfaces[0].link))


def _cut(cursor: Cursor, state: Container) -> bool:
    """The file ends within this record, or its length is a lie and another record follows."""
    inner = find_record(cursor, state, cursor.at + HEAD_BYTES, cursor.size, cursor.at)
    return cursor.reject("truncated", cursor.size if inner is None else inner)


def _follows(cursor: Cursor, state: Container, end: int) -> bool | None:
    """Whether a record stands here; None if too few bytes are there to tell.

    A live record, which ends where the buffer does, is not held back until the next one comes.
    """
    if end + HEAD_BYTES > cursor.size:
        return False if end == cursor.size or cursor.final else None
    size, length = struct.unpack_from(state.order + "II", cursor.data, end + 8)
    if size <= length <= MAX_PACKET or starts_file(cursor.data, end):
        return True
    judged = end + HEAD_BYTES + evidence_bytes(state.interfaces[0].link)
    return False if judged <= cursor.size or cursor.final else None


def _alike(cursor: Cursor, begin: int, stride: int) -> int:
    """How many records from `begin` on have the lengths of the one before; long runs take longer looks."""
    total, alike, look = (cursor.size - begin) // stride, 0, _PROBE
    lengths: npt.NDArray[np.uint64] = np.ndarray(
        (total + 1,), np.uint64, cursor.data, begin - stride + 8, (stride,)
    )
    while alike < total:
        rows = min(look, total - alike)
        same = lengths[alike + 1 : alike + 1 + rows] == lengths[0]
        if not same.all():
            return alike + int(same.argmin())
        alike, look = alike + rows, look * 4
    return alike
