"""What deep methods draw from: rows of old rooms, of the room and of the bridge, each from its centre."""

import time
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch

from models.adapt.base import ELSEWHERE, Floats, Labels, Setting

Tensor = torch.Tensor
BATCH = 128
NOISE = 0.3
"""Standard deviations added to every drawn row: two windows of the same people differ by about this."""
MOST_S = 50.0
"""Training ends after this time, whatever is left to do."""
_ROWS_WORTH = 30.0  # as many rows of the room weigh as much as old rooms in the spread of a feature
_LEAST = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """A batch; every class of every room is drawn equally often.

    Attributes:
        source: ``[row, feature]`` of old rooms, with class and number of the room ``[row]``.
        target: of the room; `target_label` is `ELSEWHERE` where nobody labelled.
        bridge: of rooms between ``[row, feature]``; without rows where there are none.
        share: how far training is, 0..1.
    """

    source: Tensor
    source_label: Tensor
    source_room: Tensor
    target: Tensor
    target_label: Tensor
    bridge: Tensor
    share: float

    @property
    def ramp(self) -> float:
        """Weight of an alignment that grows with training: 2 / (1 + e^(-10 share)) - 1 (DSAN; METHODS #9)."""
        return float(2 / (1 + np.exp(-10 * self.share)) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Tensors:
    """All rows, float32 and standardised; `target` holds labelled rows first.

    Attributes:
        standard: mean and scale that make the room's vectors what networks see ``[feature]``.
        rooms: how many old rooms there are.
        until_s: `time.monotonic` at which training ends.
    """

    source: Tensor
    source_label: Tensor
    source_room: Tensor
    target: Tensor
    target_label: Tensor
    bridge: Tensor
    standard: tuple[Floats, Floats]
    classes: int
    ordered: bool
    rooms: int
    until_s: float

    @property
    def labelled(self) -> int:
        """Rows of the room that somebody labelled."""
        return int((self.target_label != ELSEWHERE).sum())

    def with_labels(self, label: Tensor) -> Self:
        """The same rows of the room with other labels ``[row]``."""
        return replace(self, target_label=label)

    def draw(self, share: float, noise: float = NOISE) -> Draw:
        """`BATCH` old rows, half as many labelled and unlabelled ones of the room, and of the bridge."""
        old = _drawn(self.source_room * (self.classes + 1) + self.source_label, BATCH)
        known, unknown = self.target_label != ELSEWHERE, self.target_label == ELSEWHERE
        ours = torch.cat([_among(known, self.target_label), _among(unknown, self.target_label)])
        between = torch.randint(len(self.bridge), (BATCH // 2,)) if len(self.bridge) else torch.arange(0)
        return Draw(
            _shaken(self.source[old], noise),
            self.source_label[old],
            self.source_room[old],
            _shaken(self.target[ours], noise),
            self.target_label[ours],
            _shaken(self.bridge[between], noise),
            share,
        )


def tensors_of(setting: Setting) -> Tensors:
    """Rows from their own centre: each old room, the room, and the bridge.

    A centre is the mean of the class means, over the classes that all labelled rooms show where these are two
    or more; of unlabelled rows it is the plain mean. So a class that is missing in one room moves no centre.

    Raises:
        SelectionError: there is no row of the room.
    """
    target, source = setting.needed_target(), setting.source
    shown = target if setting.support is None else setting.support.values
    label = np.full(len(target), ELSEWHERE)
    if setting.support is not None:
        label[: len(setting.support)] = setting.support.label
    names, room = np.unique(source.domain, return_inverse=True)
    common = _common([source.label[room == one] for one in range(len(names))], label[: len(shown)])
    values = source.values.astype(np.float64).copy()
    for one in range(len(names)):
        rows = room == one
        values[rows] -= _centre(values[rows], source.label[rows], common)
    mean = _centre(shown, label[: len(shown)], common)
    scale = _scale(values, shown - mean)
    bridge = np.zeros((0, target.shape[1])) if setting.bridge is None else setting.bridge
    between = bridge - bridge.mean(axis=0) if len(bridge) else bridge
    return Tensors(
        _float(values / (values.std(axis=0) + _LEAST)),
        torch.from_numpy(source.label.astype(np.int64)),
        torch.from_numpy(room.astype(np.int64)),
        _float((target - mean) / scale),
        torch.from_numpy(label.astype(np.int64)),
        _float(between / (values.std(axis=0) + _LEAST)),
        (mean, scale),
        setting.classes,
        setting.ordered,
        len(names),
        time.monotonic() + MOST_S,
    )


def _common(old: list[Labels], ours: Labels) -> Labels:
    """Classes of every old room, and of the room where it is labelled."""
    shared: set[int] = set.intersection(*({*one.tolist()} for one in old)) if old else set()
    labelled = {*ours.tolist()} - {ELSEWHERE}
    return np.array(sorted((shared & labelled if labelled else shared) - {ELSEWHERE}), np.int64)


def _centre(values: Floats, label: Labels, common: Labels) -> Floats:
    """Mean of class means, of the common classes where there are two; else of those there are."""
    present = np.unique(label)
    chosen = common if len(common) > 1 and np.isin(common, present).all() else present
    return np.asarray(np.mean([values[label == one].mean(axis=0) for one in chosen], axis=0))


def _scale(source: Floats, room: Floats) -> Floats:
    """Spread of a feature in the room, shrunk to that of old rooms."""
    share = len(room) / (len(room) + _ROWS_WORTH)
    square = share * (room**2).mean(axis=0) + (1 - share) * source.var(axis=0)
    return np.asarray(np.sqrt(square) + _LEAST)


def _float(values: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))


def _drawn(group: Tensor, rows: int) -> Tensor:
    """Numbers of rows; every group is as likely as any other ``[rows]``."""
    _, place, count = torch.unique(group, return_inverse=True, return_counts=True)
    return torch.multinomial(1 / count[place].float(), rows, replacement=True)


def _among(rows: Tensor, label: Tensor) -> Tensor:
    """Half a batch of these rows, each class equally often; nothing of none."""
    there = rows.nonzero().ravel()
    return there[_drawn(label[there], BATCH // 2)] if len(there) else there


def _shaken(values: Tensor, noise: float) -> Tensor:
    return values + noise * torch.randn_like(values)
