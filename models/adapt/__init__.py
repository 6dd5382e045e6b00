"""Ways to carry a model into a room, by name; each is one file that is loaded on demand.

An adapter is one file and one line here, or an entry point of the group ``roomtone.adapters``. Those of the
tier `instant` need numpy alone; those of the tier `deep` need torch (the extra `train`).
"""

from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import cast

from models.adapt.base import Adapter
from models.errors import SelectionError

_BUILT_IN: dict[str, str] = {
    "head_refit": "models.adapt.instant.head_refit:HeadRefit",
}
_GROUP = "roomtone.adapters"


def names() -> list[str]:
    """All adapters, whatever they need."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=_GROUP))})


def adapter(name: str) -> Adapter:
    """The adapter of that name.

    Raises:
        SelectionError: there is none, or it needs torch, which is not installed.
    """
    if name in _BUILT_IN:
        module, _, kind = _BUILT_IN[name].partition(":")
        if module.startswith("models.adapt.deep") and not has_torch():
            raise SelectionError(
                f"method {name} needs torch: install the extra train, or take an instant one"
            )
        return cast("Adapter", getattr(import_module(module), kind)())
    for point in entry_points(group=_GROUP):
        if point.name == name:
            return cast("Adapter", point.load()())
    raise SelectionError(f"no method {name!r}; there are {', '.join(names())}")


def available() -> list[str]:
    """Adapters that can run here."""
    deep = has_torch()
    return [name for name in names() if deep or not _BUILT_IN.get(name, "").startswith("models.adapt.deep")]


def has_torch() -> bool:
    """Whether torch is installed; it is not imported to find out."""
    return find_spec("torch") is not None


__all__ = ["Adapter", "adapter", "available", "has_torch", "names"]
