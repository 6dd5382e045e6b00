"""Numbers that tables give out: a restored store goes on after the last one, even if its row is gone."""

import sqlalchemy as sa

from service.store.schema import metadata


def _counting() -> list[sa.Column[int]]:
    """Columns that count up by themselves."""
    found = []
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and table.dialect_options["sqlite"]["autoincrement"]:
            found.append(column)
    return found


def read_counters(connection: sa.Connection) -> dict[str, int]:
    """The last number given out, by table; or the highest there is, where somebody wrote it by hand."""
    given = _given_sqlite if connection.dialect.name == "sqlite" else _given_postgresql
    found = {}
    for column in _counting():
        highest = int(connection.execute(sa.select(sa.func.max(column))).scalar() or 0)
        found[column.table.name] = max(given(connection, column), highest)
    return found


def _given_sqlite(connection: sa.Connection, column: sa.Column[int]) -> int:
    counters = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
    query = sa.select(counters.c.seq).where(counters.c.name == column.table.name)
    return int(connection.execute(query).scalar() or 0)


def _given_postgresql(connection: sa.Connection, column: sa.Column[int]) -> int:
    name = connection.execute(sa.select(_sequence(column))).scalar_one().rpartition(".")[2]
    counter = sa.table(name, sa.column("last_value"), sa.column("is_called"))
    row = connection.execute(sa.select(counter)).one()
    return int(row.last_value) if row.is_called else 0


def set_counter(connection: sa.Connection, table: str, last: int) -> None:
    """The next number of this table is above `last`."""
    columns = {column.table.name: column for column in _counting()}
    if table not in columns or last < 1:
        return
    if connection.dialect.name == "sqlite":
        counters = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
        connection.execute(sa.delete(counters).where(counters.c.name == table))
        connection.execute(sa.insert(counters).values(name=table, seq=last))
    else:
        connection.execute(sa.select(sa.func.setval(_sequence(columns[table]), last)))


def _sequence(column: sa.Column[int]) -> sa.Function[str]:
    return sa.func.pg_get_serial_sequence(column.table.name, column.name)
