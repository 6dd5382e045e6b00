"""Heads of rooms' own, as the worker serves them: the active one of a task, and one in its shadow run.

Tensors are read once; reading the list again costs one small query.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from models.adapt.head_file import unpack_head
from models.runtime import RoomModel
from service.store.engine import Store
from service.store.schema import versions
from service.store.versions import ACTIVE, SHADOW

_log = logging.getLogger(__name__)
Own = Mapping[str, RoomModel]
"""Head by task, of one room."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Heads by room."""

    active: Mapping[str, Own] = field(default_factory=dict)
    shadow: Mapping[str, Own] = field(default_factory=dict)


class Heads:
    """Keeps the tensors of the versions that are served."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[int, RoomModel | None] = {}

    def read(self) -> Listed:
        """What is active and what is in its shadow run now; a damaged version is left out, and said."""
        found: dict[str, dict[str, dict[str, RoomModel]]] = {ACTIVE: {}, SHADOW: {}}
        query = sa.select(versions.c.version, versions.c.room, versions.c.task, versions.c.state).where(
            versions.c.state.in_((ACTIVE, SHADOW))
        )
        with self._store.read() as connection:
            rows = connection.execute(query).all()
            for row in rows:
                if row.version not in self._known:
                    self._known[row.version] = load_head(connection, row.version)
                own = self._known[row.version]
                if own is not None:
                    found[row.state].setdefault(row.room, {})[row.task] = own
        for gone in set(self._known) - {row.version for row in rows}:
            del self._known[gone]
        return Listed(found[ACTIVE], found[SHADOW])


def load_head(connection: sa.Connection, version: int) -> RoomModel | None:
    """The head of a version that is in the store; None, and it is said, where it is damaged."""
    row = connection.execute(sa.select(versions).where(versions.c.version == version)).mappings().one()
    try:
        return RoomModel(
            head=unpack_head(row["head"]),
            model=(row["model"], row["model_digest"]),
            version=version,
            digest=row["digest"],
            classes=tuple(row["doc"]["classes"]),
            simulated=bool(row["doc"]["simulated"]),
            provisional=row["provisional"],
            cells=tuple((str(name), float(x), float(y)) for name, x, y in row["doc"].get("cells", [])),
            interval_width=row["doc"].get("interval_width"),
        )
    except (ValueError, KeyError, TypeError) as error:
        _log.error("version %d of room %s cannot be served: %s", version, row["room"], error)
        return None
