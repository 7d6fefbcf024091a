"""The channels' queue takes broadcasts too, and notes how far messages to many are queued."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITING = sa.text("state = 'waiting'")
#: Columns of the earlier queue that this one keeps.
KEPT = (
    "user_name, channel, notification_id, state, due, created, attempts, leased_until, failure,"
    " updated"
)


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "channel_queue",
        sa.Column("message", sa.String(), nullable=False),
        *_columns(optional=True),
        sa.Column("broadcast_id", sa.String(), nullable=True),
        sa.Column("occurrence", sa.DateTime(timezone=True), nullable=True),
        *_keys("channel_queue"),
        sa.PrimaryKeyConstraint("message", "user_name", "channel", name=op.f("pk_channel_queue")),
    )
    op.create_table(
        "channel_spreads",
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("notification_id", ID, nullable=True),
        sa.Column("broadcast_id", sa.String(), nullable=True),
        sa.Column("upto", sa.String(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        *_keys("channel_spreads"),
        sa.PrimaryKeyConstraint("message", name=op.f("pk_channel_spreads")),
    )
    for table in ("channel_queue", "channel_spreads"):
        for column in ("notification_id", "broadcast_id"):
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    _index("channel_queue")
    op.execute(
        f"INSERT INTO channel_queue (message, {KEPT})"
        f" SELECT 'n:' || notification_id, {KEPT} FROM channel_sends"
    )
    op.drop_table("channel_sends")


def downgrade() -> None:
    """Bring the schema back to the revision before."""
    op.create_table(
        "channel_sends",
        *_columns(optional=False),
        *_keys("channel_sends")[:1],
        sa.PrimaryKeyConstraint(
            "notification_id", "user_name", "channel", name=op.f("pk_channel_sends")
        ),
    )
    _index("channel_sends")
    op.execute(
        f"INSERT INTO channel_sends ({KEPT})"
        f" SELECT {KEPT} FROM channel_queue WHERE notification_id IS NOT NULL"
    )
    op.drop_table("channel_spreads")
    op.drop_table("channel_queue")


def _columns(*, optional: bool) -> list[sa.Column[object]]:
    return [
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("notification_id", ID, nullable=optional),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
    ]


def _keys(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [other], ondelete="CASCADE")
        for column, other in (
            ("notification_id", "notifications.id"),
            ("broadcast_id", "broadcasts.id"),
        )
    ]


def _index(table: str) -> None:
    op.create_index(
        f"ix_{table}_due", table, ["due"], sqlite_where=WAITING, postgresql_where=WAITING
    )
