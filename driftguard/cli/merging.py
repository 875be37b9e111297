"""Commands on merges: merge show, merge check, merge rewrite."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftguard.cli.findings import told
from driftguard.cli.options import common, sides, verdict
from driftguard.cli.root import main
from driftguard.errors import ExitCode, UsageError
from driftguard.shell import Shell

if TYPE_CHECKING:
    from driftguard.commands.merge import Shown


@main.group()
def merge() -> None:
    """The merges of the landings, generated or written by hand."""


@merge.command("show")
@click.argument("table", required=False)
@common
@sides
def show(shell: Shell, table: str | None, source: str | None, against: str | None) -> None:
    """What the merge of each landing, or of one Aurora TABLE, does."""
    from driftguard.commands.merge import show as run

    with shell.working("reading the merges"):
        found = run(shell.load(), table=table, source=source, against=against)
    for item in found:
        click.echo(f"{item.table} → {item.final}: {item.state}")
        for line in _lines(item):
            click.echo(f"  {line}")


def _lines(item: Shown) -> list[str]:
    if item.merge is None or item.merge.unread:
        return []
    does = item.merge.does
    filled = {name for listed in (*does.updates, *does.inserts) for name in listed}
    return [
        f"text      {item.merge.place} ({item.merge.language})",
        f"key       {', '.join(sorted(does.key)) or 'none seen'}",
        f"fills     {', '.join(sorted(filled)) or 'whatever is there'}",
        f"newest    {', '.join(does.newest) or 'not picked'}",
        f"deletes   {'handled' if does.deletes else 'not handled'}",
        f"lacks     {', '.join(item.lacks) or 'nothing'}",
    ]


@merge.command("check")
@click.argument("table", required=False)
@common
@sides
@click.option("--file", type=click.Path(path_type=Path), help="Your own file, as if it were the merge of the TABLE.")
@verdict
def check(
    shell: Shell,
    table: str | None,
    source: str | None,
    against: str | None,
    file: Path | None,
    fail_on: str,
    formats: tuple[str, ...],
    outs: tuple[Path, ...],
) -> None:
    """What is wrong with merges, pipes and tasks: the findings DG3xx of `check`, of one Aurora TABLE or of all."""
    from driftguard.commands.merge import check as run

    with shell.working("reading the merges"):
        result = run(shell.load(), table=table, file=file, source=source, against=against)
    told(shell, result, fail_on, formats, outs, clean="READY: nothing is wrong with merges, pipes and tasks")


@merge.command("rewrite")
@click.argument("table", required=False)
@common
@sides
@click.option(
    "--file", type=click.Path(path_type=Path), help="Your own file with the merge, instead of Snowflake's text."
)
@click.option("--column", "columns", metavar="NAME", multiple=True, help="A column of FINAL; default: what is lacking.")
@click.option("--write", is_flag=True, help="Write the new text into the file.")
def rewrite(
    shell: Shell,
    table: str | None,
    source: str | None,
    against: str | None,
    file: Path | None,
    columns: tuple[str, ...],
    write: bool,
) -> None:
    """Print hand-written merges with longer column lists, as a diff. Nothing is changed on Snowflake.

    Exit 1 where a text has to change, or where that is left to a person; the reason is printed.
    """
    from driftguard.commands.merge import rewrite as run

    if write and file is None:
        raise UsageError("--write needs a --file", hint="Snowflake's text is changed by you, or by your tool")
    with shell.working("reading the merges"):
        found = run(shell.load(), table=table, columns=columns, file=file, source=source, against=against)
    for patch in found:
        if patch.refused:
            click.echo(f"{patch.table}: {patch.what} is left to a person: {patch.refused}")
        elif patch.diff:
            click.echo(patch.diff, nl=False)
            if write and file is not None:
                file.write_bytes(patch.after.encode("utf-8"))
        else:
            click.echo(f"{patch.table}: {patch.what} lacks nothing")
    sys.exit(ExitCode.FINDINGS if any(patch.refused or patch.diff for patch in found) else ExitCode.OK)
