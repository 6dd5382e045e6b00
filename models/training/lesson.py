"""Labelled recordings as a lesson: vectors of a shipped model's backbone, as the worker computes them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.adapt.base import Rows
from models.adapt.lesson import Lesson, remembered
from models.adapt.shipped import shipped_head
from models.data.registry import Simulated, check_task, dataset_of
from models.data.samples import MASK, Samples
from models.errors import SelectionError
from models.runtime import Backbone
from models.signal.bands import VERSION as BANDED
from models.signal.inputs import Measured
from models.task_names import FIXED
from models.training.selection import inside, parse_selection
from models.training.support import Support, parse_support, split

COUNTING = "counting"
Progress = Callable[[str, float], None]


def lesson_of(backbone: Backbone, folder: Path, task: str, support: str, progress: Progress) -> Lesson:
    """What these recordings teach.

    Args:
        backbone: what the room's head will stand on.
        folder: of a data set.
        task: whose labels are learned.
        support: domains with commas, each with an amount (``RoomB:20s``), whole, or in
            part (``RoomB:0s-60s``).
        progress: told what is read.

    Raises:
        DatasetError: the data set or a domain is not there.
        SelectionError: the labels or the recordings do not fit the model.
    """
    card = backbone.card
    if card.task != task:
        raise SelectionError(f"model {card.name} is for {card.task}, not {task}")
    samples = _taken(folder, task, support, (card.features, BANDED), progress)
    if not samples.length_s:
        raise SelectionError(f"{folder} holds features, not recordings: `roomtone evaluate` judges such data")
    classes, label = _classes(backbone, samples)
    vectors = vectors_of(backbone, samples)
    rows = Rows(vectors, label, samples.domain, samples.session, samples.start_s)
    return Lesson(
        rows=rows,
        source=remembered(backbone, classes, vectors.shape[1]),
        shipped=shipped_head(backbone, vectors.shape[1]) if classes == card.classes else None,
        backbone=backbone,
        classes=classes,
        ordered=task == COUNTING,
        length_s=samples.length_s,
        simulated=isinstance(dataset_of(folder), Simulated),
    )


def vectors_of(backbone: Backbone, samples: Samples) -> npt.NDArray[np.float64]:
    """`Backbone.vector` of every row ``[row, feature]``."""
    seen, banded = measured(samples, backbone.card.features), measured(samples, BANDED)
    return np.stack([backbone.vector_of(*pair) for pair in zip(seen, banded, strict=True)])


def measured(samples: Samples, name: str) -> list[Measured]:
    """One input of every row."""
    pairs = zip(samples.inputs[name], samples.inputs[name + MASK], strict=True)
    return [Measured(row, mask) for row, mask in pairs]


def _taken(folder: Path, task: str, support: str, inputs: Sequence[str], progress: Progress) -> Samples:
    dataset = dataset_of(folder)
    check_task(dataset, folder, task)
    amounts = _amounts(support)
    names = [one.domain for one in amounts or parse_selection(support)]
    samples = dataset.load(folder, task, list(dict.fromkeys(names)), inputs=inputs, progress=progress)
    if amounts:
        return split(samples, amounts).support
    return samples.take(inside(samples, parse_selection(support)))


def _amounts(support: str) -> Sequence[Support]:
    """What is taken of each class; nothing where domains are meant whole or by a range of time."""
    pieces = support.split(",")
    return (
        parse_support(support)
        if all(":" in one and "-" not in one.rpartition(":")[2] for one in pieces)
        else ()
    )


def _classes(backbone: Backbone, samples: Samples) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """The model's classes where the task has them for good, else those of the data; and the labels in them.

    Raises:
        SelectionError: labels are no classes, or none that the model knows.
    """
    if not samples.classes:
        raise SelectionError("labels in metres teach no room head: it tells classes")
    if samples.task not in FIXED:
        return samples.classes, np.asarray(samples.label, np.int64)
    known = backbone.card.classes
    if strange := [one for one in samples.classes if one not in known]:
        raise SelectionError(
            f"model {backbone.card.name} does not know {', '.join(strange)}, but {', '.join(known)}"
        )
    places = np.array([known.index(one) for one in samples.classes])
    return known, np.asarray(places[samples.label], np.int64)
