"""What every adapter keeps, whatever it does; a new one is a line in the registry."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.adapt import adapter, available, names
from models.adapt.base import ELSEWHERE, Adapter
from models.adapt.deep import encoder
from models.adapt.head import MOST_BYTES, RoomHead
from models.errors import SelectionError
from tests.adapt import made


@pytest.fixture(params=available())
def method(request: pytest.FixtureRequest) -> Adapter:
    return adapter(str(request.param))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    """A few steps only, for what holds however little was learned."""
    monkeypatch.setattr(encoder, "STEPS", 15)


def right(head: RoomHead, classes: int = 3, shift: float = 3.0) -> float:
    asked = made.query(classes, shift=shift)
    return float((head.predict(asked.values).argmax(axis=1) == asked.label).mean())


def test_it_says_what_it_is(method: Adapter) -> None:
    assert method.NAME in names()
    assert method.TITLE
    assert method.TIER in {"instant", "deep"}
    assert set(method.NEEDS) <= {"source", "support", "unlabelled", "bridge"}


def test_it_works_where_the_room_is_like_the_old_ones(method: Adapter) -> None:
    assert right(method.adapt(made.setting(shift=0.0), 0), shift=0.0) > 0.8


def test_labelled_rows_carry_it_into_a_room_that_is_not(method: Adapter) -> None:
    if "support" in method.NEEDS:
        assert right(method.adapt(made.setting(each=12), 0)) > 0.7


def test_where_old_rooms_know_no_class_of_the_room_its_own_labels_teach(method: Adapter) -> None:
    here = made.setting(each=12)
    foreign = replace(here, source=replace(here.source, label=np.full(len(here.source), ELSEWHERE)))
    assert right(method.adapt(foreign, 0)) > 0.7


@pytest.mark.usefixtures("hasty")
def test_answers_are_probabilities_and_small(method: Adapter) -> None:
    head = method.adapt(made.setting(), 0)
    found = head.predict(made.query().values)
    assert found.shape == (150, 3)
    assert np.isfinite(found).all()
    assert found.sum(axis=1) == pytest.approx(1)
    assert head.nbytes <= MOST_BYTES


@pytest.mark.usefixtures("hasty")
def test_the_same_seed_gives_the_same_head(method: Adapter) -> None:
    first, second = (method.adapt(made.setting(), 3).arrays() for _ in range(2))
    assert first.keys() == second.keys()
    assert all((first[name] == second[name]).all() for name in first)


@pytest.mark.usefixtures("hasty")
def test_a_head_survives_being_stored(method: Adapter) -> None:
    head = method.adapt(made.setting(), 0)
    again = RoomHead.from_arrays(head.arrays())
    asked = made.query().values
    assert (again.predict(asked) == head.predict(asked)).all()


@pytest.mark.usefixtures("hasty")
def test_counts_are_counts(method: Adapter) -> None:
    found = method.adapt(made.setting(5, ordered=True), 0).predict(made.query(5).values)
    assert found.shape == (250, 5)


def test_what_it_needs_and_is_not_there_is_named(method: Adapter) -> None:
    for need in set(method.NEEDS) & {"support", "bridge"}:
        nothing: dict[str, Any] = {need: None}
        with pytest.raises(SelectionError):
            method.adapt(replace(made.setting(), **nothing), 0)
    if "unlabelled" in method.NEEDS:
        with pytest.raises(SelectionError):
            method.adapt(replace(made.setting(), unlabelled=None, support=None), 0)


@pytest.mark.usefixtures("hasty")
def test_one_class_is_refused_or_harmless(method: Adapter) -> None:
    whole = made.setting()
    assert whole.support is not None
    one = replace(whole, support=whole.support.take(whole.support.label == 1))
    if method.NEEDS in {("source", "support"), ("support",)}:
        with pytest.raises(SelectionError, match="class"):
            method.adapt(one, 0)
    else:
        assert np.isfinite(method.adapt(one, 0).predict(made.query().values)).all()


@pytest.mark.usefixtures("hasty")
def test_a_class_that_nobody_labelled_does_no_harm(method: Adapter) -> None:
    whole = made.setting()
    assert whole.support is not None
    fewer = replace(whole, support=whole.support.take(whole.support.label != 2))
    found = method.adapt(fewer, 0).predict(made.query().values)
    assert found.shape == (150, 3)
    assert np.isfinite(found).all()
