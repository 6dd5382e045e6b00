"""Dashboard sessions: a one-time login token from a printed URL, or a pasted key, becomes a cookie."""

import secrets
import time

import sqlalchemy as sa

from service.store.audit import record
from service.store.engine import Store
from service.store.keys import Principal, Role, digest
from service.store.schema import keys, login_tokens

LOGIN_TOKEN_S = 15 * 60
SESSION_S = 7 * 24 * 3600


def login_url(store: Store, base_url: str) -> str:
    """An address that opens the dashboard as admin, once, within 15 minutes.

    `base_url` is the dashboard's, e.g. ``http://127.0.0.1:8000``.
    """
    with store.write() as connection:
        token = _insert(connection, Role.ADMIN, "login", LOGIN_TOKEN_S)
    return f"{base_url.rstrip('/')}/login?token={token}"


def redeem_login_token(store: Store, token: str) -> str | None:
    """The secret of a new session for a login token, which is spent by this; None if it is no good."""
    now = time.time_ns()
    fits = (login_tokens.c.hash == digest(token)) & (login_tokens.c.kind == "login")
    with store.write() as connection:
        row = connection.execute(sa.select(login_tokens).where(fits)).first()
        connection.execute(sa.delete(login_tokens).where(fits))
        if row is None or row.expires_ns < now:
            return None
        record(connection, actor="session:printed-url", action="session.open", target="dashboard")
        return _insert(connection, Role(row.role), "session", SESSION_S)


def open_session(store: Store, principal: Principal) -> str:
    """The secret of a new session with the rights of a key; it ends when the key ends."""
    with store.write() as connection:
        record(connection, actor=principal.actor, action="session.open", target="dashboard")
        return _insert(connection, principal.role, "session", SESSION_S, principal.key_id)


def session_principal(store: Store, secret: str) -> Principal | None:
    """Who holds this session; None if it is unknown, over, or its key has ended."""
    return _find(store, digest(secret))


def close_session(store: Store, secret: str) -> None:
    """End a session at once."""
    with store.write() as connection:
        connection.execute(sa.delete(login_tokens).where(login_tokens.c.hash == digest(secret)))


def still_valid(store: Store, principals: set[Principal]) -> set[Principal]:
    """Those whose key, session or token still holds, for streams that stay open long."""
    return {one for one in principals if _holds(store, one)}


def _holds(store: Store, principal: Principal) -> bool:
    if principal.session is not None:
        return _find(store, principal.session) is not None
    now = time.time_ns()
    if principal.person is not None:
        return principal.ends_ns is not None and now < principal.ends_ns
    with store.read() as connection:
        row = connection.execute(
            sa.select(keys.c.key_id).where(keys.c.key_id == principal.key_id, _key_works(now))
        ).first()
    return row is not None


def _find(store: Store, hashed: str) -> Principal | None:
    now = time.time_ns()
    query = (
        sa.select(login_tokens, keys.c.room, keys.c.key_id.label("live_key"))
        .join(keys, (keys.c.key_id == login_tokens.c.key_id) & _key_works(now), isouter=True)
        .where(login_tokens.c.hash == hashed, login_tokens.c.kind == "session")
    )
    with store.read() as connection:
        row = connection.execute(query).first()
    if row is None or row.expires_ns < now or row.live_key != row.key_id:
        return None
    return Principal(role=Role(row.role), room=row.room, key_id=row.key_id, session=hashed)


def _key_works(now_ns: int) -> sa.ColumnElement[bool]:
    return keys.c.revoked_ns.is_(None) & (keys.c.expires_ns.is_(None) | (keys.c.expires_ns > now_ns))


def _insert(
    connection: sa.Connection, role: Role, kind: str, lifetime_s: int, key_id: str | None = None
) -> str:
    secret = secrets.token_urlsafe(32)
    connection.execute(sa.delete(login_tokens).where(login_tokens.c.expires_ns < time.time_ns()))
    connection.execute(
        sa.insert(login_tokens).values(
            hash=digest(secret),
            role=role.value,
            kind=kind,
            key_id=key_id,
            expires_ns=time.time_ns() + lifetime_s * 10**9,
        )
    )
    return secret
