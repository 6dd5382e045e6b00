"""Checks of a card's host: what is plugged in, loaded, allowed and set, and what to do where it is not.

Standard library in Python 3.4 syntax, imports within this folder relative (tests check both), because the
hosts of these cards are old: copy the folder there and run ``python3 -m roomtone_host --json``. `roomtone
doctor` runs the same checks. A check that cannot look says ``unknown`` and why; it never says ``ok``.

Facts come from the tools' own pages and sources, and from proc(5), netdevice and cfg80211 of Linux.
"""

from .cards import NICS, seen
from .command import main
from .common import LEAST_RATE_HZ
from .examination import CHECKS, examine
from .look import Host
from .result import (
    FAILED,
    NOT_APPLICABLE,
    OK,
    UNKNOWN,
    WARNING,
    CannotLook,
    Finding,
    failures,
    ok,
    report,
)

__all__ = [
    "CHECKS",
    "FAILED",
    "LEAST_RATE_HZ",
    "NICS",
    "NOT_APPLICABLE",
    "OK",
    "UNKNOWN",
    "WARNING",
    "CannotLook",
    "Finding",
    "Host",
    "examine",
    "failures",
    "main",
    "ok",
    "report",
    "seen",
]
