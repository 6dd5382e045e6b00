"""From the bytes of a capture file to the packets in it; damage costs the record that it hit."""

from drivers.pcap.blocks import ng_step
from drivers.pcap.container import FILE_HEADER_BYTES, SECTION_HEADER, Container, classic, starts_file
from drivers.pcap.cursor import Cursor
from drivers.pcap.packets import Packets
from drivers.pcap.records import classic_step


def read(data: bytes | memoryview, *, final: bool, state: Container | None = None) -> Packets:
    """All packets in `data`. Never raises on any bytes.

    Files set one behind the other are read through. Skipped: ``empty`` (records of no bytes),
    ``unknown_record`` (pcapng blocks of unknown kind). Rejected: ``truncated``, ``bad_length``,
    ``bad_interface``, ``resync``.

    Args:
        data: a piece of a file that starts where the piece before was consumed to.
        final: nothing follows; what is cut is a reject, else it is left.
        state: that of the piece before, None at the start.
    """
    cursor = Cursor(data, final=final, state=state)
    while _step(cursor):
        pass
    cursor.columns.close(cursor.data, cursor.state)
    start, size, cut, record, unix_ns, link = cursor.columns.joined()
    return Packets(start, size, cut, record, unix_ns, link, cursor.at, cursor.account, cursor.state)


def _step(cursor: Cursor) -> bool:
    """Deal with what stands at the cursor; False when it needs more bytes or none are left."""
    state = cursor.state
    if state is None:
        return _open(cursor)
    step = ng_step if state.is_ng else classic_step
    done = step(cursor, state)
    return _open(cursor) if done is None else done


def _open(cursor: Cursor) -> bool:
    """A file header; without one nothing can be made of the bytes."""
    if cursor.left < 4:
        return cursor.cut_end()
    if bytes(cursor.data[cursor.at : cursor.at + 4]) == SECTION_HEADER:
        return bool(ng_step(cursor, Container(True, "<")))
    if not starts_file(cursor.data, cursor.at):
        return cursor.resync("resync", None, 4)
    if cursor.left < FILE_HEADER_BYTES:
        return cursor.cut_end()
    return cursor.header(cursor.at + FILE_HEADER_BYTES, classic(cursor.data, cursor.at))
