"""What code a figure hangs on: the modules that its question reaches by imports, and no others (grimp).

Learners, data sets, NICs and adapters are loaded by name, so their registries import none of them; who asks
says which ones are used. What works on labelled rows of the target is left out where a question has none,
and what chooses among methods where one is named.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable
from functools import cache
from pathlib import Path

import grimp

import drivers.registry
from models import adapt
from models.data.registry import dataset_of
from models.learners import learner
from models.learners.opinion import POOLS
from models.training.problem import Question

PACKAGES = ("models", "drivers")
ANSWERS = "models.training.evaluate"
CHOOSES = "models.training.automatic"
POOLED = "models.learners.opinion"
LABELLED = frozenset({"models.learners.carry", "models.training.adapting"})
"""Ways to use labelled rows of the target, whatever the method."""
BY_LABELS = frozenset({CHOOSES, POOLED, *LABELLED})
"""What no answer without labelled rows of the target hangs on."""
_LISTS = frozenset({"models.adapt", "models.learners"})
"""Modules that only tell which modules there are: one more is no news for the others."""

Code = Callable[[Collection[str]], str]
"""Modules -> digest."""


def code_in(root: Path) -> Code:
    """What digests modules of this checkout: sha256 of their names and texts.

    All are read now: what runs is what was there at the start, whatever is edited while it runs for hours.
    """
    paths = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    texts = {_module(path.relative_to(root)): path.read_bytes() for path in paths}

    def digest(modules: Collection[str]) -> str:
        total = hashlib.sha256()
        for module in sorted(modules):
            total.update(module.encode() + b"\n" + texts[module])
        return total.hexdigest()

    return digest


def _module(path: Path) -> str:
    return ".".join((path.parent if path.stem == "__init__" else path.with_suffix("")).parts)


def modules_of(question: Question, method: str) -> set[str]:
    """Modules that the answer of one method hangs on.

    Raises:
        DatasetError: the data set is not there.
        SelectionError: there is no such learner or method.
    """
    dataset = dataset_of(question.data)
    who = learner(question.learner or dataset.LEARNERS[question.task])
    used = _used(method, labelled=question.support is not None)
    idle = BY_LABELS - used
    return reached([ANSWERS, str(getattr(dataset, "__name__", "")), type(who).__module__, *used], idle)


def _used(method: str, *, labelled: bool) -> set[str]:
    if method in adapt.names():
        return {*LABELLED, type(adapt.adapter(method)).__module__}
    if method in POOLS:
        return {*LABELLED, POOLED, *(one for member in POOLS[method] for one in _used(member, labelled=True))}
    if method == adapt.AUTO and labelled:
        every = (type(adapt.adapter(name)).__module__ for name in adapt.names())
        return {*LABELLED, POOLED, CHOOSES, *every}
    return set(LABELLED) if labelled else set()


def reached(roots: Iterable[str], without: Collection[str] = ()) -> set[str]:
    """These modules and all that they import, directly or not, past none of `without`; ours alone."""
    graph, found = _graph(), set[str]()
    ahead = list(roots)
    while ahead:
        module = ahead.pop()
        if module not in graph.modules or module in found or module in without:
            continue
        found.add(module)
        ahead += graph.find_modules_directly_imported_by(module)
        if module == drivers.registry.__name__:
            nics = map(drivers.registry.load, drivers.registry.names())
            ahead += [str(getattr(nic, "__name__", "")) for nic in nics]
    return found - _LISTS


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None, exclude_type_checking_imports=True)
