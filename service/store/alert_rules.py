"""Alert rules in the store: one list, replaced as a whole."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from service.rooms.alerting.rules import AlertRule, rule_of
from service.store.audit import record
from service.store.engine import Store
from service.store.schema import alert_rules

Document = dict[str, Any]
_log = logging.getLogger(__name__)


def read_documents(connection: sa.Connection) -> list[Document]:
    """The rules in order, as they were written."""
    query = sa.select(alert_rules.c.doc).order_by(alert_rules.c.position)
    return list(connection.execute(query).scalars())


def readable(documents: Sequence[Document]) -> list[AlertRule]:
    """The rules in these documents; one that cannot be read (its time zone is gone, say) is left out."""
    found = []
    for document in documents:
        try:
            found.append(rule_of(document))
        except ValidationError as error:
            _log.error("alert rule %s does not count, it cannot be read: %s", document.get("id"), error)
    return found


def etag_of(documents: Sequence[Document]) -> str:
    """Entity tag of the whole list."""
    content = json.dumps(documents, sort_keys=True).encode()
    return f'"{hashlib.sha256(content).hexdigest()[:20]}"'


def list_rules(store: Store) -> list[AlertRule]:
    """All rules in order."""
    with store.read() as connection:
        return readable(read_documents(connection))


def put_rules(
    store: Store, rules: Sequence[AlertRule], *, check: Callable[[str], None], actor: str
) -> list[Document]:
    """Replace all rules. `check` is called with the list's entity tag; what it raises leaves it as it is."""
    with store.write() as connection:
        return write_rules(connection, rules, check=check, actor=actor)


def write_rules(
    connection: sa.Connection, rules: Sequence[AlertRule], *, check: Callable[[str], None], actor: str
) -> list[Document]:
    """As `put_rules`, in the caller's transaction."""
    after = [rule.model_dump(mode="json") for rule in rules]
    before = [rule.model_dump(mode="json") for rule in readable(read_documents(connection))]
    check(etag_of(before))
    _write(connection, after)
    difference = _difference(before, after)
    record(connection, actor=actor, action="alert_rules.changed", target="alert-rules", detail=difference)
    return after


def add_missing(connection: sa.Connection, rules: Sequence[AlertRule]) -> None:
    """Append rules whose id the store does not hold."""
    held = read_documents(connection)
    known = {one["id"] for one in held}
    new = [rule.model_dump(mode="json") for rule in rules if rule.id not in known]
    if new:
        _write(connection, [*held, *new])


def _write(connection: sa.Connection, documents: Sequence[Document]) -> None:
    connection.execute(sa.delete(alert_rules))
    now = time.time_ns()
    rows = [
        {"rule": one["id"], "position": place, "doc": one, "updated_ns": now}
        for place, one in enumerate(documents)
    ]
    if rows:
        connection.execute(sa.insert(alert_rules), rows)


def _difference(before: Sequence[Document], after: Sequence[Document]) -> dict[str, Any]:
    """What changed, by rule: as it was and as it is; null: there is none."""
    was, now = ({one["id"]: one for one in some} for some in (before, after))
    changed = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return {
        "before": {name: was.get(name) for name in changed},
        "after": {name: now.get(name) for name in changed},
        "order": [one["id"] for one in after],
    }
