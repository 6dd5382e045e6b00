"""Ranges of domains, ``d02..d18``: all from one to the other in the order of the data set."""

from collections.abc import Sequence
from dataclasses import replace

from models.errors import SelectionError
from models.training.selection import Part


def expanded(parts: Sequence[Part], order: Sequence[str], where: str) -> list[Part]:
    """The same with every ``a..b`` replaced by the domains from a to b, inclusive, in the data set's order.

    Args:
        parts: as they were asked for.
        order: all domains of the data set.
        where: the data set, for errors.

    Raises:
        SelectionError: an end of a range is no domain, or comes after the other.
    """
    found = []
    for part in parts:
        first, dots, last = part.domain.partition("..")
        if not dots or part.domain in order:
            found.append(part)
            continue
        missing = [name for name in (first, last) if name not in order]
        if missing:
            raise SelectionError(
                f"range {part.domain!r}: no domain {' or '.join(map(repr, missing))} in {where}; "
                f"there are {_told(order)}"
            )
        begin, end = order.index(first), order.index(last)
        if end < begin:
            raise SelectionError(f"range {part.domain!r}: {last!r} comes before {first!r} in {where}")
        found += [replace(part, domain=name) for name in order[begin : end + 1]]
    return found


def _told(names: Sequence[str]) -> str:
    """All of a few names, the ends of many."""
    return ", ".join(names) if len(names) <= 30 else f"{names[0]} .. {names[-1]}, {len(names)} in all"
