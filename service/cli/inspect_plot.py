"""The picture of `roomtone inspect --plot`: amplitude, phase, rate and gaps of a capture over time."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock
from service.cli.errors import CommandError
from service.cli.summary import Timeline, rate_hz

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 1200
"""More columns than this nobody sees: frames are averaged over time."""
RATE_BIN_S = 1.0


class Picture:
    """Collects what the picture needs, some hundred bytes a frame, and draws it.

    Args:
        title: of the figure; usually the file's name.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._index: list[npt.NDArray[np.int64]] = []
        self._level: list[npt.NDArray[np.float32]] = []
        self._phase: list[npt.NDArray[np.float32]] = []
        self._subcarriers = np.empty(0, np.int16)

    def add(self, block: FrameBlock) -> None:
        """Take in one block; blocks on other subcarriers than the first one's are left out, as are nulls."""
        measured = np.flatnonzero(block.usable)
        order = measured[np.argsort(block.subcarrier_index[measured])]
        if not len(self._subcarriers):
            self._subcarriers = block.subcarrier_index[order]
        if not np.array_equal(self._subcarriers, block.subcarrier_index[order]):
            return
        csi = block.csi()[:, order][:, :, block.present]
        power = (csi.real**2 + csi.imag**2).mean(axis=2)
        with np.errstate(divide="ignore"):
            self._level.append((10 * np.log10(power)).astype(np.float32))
        self._phase.append(np.unwrap(np.angle(csi[:, :, 0]), axis=1).astype(np.float32))
        self._index.append(block.index)

    def draw(self, timeline: Timeline, target: Path) -> None:
        """Write the picture; its format is by `target`'s suffix.

        Raises:
            CommandError: it cannot be written there, or in that format.
        """
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 8.5), layout="constrained", dpi=150)
        self._draw(figure, timeline)
        try:
            figure.savefig(target)
        except (OSError, ValueError) as error:
            raise CommandError(f"cannot write the picture to {target}: {error}") from error

    def _draw(self, figure: "Figure", timeline: Timeline) -> None:
        index = np.concatenate(self._index)
        order = np.argsort(index)
        every = timeline.times_ns
        times = (every[index[order]] - every.min()) / 1e9
        subcarriers, rx, tx = timeline.shapes.most_common(1)[0][0]
        figure.suptitle(f"{self._title}: {len(every):,} frames, {subcarriers} subcarriers, {rx} x {tx}")
        top, middle, bottom = figure.subplots(3, 1, height_ratios=(3, 3, 2))
        level, phase = np.concatenate(self._level)[order], self._detrended(order)
        self._heat(figure, top, times, level, ("amplitude (dB, raw)", "viridis"))
        self._heat(figure, middle, times, phase, ("phase (rad)", "RdBu_r"))
        top.set_title("mean power over antennas and streams", fontsize="small")
        middle.set_title("unwrapped phase of one stream, slope and offset removed", fontsize="small")
        _draw_rate(bottom, (every - every.min()) / 1e9, timeline)

    def _detrended(self, order: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Phase without what sampling and carrier offsets do to it in every frame."""
        phase = np.concatenate(self._phase)[order]
        axis = self._subcarriers - self._subcarriers.mean()
        slope = phase @ axis / (axis @ axis)
        flat = phase - phase.mean(axis=1, keepdims=True) - np.outer(slope, axis)
        return np.asarray(flat, np.float32)

    def _heat(
        self,
        figure: "Figure",
        axes: "Axes",
        times: npt.NDArray[np.float64],
        values: npt.NDArray[np.float32],
        style: tuple[str, str],
    ) -> None:
        label, colours = style
        edges, grid = _by_time(times, values)
        finite = grid[np.isfinite(grid)]
        low, high = np.percentile(finite, [1, 99]) if finite.size else (0.0, 1.0)
        rows = np.arange(len(self._subcarriers) + 1) - 0.5
        mesh = axes.pcolormesh(edges, rows, grid.T, cmap=colours, vmin=low, vmax=high, rasterized=True)
        ticks = np.linspace(0, len(self._subcarriers) - 1, 7).round().astype(int)
        axes.set_yticks(ticks, [str(self._subcarriers[tick]) for tick in ticks])
        axes.set(ylabel="subcarrier", xlim=(edges[0], edges[-1]))
        axes.tick_params(labelbottom=False)
        figure.colorbar(mesh, ax=axes, label=label, pad=0.01)


def _by_time(
    times: npt.NDArray[np.float64], values: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Edges of time columns and the mean of the frames in each; NaN where there is none.

    A capture whose clock stands still is laid out by frame number.
    """
    if times[-1] <= times[0]:
        times = np.arange(len(times), dtype=np.float64)
    count = max(min(COLUMNS, len(times) // 2), 1)
    edges = np.linspace(times.min(), max(times.max(), times.min() + 1e-6), count + 1)
    column = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, count - 1)
    usable = np.isfinite(values)
    sums, counts = np.zeros((2, count, values.shape[1]))
    np.add.at(sums, column, np.where(usable, values, 0))
    np.add.at(counts, column, usable)
    with np.errstate(invalid="ignore"):
        return edges, sums / counts


def _draw_rate(axes: "Axes", times: npt.NDArray[np.float64], timeline: Timeline) -> None:
    """Frames per second, and a mark where frames are missing by the NIC's counter."""
    axes.set(xlabel="time (s)", ylabel="frames / s", xlim=(0, max(times.max(), 1e-6)))
    rate = rate_hz((times * 1e9).astype(np.int64))
    if rate is None:
        axes.text(0.5, 0.5, "the clock stands still: no rate", ha="center", transform=axes.transAxes)
        axes.set(xlabel="frame", xlim=(0, len(times)), yticks=[])
        return
    width = min(RATE_BIN_S, max(times.max() / 20, 1e-6))
    counts, edges = np.histogram(times, np.arange(0, times.max() + width, width))
    if len(counts) > 1:
        counts, edges = counts[:-1], edges[:-1]  # the last bin is cut short by the end
    axes.stairs(counts / width, edges, baseline=None, color="tab:blue", label=f"mean {rate:g} Hz")
    loss = timeline.loss()
    if loss.gaps and loss.method == "counter":
        where = times[1:][np.diff(timeline.counts) > 1]
        axes.vlines(where, 0, 1, transform=axes.get_xaxis_transform(), color="tab:red", lw=0.6)
    told = f"{loss.gaps} ({loss.missing} frames missing)"
    axes.set_title(
        {
            "counter": f"gaps in the counter: {told}, red",
            "timing": f"gaps by time ({loss.why}): {told}",
            "unknown": f"gaps: {loss.why}",
        }[loss.method],
        fontsize="small",
    )
    axes.set_ylim(0, 1.08 * counts.max() / width)
    axes.legend(loc="lower right", fontsize="small")
