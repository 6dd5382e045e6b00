"""Labelled samples, jobs that learn from them, and the versions of rooms' own heads that come out."""

import sqlalchemy as sa

_metadata = sa.MetaData()
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

sa.Table(
    "samples",
    _metadata,
    sa.Column("sample", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("from_ns", sa.BigInteger, nullable=False),
    sa.Column("to_ns", sa.BigInteger, nullable=False),
    sa.Column("verdict", sa.JSON, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("windows", sa.LargeBinary),
)

sa.Table(
    "jobs",
    _metadata,
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "versions",
    _metadata,
    sa.Column("version", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("model_digest", sa.Text, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.Column("shadow", sa.JSON, nullable=False),
    sa.Column("job", sa.Text),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("activated_ns", sa.BigInteger),
    sa.Column("head", sa.LargeBinary, nullable=False),  # last: lists do not read through it
    sqlite_autoincrement=True,
)

sa.Table(
    "idempotency",
    _metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("made", sa.Text, nullable=False, index=True),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
)


def upgrade(connection: sa.Connection) -> None:
    """Create the tables of adaptation."""
    _metadata.create_all(connection, checkfirst=False)
