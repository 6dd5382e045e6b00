"""Replays of idempotent answers, people of identity providers, privacy pauses."""

import sqlalchemy as sa

_metadata = sa.MetaData()

sa.Table(
    "answers",
    _metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("room", sa.Text, index=True),
    sa.Column("status", sa.Integer),
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("body", sa.LargeBinary),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "pauses",
    _metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("from_ns", sa.BigInteger),
    sa.Column("until_ns", sa.BigInteger),
    sa.Column("schedule", sa.JSON(none_as_null=True)),
    sa.Column("resumed_ns", sa.BigInteger),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "erasures",
    _metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("erased_ns", sa.BigInteger, nullable=False),
)


def upgrade(connection: sa.Connection) -> None:
    """Create the tables of access and privacy."""
    _metadata.create_all(connection, checkfirst=False)
