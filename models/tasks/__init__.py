"""Tasks by name."""

from models.tasks.base import Evidence, Task, View
from models.tasks.counting import Counting
from models.tasks.presence import Presence

TASKS: dict[str, Task] = {task.name: task for task in (Presence(), Counting())}

__all__ = ["TASKS", "Evidence", "Task", "View"]
