"""What is in a capture: frames, rejects, shapes, rate and gaps, as `roomtone inspect` reports them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.account import Account
from drivers.frame import FrameBlock, FrameFlag
from drivers.loss import Loss, estimate


@dataclass(slots=True)
class Timeline:
    """Per-frame facts of one link, put in stream order at the end."""

    _index: list[npt.NDArray[np.int64]] = field(default_factory=list)
    _times: list[npt.NDArray[np.int64]] = field(default_factory=list)
    _counts: list[npt.NDArray[np.int64]] = field(default_factory=list)
    _parts: list[npt.NDArray[np.int64]] = field(default_factory=list)
    shapes: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    bandwidths: Counter[int] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)

    def add(self, block: FrameBlock) -> None:
        """Take in one block."""
        self._index.append(block.index)
        self._times.append(block.table["capture_ns"].copy())
        self._counts.append(block.table["sequence"].copy())
        self._parts.append(block.table["core"].astype(np.int64) << 8 | block.table["stream"])
        self.shapes[block.shape] += len(block)
        self.bandwidths[block.bandwidth_mhz] += len(block)
        for flag in FrameFlag:
            if count := int(np.count_nonzero(block.table["flags"] & np.uint32(flag))):
                self.flags[str(flag.name).lower()] += count

    def _ordered(self, parts: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
        if not parts:
            return np.empty(0, np.int64)
        return np.concatenate(parts)[np.argsort(np.concatenate(self._index))]

    @property
    def times_ns(self) -> npt.NDArray[np.int64]:
        """NIC time of each frame."""
        return self._ordered(self._times)

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """The NIC's counter of each frame, unwrapped."""
        return self._ordered(self._counts)

    def loss(self) -> Loss:
        """Frames that never came. Records of one frame (same count, another core or stream) are one."""
        counts, parts = self.counts, self._ordered(self._parts)
        first = np.ones(len(counts), np.bool_)
        first[1:] = (counts[1:] != counts[:-1]) | (parts[1:] == parts[:-1])
        return estimate(counts[first], self.times_ns[first])


def rate_hz(times_ns: npt.NDArray[np.int64]) -> float | None:
    """Frames per second over the whole capture; None when the clock does not tell."""
    if len(times_ns) < 2 or (span := int(times_ns.max() - times_ns.min())) <= 0:
        return None
    return round((len(times_ns) - 1) / (span / 1e9), 3)


def describe_link(timeline: Timeline) -> list[dict[str, Any]]:
    """The `links` list: one entry per link in the capture, none without frames."""
    if not timeline.shapes:
        return []
    times = timeline.times_ns
    loss = timeline.loss()
    return [
        {
            "link": "1",
            "frames": len(times),
            "shape": list(timeline.shapes.most_common(1)[0][0]),
            "shapes": [{"shape": list(shape), "frames": n} for shape, n in timeline.shapes.most_common()],
            "bandwidth_mhz": [width for width, _ in timeline.bandwidths.most_common()],
            "rate_hz": rate_hz(times),
            "duration_s": round(int(times.max() - times.min()) / 1e9, 6),
            "gaps": loss.gaps,
            "missing": loss.missing,
            "loss_method": loss.method,
            "gaps_unknown": loss.why if loss.method == "unknown" else None,
            "flags": dict(timeline.flags),
        }
    ]


def describe(nic: str | None, account: Account, size: int, timeline: Timeline) -> dict[str, Any]:
    """The whole report; `size` is the number of (unpacked) bytes that were read."""
    return {
        "nic": nic,
        "bytes": size,
        "frames": account.frames,
        "accounted": {
            "frames": account.frame_bytes,
            "skipped": dict(account.skipped_bytes),
            "rejected": dict(account.rejected_bytes),
            "container": account.container_bytes,
        },
        "skipped": dict(account.skipped),
        "rejected": dict(account.rejected),
        "bytes_unaccounted": size - account.total_bytes,
        "links": describe_link(timeline),
    }
