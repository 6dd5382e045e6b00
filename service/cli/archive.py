"""NumPy archive of a capture, written in two passes so that memory does not grow with it."""

import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from drivers.account import Account
from drivers.frame import FRAME_TABLE, FrameBlock
from drivers.registry import Nic
from drivers.scale import scale
from drivers.stream import Stream
from service.cli.capture import read_blocks
from service.cli.errors import CommandError

Told = Callable[[int], None]
Shape = tuple[int, int, int]


@dataclass(slots=True)
class _Facts:
    """What the first pass learns: everything but the channel values."""

    index: list[npt.NDArray[np.int64]] = field(default_factory=list)
    tables: list[npt.NDArray[np.void]] = field(default_factory=list)
    scales: list[npt.NDArray[np.float64]] = field(default_factory=list)
    bandwidths: list[npt.NDArray[np.int16]] = field(default_factory=list)
    axes: dict[int, npt.NDArray[np.int16]] = field(default_factory=dict)
    shape: Shape = (0, 0, 0)

    def add(self, block: FrameBlock) -> None:
        self.index.append(block.index)
        self.tables.append(block.table.copy())
        self.scales.append(scale(block))
        self.bandwidths.append(np.full(len(block), block.bandwidth_mhz, np.int16))
        self.axes[block.bandwidth_mhz] = block.subcarrier_index
        subcarriers, rx, tx = (max(pair) for pair in zip(self.shape, block.shape, strict=True))
        self.shape = subcarriers, rx, tx

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The small arrays, in stream order."""
        order = np.argsort(np.concatenate(self.index))
        table: npt.NDArray[np.void] = np.concatenate(self.tables)[order].astype(FRAME_TABLE)
        bandwidth = np.concatenate(self.bandwidths)[order]
        return {
            "timestamp_ns": table["capture_ns"],
            "sequence": table["sequence"],
            "rssi_dbm": table["rssi_dbm"][:, : self.shape[1]],
            "noise_dbm": table["noise_dbm"],
            "agc_db": table["agc_db"],
            "rate": table["rate"],
            "flags": table["flags"],
            "bandwidth_mhz": bandwidth,
            "subcarrier_index": self._subcarriers(bandwidth),
            "scale": np.concatenate(self.scales)[order],
        }

    def _subcarriers(self, bandwidth: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        if len(self.axes) == 1:
            return next(iter(self.axes.values()))
        padded = np.zeros((len(bandwidth), self.shape[0]), np.int16)
        for width, axis in self.axes.items():
            padded[bandwidth == width, : len(axis)] = axis
        return padded


def write_archive(file: Path, nic: Nic, target: Path, told: Told) -> Account:
    """Decode `file` into `target`, which appears whole or not at all; nothing is written without a frame.

    Raises:
        SourceError: the file cannot be read.
        CommandError: the target cannot be written.
    """
    _check_target(file, target)
    facts, stream = _Facts(), Stream(nic, as_recorded=True)
    for block in read_blocks(file, stream, lambda done: told(done // 2)):
        facts.add(block)
    if stream.account.frames:
        try:
            _write(file, nic, target, facts, lambda done: told((stream.account.total_bytes + done) // 2))
        except OSError as error:
            raise CommandError(f"cannot write {target}: {error.strerror or error}") from error
    return stream.account


def _check_target(file: Path, target: Path) -> None:
    """Refuse what writing would destroy: the capture itself, or a device."""
    if not target.exists():
        return
    if not target.is_file():
        raise CommandError(
            f"cannot write {target}: it is no regular file; give the archive a name of its own"
        )
    if target.samefile(file):
        raise CommandError(f"cannot write {target}: it is the capture; give the archive a name of its own")


def _write(file: Path, nic: Nic, target: Path, facts: _Facts, told: Told) -> None:
    small = facts.arrays()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            with archive.open("csi.npy", "w", force_zip64=True) as member:
                _write_csi(member, _in_order(file, nic, facts.shape, told), len(small["scale"]), facts.shape)
            for key, array in small.items():
                with archive.open(f"{key}.npy", "w") as member:
                    np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _write_csi(
    member: IO[bytes], chunks: Iterator[npt.NDArray[np.complex64]], frames: int, shape: Shape
) -> None:
    header = {"descr": "<c8", "fortran_order": False, "shape": (frames, *shape)}
    np.lib.format.write_array_header_1_0(member, header)
    for chunk in chunks:
        member.write(chunk.data)


def _in_order(file: Path, nic: Nic, shape: Shape, told: Told) -> Iterator[npt.NDArray[np.complex64]]:
    """Channel values in stream order, padded to `shape`, piece by piece."""
    piece: list[FrameBlock] = []
    done = 0
    for block in read_blocks(file, Stream(nic), told):
        piece.append(block)
        count = sum(map(len, piece))
        if max(int(b.index[-1]) for b in piece) + 1 - done == count:
            yield _joined(piece, done, count, shape)
            done, piece = done + count, []


def _joined(piece: list[FrameBlock], start: int, count: int, shape: Shape) -> npt.NDArray[np.complex64]:
    csi = np.zeros((count, *shape), np.complex64)
    for block in piece:
        subcarriers, rx, tx = block.shape
        csi[block.index - start, :subcarriers, :rx, :tx] = block.csi()
    return csi
