"""Windows of labelled recordings as arrays: what training and evaluation work on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock
from models.sensing import MIN_OCCUPANCY
from models.signal.variation import NAMES, Variation
from models.signal.window import RoomBuffer, Window, WindowSpec
from models.tasks import View


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Judged units, one a window, in order of domain, session and time.

    Attributes:
        features: float32 ``[window, stream, feature]``; `mask` ``[window, stream]`` says which are measured.
        profile: float32 ``[window, series]``, static log amplitude profile: the recording fingerprint.
        motion: float32 ``[window, 2]``, motion statistic and moved variance.
        people: int64 ``[window]``.
        domain, session: names, ``[window]``; a session is one recording.
        start_s: float64 ``[window]``, start of the window since the first frame of its session.
        length_s: length of every window.
        skipped: windows under the least occupancy, which are not judged.
        nics: which cards the frames are from, as their recordings say, sorted.
    """

    features: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]
    profile: npt.NDArray[np.float32]
    motion: npt.NDArray[np.float32]
    people: npt.NDArray[np.int64]
    domain: npt.NDArray[np.str_]
    session: npt.NDArray[np.str_]
    start_s: npt.NDArray[np.float64]
    length_s: float
    skipped: int = 0
    nics: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.people)

    def take(self, rows: npt.NDArray[np.bool_]) -> "Samples":
        """Only these windows."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ARRAYS})

    @classmethod
    def join(cls, parts: "Sequence[Samples]") -> "Samples":
        """All windows of several sets; streams are padded to the most that any has."""
        streams = max(part.mask.shape[1] for part in parts)
        series = max(part.profile.shape[1] for part in parts)
        wide = [part.padded(streams, series) for part in parts]
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in wide]) for name in _ARRAYS
        }
        nics = {nic for part in parts for nic in part.nics}
        skipped = sum(part.skipped for part in parts)
        return replace(parts[0], **joined, skipped=skipped, nics=tuple(sorted(nics)))

    def padded(self, streams: int, series: int) -> "Samples":
        """The same windows with room for more streams, masked out."""
        more = streams - self.mask.shape[1]
        return replace(
            self,
            features=np.pad(self.features, ((0, 0), (0, more), (0, 0))),
            mask=np.pad(self.mask, ((0, 0), (0, more))),
            profile=np.pad(self.profile, ((0, 0), (0, series - self.profile.shape[1]))),
        )


_ARRAYS = ("features", "mask", "profile", "motion", "people", "domain", "session", "start_s")


def windows_of(blocks: Iterable[FrameBlock], spec: WindowSpec, link: str = "link") -> list[Window]:
    """Windows that lie wholly inside one recording, cut by the very buffer that serves."""
    buffer, windows = RoomBuffer(spec), list[Window]()
    first: int | None = None
    for block in blocks:
        times = block.table["capture_ns"]
        first = int(times[0]) if first is None and len(times) else first
        buffer.push(link, block)
        windows += buffer.closed()
    windows += buffer.closed(flush=True)
    return [window for window in windows if first is not None and window.start_ns >= first]


def samples_of(
    windows: Sequence[Window], *, domain: str, session: str, people: int, spec: WindowSpec, origin_ns: int
) -> Samples:
    """Samples of one recording; `origin_ns` is the time of its first frame."""
    kept = [window for window in windows if window.occupancy >= MIN_OCCUPANCY]
    views, lively = list[Variation](), list[tuple[float, float]]()
    for window in kept:  # one at a time: what is computed on the way is many times larger than the window
        seen = View(window)
        views.append(seen.variation)
        lively.append(_motion(seen))
    streams = max((len(view.mask) for view in views), default=1)
    features = np.zeros((len(kept), streams, len(NAMES)), np.float32)
    mask = np.zeros((len(kept), streams), np.bool_)
    for row, view in enumerate(views):
        features[row, : len(view.mask)], mask[row, : len(view.mask)] = view.features, view.mask
    return Samples(
        features=features,
        mask=mask,
        profile=_profiles(kept),
        motion=np.array(lively, np.float32).reshape(-1, 2),
        people=np.full(len(kept), people, np.int64),
        domain=np.full(len(kept), domain),
        session=np.full(len(kept), session),
        start_s=np.array([(window.start_ns - origin_ns) / 1e9 for window in kept]),
        length_s=spec.length_s,
        skipped=len(windows) - len(kept),
        nics=tuple(sorted({nic for window in kept for nic in window.nics})),
    )


def _motion(view: View) -> tuple[float, float]:
    """Statistic and moved variance of the window's most lively link."""
    seen = [(one.statistic, one.moved) for one in view.motions.values()]
    return max(seen, key=lambda pair: pair[1], default=(0.0, 0.0))


def _profiles(windows: Sequence[Window]) -> npt.NDArray[np.float32]:
    rows = [
        np.concatenate([np.log(np.sqrt(part.power).mean(axis=0).ravel() + 1e-3) for part in window.parts])
        for window in windows
    ]
    out = np.zeros((len(rows), max((len(row) for row in rows), default=1)), np.float32)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return out
