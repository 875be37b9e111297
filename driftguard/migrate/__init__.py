"""Revisions: plans written down as Alembic revisions, read back without running them, and applied."""
