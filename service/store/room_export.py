"""All that the store holds of a room, as lines of JSON: one row a line, and at the end how many."""

import base64
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from service.state import rfc3339
from service.store.belongings import HISTORY, LASTING, LOG, SECRET, SETUP, of_room
from service.store.engine import Store
from service.store.schema import audit

FORMAT: Final = "roomtone-room-export/1"
_TABLES: Final = (*SETUP, *LASTING, *HISTORY, LOG, audit)
_AT_ONCE: Final = 200


def export_room(store: Store, room: str) -> Iterator[bytes]:
    """Lines ``{"table": ..., "row": {...}}`` between one that says what this is and one that ends it.

    Read in pieces, so that no transaction lasts as long as the download; bytes are base64. A file without its
    last line ``{"end": true, "rows": ...}`` is not whole.
    """
    told: Counter[str] = Counter()
    yield _line({"format": FORMAT, "room": room, "exported_at": rfc3339(time.time_ns())})
    for table in _TABLES:
        for row in _rows(store, table, room):
            told[str(table.name)] += 1
            yield _line({"table": str(table.name), "row": row})
    yield _line({"end": True, "rows": dict(told)})


def _rows(store: Store, table: sa.Table, room: str) -> Iterator[dict[str, Any]]:
    key = list(table.primary_key.columns)
    shown = [column for column in table.c if (table.name, column.name) not in SECRET]
    last: tuple[Any, ...] | None = None
    while True:
        query = sa.select(*shown).where(of_room(room, table)).order_by(*key).limit(_AT_ONCE)
        if last is not None:
            query = query.where(sa.tuple_(*key) > sa.tuple_(*last))
        with store.read() as connection:
            found = list(connection.execute(query).mappings())
        yield from ({str(name): _plain(value) for name, value in row.items()} for row in found)
        if len(found) < _AT_ONCE:
            return
        last = tuple(found[-1][column.name] for column in key)


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _line(document: object) -> bytes:
    return msgspec.json.encode(document) + b"\n"
