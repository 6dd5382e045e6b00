"""Labelled rows: what training and evaluation work on, whatever data set they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from models.signal.variation import VERSION as VARIATION

MASK = ".mask"
"""Suffix of the input that says which streams of another input are measured, bool ``[row, stream]``."""
PROFILE = "profile"
MOTION = "motion"
PLAIN = "plain"
"""Inputs by role: static mean profile ``[row, series]`` (the recording fingerprint), motion statistic and
moved variance ``[row, 2]``, and the plain features ``[row, feature]`` that simple baselines look at."""

STRETCH = "stretch"
"""Input where rows are windows of walks, float64 ``[row, 2]``: when the walk began and ended, on the axis of
`start_s`. Windows of one session are voted on together (`models.signal.voting`)."""

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Labelled rows of one task, in order of domain, session and time.

    Attributes:
        task: whose labels they are.
        inputs: what may be looked at, by name, ``[row, ...]`` each.
        label: int64 ``[row]``, index into `classes`; or float64 ``[row, 2]``, x and y in metres.
        classes: names of the classes in order; empty where labels are metres.
        domain, session, person: names, ``[row]``; a session is one recording.
        start_s: float64 ``[row]``, start since the first frame of its session; its number where rows have
            no time.
        unit: int64 ``[row]``; rows of one number are judged as one.
        block: names ``[row]``; support leaves the whole blocks it is from out of the query.
        length_s: length of a row; 0 where rows have no time.
        guard: least distance in `start_s` of judged rows from those learned from in the same session.
        pooling: how rows of one unit make one answer, the mean of probabilities or of their logarithms.
        skipped: windows under the least occupancy, which are not judged.
        nics: which cards the frames are from, as their recordings say, sorted.
        shuffled: whether the order of rows says nothing of when they were measured.
    """

    task: str
    inputs: Mapping[str, Array]
    label: Array
    classes: tuple[str, ...]
    domain: npt.NDArray[np.str_]
    session: npt.NDArray[np.str_]
    person: npt.NDArray[np.str_]
    start_s: npt.NDArray[np.float64]
    unit: npt.NDArray[np.int64]
    block: npt.NDArray[np.str_]
    length_s: float
    guard: float = 7.0
    pooling: Literal["mean", "log"] = "mean"
    skipped: int = 0
    nics: tuple[str, ...] = field(default=())
    shuffled: bool = False

    def __len__(self) -> int:
        return len(self.label)

    @property
    def features(self) -> npt.NDArray[np.float32]:
        """How the channel varies, float32 ``[row, stream, feature]``; `mask` says which are measured."""
        return self.inputs[VARIATION]

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Bool ``[row, stream]``."""
        return self.inputs[VARIATION + MASK]

    @property
    def profile(self) -> npt.NDArray[np.float32]:
        """Float32 ``[row, series]``, static log amplitude profile: the recording fingerprint."""
        return self.inputs[PROFILE]

    @property
    def motion(self) -> npt.NDArray[np.float32]:
        """Float32 ``[row, 2]``, motion statistic and moved variance."""
        return self.inputs[MOTION]

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Samples":
        """Only these rows."""
        arrays: dict[str, Any] = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return replace(self, **arrays, inputs={name: value[rows] for name, value in self.inputs.items()})

    def relabelled(self, task: str, label: Array, classes: tuple[str, ...]) -> "Samples":
        """The same rows for another task."""
        return replace(self, task=task, label=label, classes=classes)

    @classmethod
    def join(cls, parts: "Sequence[Samples]") -> "Samples":
        """All rows of several sets with the same classes; streams are padded to the most that any has."""
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS
        }
        arrays["unit"] = _apart([part.unit for part in parts])
        return replace(
            parts[0],
            **arrays,
            inputs={name: _stacked([part.inputs[name] for part in parts]) for name in parts[0].inputs},
            skipped=sum(part.skipped for part in parts),
            nics=tuple(sorted({nic for part in parts for nic in part.nics})),
        )


_ARRAYS = ("label", "domain", "session", "person", "start_s", "unit", "block")


def _apart(units: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Numbers of judged units that no two parts share."""
    shifted, next_free = [], 0
    for unit in units:
        shifted.append(unit - unit.min(initial=0) + next_free)
        next_free = int(shifted[-1].max(initial=next_free - 1)) + 1
    return np.concatenate(shifted)


def _stacked(arrays: Sequence[Array]) -> Array:
    """Rows of all, the second axis padded with zeros (no stream) to the longest."""
    if arrays[0].ndim < 2:
        return np.concatenate(arrays)
    longest = max(one.shape[1] for one in arrays)
    rest = [(0, 0)] * (arrays[0].ndim - 2)
    return np.concatenate([np.pad(one, ((0, 0), (0, longest - one.shape[1]), *rest)) for one in arrays])


def rows(
    task: str,
    inputs: Mapping[str, Array],
    label: Array,
    classes: tuple[str, ...],
    *,
    domain: str,
    session: npt.ArrayLike | None = None,
    person: str = "",
    start_s: npt.NDArray[np.float64] | None = None,
    unit: npt.NDArray[np.int64] | None = None,
    block: npt.ArrayLike | None = None,
    length_s: float = 0.0,
    **more: Any,  # noqa: ANN401 - further fields of Samples
) -> Samples:
    """Rows of one domain; what is not given is one session, rows numbered, each row judged by itself.

    `block` defaults to nothing shared: each row is a block of its own.
    """
    count = len(label)
    number = np.arange(count)
    return Samples(
        task=task,
        inputs=inputs,
        label=label,
        classes=classes,
        domain=np.full(count, domain),
        session=np.full(count, domain) if session is None else np.asarray(session, np.str_),
        person=np.full(count, person),
        start_s=number.astype(np.float64) if start_s is None else start_s,
        unit=number if unit is None else unit,
        block=np.array([f"{domain}/{one}" for one in number], np.str_)
        if block is None
        else np.asarray(block, np.str_),
        length_s=length_s,
        **more,
    )
