"""API keys and sessions: what is stored, what works, and what stops working at once."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from service.cli.errors import CommandError
from service.cli.keys import app
from service.store.engine import Store, open_store
from service.store.keys import (
    Principal,
    Role,
    authenticate,
    create_key,
    ensure_first_admin,
    list_keys,
    revoke_key,
)
from service.store.schema import login_tokens
from service.store.sessions import (
    close_session,
    login_url,
    open_session,
    redeem_login_token,
    session_principal,
    still_valid,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'roomtone.sqlite3'}")
    yield opened
    opened.close()


def everything_stored(store: Store) -> str:
    with store.read() as connection:
        tables = sa.inspect(connection).get_table_names()
        return "".join(str(connection.exec_driver_sql(f"SELECT * FROM {t}").fetchall()) for t in tables)  # noqa: S608


def test_a_key_is_recognised_and_only_its_hash_is_stored(store: Store) -> None:
    key, info = create_key(store, Role.OPERATOR, actor="test", room="lab", name="panel")
    assert key.startswith(f"rt_{info.key_id}_")
    assert len(key.split("_", 2)[2]) >= 43, "256 bits"
    assert authenticate(store, key) == Principal(Role.OPERATOR, "lab", info.key_id)
    assert key.split("_", 2)[2] not in everything_stored(store)


@pytest.mark.parametrize(
    "wrong", ["", "rt_", "rt__", "rt_x_y", "Bearer", "rt_\0_\0", "rt_ä_ö", "rt_" + "x" * 9999]
)
def test_nonsense_is_nobody(store: Store, wrong: str) -> None:
    create_key(store, Role.VIEWER, actor="test")
    assert authenticate(store, wrong) is None


def test_right_id_with_wrong_secret_is_nobody(store: Store) -> None:
    key, _ = create_key(store, Role.VIEWER, actor="test")
    last = "A" if key[-1] != "A" else "B"
    assert authenticate(store, key[:-1] + last) is None


def test_expired_and_revoked_keys_are_nobody(store: Store) -> None:
    old, _ = create_key(store, Role.ADMIN, actor="test", expires_ns=time.time_ns() - 1)
    key, info = create_key(store, Role.ADMIN, actor="test", expires_ns=time.time_ns() + 60 * 10**9)
    assert authenticate(store, old) is None
    assert authenticate(store, key) is not None
    assert revoke_key(store, info.key_id, actor="test")
    assert authenticate(store, key) is None
    assert revoke_key(store, info.key_id, actor="test"), "revoking twice is no error"
    assert not revoke_key(store, "nobody", actor="test")
    assert [known.document()["status"] for known in list_keys(store)] == ["expired", "revoked"]


def test_first_admin_is_made_once(store: Store) -> None:
    key = ensure_first_admin(store)
    assert key is not None
    principal = authenticate(store, key)
    assert principal is not None
    assert principal.role is Role.ADMIN
    assert ensure_first_admin(store) is None


def test_roles_nest() -> None:
    held = {role: {other for other in Role if role.includes(other)} for role in Role}
    assert held[Role.VIEWER] == {Role.VIEWER}
    assert held[Role.OPERATOR] == {Role.VIEWER, Role.OPERATOR}
    assert held[Role.ADMIN] == set(Role)


def test_login_address_opens_one_session(store: Store) -> None:
    url = login_url(store, "http://127.0.0.1:8000/")
    base, token = url.split("/login?token=")
    assert base == "http://127.0.0.1:8000"
    assert token not in everything_stored(store)
    secret = redeem_login_token(store, token)
    assert secret is not None
    principal = session_principal(store, secret)
    assert principal is not None
    assert principal.role is Role.ADMIN
    assert redeem_login_token(store, token) is None, "one use"
    assert session_principal(store, token) is None, "a login token is no session"
    assert redeem_login_token(store, secret) is None, "a session is no login token"
    close_session(store, secret)
    assert session_principal(store, secret) is None


def test_login_address_ends(store: Store) -> None:
    token = login_url(store, "http://x").partition("token=")[2]
    with store.write() as connection:
        connection.execute(sa.update(login_tokens).values(expires_ns=time.time_ns() - 1))
    assert redeem_login_token(store, token) is None


def test_session_ends_with_its_key(store: Store) -> None:
    key, info = create_key(store, Role.VIEWER, actor="test", room="lab")
    principal = authenticate(store, key)
    assert principal is not None
    secret = open_session(store, principal)
    session = session_principal(store, secret)
    assert session is not None
    assert (session.role, session.room, session.key_id) == (Role.VIEWER, "lab", info.key_id)
    assert still_valid(store, {principal, session}) == {principal, session}
    revoke_key(store, info.key_id, actor="test")
    assert session_principal(store, secret) is None
    assert still_valid(store, {principal, session}) == set()


def test_command_line_makes_lists_and_revokes(tmp_path: Path) -> None:
    run = CliRunner().invoke
    where = ["--data-dir", str(tmp_path / "new" / "folder")]
    made = run(app, ["create", "--role", "viewer", "--room", "lab", "--expires", "30d", "--json", *where])
    assert made.exit_code == 0, made.output
    document = json.loads(made.stdout)
    assert document["room"] == "lab"
    assert "no room lab yet" in made.stderr
    assert document["expires_at"] is not None
    listed = json.loads(run(app, ["list", "--json", *where]).stdout)["items"]
    assert [key["id"] for key in listed] == [document["id"]]
    assert "key" not in listed[0]
    assert run(app, ["revoke", document["id"], *where]).exit_code == 0
    assert "revoked" in run(app, ["list", *where]).stdout


@pytest.mark.parametrize(
    "flags",
    [["--role", "king"], ["--role", "viewer", "--room", "a b"], ["--role", "viewer", "--expires", "0d"]],
)
def test_command_line_refuses_what_does_not_fit(tmp_path: Path, flags: list[str]) -> None:
    refused = CliRunner().invoke(app, ["create", *flags, "--data-dir", str(tmp_path)])
    assert refused.exit_code == 2


def test_listing_and_revoking_make_no_store(tmp_path: Path) -> None:
    for words in (["list"], ["revoke", "abcd2345"]):
        done = CliRunner().invoke(app, [*words, "--data-dir", str(tmp_path / "typo")])
        assert isinstance(done.exception, CommandError)
        assert "typo" in str(done.exception)
    assert not (tmp_path / "typo").exists()
