"""A table of epochs, and in the counter the latest notification's id and the database's place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "epochs",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_epochs")),
    )
    op.add_column(
        "counter", sa.Column("last_id", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("counter", sa.Column("place", sa.String(), nullable=True))
    op.execute("UPDATE counter SET last_id = (SELECT coalesce(max(id), 0) FROM notifications)")
    op.execute('INSERT INTO epochs (number, name, "after") SELECT 1, epoch, 0 FROM counter')


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    with op.batch_alter_table("counter", schema=None) as batch_op:
        batch_op.drop_column("place")
        batch_op.drop_column("last_id")
    op.drop_table("epochs")
