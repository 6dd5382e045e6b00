"""Keys, sessions and the audit log, on both databases."""

import time

from service.store.audit import audit_page, record
from service.store.engine import Store
from service.store.keys import Role, authenticate, create_key, ensure_first_admin, list_keys, revoke_key
from service.store.sessions import (
    close_session,
    login_url,
    open_session,
    redeem_login_token,
    session_principal,
    still_valid,
)


def test_a_key_works_until_it_ends(store: Store) -> None:
    assert ensure_first_admin(store) is not None
    assert ensure_first_admin(store) is None
    key, info = create_key(store, Role.VIEWER, actor="me", room="lab", name="pänel")
    old, _ = create_key(store, Role.ADMIN, actor="me", expires_ns=time.time_ns() - 1)
    found = authenticate(store, key)
    assert found is not None
    assert (found.role, found.room) == (Role.VIEWER, "lab")
    assert authenticate(store, old) is None
    assert revoke_key(store, info.key_id, actor="me")
    assert authenticate(store, key) is None
    assert not revoke_key(store, "nosuchid", actor="me")
    assert [one.document()["status"] for one in list_keys(store)] == ["active", "revoked", "expired"]


def test_a_login_address_opens_one_session(store: Store) -> None:
    token = login_url(store, "http://x").rpartition("=")[2]
    secret = redeem_login_token(store, token)
    assert secret is not None
    assert redeem_login_token(store, token) is None
    found = session_principal(store, secret)
    assert found is not None
    assert found.role is Role.ADMIN
    close_session(store, secret)
    assert session_principal(store, secret) is None


def test_a_session_ends_with_its_key(store: Store) -> None:
    key, info = create_key(store, Role.OPERATOR, actor="me")
    holder = authenticate(store, key)
    assert holder is not None
    secret = open_session(store, holder)
    session = session_principal(store, secret)
    assert session is not None
    assert still_valid(store, {holder, session}) == {holder, session}
    revoke_key(store, info.key_id, actor="me")
    assert still_valid(store, {holder, session}) == set()


def test_the_audit_log_pages_backwards(store: Store) -> None:
    with store.write() as connection:
        for number in range(5):
            record(connection, actor="me", action="a", target=str(number), detail={"n": [number, None, "ü"]})
    page, before = audit_page(store, limit=3, before=None)
    rest, end = audit_page(store, limit=3, before=before)
    assert [item["target"] for item in page + rest] == ["4", "3", "2", "1", "0"]
    assert (end, rest[-1]["detail"]) == (None, {"n": [0, None, "ü"]})
