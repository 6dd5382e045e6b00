"""The tables of the first release, as they were then."""

import sqlalchemy as sa

_metadata = sa.MetaData()
# SQLite counts up by itself only on a column that is exactly INTEGER.
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

sa.Table(
    "site",
    _metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)

sa.Table(
    "rooms",
    _metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "links",
    _metadata,
    sa.Column("link", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, index=True),
    sa.Column("nic", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.Column("last_capture_ns", sa.BigInteger),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "states",
    _metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.Column("memory", sa.JSON, nullable=False),
    sa.Column("received_ns", sa.BigInteger),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "predictions",
    _metadata,
    sa.Column("id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("from_ns", sa.BigInteger, nullable=False),
    sa.Column("to_ns", sa.BigInteger, nullable=False),
    sa.Column("observed_ns", sa.BigInteger, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.UniqueConstraint("room", "task", "to_ns", name="one_prediction_a_window"),
    sqlite_autoincrement=True,
)

sa.Table(
    "events",
    _metadata,
    sa.Column("sequence", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("time_ns", sa.BigInteger, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("room", sa.Text, index=True),
    sa.Column("severity", sa.Text),
    sa.Column("data", sa.JSON, nullable=False),
    sqlite_autoincrement=True,
)

sa.Table(
    "alerts",
    _metadata,
    sa.Column("alert_id", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("room", sa.Text, index=True),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("raised_ns", sa.BigInteger, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
    sa.Column("cleared_ns", sa.BigInteger),
    sa.Column("doc", sa.JSON, nullable=False),
)

sa.Table(
    "baselines",
    _metadata,
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "keys",
    _metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("room", sa.Text),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("expires_ns", sa.BigInteger),
    sa.Column("revoked_ns", sa.BigInteger),
)

sa.Table(
    "login_tokens",
    _metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text),
    sa.Column("expires_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "audit",
    _metadata,
    sa.Column("id", _COUNTER, primary_key=True, autoincrement=True),
    sa.Column("time_ns", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sqlite_autoincrement=True,
)


def upgrade(connection: sa.Connection) -> None:
    """Create the first tables."""
    _metadata.create_all(connection, checkfirst=False)
