"""Errors of training, evaluation and sensing.

ModelsError
├── DatasetError      a data set, domain or class is not there or cannot be read
├── SelectionError    what was asked for does not exist or contradicts itself
└── TaskError         a task of another package cannot be used
"""


class ModelsError(Exception):
    """Base of every error models raise on purpose; the message says what, where, and what to do."""


class DatasetError(ModelsError):
    """A data set is missing, laid out otherwise than expected, or lacks a domain or class."""


class SelectionError(ModelsError, ValueError):
    """A selection, support or option on the command line makes no sense."""


class TaskError(ModelsError):
    """A task of another package cannot be loaded, lacks something, or answers for another task."""
