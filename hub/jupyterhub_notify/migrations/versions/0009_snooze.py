"""Columns for the time until which a user has snoozed a notification or broadcast."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("notification_states", "broadcast_states")


def upgrade() -> None:
    """Bring the schema to this revision."""
    for table in TABLES:
        op.add_column(table, sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    for table in TABLES:
        op.drop_column(table, "snoozed_until")
