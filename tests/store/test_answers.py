"""Answers under an `Idempotency-Key`, in either database: kept once, told again, free after a refusal."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.store.answers import Answer, InFlightError, begin, finish, release
from service.store.engine import Store
from service.store.idempotency import KeyReusedError, Once
from service.store.standing import standing_of
from tests.store.filled import put

ONCE = Once("key:abcdefgh", "order-1", "digest")
ANSWER = Answer(202, {"location": "/v1/jobs/job-1"}, b'{"job":"job-1"}')


def test_an_answer_is_told_again_and_only_for_the_same_request(store: Store) -> None:
    assert begin(store, ONCE, "lab") is None
    with pytest.raises(InFlightError):
        begin(store, ONCE, "lab")
    put(store, "lab")
    finish(store, ONCE, ANSWER, standing=standing_of(store, "lab"))
    assert begin(store, ONCE, "lab") == ANSWER
    with pytest.raises(KeyReusedError):
        begin(store, Once(ONCE.actor, ONCE.key, "other"), "lab")
    assert begin(store, Once("key:other", ONCE.key, "other"), None) is None, "of somebody else"
    release(store, ONCE)
    assert begin(store, ONCE, "lab") == ANSWER, "what was done stays known"


def test_what_came_to_nothing_may_be_asked_again(store: Store) -> None:
    for _ in range(2):
        assert begin(store, ONCE, None) is None
        release(store, ONCE)


def test_an_answer_with_a_secret_is_kept_without_it(store: Store) -> None:
    begin(store, ONCE, None)
    finish(store, ONCE, Answer(201, {}, None))
    assert begin(store, ONCE, None) == Answer(201, {}, None)


def test_of_many_at_once_one_goes_on(store: Store) -> None:
    def ask(_: int) -> bool:
        try:
            return begin(store, ONCE, None) is None
        except InFlightError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(16))).count(True) == 1
