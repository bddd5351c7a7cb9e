"""Alembic's environment and revisions; run by `workers.migrate` alone."""
