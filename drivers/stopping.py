"""Stopping a program that runs until it is told."""

import signal
from collections.abc import Callable


def until_told() -> Callable[[], bool]:
    """Whether SIGTERM or SIGINT came since this was called."""
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _: told.append(got))
    return lambda: bool(told)
