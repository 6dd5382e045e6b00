"""Bus format (DESIGN A5): how a block of frames, and the talk about credit, look on ZeroMQ.

Frames of a multipart message, in order::

    block    b"csi" | header (msgpack) | per-frame table (FRAME_TABLE) | raw array (C order)
    hello    b"hello" | Hello          sender -> service: who I am, asking for credit; repeated while waiting
    flush    b"flush" | Flush          sender -> service: nothing follows; close what can be closed
    grant    b"grant" | Grant          service -> sender: how far I processed, how much more you may send
    refuse   b"refuse" | Refuse        service -> sender: these frames are not taken, and why

Flow control: a sender may have at most `Grant.window` unacknowledged blocks under way. `Grant.acked` is
cumulative and means *processed and durable*, not received. A service that restarts has a new
`Grant.service_id`; a replaying sender then sends its unacknowledged blocks again (the service drops what it
already processed by `Header.first`), a live sender counts them as lost.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
import numpy as np

from drivers.errors import WireError
from drivers.frame import FRAME_TABLE, FrameBlock

SCHEMA_VERSION = 2
MAX_BLOCK_FRAMES = 32
MAX_BLOCK_AGE_S = 0.05
MAX_RAW_BYTES = 16 * 1024 * 1024
RAW_DTYPES = frozenset({"|i1", "<i2", "<i4", "<f4"})

BLOCK, HELLO, FLUSH, GRANT, REFUSE = b"csi", b"hello", b"flush", b"grant", b"refuse"

# What a message may hold at most; a decoder refuses the rest before anybody computes with it.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
UnixNs = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Real = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]  # neither infinite nor NaN, which JSON cannot say
Word = Annotated[str, msgspec.Meta(max_length=200)]
Rejects = Annotated[dict[Word, Count], msgspec.Meta(max_length=64)]


class Source(StrEnum):
    """Where frames come from; it travels with every prediction made from them."""

    LIVE = "live"
    REPLAY = "replay"
    SIMULATED = "simulated"


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """Header of one block.

    `first` counts the frames this sender published on this link before this block, so a receiver finds
    losses between sender and service by arithmetic; the NIC's own losses show in the table's `sequence`.
    `subcarrier_index` (int16), `tones` and `present` (uint8) are those of `FrameBlock`, little-endian.
    """

    schema: int
    session: Word
    link: Word
    room: Word | None
    nic: Word
    source: Source
    first: Count
    count: Count
    shape: tuple[int, int, int]
    dtype: str
    bandwidth_mhz: Annotated[int, msgspec.Meta(gt=0, le=10_000)]
    subcarrier_index: bytes
    tones: bytes
    present: bytes
    host_ns: UnixNs


class ClockReport(msgspec.Struct, frozen=True):
    """How the NIC's clock runs against the host's, as the sender's model sees it (`drivers.host_clock`).

    `offset_ms`: host time less the NIC's own, None while it is not known; `drift_ppm`: how much faster than
    the host's the NIC's clock runs, None before that is known; `resets`: times it had to be anchored again.
    """

    offset_ms: Real | None = None
    drift_ppm: Real | None = None
    resets: Count = 0


class Hello(msgspec.Struct, frozen=True):
    """A sender introduces itself. `published` and `acked` are its cumulative frame counts on the link.

    `lost_at_source` counts, by reason, records that never reached the sender (``socket_overflow`` and the
    like) as far as the transport tells. `transmitter` is the MAC address the link follows, 0 where the NIC
    does not say; `roamed` how often it changed. `unauthenticated` marks frames that came over plain UDP.
    """

    schema: int
    session: Word
    link: Word
    room: Word | None
    nic: Word
    source: Source
    published: Count
    acked: Count
    rejected: Rejects = {}
    dropped: Count = 0
    lost_at_source: Rejects = {}
    transmitter: Count = 0
    roamed: Count = 0
    unauthenticated: bool = False
    clock: ClockReport = ClockReport()


class Flush(msgspec.Struct, frozen=True):
    """The sender is done with this link; windows that end by its last frame may close."""

    session: Word
    link: Word
    published: Count
    rejected: Rejects = {}
    dropped: Count = 0


class Grant(msgspec.Struct, frozen=True):
    """Credit. `acked` frames are processed and durable; `window` more blocks may be under way.

    `last_capture_ns` is the link's newest capture time so far (Unix ns), None for a new link: a replay
    anchors itself 10 s after it, or now if that is later.
    """

    service_id: str
    session: Word
    acked: int
    window: int
    last_capture_ns: int | None = None
    flushed: bool = False


class Refuse(msgspec.Struct, frozen=True):
    """The link's frames are not taken; `reason` is stable (e.g. ``unknown_link``), `detail` is for people."""

    session: Word
    reason: str
    detail: str


Control = Hello | Flush | Grant | Refuse
_KINDS: dict[bytes, type[Control]] = {HELLO: Hello, FLUSH: Flush, GRANT: Grant, REFUSE: Refuse}
_TOPICS: dict[type[Control], bytes] = {kind: topic for topic, kind in _KINDS.items()}
_encoder = msgspec.msgpack.Encoder()
_decoders = {topic: msgspec.msgpack.Decoder(kind) for topic, kind in _KINDS.items()}
_header_decoder = msgspec.msgpack.Decoder(Header)
_UNREADABLE = (msgspec.MsgspecError, RecursionError)
"""What a decoder raises; fields we do not know may be nested deeper than it can follow."""


def pack_control(message: Control) -> list[bytes]:
    """Multipart frames of a control message."""
    return [_TOPICS[type(message)], _encoder.encode(message)]


def unpack_control(parts: list[bytes]) -> Control:
    """The control message in these multipart frames.

    Raises:
        WireError: not two frames, an unknown topic, or a body that does not fit its type.
    """
    if len(parts) != 2 or parts[0] not in _KINDS:
        raise WireError(f"expected [topic, body] with a topic of {sorted(_KINDS)}, got {len(parts)} frames")
    try:
        return _decoders[parts[0]].decode(parts[1])
    except _UNREADABLE as error:
        raise WireError(f"{parts[0].decode()} message: {error}") from error


def pack_block(
    block: FrameBlock,
    *,
    session: str,
    link: str,
    room: str | None,
    source: Source,
    first: int,
    host_ns: int,
) -> list[bytes]:
    """Multipart frames of a block; `first` and `host_ns` as in `Header`."""
    raw = np.ascontiguousarray(block.raw)
    header = Header(
        schema=SCHEMA_VERSION,
        session=session,
        link=link,
        room=room,
        nic=block.nic,
        source=source,
        first=first,
        count=len(block),
        shape=block.shape,
        dtype=raw.dtype.newbyteorder("<").str,
        bandwidth_mhz=block.bandwidth_mhz,
        subcarrier_index=block.subcarrier_index.astype("<i2", copy=False).tobytes(),
        tones=block.tones.tobytes(),
        present=block.present.tobytes(),
        host_ns=host_ns,
    )
    return [BLOCK, _encoder.encode(header), np.ascontiguousarray(block.table).tobytes(), raw.tobytes()]


def unpack_block(parts: list[bytes]) -> tuple[Header, FrameBlock]:
    """Header and frames of a block message.

    Raises:
        WireError: wrong number of parts, other schema version, or sizes that contradict the header.
    """
    if len(parts) != 4 or parts[0] != BLOCK:
        raise WireError(f"expected 4 frames starting with {BLOCK!r}, got {len(parts)}")
    try:
        header = _header_decoder.decode(parts[1])
    except _UNREADABLE as error:
        raise WireError(f"block header: {error}") from error
    _check_sizes(header, len(parts[2]), len(parts[3]))
    shape = (header.count, *header.shape, 2)
    block = FrameBlock(
        nic=header.nic,
        table=np.frombuffer(parts[2], FRAME_TABLE),
        raw=np.frombuffer(parts[3], header.dtype).reshape(shape),
        subcarrier_index=np.frombuffer(header.subcarrier_index, "<i2").astype(np.int16, copy=False),
        tones=np.frombuffer(header.tones, np.uint8),
        bandwidth_mhz=header.bandwidth_mhz,
        present=np.frombuffer(header.present, np.uint8).reshape(header.shape[1:]) != 0,
        index=np.arange(header.first, header.first + header.count, dtype=np.int64),
    )
    if block.raw.dtype.kind == "f" and not np.isfinite(block.raw).all():
        raise WireError("raw holds values that are no numbers")
    return header, block


def _check_sizes(header: Header, table_bytes: int, raw_bytes: int) -> None:
    """Refuse a header that lies, before any memory is taken on its word."""
    if header.schema != SCHEMA_VERSION:
        raise WireError(f"schema version {header.schema}, this service speaks {SCHEMA_VERSION}")
    if header.dtype not in RAW_DTYPES:
        raise WireError(f"raw dtype {header.dtype!r}, expected one of {sorted(RAW_DTYPES)}")
    subcarriers, rx, tx = header.shape
    if min(header.count, subcarriers, rx, tx) < 1 or raw_bytes > MAX_RAW_BYTES:
        raise WireError(f"impossible block: count {header.count}, first {header.first}, shape {header.shape}")
    expected = header.count * subcarriers * rx * tx * 2 * np.dtype(header.dtype).itemsize
    if table_bytes != header.count * FRAME_TABLE.itemsize or raw_bytes != expected:
        raise WireError(
            f"header says {header.count} frames of {header.shape}, sizes are {table_bytes}, {raw_bytes}"
        )
    axes = len(header.subcarrier_index), len(header.tones), len(header.present)
    if axes != (2 * subcarriers, subcarriers, rx * tx):
        raise WireError("subcarrier_index, tones or present does not fit the shape")
