"""A table of do not disturb and muted sources, for each user."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "user_quiet",
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_name", name=op.f("pk_user_quiet")),
    )
    op.create_index(op.f("ix_user_quiet_seq"), "user_quiet", ["seq"])


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_table("user_quiet")
