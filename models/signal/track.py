"""One link's frames in bins of 20 ms and half precision: what a clip is made of.

The bins lie on multiples of 20 ms of Unix time, hence on those that `models.signal.fading` cuts a window
into, whenever length and hop of the window are such multiples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.signal.fading import BIN_S
from models.signal.grid import SUBCARRIERS
from models.signal.link_buffer import LinkFrames
from models.signal.resample import Bins

BIN_NS = round(BIN_S * 1e9)
Kind = tuple[str, str, int, tuple[int, int]]
"""Link, NIC, bandwidth and streams: what tracks must share to be joined."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One link's frames of one shape, in bins.

    Attributes:
        streams: receive antennas and transmit streams.
        slots: Unix time of each filled bin in units of `BIN_NS`, int64 ``[bin]``, rising.
        levels: mean power of each series in each piece the track is made of, float32 ``[piece, series]``.
        piece: which piece a bin belongs to, int32 ``[bin]``.
        relative: power over that level, float16 ``[bin, series]``.
    """

    link: str
    nic: str
    bandwidth_mhz: int
    streams: tuple[int, int]
    slots: npt.NDArray[np.int64]
    levels: npt.NDArray[np.float32]
    piece: npt.NDArray[np.int32]
    relative: npt.NDArray[np.float16]

    @classmethod
    def of(cls, part: LinkFrames, first: int, last: int) -> Self | None:
        """The frames in the slots [first, last); None if there are none."""
        slots = part.time_ns // BIN_NS
        low, high = (int(i) for i in np.searchsorted(slots, (first, last)))
        if low == high:
            return None
        filled, starts, counts = np.unique(slots[low:high], return_index=True, return_counts=True)
        power = part.power[low:high].reshape(high - low, -1)
        power = Bins(len(filled), filled, starts, counts).mean(power)
        level = power.mean(axis=0)
        relative = power / np.maximum(level, np.finfo(np.float32).tiny)
        return cls(
            part.link,
            part.nic,
            part.bandwidth_mhz,
            (part.power.shape[1], part.power.shape[2]),
            filled,
            level[None],
            np.zeros(len(filled), np.int32),
            relative.astype(np.float16),
        )

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.slots.nbytes + self.levels.nbytes + self.piece.nbytes + self.relative.nbytes

    @property
    def kind(self) -> Kind:
        """What tracks must share to be joined."""
        return self.link, self.nic, self.bandwidth_mhz, self.streams

    def between(self, first: int, last: int) -> slice:
        """Which bins lie in the slots [first, last)."""
        low, high = np.searchsorted(self.slots, (first, last))
        return slice(int(low), int(high))

    def frames(self, which: slice) -> LinkFrames:
        """These bins as frames, each in the middle of its bin."""
        power = self.relative[which].astype(np.float32) * self.levels[self.piece[which]]
        return LinkFrames(
            self.link,
            self.nic,
            self.bandwidth_mhz,
            self.slots[which] * BIN_NS + BIN_NS // 2,
            power.reshape(len(power), *self.streams, SUBCARRIERS),
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Its arrays by name."""
        return {"slots": self.slots, "levels": self.levels, "piece": self.piece, "relative": self.relative}

    def described(self) -> dict[str, Any]:
        """All but its arrays, for JSON."""
        return {
            "link": self.link,
            "nic": self.nic,
            "bandwidth_mhz": self.bandwidth_mhz,
            "streams": list(self.streams),
        }

    @classmethod
    def from_parts(cls, described: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """What `described` and `arrays` gave.

        Raises:
            ValueError: they do not fit together.
            KeyError: something is missing.
        """
        rx, tx = (int(number) for number in described["streams"])
        track = cls(
            str(described["link"]),
            str(described["nic"]),
            int(described["bandwidth_mhz"]),
            (rx, tx),
            arrays["slots"],
            arrays["levels"],
            arrays["piece"],
            arrays["relative"],
        )
        track._check(rx * tx * SUBCARRIERS)
        return track

    def _check(self, series: int) -> None:
        bins, pieces = len(self.slots), len(self.levels)
        wanted: dict[str, tuple[type, tuple[int, ...]]] = {
            "slots": (np.int64, (bins,)),
            "levels": (np.float32, (pieces, series)),
            "piece": (np.int32, (bins,)),
            "relative": (np.float16, (bins, series)),
        }
        for name, array in self.arrays().items():
            dtype, shape = wanted[name]
            if array.dtype != dtype or array.shape != shape:
                raise ValueError(f"{name} of {self.link} is {array.dtype} {array.shape}, not {shape}")
        if bins and (self.piece.min() < 0 or self.piece.max() >= pieces or (np.diff(self.slots) <= 0).any()):
            raise ValueError(f"bins of {self.link} are out of order")


def concatenated(tracks: Sequence[Track], first: int, last: int) -> Track | None:
    """Tracks of one kind that follow one another, cut to the slots [first, last); None if that is empty."""
    cuts = [track.between(first, last) for track in tracks]
    kept = [(track, cut) for track, cut in zip(tracks, cuts, strict=True) if cut.stop > cut.start]
    if not kept:
        return None
    offsets = np.cumsum([0, *(len(track.levels) for track, _ in kept)])
    one = kept[0][0]
    return Track(
        one.link,
        one.nic,
        one.bandwidth_mhz,
        one.streams,
        np.concatenate([track.slots[cut] for track, cut in kept]),
        np.concatenate([track.levels for track, _ in kept]),
        np.concatenate(
            [
                (track.piece[cut] + offset).astype(np.int32)
                for (track, cut), offset in zip(kept, offsets[:-1], strict=True)
            ]
        ),
        np.concatenate([track.relative[cut] for track, cut in kept]),
    )
