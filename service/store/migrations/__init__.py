"""Numbered steps from an empty database to the tables of `service.store.schema`.

A step is a file ``NNNN_name.py`` with one function ``upgrade(connection)``. Steps are frozen once released:
they spell out their tables instead of importing today's, which tomorrow's step will have changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Migration:
    """One step; `upgrade` runs in the transaction that also records it."""

    number: int
    name: str
    upgrade: Callable[[sa.Connection], None]


def _load() -> tuple[Migration, ...]:
    steps = []
    for path in sorted(Path(__file__).parent.glob("[0-9][0-9][0-9][0-9]_*.py")):
        number, _, name = path.stem.partition("_")
        steps.append(Migration(int(number), name, import_module(f"{__name__}.{path.stem}").upgrade))
    if [step.number for step in steps] != list(range(1, len(steps) + 1)):
        raise RuntimeError(f"migrations are not numbered 1, 2, 3, ...: {[step.number for step in steps]}")
    return tuple(steps)


MIGRATIONS: Final = _load()
"""All steps this code knows, first to last."""
