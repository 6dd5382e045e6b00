"""Tasks by name: the built-in ones, and those of other packages (entry points ``roomtone.tasks``)."""

from functools import lru_cache

from models.task_names import third_party
from models.tasks.activity import Activity
from models.tasks.base import Evidence, Reader, Task, View
from models.tasks.counting import Counting
from models.tasks.foreign import loaded
from models.tasks.localization import Localization
from models.tasks.presence import Presence
from models.tasks.suspicious_object import SuspiciousObject

_ALL: tuple[Task, ...] = (Presence(), Counting(), Localization(), SuspiciousObject(), Activity())
TASKS: dict[str, Task] = {task.name: task for task in _ALL}
"""The built-in ones."""


@lru_cache(maxsize=256)
def task_of(name: str) -> Task | None:
    """The task of that name, looked up once; None where nobody knows it. A built-in name cannot be taken.

    One of another package that cannot be used answers every window with the reason why not: it raises.
    """
    if name in TASKS:
        return TASKS[name]
    point = third_party(name)
    return None if point is None else loaded(point)


__all__ = ["TASKS", "Evidence", "Reader", "Task", "View", "task_of"]
