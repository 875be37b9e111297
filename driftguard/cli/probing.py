"""`driftguard probe`."""

from __future__ import annotations

import sys

import click

from driftguard.cli.options import common
from driftguard.cli.root import main
from driftguard.errors import ExitCode, UsageError
from driftguard.shell import Shell, relative


@main.command()
@common
@click.option(
    "--aurora", metavar="[URL]", is_flag=False, flag_value="", help="Aurora, DMS and the lake; default: [aurora] url."
)
@click.option("--snowflake", is_flag=True, help="Snowflake, in a schema of its own; writes its capability file.")
@click.option("--timeout", type=float, default=1800, show_default=True, help="Seconds to wait for DMS's files.")
@click.option("--force", is_flag=True, help="Let what is seen replace rows of observed.toml that say otherwise.")
@click.option("--dry-run", is_flag=True, help="Print what would be written into typemaps/observed.toml.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def probe(
    shell: Shell, aurora: str | None, snowflake: bool, timeout: float, force: bool, dry_run: bool, format_: str
) -> None:
    """Ask the pipeline what no document says.

    --aurora: every type and boundary value through DMS, compared on the lake. Makes the schema driftguard_probe on
    Aurora, waits for the DMS task to carry it, drops it again, and writes typemaps/observed.toml.
    """
    from driftguard.commands.probe import probe_aurora, probe_snowflake
    from driftguard.probe import report
    from driftguard.render import json

    if (aurora is None) is not snowflake:
        raise UsageError("one thing is probed at a time", hint="give --aurora [URL] or --snowflake")
    if snowflake:
        known, path = probe_snowflake(shell.load(), dry_run=dry_run)
        if format_ == "json":
            click.echo(json.document({**known.document(), "file": str(path)}), nl=False)
            return
        for item in known.items:
            error = f" [{item.error:06d}]" if item.error > 0 else ""
            click.echo(f"{item.answer.value:<9}  {item.what}{error}")
        click.echo("nothing written" if dry_run else f"wrote {relative(path)}")
        return
    result = probe_aurora(
        shell.load(), url=aurora or None, timeout=timeout, dry_run=dry_run, force=force, tell=shell.say
    )
    if format_ == "json":
        click.echo(json.document(report.document(result)), nl=False)
    else:
        for line in report.lines(result, verbose=shell.verbose):
            click.echo(line)
    sys.exit(ExitCode.FINDINGS if result.merged.conflicts or result.unfinished else ExitCode.OK)
