"""An index of notifications to groups, so that the latest is found without a scan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NAME = "ix_notifications_of_groups"
OF_GROUPS = sa.text("substr(target, 1, 2) = 'g:'")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_index(
        NAME, "notifications", ["seq"], sqlite_where=OF_GROUPS, postgresql_where=OF_GROUPS
    )


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.drop_index(NAME, "notifications")
