"""The first schema."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# Longer than a screen: one table after the other, as they were when they were released.
def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "audit",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("caller_kind", sa.String(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)

    op.create_table(
        "broadcasts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("options", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("groups", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("users", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("schedule", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("occurrence", sa.DateTime(timezone=True), nullable=True),
        sa.Column("occurrence_ends", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_change", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcasts")),
    )
    with op.batch_alter_table("broadcasts", schema=None) as batch_op:
        batch_op.create_index("ix_broadcasts_next_change", ["next_change"], unique=False)
        batch_op.create_index(batch_op.f("ix_broadcasts_seq"), ["seq"], unique=False)
        batch_op.create_index(
            "uq_broadcasts_key",
            ["sender", "key"],
            unique=True,
            sqlite_where=sa.text("revoked IS NULL AND key IS NOT NULL"),
            postgresql_where=sa.text("revoked IS NULL AND key IS NOT NULL"),
        )

    op.create_table(
        "counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("pruned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stopped", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_by", sa.String(), nullable=True),
        sa.Column("stopped_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counter")),
    )
    op.create_table(
        "notifications",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("template", sa.String(), nullable=True),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("options", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notifications_ended",
            ["ended"],
            unique=False,
            sqlite_where=sa.text("ended IS NOT NULL"),
            postgresql_where=sa.text("ended IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_notifications_expires",
            ["expires"],
            unique=False,
            sqlite_where=sa.text("state = 'active' AND expires IS NOT NULL"),
            postgresql_where=sa.text("state = 'active' AND expires IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_notifications_seq"), ["seq"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_notifications_service_id"), ["service", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_notifications_target_id"), ["target", "id"], unique=False
        )
        batch_op.create_index(
            "uq_notifications_key",
            ["service", "key", "target"],
            unique=True,
            sqlite_where=sa.text("state = 'active' AND key IS NOT NULL"),
            postgresql_where=sa.text("state = 'active' AND key IS NOT NULL"),
        )

    op.create_table(
        "servers",
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("server_name", sa.String(), nullable=False),
        sa.Column("extension", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hello", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_name", "server_name", name=op.f("pk_servers")),
    )
    op.create_table(
        "welcome",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("aspect", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=True),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("dismissable", sa.Boolean(), nullable=False),
        sa.Column("max_views", sa.Integer(), nullable=True),
        sa.Column("must_accept", sa.Boolean(), nullable=False),
        sa.Column("groups", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("users", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_welcome")),
    )
    with op.batch_alter_table("welcome", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_welcome_seq"), ["seq"], unique=False)

    op.create_table(
        "broadcast_states",
        sa.Column("broadcast_id", sa.String(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcasts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("broadcast_id", "user_name", name=op.f("pk_broadcast_states")),
    )
    with op.batch_alter_table("broadcast_states", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_broadcast_states_seq"), ["seq"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_broadcast_states_user_name"), ["user_name"], unique=False
        )

    op.create_table(
        "deliveries",
        sa.Column("broadcast_id", sa.String(), nullable=False),
        sa.Column("occurrence", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("server_name", sa.String(), server_default="", nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("tabs", sa.Integer(), nullable=True),
        sa.Column("reply", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcasts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(
            "broadcast_id", "occurrence", "user_name", "server_name", name=op.f("pk_deliveries")
        ),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deliveries_broadcast_id_seq"), ["broadcast_id", "seq"], unique=False
        )
        batch_op.create_index(
            "ix_deliveries_due",
            ["due"],
            unique=False,
            sqlite_where=sa.text("due IS NOT NULL"),
            postgresql_where=sa.text("due IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_deliveries_user_name"), ["user_name"], unique=False)

    op.create_table(
        "notification_states",
        sa.Column(
            "notification_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("read", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.String(), nullable=True),
        sa.Column("stored", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shown", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tabs", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["notification_id"], ["notifications.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(
            "notification_id", "user_name", name=op.f("pk_notification_states")
        ),
    )
    with op.batch_alter_table("notification_states", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notification_states_seq"), ["seq"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_notification_states_user_name"), ["user_name"], unique=False
        )

    op.create_table(
        "welcome_states",
        sa.Column("welcome_id", sa.String(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("views", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seen_version", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["welcome_id"], ["welcome.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("welcome_id", "user_name", name=op.f("pk_welcome_states")),
    )
    with op.batch_alter_table("welcome_states", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_welcome_states_seq"), ["seq"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_welcome_states_user_name"), ["user_name"], unique=False
        )

    op.get_bind().execute(
        sa.text("INSERT INTO counter (id, epoch, seq, pruned) VALUES (1, :epoch, 0, 0)"),
        {"epoch": secrets.token_hex(4)},
    )


# Longer than a screen: the same tables in the reverse order.
def downgrade() -> None:
    """Bring the schema back."""
    with op.batch_alter_table("welcome_states", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_welcome_states_user_name"))
        batch_op.drop_index(batch_op.f("ix_welcome_states_seq"))

    op.drop_table("welcome_states")
    with op.batch_alter_table("notification_states", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notification_states_user_name"))
        batch_op.drop_index(batch_op.f("ix_notification_states_seq"))

    op.drop_table("notification_states")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deliveries_user_name"))
        batch_op.drop_index(
            "ix_deliveries_due",
            sqlite_where=sa.text("due IS NOT NULL"),
            postgresql_where=sa.text("due IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_deliveries_broadcast_id_seq"))

    op.drop_table("deliveries")
    with op.batch_alter_table("broadcast_states", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_broadcast_states_user_name"))
        batch_op.drop_index(batch_op.f("ix_broadcast_states_seq"))

    op.drop_table("broadcast_states")
    with op.batch_alter_table("welcome", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_welcome_seq"))

    op.drop_table("welcome")
    op.drop_table("servers")
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_notifications_key",
            sqlite_where=sa.text("state = 'active' AND key IS NOT NULL"),
            postgresql_where=sa.text("state = 'active' AND key IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_notifications_target_id"))
        batch_op.drop_index(batch_op.f("ix_notifications_service_id"))
        batch_op.drop_index(batch_op.f("ix_notifications_seq"))
        batch_op.drop_index(
            "ix_notifications_expires",
            sqlite_where=sa.text("state = 'active' AND expires IS NOT NULL"),
            postgresql_where=sa.text("state = 'active' AND expires IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_notifications_ended",
            sqlite_where=sa.text("ended IS NOT NULL"),
            postgresql_where=sa.text("ended IS NOT NULL"),
        )

    op.drop_table("notifications")
    op.drop_table("counter")
    with op.batch_alter_table("broadcasts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_broadcasts_key",
            sqlite_where=sa.text("revoked IS NULL AND key IS NOT NULL"),
            postgresql_where=sa.text("revoked IS NULL AND key IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_broadcasts_seq"))
        batch_op.drop_index("ix_broadcasts_next_change")

    op.drop_table("broadcasts")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_at"))

    op.drop_table("audit")
