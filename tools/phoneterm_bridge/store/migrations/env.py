"""Alembic's entry point: runs the migrations on the connection from `store.database`, in its transaction.

Alembic executes this file by path; nothing else imports it.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
