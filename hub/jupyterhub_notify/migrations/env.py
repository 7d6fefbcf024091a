"""The script that Alembic runs; the connection comes from `upgrade`."""

from __future__ import annotations

from alembic import context

from jupyterhub_notify.schema import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    # SQLite can change many things in a table only by making it anew.
    render_as_batch=connection.dialect.name == "sqlite",
    # The caller has begun the transaction.
    transactional_ddl=False,
)
context.run_migrations()
