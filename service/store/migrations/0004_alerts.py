"""Alert rules, what people did about alerts, conditions that wait to be alerts, secondary screenings."""

import time

import sqlalchemy as sa

_metadata = sa.MetaData()

_rules = sa.Table(
    "alert_rules",
    _metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("doc", sa.JSON, nullable=False),
    sa.Column("updated_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "alert_waits",
    _metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("since_ns", sa.BigInteger, nullable=False),
)

sa.Table(
    "screenings",
    _metadata,
    sa.Column("screening", sa.Text, primary_key=True),
    sa.Column("alert_id", sa.Text, nullable=False),
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("from_ns", sa.BigInteger),
    sa.Column("to_ns", sa.BigInteger),
    sa.Column("opened_ns", sa.BigInteger, nullable=False),
    sa.Column("closed_ns", sa.BigInteger),
    sa.Column("found", sa.Text),
    sa.Column("actor", sa.Text),
    sa.Column("doc", sa.JSON, nullable=False),
)

_ALERT_COLUMNS = (
    "kind TEXT NOT NULL DEFAULT ''",
    "subject TEXT NOT NULL DEFAULT ''",
    "holds BOOLEAN NOT NULL DEFAULT FALSE",
    "marks JSON NOT NULL DEFAULT '{}'",
    "snoozed_until_ns BIGINT",
    "from_ns BIGINT",
    "to_ns BIGINT",
)
_KINDS = {"room_occupied": "occupied", "link_lost": "link_lost", "recalibration_suggested": "drift"}
_SEEDS = (
    {"id": "room_occupied", "kind": "occupied", "severity": "info"},
    {"id": "suspicious_object", "kind": "suspicious_object", "severity": "critical"},
    {"id": "link_lost", "kind": "link_lost", "severity": "warning"},
    {"id": "recalibration_suggested", "kind": "drift", "severity": "warning"},
)


def upgrade(connection: sa.Connection) -> None:
    """Create the tables, tell of old alerts what new ones tell, and write the rules that sites begin with."""
    _metadata.create_all(connection, checkfirst=False)
    for column in _ALERT_COLUMNS:
        connection.execute(sa.text(f"ALTER TABLE alerts ADD COLUMN {column}"))
    connection.execute(sa.text("CREATE INDEX ix_alerts_holds ON alerts (holds)"))
    _fill(connection)
    now = time.time_ns()
    rows = [
        {"rule": one["id"], "position": place, "doc": one, "updated_ns": now}
        for place, one in enumerate(_SEEDS)
    ]
    connection.execute(sa.insert(_rules), rows)


def _fill(connection: sa.Connection) -> None:
    alerts = sa.table(
        "alerts",
        *(sa.column(name) for name in ("alert_id", "rule", "state", "kind", "subject", "holds")),
        sa.column("doc", sa.JSON),
    )
    for rule, kind in _KINDS.items():
        connection.execute(sa.update(alerts).where(alerts.c.rule == rule).values(kind=kind))
    standing = sa.select(alerts.c.alert_id, alerts.c.doc).where(alerts.c.state == "raised")
    for row in connection.execute(standing).all():
        subject = row.doc.get("link") or row.doc.get("task") or ""
        update = sa.update(alerts).where(alerts.c.alert_id == row.alert_id)
        connection.execute(update.values(subject=subject, holds=True))
