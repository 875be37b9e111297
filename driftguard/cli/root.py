"""The command `driftguard` itself, and what becomes of an error."""

from __future__ import annotations

import errno
from typing import Any

import click

from driftguard import __version__
from driftguard.errors import DriftguardError, UnreachableError, UsageError

EPILOG = (
    "Exit codes: 0 in step, 1 findings or changes, 2 usage or configuration, 3 a system refuses, 4 stopped half-way."
)


class _Group(click.Group):
    """Expected errors become one line and their exit code; anything else is a defect and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DriftguardError as error:
            click.echo(f"driftguard: {error}", err=True)
            ctx.exit(int(error.exit_code))
        except Exception as error:
            refused = refusal(error)
            if refused is None:
                raise
            click.echo(f"driftguard: {refused}", err=True)
            ctx.exit(int(refused.exit_code))


def refusal(error: Exception) -> DriftguardError | None:
    """What a driver raised where no command expected it, as the refusal of a system that it is."""
    module = type(error).__module__
    if module.startswith("snowflake.connector"):
        from driftguard.snowflake.errors import unreachable

        return unreachable(error, "this connection")
    if module.startswith("psycopg"):
        return UnreachableError(f"PostgreSQL: {' '.join(str(error).split())}", hint="see the server's log")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
        return UsageError(f"the result cannot be written: {error.strerror}", hint="make room, and run it again")
    return None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(__version__, prog_name="driftguard")
def main() -> None:
    """Change Snowflake before AWS DMS emits what an Aurora migration adds, so that no data is lost on the way."""
