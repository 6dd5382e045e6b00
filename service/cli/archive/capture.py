"""A capture read for an archive: small facts of every frame first, channel values in stream order after."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.account import Account
from drivers.frame import FRAME_TABLE, MAX_ANTENNAS, FrameBlock, Tone
from drivers.group import Grouper
from drivers.iq import IqOrder, in_order
from drivers.registry import Nic
from drivers.scale import scale
from drivers.stream import Stream
from drivers.units import milliwatts, subcarrier_hz
from service.cli.capture import read_together

Told = Callable[[int], None]
Shape = tuple[int, int, int]
INTEL = "intel5300"
"""The card whose values can be brought into units of sqrt(SNR)."""
Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Capture:
    """A file and how it is to be read.

    Attributes:
        file: the capture.
        nic: whose records it holds.
        iq_order: as `drivers.iq`.
        group: put the records of one frame together.
    """

    file: Path
    nic: Nic
    iq_order: IqOrder = "as_recorded"
    group: bool = False

    def blocks(self, account: Account, told: Told) -> Iterator[FrameBlock]:
        """All blocks, clock and counter as recorded; `account` takes the books."""
        stream = Stream(self.nic, as_recorded=True)
        within = self.nic.GROUP_WITHIN_NS if self.group else None
        grouper = None if within is None else Grouper(within)
        for blocks in read_together(self.file, stream, told):
            ordered = [in_order(block, self.iq_order) for block in blocks]
            yield from ordered if grouper is None else grouper.take(ordered)
        if grouper is not None:
            yield from grouper.flush()
        account.add(stream.account)

    def csi(self, shape: Shape, told: Told) -> Iterator[npt.NDArray[np.complex64]]:
        """Channel values in stream order, padded with zeros to `shape`, piece by piece."""
        piece: list[FrameBlock] = []
        done = 0
        for block in self.blocks(Account(), told):
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


def _on_antennas(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """``[frame, rx]`` padded to as many antennas as a frame may have."""
    padded = np.full((len(values), MAX_ANTENNAS), np.nan)
    padded[:, : values.shape[1]] = values[:, :MAX_ANTENNAS]
    return padded


@dataclass(slots=True)
class Facts:
    """What the first pass learns: everything but the channel values."""

    shape: Shape = (0, 0, 0)
    frames: int = 0
    _index: list[npt.NDArray[np.int64]] = field(default_factory=list)
    _tables: list[npt.NDArray[np.void]] = field(default_factory=list)
    _scales: list[npt.NDArray[np.float64]] = field(default_factory=list)
    _milliwatts: list[npt.NDArray[np.float64]] = field(default_factory=list)
    _bandwidths: list[npt.NDArray[np.int16]] = field(default_factory=list)
    _kinds: list[npt.NDArray[np.int16]] = field(default_factory=list)
    _axes: dict[tuple[bytes, bytes], int] = field(default_factory=dict)

    def add(self, block: FrameBlock) -> None:
        """Take in one block."""
        axis = (block.subcarrier_index.tobytes(), block.tones.tobytes())
        kind = self._axes.setdefault(axis, len(self._axes))
        self._index.append(block.index)
        self._tables.append(block.table.copy())
        self._scales.append(scale(block) if block.nic == INTEL else np.full(len(block), np.nan))
        self._milliwatts.append(_on_antennas(milliwatts(block)))
        self._bandwidths.append(np.full(len(block), block.bandwidth_mhz, np.int16))
        self._kinds.append(np.full(len(block), kind, np.int16))
        subcarriers, rx, tx = (max(pair) for pair in zip(self.shape, block.shape, strict=True))
        self.shape = subcarriers, rx, tx
        self.frames += len(block)

    def arrays(self) -> tuple[Arrays, Arrays]:
        """The small arrays, in stream order: per frame, and those of the subcarriers if they never change.

        See `roomtone decode --help`.
        """
        order = np.argsort(np.concatenate(self._index))
        table: npt.NDArray[np.void] = np.concatenate(self._tables)[order].astype(FRAME_TABLE)
        steady, moving = self._per_subcarrier(np.concatenate(self._kinds)[order], table["centre_mhz"])
        plain = ("noise_dbm", "agc_db", "rate", "flags", "centre_mhz", "transmitter", "core")
        per_frame = {
            "timestamp_ns": table["capture_ns"],
            "sequence": table["sequence"],
            "rssi_dbm": table["rssi_dbm"][:, : max(self.shape[1], 1)],
            **{name: table[name] for name in plain},
            "ss": table["stream"],
            "bandwidth_mhz": np.concatenate(self._bandwidths)[order],
            "scale": np.concatenate(self._scales)[order],
            "milliwatts": np.concatenate(self._milliwatts)[order][:, : self.shape[1]],
        }
        return per_frame | moving, steady

    def _per_subcarrier(
        self, kinds: npt.NDArray[np.int16], centre_mhz: npt.NDArray[np.uint16]
    ) -> tuple[Arrays, Arrays]:
        """What is known of the subcarriers: ``[subcarrier]``, or ``[frame, subcarrier]`` where it changes."""
        index = np.zeros((len(self._axes), self.shape[0]), np.int16)
        tones = np.full(index.shape, Tone.NULL, np.uint8)
        for row, (axis, tone) in enumerate(self._axes):
            index[row, : len(tone)] = np.frombuffer(axis, np.int16)
            tones[row, : len(tone)] = np.frombuffer(tone, np.uint8)
        if len(index) == 1 and (centre_mhz == centre_mhz[0]).all():
            known = {"subcarrier_index": index[0], "tones": tones[0]}
            return known | {"subcarrier_hz": subcarrier_hz(index[:1], centre_mhz[:1])[0]}, {}
        known = {"subcarrier_index": index[kinds], "tones": tones[kinds]}
        return {}, known | {"subcarrier_hz": subcarrier_hz(index[kinds], centre_mhz)}
