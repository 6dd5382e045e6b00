"""Webhooks: where each leads, what it is to carry, and how it fares.

A webhook's cursor is that of the outlet ``webhook:ID``; it stands at the log's head from the transaction that
makes the webhook, so that nothing after it is missed.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa

from models.prediction import JsonValue
from service.events import EventType, Severity
from service.store.audit import change, record
from service.store.engine import Store
from service.store.eventlog import head
from service.store.log import append_event
from service.store.outlets import drop_cursor, read_cursor, set_cursor
from service.store.schema import webhooks

ENABLED, DISABLED = "enabled", "disabled"
MOST: Final = 100
"""Webhooks of a site; each is a task and may hold a connection."""


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A webhook. `room` is the room of the admin who made it, None for the whole site; `secret` is sealed."""

    webhook: str
    room: str | None
    secret: str
    doc: dict[str, Any]
    state: str
    reason: str | None
    health: dict[str, Any]
    replay_after: int | None
    actor: str
    created_ns: int
    updated_ns: int

    @property
    def outlet(self) -> str:
        """The name of its outlet."""
        return outlet_name(self.webhook)

    @property
    def until(self) -> dict[str, int]:
        """Rooms that it named and that were deleted since: number of the last event to be told of each."""
        return dict(self.doc.get("until", {}))


def outlet_name(webhook: str) -> str:
    """The name of a webhook's outlet."""
    return f"webhook:{webhook}"


def add_webhook(
    store: Store, doc: Mapping[str, Any], *, secret: str, room: str | None, actor: str
) -> StoredWebhook | None:
    """Keep a new webhook that begins at the log's head; None if the site has `MOST` already."""
    now = time.time_ns()
    made = StoredWebhook(
        secrets.token_hex(8), room, secret, dict(doc), ENABLED, None, {}, None, actor, now, now
    )
    with store.write() as connection:
        if connection.execute(sa.select(sa.func.count()).select_from(webhooks)).scalar_one() >= MOST:
            return None
        row = {name: getattr(made, name) for name in StoredWebhook.__slots__}
        connection.execute(sa.insert(webhooks).values(row))
        set_cursor(connection, made.outlet, head(connection))
        detail = change(None, {"host": _host(made), "room": room})
        record(connection, actor=actor, action="webhook.create", target=made.webhook, detail=detail)
    return made


def list_webhooks(store: Store) -> list[StoredWebhook]:
    """All webhooks, oldest first."""
    with store.read() as connection:
        return _all(connection)


def get_webhook(store: Store, webhook: str) -> StoredWebhook | None:
    """The webhook of that id."""
    with store.read() as connection:
        return _select(connection, webhook)


def delete_webhook(store: Store, webhook: str, *, actor: str) -> None:
    """Forget the webhook and its cursor."""
    with store.write() as connection:
        found = _select(connection, webhook)
        if found is not None:
            _delete(connection, found, actor)


def end_webhooks_of(connection: sa.Connection, room: str, *, last: int, actor: str) -> None:
    """A room goes, in the caller's transaction: nothing is to be told of another that is made under its name.

    Webhooks that admins of the room made are deleted. Those of the site that name it tell how it ended, up to
    the event `last`, and go on with the other rooms that they name; one that names no other is disabled.
    """
    for webhook in _all(connection):
        if webhook.room == room:
            _delete(connection, webhook, actor)
        elif room in (webhook.doc["rooms"] or ()):
            _take_out(connection, webhook, (room, last), actor)


def ask_replay(store: Store, webhook: str, after: int | None, *, actor: str) -> int:
    """Have it deliver again what comes after that number (None: go on where it stands), also if disabled.

    Returns:
        The number after which it goes on.
    """
    with store.write() as connection:
        stands = read_cursor(connection, outlet_name(webhook))
        goes_on = (head(connection) if stands is None else stands) if after is None else after
        _update(connection, webhook, state=ENABLED, reason=None, health={}, replay_after=goes_on)
        detail: dict[str, JsonValue] = {"before": {"position": stands}, "after": {"position": goes_on}}
        record(connection, actor=actor, action="webhook.replay", target=webhook, detail=detail)
    return goes_on


def begin_replay(store: Store, webhook: str) -> None:
    """Put the cursor where a replay was asked to begin; nobody may feed the webhook meanwhile."""
    with store.write() as connection:
        found = _select(connection, webhook)
        if found is not None and found.replay_after is not None:
            set_cursor(connection, found.outlet, found.replay_after)
            _update(connection, webhook, replay_after=None)


def save_health(store: Store, webhook: str, health: Mapping[str, Any]) -> None:
    """Keep what its deliveries met."""
    with store.write() as connection:
        _update(connection, webhook, health=dict(health))


def disable_webhook(store: Store, webhook: str, health: Mapping[str, Any], reason: str) -> None:
    """Turn it off, and say so in the log and in the audit."""
    with store.write() as connection:
        found = _select(connection, webhook)
        if found is not None and found.state != DISABLED:
            _update(connection, webhook, health=dict(health))
            _disable(connection, found, reason, actor="system")


def _disable(connection: sa.Connection, webhook: StoredWebhook, reason: str, *, actor: str) -> None:
    _update(connection, webhook.webhook, state=DISABLED, reason=reason)
    facts: dict[str, JsonValue] = {"webhook": webhook.webhook, "host": _host(webhook), "reason": reason}
    append_event(
        connection,
        EventType.WEBHOOK_DISABLED,
        room=webhook.room,
        data=facts,
        time_ns=time.time_ns(),
        severity=Severity.WARNING,
    )
    record(connection, actor=actor, action="webhook.disabled", target=webhook.webhook, detail=facts)


def _delete(connection: sa.Connection, webhook: StoredWebhook, actor: str) -> None:
    connection.execute(sa.delete(webhooks).where(webhooks.c.webhook == webhook.webhook))
    drop_cursor(connection, webhook.outlet)
    detail = change({"host": _host(webhook), "room": webhook.room}, None)
    record(connection, actor=actor, action="webhook.delete", target=webhook.webhook, detail=detail)


def _take_out(connection: sa.Connection, webhook: StoredWebhook, ended: tuple[str, int], actor: str) -> None:
    """Name the room no longer, but up to which event it is told."""
    (room, last), before = ended, webhook.doc["rooms"]
    after = [name for name in before if name != room]
    until = {**webhook.until, room: last}
    _update(connection, webhook.webhook, doc={**webhook.doc, "rooms": after, "until": until})
    if after or webhook.state == DISABLED:
        detail = change({"rooms": [*before]}, {"rooms": [*after]})
        record(connection, actor=actor, action="webhook.changed", target=webhook.webhook, detail=detail)
    else:
        _disable(connection, webhook, f"room {room} was deleted", actor=actor)


def _host(webhook: StoredWebhook) -> str:
    """What may be told of its URL to everybody: the rest of it often holds a token."""
    return urlsplit(webhook.doc["url"]).hostname or ""


def _all(connection: sa.Connection) -> list[StoredWebhook]:
    query = sa.select(webhooks).order_by(webhooks.c.created_ns, webhooks.c.webhook)
    return [StoredWebhook(**row) for row in connection.execute(query).mappings()]


def _select(connection: sa.Connection, webhook: str) -> StoredWebhook | None:
    query = sa.select(webhooks).where(webhooks.c.webhook == webhook)
    row = connection.execute(query).mappings().first()
    return None if row is None else StoredWebhook(**row)


def _update(connection: sa.Connection, webhook: str, **values: Any) -> None:  # noqa: ANN401 - columns of all types
    connection.execute(
        sa.update(webhooks).where(webhooks.c.webhook == webhook).values(**values, updated_ns=time.time_ns())
    )
