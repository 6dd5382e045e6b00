"""Bringing a store to this code's tables: each missing step once, in order, whoever opens it first."""

import time
from collections.abc import Sequence

import sqlalchemy as sa

from service.errors import StoreError
from service.store.migrations import Migration

APPLIED = sa.Table(
    "schema_migrations",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("applied_ns", sa.BigInteger, nullable=False),
)


def migrate(reader: sa.Engine, writer: sa.Engine, steps: Sequence[Migration]) -> bool:
    """Apply what is missing, each step in one transaction with the record of it; whether anything was.

    Raises:
        StoreError: a step was applied that this code does not know.
    """
    with reader.connect() as connection:
        todo = missing(applied(connection), steps)
    if not todo:
        return False
    with writer.begin() as connection:
        APPLIED.create(connection, checkfirst=True)
    for step in steps:
        with writer.begin() as connection:
            # Looked up again under the write lock: another process may have been first.
            if step not in missing(applied(connection), steps):
                continue
            step.upgrade(connection)
            row = {"number": step.number, "name": step.name, "applied_ns": time.time_ns()}
            connection.execute(sa.insert(APPLIED).values(row))
    return True


def applied(connection: sa.Connection) -> dict[int, str]:
    """Steps that this store has, by number; none in a database without tables of ours."""
    if not sa.inspect(connection).has_table(APPLIED.name):
        return {}
    rows = connection.execute(sa.select(APPLIED.c.number, APPLIED.c.name))
    return {row.number: row.name for row in rows}


def missing(done: dict[int, str], steps: Sequence[Migration]) -> list[Migration]:
    """Steps not applied yet, in order.

    Raises:
        StoreError: a step was applied that this code does not know.
    """
    known = {step.number: step.name for step in steps}
    if foreign := {number: name for number, name in done.items() if known.get(number) != name}:
        raise StoreError(
            f"the store has steps this Roomtone does not know ({foreign}); "
            "it was written by a newer version: install that version or restore an older backup"
        )
    return [step for step in steps if step.number not in done]
