"""Windows of one labelled recording as rows, cut and measured by the very code that serves."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock
from models.data.samples import MASK, MOTION, PLAIN, PROFILE, Array, Samples, rows
from models.signal.inputs import INPUTS, Measured
from models.signal.variation import VERSION as VARIATION
from models.signal.view import View
from models.signal.window import MIN_OCCUPANCY, RoomBuffer, Window, WindowSpec


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
    windows: Sequence[Window],
    *,
    task: str,
    domain: str,
    session: str,
    label: int | npt.NDArray[np.int64],
    classes: tuple[str, ...],
    spec: WindowSpec,
    origin_ns: int,
    inputs: Sequence[str] = (VARIATION,),
    person: str = "",
) -> Samples:
    """Rows of one recording: its windows that hold enough frames.

    Args:
        windows: of the recording.
        task: whose labels they are.
        domain: where it is from.
        session: its name.
        person: who is seen, where that is one.
        label: class of all windows, or of each one ``[window]``.
        classes: what the labels stand for.
        spec: how the windows were cut.
        origin_ns: time of the recording's first frame.
        inputs: names in `models.signal.inputs`; profile, motion and plain features come beside them.
    """
    enough = np.array([window.occupancy >= MIN_OCCUPANCY for window in windows], np.bool_)
    kept = [window for window, good in zip(windows, enough, strict=True) if good]
    labels = np.broadcast_to(np.asarray(label, np.int64), len(windows))[enough]
    return rows(
        task,
        _inputs(kept, tuple(dict.fromkeys((VARIATION, *inputs)))),
        labels,
        classes,
        domain=domain,
        session=np.full(len(kept), session),
        person=person,
        start_s=np.array([(window.start_ns - origin_ns) / 1e9 for window in kept]),
        block=np.full(len(kept), session),
        length_s=spec.length_s,
        skipped=len(windows) - len(kept),
        nics=tuple(sorted({nic for window in kept for nic in window.nics})),
    )


def _inputs(windows: Sequence[Window], names: Sequence[str]) -> dict[str, Array]:
    found: dict[str, list[Measured]] = {name: [] for name in names}
    lively = list[tuple[float, float]]()
    for window in windows:  # one at a time: what is computed on the way is many times larger than the window
        view = View(window)
        for name in names:
            found[name].append(INPUTS[name](view))
        lively.append(_motion(view))
    arrays: dict[str, Array] = {PROFILE: _profiles(windows)}
    arrays[MOTION] = np.array(lively, np.float32).reshape(-1, 2)
    for name in names:
        arrays[name], arrays[name + MASK] = _stacked(found[name])
    weight = arrays[VARIATION + MASK][..., None].astype(np.float32)
    arrays[PLAIN] = (arrays[VARIATION] * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1)
    return arrays


def _stacked(measured: Sequence[Measured]) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Values ``[window, stream, ...]`` and mask, padded to the most streams of any window."""
    streams = max((len(one.mask) for one in measured), default=1)
    shape: tuple[Any, ...] = measured[0].values.shape[1:] if measured else ()
    values = np.zeros((len(measured), streams, *shape), np.float32)
    mask = np.zeros((len(measured), streams), np.bool_)
    for row, one in enumerate(measured):
        values[row, : len(one.mask)], mask[row, : len(one.mask)] = one.values, one.mask
    return values, mask


def _motion(view: View) -> tuple[float, float]:
    """Statistic and moved variance of the window's most lively link."""
    seen = [(one.statistic, one.moved) for one in view.motions.values()]
    return max(seen, key=lambda pair: pair[1], default=(0.0, 0.0))


def _profiles(windows: Sequence[Window]) -> npt.NDArray[np.float32]:
    found = [
        np.concatenate([np.log(np.sqrt(part.power).mean(axis=0).ravel() + 1e-3) for part in window.parts])
        for window in windows
    ]
    out = np.zeros((len(found), max((len(row) for row in found), default=1)), np.float32)
    for index, row in enumerate(found):
        out[index, : len(row)] = row
    return out
