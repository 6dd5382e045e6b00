"""Cursors of the outlets, webhooks, identities in building systems."""

import sqlalchemy as sa


def upgrade(connection: sa.Connection) -> None:
    """Nothing yet: tables are added while this step is being written."""
    del connection
