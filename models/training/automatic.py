"""`auto` with labelled rows of the target: `models.adapt.choice` over adapters and the learner's own methods.

Order, simplest first: adapters that learn from the labels in closed form (`models.adapt.auto.ORDER`), what
learns nothing from labels (`OWN`), other instant adapters, what fits again (`FITTED_AGAIN`), what several of
these say together (`models.learners.opinion`), deep adapters. Nothing is ever judged on the query.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from models import adapt
from models.adapt.auto import ORDER, in_order
from models.adapt.base import Floats, Rows
from models.adapt.choice import Answer, Choice, choose
from models.adapt.evidence import Mask
from models.adapt.gate import heated
from models.data.samples import Samples
from models.errors import ModelsError, SelectionError
from models.learners.opinion import POOLS, agreed

if TYPE_CHECKING:
    from models.learners.base import Found, Method, Problem

OWN = ("none", "adapted", "standardised", "matched")
FITTED_AGAIN = ("head_only", "pooled", "target_only")
"""The last does without the old rooms: where they are of no use, nothing else does as well."""
BUDGET_S = 25.0
"""Processor seconds after which no further candidate is begun: deep ones come last."""


def automatic(problem: "Problem", methods: Mapping[str, "Method"], fitted: Any, seed: int) -> "Found":  # noqa: ANN401
    """Answers to the query by the method that was kept.

    Raises:
        SelectionError: no method can use these labels.
    """
    kept = chosen(problem, methods, fitted, seed)
    found = methods[kept.name](problem, fitted, seed)[:, : len(problem.spec.classes)]
    return heated(found, kept.heat, ordinal=False)


def chosen(problem: "Problem", methods: Mapping[str, "Method"], fitted: Any, seed: int) -> Choice:  # noqa: ANN401
    """Which method is kept, and why.

    Raises:
        SelectionError: there is no support, or no method can use it.
    """
    support = problem.support
    if support is None:
        raise SelectionError("auto chooses by labelled rows of the target; give --support")
    names = candidates(methods, ordered=problem.spec.name == "counting")
    alone = {name: _once(_answer(problem, support, one, fitted, seed)) for name, one in methods.items()}
    pools = {name: POOLS[name] for name in names if name in POOLS}
    together = {name: _together([alone[one] for one in members]) for name, members in pools.items()}
    return choose(
        {name: together.get(name, alone[name]) for name in names},
        Rows(np.zeros((len(support), 0)), support.label, support.domain, support.session, support.start_s),
        len(problem.spec.classes),
        length_s=support.length_s,
        slow={*FITTED_AGAIN, *POOLS, *(name for name in adapt.names() if adapt.tier_of(name) == "deep")},
        budget_s=BUDGET_S,
        clock=time.process_time,
    )


def candidates(methods: Mapping[str, "Method"], *, ordered: bool) -> list[str]:
    """What is tried, in order."""
    adapters = in_order([name for name in adapt.available() if name in methods], ordered=ordered)
    first = [name for name in adapters if name in ORDER]
    instant = [name for name in adapters if name not in ORDER and adapt.tier_of(name) == "instant"]
    deep = [name for name in adapters if adapt.tier_of(name) == "deep"]
    own, again = ([name for name in names if name in methods] for names in (OWN, (*FITTED_AGAIN, *POOLS)))
    return [*first, *own, *instant, *again, *deep]


def _answer(problem: "Problem", support: Samples, method: "Method", fitted: Any, seed: int) -> Answer:  # noqa: ANN401
    def answered(known: Mask, asked: Mask) -> Floats:
        taught = support.take(known)
        alone = problem.unlabelled is support
        trial = replace(
            problem,
            support=taught,
            query=support.take(asked),
            unlabelled=taught if alone else problem.unlabelled,
        )
        try:
            found = method(trial, fitted, seed)
        except ModelsError as error:
            raise SelectionError(str(error)) from error
        return found[:, : len(problem.spec.classes)]

    return answered


def _once(answer: Answer) -> Answer:
    """The same, which answers the same question once: a member of a pool was mostly asked before."""
    known_answers: dict[bytes, Floats] = {}

    def answered(known: Mask, asked: Mask) -> Floats:
        question = known.tobytes() + asked.tobytes()
        if question not in known_answers:
            known_answers[question] = answer(known, asked)
        return known_answers[question]

    return answered


def _together(members: Sequence[Answer]) -> Answer:
    return lambda known, asked: agreed([one(known, asked) for one in members])
