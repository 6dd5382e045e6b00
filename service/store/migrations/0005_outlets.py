"""Cursors of the outlets, webhooks, identities in building systems."""

import sqlalchemy as sa

_metadata = sa.MetaData()
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

sa.Table(
    "outlet_cursors",
    _metadata,
    sa.Column("outlet", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "webhooks",
    _metadata,
    sa.Column("webhook", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, index=True),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("health", sa.JSON, nullable=False),
    sa.Column("replay_after", sa.BigInteger),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "bacnet_rooms",
    _metadata,
    sa.Column("number", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("room", "created_ns", name="one_number_a_room"),
    sqlite_autoincrement=True,
)


def upgrade(connection: sa.Connection) -> None:
    """Create the tables of outlets."""
    _metadata.create_all(connection, checkfirst=False)
