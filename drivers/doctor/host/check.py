"""A check, and the list that each file of checks makes of its own."""

import collections.abc

from .look import Host
from .result import Finding


class Check:
    """A check: its stable `id`, at what it `looks`, and the function that does."""

    def __init__(self, name: str, looks: str, run: "collections.abc.Callable[[Host], Finding]") -> None:
        self.id, self.looks, self.run = name, looks, run


class Checks:
    """The checks of one file: `all` of them, in order."""

    def __init__(self) -> None:
        self.all = []  # type: list[Check]

    def add(
        self, name: str, looks: str
    ) -> "collections.abc.Callable[[collections.abc.Callable[[Host], Finding]], None]":
        """Take a function in as a check under its id; `looks` says in a few words at what."""
        return lambda run: self.all.append(Check(name, looks, run))
