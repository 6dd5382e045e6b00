"""Tasks by name."""

from models.tasks.activity import Activity
from models.tasks.base import Evidence, Task, View
from models.tasks.counting import Counting
from models.tasks.localization import Localization
from models.tasks.presence import Presence
from models.tasks.suspicious_object import SuspiciousObject

_ALL: tuple[Task, ...] = (Presence(), Counting(), Localization(), SuspiciousObject(), Activity())
TASKS: dict[str, Task] = {task.name: task for task in _ALL}

__all__ = ["TASKS", "Evidence", "Task", "View"]
