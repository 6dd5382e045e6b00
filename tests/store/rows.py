"""A row in every table, of every type at its limits, and all rows of a store to compare."""

from typing import Any

import sqlalchemy as sa

from service.store.engine import Store
from service.store.schema import metadata

BIG = 2**62 + 1
DOCUMENT = {"text": "Läb ☃ 'quoted' \\ \n", "none": None, "float": 0.1, "big": 2**53 + 1, "list": [True, {}]}


def value_of(column: sa.Column[Any], number: int) -> object:
    """A value that the column's type just takes; every second row leaves out what may be left out."""
    if column.nullable and number % 2:
        return None
    if column.primary_key and isinstance(column.type, sa.Integer):
        return number + 1
    kinds: dict[type[Any], object] = {
        sa.Boolean: bool(number % 2),
        sa.LargeBinary: bytes(range(256)) * 20,
        sa.JSON: DOCUMENT,
        sa.BigInteger: BIG - number,
        sa.Integer: 2**31 - 1 - number,
        sa.Text: f"{column.name} ☃ {number}",
    }
    return next(value for kind, value in kinds.items() if isinstance(column.type, kind))


def fill_tables(store: Store) -> None:
    """Two rows in every table, one of them with nothing in what may be left out."""
    with store.write() as connection:
        for table in metadata.sorted_tables:
            rows = [{c.name: value_of(c, number) for c in table.columns} for number in range(2)]
            connection.execute(sa.delete(table))
            connection.execute(sa.insert(table), rows)


def rows_of(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    with store.read() as connection:
        queries = {
            table.name: sa.select(table).order_by(*table.primary_key) for table in metadata.sorted_tables
        }
        return {
            name: [dict(row) for row in connection.execute(query).mappings()]
            for name, query in queries.items()
        }
