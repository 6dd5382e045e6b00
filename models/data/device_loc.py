"""Packets of a device moved over eight points, laid out like device_loc_27days_5300: ``DIR/d<day>.npz``.

Raw CSI of an Intel 5300 with three receive antennas and two streams. One log (a point in a period) is judged
as one; a period is a block, since a whole period shares what stands around.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.data.arrays import load_arrays, names_in
from models.data.fingerprints import checked, only
from models.data.registry import Progress, check_wanted, quiet
from models.data.samples import PLAIN, PROFILE, Samples, rows
from models.errors import DatasetError

NAME = "device_loc"
LAYOUT = "DIR/d<day>.npz with csi_int8 [packet, 30, 3, 2, 2], period, location"
LEARNERS = {"localization": "antenna_phases"}
LEAVE_OUT = ("day",)
CHANNEL = "channel"
"""Input: complex64 ``[row, 30 subcarriers, 3 receive antennas, 2 streams]``, a packet's mean power is 1."""
SHAPE = (30, 3, 2)
_POINTS = 8
_ARRAYS = ("csi_int8", "period", "location")
_FLOOR = 0.05  # a share of the packet's amplitude, near what one step of int8 is


def recognises(folder: Path) -> bool:
    """Whether it holds files named d and a number with raw CSI."""
    return any(names_in(path) >= set(_ARRAYS) for path in sorted(folder.glob("d[0-9]*.npz"))[:1])


def domains(folder: Path, task: str) -> Mapping[str, Sequence[Path]]:
    """One file a day.

    Raises:
        DatasetError: there is none.
    """
    del task
    found = {path.stem: [path] for path in sorted(folder.glob("d[0-9]*.npz"))}
    if not found:
        raise DatasetError(f"data set {folder} holds no d<day>.npz")
    return found


def site(domain: str) -> str:
    """One office."""
    del domain
    return "office"


def load(
    folder: Path,
    task: str,
    wanted: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    progress: Progress = quiet,
) -> Samples:
    """All packets of these days.

    Raises:
        DatasetError: a domain is unknown, a file is damaged, or a class is empty.
    """
    del inputs
    known = domains(folder, task)
    check_wanted(folder, known, wanted)
    parts = []
    for done, domain in enumerate(wanted):
        progress(domain, done / len(wanted))
        parts.append(only(_packets(known[domain][0], domain, task), classes))
    progress("features", 1.0)
    return Samples.join(parts)


def _packets(path: Path, domain: str, task: str) -> Samples:
    file = load_arrays(path, _ARRAYS)
    location, period = file["location"].astype(np.int64), file["period"].astype(np.int64)
    if not np.isin(location, np.arange(1, _POINTS + 1)).all():
        raise DatasetError(f"{path}: a location is none of 1 to {_POINTS}")
    channel = scaled(checked(path, "csi_int8", file["csi_int8"], (*SHAPE, 2)))
    size = np.abs(channel).reshape(len(channel), -1)
    return rows(
        task,
        {CHANNEL: channel, PLAIN: size, PROFILE: np.log(size + _FLOOR)},
        location - 1,
        tuple(str(point) for point in range(1, _POINTS + 1)),
        domain=domain,
        unit=period * (_POINTS + 1) + location,
        block=[f"{domain}/p{number}" for number in period],
        pooling="log",
        nics=("intel5300",),
    )


def scaled(integers: npt.NDArray[np.int8]) -> npt.NDArray[np.complex64]:
    """CSI as complex numbers, each packet over its root mean square: the AGC hides the level anyway."""
    parts = integers.astype(np.float32)
    channel = parts[..., 0] + 1j * parts[..., 1]
    power = (np.abs(channel) ** 2).mean(axis=(1, 2, 3), keepdims=True)
    return np.asarray(channel / np.sqrt(np.maximum(power, 1e-9)), np.complex64)
