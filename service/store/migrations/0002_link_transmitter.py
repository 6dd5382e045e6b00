"""Links remember whom they follow, so that another transmitter is noticed over a restart too."""

import sqlalchemy as sa


def upgrade(connection: sa.Connection) -> None:
    """Add `links.transmitter`."""
    connection.execute(sa.text("ALTER TABLE links ADD COLUMN transmitter BIGINT"))
