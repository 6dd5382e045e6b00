"""Ways to carry a model into a room, by name; each is one file that is loaded on demand.

An adapter is one file and one line here, or an entry point of the group ``roomtone.adapters``. Those of the
tier `instant` need numpy alone; those of the tier `deep` need torch (the extra `train`).
"""

from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import cast

from models.adapt.base import Adapter, Tier
from models.errors import SelectionError

_BUILT_IN: dict[str, str] = {
    "prototype": "models.adapt.instant.prototype:Prototype",
    "head_refit": "models.adapt.instant.head_refit:HeadRefit",
    "ordinal_refit": "models.adapt.instant.ordinal_refit:OrdinalRefit",
    "metric_head": "models.adapt.instant.metric_head:MetricHead",
    "neighbours": "models.adapt.instant.neighbours:Neighbours",
    "standardise": "models.adapt.instant.standardise:Standardise",
    "coral": "models.adapt.instant.coral:Coral",
    "two_covariance": "models.adapt.instant.two_covariance:TwoCovariance",
    "whitened_neighbours": "models.adapt.instant.whitened_neighbours:WhitenedNeighbours",
    "aad": "models.adapt.deep.aad:Aad",
    "adaploc": "models.adapt.deep.adaploc:AdapLoc",
    "adversary": "models.adapt.deep.conditional_adversary:Adversary",
    "adversary_outer": "models.adapt.deep.conditional_adversary:AdversaryOuter",
    "adversary_posterior": "models.adapt.deep.conditional_adversary:AdversaryPosterior",
    "bdg": "models.adapt.deep.bdg:Bdg",
    "lmmd": "models.adapt.deep.lmmd:Lmmd",
    "pada": "models.adapt.deep.pada:Pada",
    "self_training": "models.adapt.deep.self_training:SelfTraining",
    "side_tuning": "models.adapt.deep.side_tuning:SideTuning",
}
_GROUP = "roomtone.adapters"
_DEEP = "models.adapt.deep."
AUTO = "auto"
"""Whichever method does best on held-out samples."""
SHIPPED = "shipped"
"""The backbone's own head, unchanged: where a room's samples say that it is right, it may speak there."""


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
        if tier_of(name) == "deep" and not has_torch():
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
    return [name for name in names() if deep or tier_of(name) == "instant"]


def tier_of(name: str) -> Tier:
    """The tier of a method, without importing what it needs; those of other packages say nothing: instant."""
    return "deep" if _BUILT_IN.get(name, "").startswith(_DEEP) else "instant"


def has_torch() -> bool:
    """Whether torch is installed; it is not imported to find out."""
    return find_spec("torch") is not None


__all__ = ["AUTO", "SHIPPED", "Adapter", "adapter", "available", "has_torch", "names", "tier_of"]
