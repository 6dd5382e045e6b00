"""What a job learns from: the room's accepted samples as labelled vectors, and what they stand on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.adapt.base import Rows
from models.adapt.evidence import GateRefusal
from models.adapt.lesson import Lesson, remembered
from models.adapt.shipped import shipped_head
from models.runtime import Base
from models.sensing import Sensing
from models.signal.clip import Clip
from models.signal.view import View
from models.signal.window import MIN_OCCUPANCY, WindowSpec
from models.task_names import FIXED
from service.store.engine import Store
from service.store.samples import Sample, accepted_samples, load_windows
from service.trainer.recordings import recordings

SIMULATED, COUNTING = "simulated", "counting"
Seen = tuple[Sample, int, npt.NDArray[np.float64]]
"""A sample, the start of one of its windows, Unix ns, and the vector of that window."""


@dataclass(frozen=True, slots=True, eq=False)
class Material(Lesson):
    """A lesson from the store, which samples it is made of, and which recording each belongs to."""

    samples: tuple[str, ...]
    recordings: Mapping[str, str]


def read_material(store: Store, sensing: Sensing, room: str, task: str, spec: WindowSpec) -> Material:
    """All accepted samples of the room and task; the windows of one sample at a time are held.

    Raises:
        GateRefusal: there are none, or they do not belong together.
    """
    samples = accepted_samples(store, room, task)
    if not samples:
        raise GateRefusal("insufficient_evidence", f"room {room} has no accepted samples of {task}")
    simulated = _kind(samples)
    nics = {track.nic for sample in samples for track in _clip(store, sample).tracks}
    backbone = sensing.base_of(task, sorted(nics), room, simulated=simulated)
    classes = _classes(task, samples, backbone)
    of = recordings(samples)
    seen = [one for sample in samples for one in _seen(_clip(store, sample), sample, backbone, spec)]
    rows = _rows(seen, of, classes, room)
    return Material(
        rows=rows,
        source=remembered(backbone, classes, rows.values.shape[1]),
        shipped=shipped_head(backbone, rows.values.shape[1]) if classes == backbone.card.classes else None,
        backbone=backbone,
        classes=classes,
        ordered=task == COUNTING,
        simulated=simulated,
        length_s=spec.length_s,
        samples=tuple(sample.sample for sample in samples),
        recordings=of,
    )


def _kind(samples: Sequence[Sample]) -> bool:
    kinds = {sample.origin == SIMULATED for sample in samples}
    if len(kinds) > 1:
        raise GateRefusal(
            "mixed_samples", "some samples are simulated and some are not: delete those of one kind"
        )
    return kinds.pop()


def _clip(store: Store, sample: Sample) -> Clip:
    """What is kept of the sample; an empty clip where it was deleted this very moment."""
    data = load_windows(store, sample.sample)
    if data is None:
        return Clip(sample.from_ns, sample.from_ns)
    try:
        return Clip.unpack(data)
    except ValueError as error:
        raise GateRefusal("damaged_sample", f"sample {sample.sample}: {error}; delete it") from error


def _classes(task: str, samples: Sequence[Sample], backbone: Base) -> tuple[str, ...]:
    """The backbone's classes where the task has them for good; else those that people named.

    Raises:
        GateRefusal: a label that the backbone cannot count to.
    """
    named = {sample.label for sample in samples}
    if task not in FIXED:
        return tuple(sorted(named))
    unknown = sorted(named - set(backbone.card.classes))
    if unknown:
        raise GateRefusal(
            "unknown_label",
            f"{', '.join(unknown)}: model {backbone.card.name} knows {', '.join(backbone.card.classes)}",
        )
    return backbone.card.classes


def _seen(clip: Clip, sample: Sample, backbone: Base, spec: WindowSpec) -> Iterable[Seen]:
    for window in clip.windows(spec):
        vector = backbone.vector(View(window)) if window.occupancy >= MIN_OCCUPANCY else None
        if vector is not None:
            yield sample, window.start_ns, vector


def _rows(seen: Sequence[Seen], of: Mapping[str, str], classes: Sequence[str], room: str) -> Rows:
    if not seen:
        raise GateRefusal("insufficient_evidence", "no window of the samples holds a measured stream")
    began = min(start_ns for _, start_ns, _ in seen)
    return Rows(
        np.stack([vector for _, _, vector in seen]),
        np.array([classes.index(sample.label) for sample, _, _ in seen], np.int64),
        np.full(len(seen), room),
        np.array([of[sample.sample] for sample, _, _ in seen]),
        np.array([(start_ns - began) / 1e9 for _, start_ns, _ in seen]),
    )
