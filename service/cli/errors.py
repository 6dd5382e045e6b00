"""Failures a command reports in one line, with exit code 1."""

from service.errors import ServiceError


class CommandError(ServiceError):
    """A command cannot do what was asked; the message says what is wrong, where, and what to do."""
