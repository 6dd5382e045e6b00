"""Replays of idempotent answers, people of identity providers, privacy pauses."""

import sqlalchemy as sa


def upgrade(connection: sa.Connection) -> None:
    """Nothing yet: tables are added while this step is being written."""
    del connection
