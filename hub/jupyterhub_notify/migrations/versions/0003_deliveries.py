"""Columns for pushes: the address, the route, and when recipients were looked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    time = sa.DateTime(timezone=True)
    with op.batch_alter_table("broadcasts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("planned", time, nullable=True))
        batch_op.add_column(sa.Column("plan_next", time, nullable=True))
        batch_op.add_column(sa.Column("plan_leased_until", time, nullable=True))
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("url", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("route", sa.String(), nullable=True))


def downgrade() -> None:
    """Bring the schema back."""
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_column("route")
        batch_op.drop_column("url")
    with op.batch_alter_table("broadcasts", schema=None) as batch_op:
        batch_op.drop_column("plan_leased_until")
        batch_op.drop_column("plan_next")
        batch_op.drop_column("planned")
