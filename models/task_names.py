"""Which tasks there are, by name alone: the api and the command line need no model to know them."""

from importlib.metadata import EntryPoint, entry_points

BUILT_IN = ("presence", "counting", "localization", "suspicious_object", "activity")
FIXED = ("presence", "counting")
"""Tasks whose classes are those of the model; of the others people name a room's classes."""
GROUP = "roomtone.tasks"
"""Entry points of tasks that other packages bring; the name of the entry point is the name of the task."""


def names() -> tuple[str, ...]:
    """All tasks: the built-in ones, then those of other packages in order of name."""
    return (*BUILT_IN, *sorted({point.name for point in entry_points(group=GROUP)} - set(BUILT_IN)))


def third_party(name: str) -> EntryPoint | None:
    """The entry point of that name; None where no installed package has one."""
    return next(iter(entry_points(group=GROUP, name=name)), None)
