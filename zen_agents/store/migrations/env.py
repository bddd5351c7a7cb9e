"""Alembic's environment: one connection handed in by `workers.migrate`, one transaction for all revisions."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

import zen_agents.store.models  # noqa: F401  (fills SQLModel.metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    # SQLite cannot ALTER most things: a changed table is copied.
    render_as_batch=True,
    # SQLite's DDL is transactional once the driver's own transaction handling is off: all revisions or none.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
