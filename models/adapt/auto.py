"""`auto`: of all adapters that make sense the one that `models.adapt.choice` keeps, and its head."""

from collections.abc import Sequence
from dataclasses import replace

from models.adapt import adapter, available, tier_of
from models.adapt.base import Floats, Setting, Share, unseen
from models.adapt.choice import Answer, Choice, choose
from models.adapt.evidence import Mask
from models.adapt.head import RoomHead

ORDER = (
    "ordinal_refit",
    "head_refit",
    "two_covariance",
    "metric_head",
    "whitened_neighbours",
    "prototype",
    "neighbours",
)
"""Tried first, in this order: closed forms that need labels. Those with the least to choose come first, and
of these what did best in RoomA. Then other instant adapters, then deep ones, by name."""
_COUNTS_ALONE = "ordinal_refit"


def auto(
    setting: Setting,
    names: Sequence[str] | None = None,
    seed: int = 0,
    *,
    budget_s: float = float("inf"),
    progress: Share = unseen,
) -> tuple[RoomHead, Choice]:
    """The head of the method that is kept, learned from all labelled rows.

    Args:
        setting: what methods may look at; with support.
        names: adapters to choose from; all sensible ones by default.
        seed: of methods that draw.
        budget_s: no further candidate is begun after so many seconds.
        progress: told the share of candidates that were tried.

    Raises:
        SelectionError: no labelled rows, or no method can use them.
    """
    support = setting.needed_support()

    def answer(name: str) -> Answer:
        def answered(known: Mask, asked: Mask) -> Floats:
            trial = replace(setting, support=support.take(known))
            return adapter(name).adapt(trial, seed).predict(support.values[asked])

        return answered

    fitting = able(available() if names is None else names, setting)
    kept = choose(
        {name: answer(name) for name in fitting},
        support,
        setting.classes,
        length_s=setting.length_s,
        slow={name for name in fitting if tier_of(name) == "deep"},
        budget_s=budget_s,
        progress=progress,
    )
    head = adapter(kept.name).adapt(setting, seed)
    return replace(head, temperature=head.temperature * kept.heat), kept


def able(names: Sequence[str], setting: Setting) -> list[str]:
    """Adapters that have what they need here, in order."""
    there = {
        "source": len(setting.source) > 0,
        "support": setting.support is not None,
        "unlabelled": setting.unlabelled is not None or setting.support is not None,
        "bridge": setting.bridge is not None,
    }
    return [
        name
        for name in in_order(names, ordered=setting.ordered)
        if all(there[n] for n in adapter(name).NEEDS)
    ]


def in_order(names: Sequence[str], *, ordered: bool) -> list[str]:
    """Adapters without experimental ones, simplest first; those for counts where classes are counts."""
    fitting = [name for name in names if not adapter(name).EXPERIMENTAL]
    return sorted(
        (name for name in fitting if ordered or name != _COUNTS_ALONE),
        key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), tier_of(name) == "deep", name),
    )
