"""Cursors of the outlets, webhooks, identities in building systems."""

import sqlalchemy as sa

_metadata = sa.MetaData()

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
    sa.Column("health", sa.JSON, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)


def upgrade(connection: sa.Connection) -> None:
    """Create the tables of outlets."""
    _metadata.create_all(connection, checkfirst=False)
