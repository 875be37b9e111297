"""Alembic's commands in this folder are done by driftguard: its runner, lease, journal and hazards."""

from driftguard.cli.environment import run

run()
