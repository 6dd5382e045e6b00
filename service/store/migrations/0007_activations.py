"""The order in which versions came to serve, so that roll-back undoes just the last change."""

import sqlalchemy as sa

_metadata = sa.MetaData()
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_activations = sa.Table(
    "activations",
    _metadata,
    sa.Column("activation", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("activated_ns", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
_versions = sa.table("versions", *map(sa.column, ("room", "task", "version", "state", "activated_ns")))


def upgrade(connection: sa.Connection) -> None:
    """Create the table, with what is known of the order so far."""
    _metadata.create_all(connection, checkfirst=False)
    if known := _known(connection):
        connection.execute(sa.insert(_activations), known)


def _known(connection: sa.Connection) -> list[dict[str, object]]:
    """What served below what serves now, by the time at which each came to serve last.

    A version that somebody left by rolling back cannot be told from one that was replaced, so it stands here
    too. Where none serves, a room was rolled back to none: there is nothing below.
    """
    served = _versions.c.activated_ns.is_not(None) & _versions.c.state.in_(("retired", "active"))
    last = sa.case((_versions.c.state == "active", 1), else_=0)
    query = sa.select(_versions).where(served).order_by(last, _versions.c.activated_ns, _versions.c.version)
    rows = connection.execute(query).mappings().all()
    serving = {(row["room"], row["task"]) for row in rows if row["state"] == "active"}
    return [
        {name: row[name] for name in ("room", "task", "version", "activated_ns")}
        for row in rows
        if (row["room"], row["task"]) in serving
    ]
