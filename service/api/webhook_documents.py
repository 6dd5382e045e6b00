"""Webhooks as the API tells them: what was asked for, where the receiver stands, what it met."""

from collections.abc import Sequence
from typing import Any

from service.state import rfc3339
from service.store.engine import Store
from service.store.eventlog import read_head
from service.store.outlets import cursors
from service.store.webhooks import StoredWebhook


def webhook_documents(store: Store, webhooks: Sequence[StoredWebhook]) -> list[dict[str, Any]]:
    """Each webhook without its secret."""
    newest, stands = read_head(store), cursors(store)
    return [_document(one, stands.get(one.outlet, newest), newest) for one in webhooks]


def _document(webhook: StoredWebhook, stands: int, newest: int) -> dict[str, Any]:
    position = stands if webhook.replay_after is None else webhook.replay_after
    health = webhook.health
    return {
        "id": webhook.webhook,
        **webhook.doc,
        "until": webhook.until,
        "room": webhook.room,
        "state": webhook.state,
        "reason": webhook.reason,
        "position": position,
        "behind": max(0, newest - position),
        "last_success_at": _time(health.get("last_success_ns")),
        "last_failure_at": _time(health.get("last_failure_ns")),
        "last_trouble": health.get("last_trouble"),
        "failing_since": _time(health.get("failing_since_ns")),
        "created_at": rfc3339(webhook.created_ns),
        "created_by": webhook.actor,
    }


def _time(moment_ns: int | None) -> str | None:
    return None if moment_ns is None else rfc3339(moment_ns)
