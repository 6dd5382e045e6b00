"""Activity clips laid out like har_two_rooms_5300: ``DIR/<room>_<person>.npz``, 11 activities."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.data.arrays import load_arrays, names_in
from models.data.registry import Progress, check_wanted, quiet
from models.data.samples import PLAIN, PROFILE, Samples, rows
from models.errors import DatasetError
from models.signal.clip_motion import VERSION, clip_motion

NAME = "har"
LAYOUT = "DIR/<room>_<person>.npz with csi_int8, scale, activity, sample_no"
LEARNERS = {"activity": "clip_ensemble"}
LEAVE_OUT = ("person", "day")
ACTIVITIES = (
    "lying",
    "sitting",
    "running",
    "walking",
    "pick_up",
    "wave_hand",
    "jump",
    "squat",
    "sit_down",
    "stand_up",
    "fall_down",
)
"""Activity 1 is the first."""
STILL = ("lying", "sitting")
"""Clips of these are cut from one recording each: they share a session."""
LENT = 10
"""Of those recordings, the clips that may be support; only later ones are judged then."""
_ARRAYS = ("csi_int8", "scale", "activity", "sample_no")


def recognises(folder: Path) -> bool:
    """Whether it holds files named room_person with clips."""
    return any(names_in(path) >= set(_ARRAYS) for path in sorted(folder.glob("*_*.npz"))[:1])


def domains(folder: Path, task: str) -> Mapping[str, Sequence[Path]]:
    """One file a room and person.

    Raises:
        DatasetError: there is none.
    """
    del task
    found = {path.stem: [path] for path in sorted(folder.glob("*_*.npz"))}
    if not found:
        raise DatasetError(f"data set {folder} holds no <room>_<person>.npz")
    return found


def site(domain: str) -> str:
    """The room."""
    return domain.rpartition("_")[0]


def lends(samples: Samples) -> npt.NDArray[np.bool_]:
    """Clips that may be support: of a recording that was cut into clips, its first half."""
    still = np.isin(samples.session, [f"{domain}/{kind}" for domain in set(samples.domain) for kind in STILL])
    return ~still | (samples.start_s <= LENT)


def load(
    folder: Path,
    task: str,
    wanted: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    progress: Progress = quiet,
) -> Samples:
    """All clips of these domains.

    Raises:
        DatasetError: a domain is unknown, a file is damaged, or a class is empty.
    """
    del inputs
    known = domains(folder, task)
    check_wanted(folder, known, wanted)
    names = tuple(classes) if classes is not None else ACTIVITIES
    parts = []
    for done, domain in enumerate(wanted):
        progress(domain, done / len(wanted))
        parts.append(_clips(known[domain][0], domain, task, names))
    progress("features", 1.0)
    samples = Samples.join(parts)
    for number, name in enumerate(names):
        if number not in samples.label:
            raise DatasetError(f"class {name!r} of {', '.join(wanted)} is empty")
    return samples


def _clips(path: Path, domain: str, task: str, names: tuple[str, ...]) -> Samples:
    arrays = load_arrays(path, _ARRAYS)
    activity = np.array([ACTIVITIES[number - 1] for number in arrays["activity"]])
    keep = np.flatnonzero(np.isin(activity, names))
    csi = arrays["csi_int8"][keep].astype(np.float32) * arrays["scale"][keep, None, None, None, None]
    if not np.isfinite(csi).all():
        raise DatasetError(f"{path} holds amplitudes that are no number")
    features = np.stack([clip_motion(clip[..., 0] + 1j * clip[..., 1]) for clip in csi])
    kinds = activity[keep]
    number = arrays["sample_no"][keep].astype(np.float64)
    session = [
        f"{domain}/{kind}" if kind in STILL else f"{domain}/{kind}/{turn:g}"
        for kind, turn in zip(kinds, number, strict=True)
    ]
    block = [
        f"{domain}/{kind}/lent" if kind in STILL and turn <= LENT else f"{domain}/{kind}/{turn:g}"
        for kind, turn in zip(kinds, number, strict=True)
    ]
    return rows(
        task,
        {VERSION: features, PLAIN: features, PROFILE: profiles(csi)},
        np.array([names.index(kind) for kind in kinds]),
        names,
        domain=domain,
        person=domain.rpartition("_")[2],
        session=session,
        start_s=number,
        block=block,
        nics=("intel5300",),
    )


def profiles(csi: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Mean amplitude of clips ``[clip, rx, subcarrier, packet, 2]`` over its RMS ``[clip, series]``."""
    size = np.hypot(csi[..., 0], csi[..., 1]).mean(axis=3).reshape(len(csi), -1)
    level = np.sqrt((size**2).mean(axis=1, keepdims=True))
    return np.asarray(size / np.maximum(level, 1e-9), np.float32)
