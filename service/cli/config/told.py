"""Differences between a file and the store, in words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from service.store.site_import import Difference


def lines(found: Sequence[Difference]) -> Iterator[str]:
    """One line for each room, link or rule, and one for each member of it that changes."""
    for one in found:
        if one.after is None:
            yield f"  {one.kind} {one.name}: only in the store; it stays"
        elif one.before is None:
            yield f"+ {one.kind} {one.name}"
        else:
            yield f"~ {one.kind} {one.name}"
            yield from _members(one.before, one.after, "")


def _members(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name in dict.fromkeys([*before, *after]):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from _members(was, now, f"{prefix}{name}.")
        else:
            yield f"    {prefix}{name}: {_short(was)} -> {_short(now)}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
