"""Captures on disk, plain or packed as .xz or .gz; `drivers.live` has the sources that never end."""

import errno
import gzip
import lzma
import stat
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import BinaryIO, cast

from drivers.errors import SourceError, UnknownFormatError
from drivers.foreign import foreign
from drivers.registry import Nic, detect, load

CHUNK_BYTES = 256 * 1024
SNIFF_BYTES = 64 * 1024
_XZ, _GZIP = b"\xfd7zXZ\x00", b"\x1f\x8b"


def open_capture(path: Path) -> BinaryIO:
    """The capture's own bytes, unpacked on the way if it is .xz or .gz (told by content, not by name).

    Raises:
        SourceError: it does not exist, is no regular file, or may not be read.
    """
    try:
        _check_regular(path)
        with path.open("rb") as file:
            magic = file.read(len(_XZ))
        if magic == _XZ:
            return cast("BinaryIO", lzma.open(path))
        if magic.startswith(_GZIP):
            return cast("BinaryIO", gzip.open(path))
        return path.open("rb")
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error


def _check_regular(path: Path) -> None:
    """A capture is looked at before it is read: a FIFO cannot be read twice, a device may have no end."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        told = "no file but a pipe or device; save what it gives first (an adapter reads streams: --source -)"
        raise OSError(errno.EINVAL, told)


def read_chunks(path: Path, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """The capture's bytes in chunks of at most `size`; nothing for an empty file.

    Raises:
        SourceError: the file cannot be read, or its packing is damaged.
    """
    with open_capture(path) as file:
        while chunk := _read(file, size, path):
            yield chunk


def _read(file: BinaryIO, size: int, path: Path) -> bytes:
    """What one read gives: where the packing is damaged, all that comes before is given out first."""
    try:
        return cast("BufferedIOBase", file).read1(size)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise SourceError(f"cannot read {path}: {error}") from error


def _head(file: BinaryIO, path: Path) -> bytes:
    """The first bytes, as many as can be read: what is damaged behind them is told when it is reached."""
    head = b""
    try:
        while len(head) < SNIFF_BYTES and (piece := _read(file, SNIFF_BYTES - len(head), path)):
            head += piece
    except SourceError:
        if not head:
            raise
    return head


def identify(path: Path, name: str = "auto") -> tuple[Nic, str]:
    """The NIC a capture is of, and why: the named one, or with ``"auto"`` the one its first bytes speak for.

    Raises:
        SourceError: the file cannot be read.
        UnknownFormatError: it is empty, the named NIC (or any) does not know such bytes, or several NICs do.
    """
    with open_capture(path) as file:
        head = _head(file, path)
    try:
        if name == "auto":
            return detect(head)
        nic = load(name)
    except UnknownFormatError as error:
        raise UnknownFormatError(f"{path}: {error}") from error
    why = nic.sniff(head)
    if why is None:
        what = foreign(head) or f"it starts with {head[:16].hex(' ')}" if head else "it is empty (0 bytes)"
        raise UnknownFormatError(f"{path}: not a capture of {nic.TITLE} ({name}): {what}")
    return nic, why


def nic_of(path: Path, name: str = "auto") -> Nic:
    """The NIC a capture is of, as `identify` tells it."""
    return identify(path, name)[0]
