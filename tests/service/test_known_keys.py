"""Keys that the API remembers: known for a moment, and never for longer than they hold."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.api import known_keys
from service.api.known_keys import KEPT_S, KnownKeys
from service.store.engine import Store, open_store
from service.store.keys import Principal, Role, authenticate, create_key, revoke_key
from tests.service.running import Running


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("known")) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'roomtone.sqlite3'}")
    yield opened
    opened.close()


def test_a_good_key_is_looked_up_once_in_a_while(store: Store) -> None:
    clock, asked = Clock(), list[object]()
    key, info = create_key(store, Role.OPERATOR, actor="test", room="lab")
    known = KnownKeys(store, clock=clock)
    sa.event.listen(store.engine, "begin", asked.append)
    assert known.find(key) is None
    assert known.look_up(key) == Principal(Role.OPERATOR, "lab", info.key_id)
    clock.now += KEPT_S - 0.001
    assert known.find(key) == Principal(Role.OPERATOR, "lab", info.key_id)
    assert len(asked) == 1
    clock.now += 0.001
    assert known.find(key) is None, "time to ask again, however often it was used"


def test_bad_keys_are_not_remembered(store: Store) -> None:
    known = KnownKeys(store)
    key, info = create_key(store, Role.VIEWER, actor="test")
    revoke_key(store, info.key_id, actor="test")
    for bad in (key, key + "x", "rt_a_b", "", "\N{SNOWMAN}"):
        assert known.look_up(bad) is None
        assert known.find(bad) is None
    assert not known._known


def test_a_known_key_ends_to_the_moment(store: Store) -> None:
    ends = time.time_ns() + 3600 * 10**9
    now_ns = ends - 1
    key, _ = create_key(store, Role.VIEWER, actor="test", expires_ns=ends)
    known = KnownKeys(store, clock=Clock(), now_ns=lambda: now_ns)
    assert known.look_up(key) is not None
    assert known.find(key) is not None
    now_ns = ends
    assert known.find(key) is None


def test_what_was_read_before_a_change_does_not_outlive_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, info = create_key(store, Role.VIEWER, actor="test")
    known = KnownKeys(store, clock=Clock())

    def slow(asked: Store, given: str) -> Principal | None:
        found = authenticate(asked, given)
        revoke_key(asked, info.key_id, actor="test")
        known.forget()
        return found

    monkeypatch.setattr(known_keys, "authenticate", slow)
    assert known.look_up(key) is not None, "it was good when it was asked for"
    assert known.find(key) is None


def test_few_are_remembered(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_keys, "_MOST", 2)
    known = KnownKeys(store, clock=Clock())
    one, two, three = (create_key(store, Role.VIEWER, actor="test")[0] for _ in range(3))
    for key in (one, two):
        known.look_up(key)
    known.find(one)
    known.look_up(three)
    assert [known.find(key) is not None for key in (one, two, three)] == [True, False, True]


def test_a_key_revoked_here_is_refused_at_once(api: Running) -> None:
    api.context.keys = KnownKeys(api.store, clock=Clock())  # time stands: nothing is forgotten by itself
    made = api.client.post("/v1/keys", json={"role": "viewer"}).json()
    with api.client_of(made["key"]) as client:
        assert [client.get("/v1/rooms").status_code for _ in range(3)] == [200] * 3
        assert api.client.delete(f"/v1/keys/{made['id']}").status_code == 204
        assert client.get("/v1/rooms").status_code == 401


def test_a_key_revoked_elsewhere_is_refused_soon(api: Running) -> None:
    clock = Clock()
    api.context.keys = KnownKeys(api.store, clock=clock)
    key = api.new_key(Role.VIEWER)
    other = open_store(api.settings.store_url)
    with api.client_of(key) as client:
        assert client.get("/v1/rooms").status_code == 200
        revoke_key(other, key.split("_")[1], actor="test")
        other.close()
        clock.now += 2.0
        assert client.get("/v1/rooms").status_code == 401


def test_who_is_known_does_not_wait_for_the_store(api: Running) -> None:
    asked, statuses = threading.Event(), list[int]()

    class Noted(KnownKeys):
        def look_up(self, key: str) -> Principal | None:
            if key != api.key:
                asked.set()
            return super().look_up(key)

    api.context.keys = Noted(api.store, clock=Clock())

    def ask_as_a_stranger() -> None:
        with api.client_of(api.key + "x") as stranger:
            statuses.append(stranger.get("/v1/rooms").status_code)

    assert api.client.post("/v1/tickets").status_code == 201
    waiting = threading.Thread(target=ask_as_a_stranger)
    with ExitStack() as stack:
        pool = api.store.engine.pool
        while pool.checkedout() < pool.size():  # type: ignore[attr-defined]  # of a QueuePool
            stack.enter_context(api.store.engine.connect())
        waiting.start()
        assert asked.wait(20)
        assert api.client.post("/v1/tickets").status_code == 201
        assert not statuses
    waiting.join(20)
    assert statuses == [401]
