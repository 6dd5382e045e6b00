"""API keys `rt_<id>_<secret>`: made once, kept as a hash, checked on every request."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from service.state import rfc3339
from service.store.audit import change, record
from service.store.engine import Store
from service.store.schema import keys

_ID_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no letter that is read as another
_ID_LENGTH = 8


class Role(StrEnum):
    """What a caller may do; each role holds all rights of those before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what `other` may."""
        return _RANKS[self] >= _RANKS[other]


_RANKS = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. `room` None means every room.

    `session` is the cookie's hash of a dashboard; `person` the subject of an identity provider's token. A key
    or token is good until `ends_ns`; None: until it is revoked.
    """

    role: Role
    room: str | None = None
    key_id: str | None = None
    session: str | None = None
    person: str | None = None
    ends_ns: int | None = None

    @property
    def actor(self) -> str:
        """The name that stands in the audit log."""
        if self.person is not None:
            return f"person:{self.person}"
        return f"key:{self.key_id}" if self.key_id else "session:printed-url"

    def holds(self, now_ns: int) -> bool:
        """Whether its time is not over."""
        return self.ends_ns is None or now_ns < self.ends_ns

    def sees(self, room: str | None) -> bool:
        """Whether it may know about that room; None is the site as a whole."""
        return self.room is None or self.room == room


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as lists show it: everything but its secret."""

    key_id: str
    role: Role
    room: str | None
    name: str
    created_ns: int
    expires_ns: int | None
    revoked_ns: int | None

    def works(self, now_ns: int) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_ns is None and (self.expires_ns is None or now_ns < self.expires_ns)

    def document(self) -> dict[str, str | None]:
        """The key as lists show it."""
        status = "active" if self.works(time.time_ns()) else "revoked" if self.revoked_ns else "expired"
        return {
            "id": self.key_id,
            "role": self.role.value,
            "room": self.room,
            "name": self.name,
            "status": status,
            "created_at": rfc3339(self.created_ns),
            "expires_at": None if self.expires_ns is None else rfc3339(self.expires_ns),
        }


def digest(secret: str) -> str:
    """What is stored of a secret. It has 256 random bits, so one round of SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_key(
    store: Store,
    role: Role,
    *,
    actor: str,
    room: str | None = None,
    name: str = "",
    expires_ns: int | None = None,
) -> tuple[str, KeyInfo]:
    """A new key and what is kept of it; the key itself is never to be had again."""
    with store.write() as connection:
        return _insert(connection, role, actor=actor, room=room, name=name, expires_ns=expires_ns)


def ensure_first_admin(store: Store) -> str | None:
    """An admin key for a store that has no key yet, else None."""
    with store.write() as connection:
        if connection.execute(sa.select(keys.c.key_id).limit(1)).first() is not None:
            return None
        return _insert(connection, Role.ADMIN, actor="system", name="first admin")[0]


def list_keys(store: Store) -> list[KeyInfo]:
    """All keys, revoked and expired ones too, oldest first."""
    with store.read() as connection:
        rows = connection.execute(sa.select(keys).order_by(keys.c.created_ns, keys.c.key_id)).mappings()
        return [_info(row) for row in rows]


def revoke_key(store: Store, key_id: str, *, actor: str) -> bool:
    """End a key at once; False if there is none of that id. Revoking twice changes nothing."""
    with store.write() as connection:
        row = connection.execute(sa.select(keys.c.revoked_ns).where(keys.c.key_id == key_id)).first()
        if row is None:
            return False
        if row.revoked_ns is None:
            _revoke(connection, key_id, actor)
    return True


def revoke_keys_of(connection: sa.Connection, room: str, *, actor: str) -> None:
    """End the keys for a room that goes, in the caller's transaction: one made again is another room."""
    mine = (keys.c.room == room) & keys.c.revoked_ns.is_(None)
    query = sa.select(keys.c.key_id).where(mine).order_by(keys.c.created_ns, keys.c.key_id)
    for key_id in connection.execute(query).scalars().all():
        _revoke(connection, key_id, actor)


def authenticate(store: Store, key: str) -> Principal | None:
    """Who holds this key; None if it is malformed, unknown, revoked or expired."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != "rt" or not secret or not set(key_id) <= set(_ID_ALPHABET):
        return None
    with store.read() as connection:
        row = connection.execute(sa.select(keys).where(keys.c.key_id == key_id)).mappings().first()
    # Compare even without a row, so that the time taken tells nothing about which ids exist.
    matches = hmac.compare_digest(digest(secret), row["hash"] if row else digest(""))
    if row is None or not matches or not _info(row).works(time.time_ns()):
        return None
    return Principal(role=Role(row["role"]), room=row["room"], key_id=key_id, ends_ns=row["expires_ns"])


def _revoke(connection: sa.Connection, key_id: str, actor: str) -> None:
    connection.execute(sa.update(keys).where(keys.c.key_id == key_id).values(revoked_ns=time.time_ns()))
    detail = change({"status": "active"}, {"status": "revoked"})
    record(connection, actor=actor, action="key.revoke", target=key_id, detail=detail)


def _insert(
    connection: sa.Connection,
    role: Role,
    *,
    actor: str,
    room: str | None = None,
    name: str = "",
    expires_ns: int | None = None,
) -> tuple[str, KeyInfo]:
    key_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))
    secret = secrets.token_urlsafe(32)
    info = KeyInfo(key_id, role, room, name, time.time_ns(), expires_ns, None)
    connection.execute(
        sa.insert(keys).values(
            key_id=key_id,
            hash=digest(secret),
            role=role.value,
            room=room,
            name=name,
            created_ns=info.created_ns,
            expires_ns=expires_ns,
        )
    )
    record(
        connection,
        actor=actor,
        action="key.create",
        target=key_id,
        detail=change(None, {name: info.document()[name] for name in ("role", "room", "name", "expires_at")}),
    )
    return f"rt_{key_id}_{secret}", info


def _info(row: sa.RowMapping | dict[str, Any]) -> KeyInfo:
    return KeyInfo(
        key_id=row["key_id"],
        role=Role(row["role"]),
        room=row["room"],
        name=row["name"],
        created_ns=row["created_ns"],
        expires_ns=row["expires_ns"],
        revoked_ns=row["revoked_ns"],
    )
