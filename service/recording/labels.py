"""Labels of a recording: of all of it, or of spans of time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from service.errors import ServiceError

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_LABEL = re.compile(r"(?P<task>[a-z][a-z0-9_]*)=(?P<label>[^@]+)(?:@(?P<start>[^-@]+)-(?P<end>[^-@]+))?")


class LabelError(ServiceError, ValueError):
    """A label or a time that makes no sense."""


def seconds(text: str) -> float:
    """How long ``"60s"``, ``"1.5m"``, ``"2h"`` or ``"60"`` is.

    Raises:
        LabelError: it is no time.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None or found[2] not in _SECONDS:
        raise LabelError(f"{text!r} is no time; write 60s, 5m or 1h")
    return float(found[1]) * _SECONDS[found[2]]


@dataclass(frozen=True, slots=True)
class Label:
    """What was true, and from when to when in seconds of the recording; `end_s` None: for all of it."""

    task: str
    label: str
    start_s: float = 0.0
    end_s: float | None = None


def parse_label(text: str) -> Label:
    """``TASK=LABEL`` for the whole recording, ``TASK=LABEL@FROM-TO`` for a part of it.

    Raises:
        LabelError: it is neither, or the part ends before it begins.
    """
    found = _LABEL.fullmatch(text.strip())
    if found is None:
        raise LabelError(f"{text!r} is no label; write presence=vacant, or presence=vacant@0s-30s for a part")
    task, label = found["task"], found["label"].strip()
    if found["start"] is None:
        return Label(task, label)
    start, end = seconds(found["start"]), seconds(found["end"])
    if start >= end:
        raise LabelError(f"{text!r} ends before it begins")
    return Label(task, label, start, end)


def check_labels(labels: Sequence[Label], length_s: float | None) -> None:
    """Refuse labels that contradict each other or lie behind the end.

    Raises:
        LabelError: two labels of one task at one time, or a part behind `length_s` (None: open end).
    """
    for at, one in enumerate(labels):
        if length_s is not None and (one.end_s or 0) > length_s:
            raise LabelError(
                f"{one.task}={one.label} goes to {one.end_s:g} s, the recording to {length_s:g} s"
            )
        for other in labels[at + 1 :]:
            apart = (one.end_s is not None and one.end_s <= other.start_s) or (
                other.end_s is not None and other.end_s <= one.start_s
            )
            if one.task == other.task and not apart:
                raise LabelError(f"{one.task} is {one.label} and {other.label} at the same time")
