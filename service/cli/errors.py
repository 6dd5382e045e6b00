"""Failures a command reports in one line, with exit code 1."""


class CommandError(Exception):
    """A command cannot do what was asked; the message says what is wrong, where, and what to do."""
