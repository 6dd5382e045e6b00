"""What a job learns from: the room's accepted samples as labelled vectors, and what they stand on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.adapt.base import Rows
from models.adapt.evidence import GateRefusal
from models.adapt.lesson import Lesson, remembered
from models.adapt.shipped import shipped_head
from models.runtime import Base
from models.sensing import Sensing
from models.signal.clip import Clip
from models.signal.view import View
from models.signal.window import MIN_OCCUPANCY, Window, WindowSpec
from models.task_names import FIXED
from service.store.engine import Store
from service.store.samples import Sample, accepted_samples, load_windows

SIMULATED, COUNTING = "simulated", "counting"
APART_S = 60.0
"""Samples of one label that lie closer than this are one recording, cut in two."""


@dataclass(frozen=True, slots=True, eq=False)
class Material(Lesson):
    """A lesson from the store, and which samples it is made of."""

    samples: tuple[str, ...]


def read_material(store: Store, sensing: Sensing, room: str, task: str, spec: WindowSpec) -> Material:
    """All accepted samples of the room and task.

    Raises:
        GateRefusal: there are none, or they do not belong together.
    """
    samples = accepted_samples(store, room, task)
    kinds = {sample.origin == SIMULATED for sample in samples}
    if len(kinds) > 1:
        raise GateRefusal(
            "mixed_samples", "some samples are simulated and some are not: delete those of one kind"
        )
    cut = [(sample, window) for sample in samples for window in _windows(store, sample, spec)]
    if not cut:
        raise GateRefusal("insufficient_evidence", f"room {room} has no accepted samples of {task}")
    simulated = kinds.pop()
    nics = sorted({nic for _, window in cut for nic in window.nics})
    backbone = sensing.base_of(task, nics, room, simulated=simulated)
    classes = _classes(task, samples, backbone)
    rows = _rows(cut, backbone, classes, room)
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
    )


def _windows(store: Store, sample: Sample, spec: WindowSpec) -> list[Window]:
    data = load_windows(store, sample.sample)
    if data is None:
        return []
    try:
        cut = Clip.unpack(data).windows(spec)
    except ValueError as error:
        raise GateRefusal("damaged_sample", f"sample {sample.sample}: {error}; delete it") from error
    return [window for window in cut if window.occupancy >= MIN_OCCUPANCY]


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


def _rows(cut: Sequence[tuple[Sample, Window]], backbone: Base, classes: Sequence[str], room: str) -> Rows:
    recording = _recordings([sample for sample, _ in cut])
    vectors, kept = [], []
    for sample, window in cut:
        vector = backbone.vector(View(window))
        if vector is not None:
            vectors.append(vector)
            kept.append((sample, window))
    if not kept:
        raise GateRefusal("insufficient_evidence", "no window of the samples holds a measured stream")
    began = min(window.start_ns for _, window in kept)
    return Rows(
        np.stack(vectors),
        np.array([classes.index(sample.label) for sample, _ in kept], np.int64),
        np.full(len(kept), room),
        np.array([recording[sample.sample] for sample, _ in kept]),
        np.array([(window.start_ns - began) / 1e9 for _, window in kept]),
    )


def _recordings(samples: Sequence[Sample]) -> dict[str, str]:
    """Sample -> the first sample of its recording; an uploaded file is a recording by itself."""
    found: dict[str, str] = {}
    last: dict[str, tuple[int, str]] = {}
    for sample in sorted({one.sample: one for one in samples}.values(), key=lambda one: one.from_ns):
        if "file" in sample.verdict:
            found[sample.sample] = str(sample.verdict["file"]["sha256"])
            continue
        before = last.get(sample.label)
        joined = before is not None and sample.from_ns - before[0] < APART_S * 1e9
        name = before[1] if before is not None and joined else sample.sample
        found[sample.sample] = name
        last[sample.label] = max(sample.to_ns, before[0] if before else 0), name
    return found
