"""One adaptation: samples in, held-out judgement, gate, a version in its shadow run out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.adapt.contest import Tried, beside, best_of, blocks_of, judge, methods
from models.adapt.evidence import BLOCK_S, Folds, GateRefusal, folds_of
from models.adapt.gate import (
    MOST_SUSPECTS,
    check_better,
    interval_width,
    out_of_order,
    suspects,
)
from models.adapt.head import RoomHead
from models.errors import SelectionError
from models.sensing import Sensing
from models.signal.window import WindowSpec
from models.tasks.ordinal import interval
from service.adaptation.states import JobState, end_of
from service.settings import AdaptationSettings
from service.store.engine import Store
from service.store.jobs import Job, step
from service.store.versions import activate, add_version
from service.trainer.incumbent import ALL, Comparison, compare, incumbent_of
from service.trainer.material import Material, read_material
from service.trainer.recordings import samples_of

Say = Callable[[float, str], None]
_TOLD = ("metrics", "compared_on", "candidates", "judged_on", "left_out_samples", "forced")
ORDER_REACH = 2.5
"""People by which a counter of other rooms must see two samples the wrong way round; it is wrong itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What is to be activated, and what to tell about it."""

    head: RoomHead
    method: str
    provisional: bool
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shop:
    """What every job needs: the store, the loaded models, and how the site cuts windows and adapts."""

    store: Store
    sensing: Sensing
    spec: WindowSpec
    settings: AdaptationSettings


def adapt_room(shop: Shop, job: Job, say: Say) -> tuple[Material, Outcome]:
    """Find the room's best head, and see that it is better than what the room has.

    Raises:
        GateRefusal: nothing is to be activated.
    """
    forced, settings = bool(job.request.get("force")), shop.settings
    material = read_material(shop.store, shop.sensing, job.room, job.task, shop.spec)
    folds = folds_of(material.rows, material.classes, material.length_s, forced=forced)
    if folds.provisional and settings.strict and not forced:
        raise GateRefusal(
            "insufficient_evidence",
            "adaptation.strict asks for two recordings of every class, at least a minute apart",
        )
    _check_order(material, forced=forced)
    material, folds, odd = _without_suspects(material, folds, forced=forced)
    tried, left_out = _tried(job, material, folds, settings, say)
    best = best_of(tried)
    compared = _comparison(shop, job, material, folds, tried)
    if not forced:
        blocks = blocks_of(material, BLOCK_S)
        check_better(best.score, None, blocks)
        if compared is not None:
            compared.check(proven=not folds.provisional, blocks=blocks)
    return material, Outcome(
        head=best.head(material.rows),
        method=best.name,
        provisional=folds.provisional or forced,
        document={
            "classes": list(material.classes),
            "cells": _cells(material),
            "interval_width": interval_width(best.score.found, material.rows) if material.ordered else None,
            "simulated": material.simulated,
            "samples": list(material.samples),
            "left_out_samples": odd,
            "metrics": {
                "before": compared.before.document() if compared else None,
                "after": (compared.after if compared else best.score).document(),
            },
            "compared_on": compared.rows if compared else None,
            "candidates": {
                **{one.name: one.score.document() | {"seconds": round(one.seconds, 2)} for one in tried},
                **{name: {"left_out": why} for name, why in left_out.items()},
            },
            "judged_on": "halves of the same recordings" if folds.provisional else "recordings left out",
            "forced": forced,
        },
    )


def keep(store: Store, job: Job, material: Material, outcome: Outcome, shadow_s: float) -> JobState | None:
    """Store the version and bring the job on: into its shadow run, or to its end; None if the job is gone."""
    facts = {
        **{name: outcome.document[name] for name in _TOLD},
        "method": outcome.method,
        "provisional": outcome.provisional,
        "progress": 1.0,
        "eta_s": shadow_s,
    }
    card = material.backbone.card
    with store.write() as connection:
        version = add_version(
            connection,
            room=job.room,
            task=job.task,
            head=outcome.head,
            model=(card.name, card.digest),
            method=outcome.method,
            provisional=outcome.provisional,
            doc=outcome.document,
            job=job.job,
        )
        facts["version"] = version
        if shadow_s > 0:
            done = step(connection, job.job, JobState.SHADOW, {**facts, "shadow_s": shadow_s})
        else:
            activate(connection, version, actor=job.actor, why=job.job)
            done = step(connection, job.job, end_of(provisional=outcome.provisional), facts)
        if done is None:
            connection.rollback()
        return done.state if done else None


def _tried(
    job: Job, material: Material, folds: Folds, settings: AdaptationSettings, say: Say
) -> tuple[list[Tried], dict[str, str]]:
    try:
        asked = str(job.request.get("method", "auto"))
        names = methods(asked, shipped=material.shipped is not None, ordered=material.ordered)
    except SelectionError as error:
        raise GateRefusal("unknown_method", str(error)) from error
    tried, left_out = judge(names, material, folds, budget_s=settings.budget_s, say=say)
    if not tried:
        raise GateRefusal("no_method", "; ".join(f"{name}: {why}" for name, why in left_out.items()))
    return tried, left_out


def _check_order(material: Material, *, forced: bool) -> None:
    """Counts that the shipped counter sees the other way round are mixed up, or it is of no use here."""
    if not material.ordered or material.shipped is None or forced:
        return
    told = material.shipped.predict(material.rows.values)
    calibration = material.backbone.card.calibration
    low, high = interval(told, float(calibration.get("interval_width", 1.0)))
    reach = max(ORDER_REACH, float((high - low).mean()) / 2)
    pair = out_of_order(told, material.rows, reach)
    if pair is not None:
        raise GateRefusal(
            "inconsistent_samples",
            f"sample {pair[0]} is labelled with fewer people than {pair[1]}, but far more is moving in it: "
            "labels may be mixed up. Delete the wrong one, or ask with force",
        )


def _without_suspects(material: Material, folds: Folds, *, forced: bool) -> tuple[Material, Folds, list[str]]:
    """Leave out single recordings that all others contradict; many of them are no exception.

    One at a time, the worst first: a wrong one makes right ones look wrong.

    Raises:
        GateRefusal: `inconsistent_samples`.
    """
    odd = list[str]()
    names = set(material.rows.session.tolist())
    while not (folds.provisional or forced):  # one recording of a class: nothing can contradict it
        tried, _ = judge(["head_refit"], material, folds, budget_s=60.0, say=lambda _share, _what: None)
        found = suspects(tried[0].score.found, material.rows) if tried else []
        if not found:
            break
        odd.append(found[0])
        if len(odd) > MOST_SUSPECTS * len(names):
            raise GateRefusal(
                "inconsistent_samples",
                f"of {len(names)} recordings {len(odd)} or more look like another label than theirs, samples "
                f"{', '.join(samples_of(odd, material.recordings))} among them: record them again, or delete "
                "those that are wrong",
            )
        material = replace(material, rows=material.rows.take(material.rows.session != found[0]))
        folds = folds_of(material.rows, material.classes, material.length_s)
    return material, folds, samples_of(odd, material.recordings)


def _comparison(
    shop: Shop, job: Job, material: Material, folds: Folds, tried: Sequence[Tried]
) -> Comparison | None:
    """How what serves now tells the rows that were judged; None where nothing may speak."""
    serving = incumbent_of(shop.store, job.room, job.task, material.backbone.card.digest)
    if serving is not None:
        return compare(serving, material, folds, tried)
    native, judged = material.native(), best_of(tried).score
    before = None if native is None else beside(native, material, judged)
    return None if before is None else Comparison(before, judged, ALL)


def _cells(material: Material) -> list[list[Any]]:
    known = {str(name): [str(name), x, y] for name, x, y in material.backbone.card.document.get("cells", [])}
    return [known[name] for name in material.classes if name in known]
