"""What Alembic's commands see in place of a database: driftguard's own record of applied revisions.

Alembic works out which revisions a command means; driftguard runs them. There is no second version table, and no
`upgrade()` is ever called. Source: alembic.sqlalchemy.org, "Runtime Objects".
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from alembic import context
from alembic.ddl.impl import DefaultImpl
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import URL

from driftguard.errors import UsageError


class _SnowflakeImpl(DefaultImpl):
    """Alembic wants to know its dialects; it sends nothing through this one."""

    __dialect__ = "snowflake"


class ControlContext(MigrationContext):
    """A migration context whose version is what the control schema says."""

    def __init__(self, base: MigrationContext, heads: Sequence[str], where: str) -> None:
        super().__init__(base.dialect, None, base.opts, base.environment_context)
        self._heads = tuple(heads)
        if not self.as_sql:  # `alembic current --verbose` prints the address
            engine: Any = SimpleNamespace(engine=SimpleNamespace(url=URL.create("snowflake", host=where)))
            self.connection = engine

    def get_current_heads(self) -> tuple[str, ...]:
        return super().get_current_heads() if self.as_sql else self._heads

    def _ensure_version_table(self, purge: bool = False) -> None:
        """The first apply makes the control schema; there is nothing else to make."""
        if purge:
            raise UsageError("--purge would forget what is applied", hint="go back with `alembic downgrade`")


def steps(heads: Sequence[str], where: str) -> list[MigrationStep]:
    """What the command that Alembic is running means, with `heads` applied; empty where it only looks.

    Raises `UsageError` for a command that makes revisions out of SQLAlchemy's metadata.
    """
    context.configure(dialect_name="snowflake")
    ours = ControlContext(context.get_context(), heads, where)
    command = getattr(context.config.cmd_opts, "cmd", None)
    if (command and command[0].__name__ == "check") or getattr(context.config.cmd_opts, "autogenerate", False):
        raise UsageError("there is nothing to generate from", hint="`driftguard plan --write` makes the revisions")
    if ours.purge:
        ours._ensure_version_table(purge=True)
    script: ScriptDirectory = context.script
    for item in script.walk_revisions():
        if not hasattr(item.module, "downgrade"):  # never called, but Alembic looks for it
            setattr(item.module, "downgrade", item.module.upgrade)  # noqa: B010
    return list(ours.opts["fn"](ours.get_current_heads(), ours))
